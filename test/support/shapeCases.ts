import assert from 'node:assert/strict';
import { inferShapes } from '../../src/core/shape/inferShapes';
import { modelOf, type PlainAttributes } from './modelOf';
import { describeValue } from './shapeText';

/** One node: its inputs (see `modelOf`; `''` omitted) and what should be known of its outputs. */
export interface ShapeCase {
  readonly op: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly inputs: readonly string[];
  readonly attributes?: PlainAttributes;
  readonly bindings?: Readonly<Record<string, number>>;
  readonly gives?: readonly string[];
  /** The node breaks its definition: a part of the problem's sentence. */
  readonly fails?: RegExp;
}

/** Declares one mocha test per case. */
export function shapeCases(cases: readonly ShapeCase[]): void {
  for (const one of cases) it(titleOf(one), () => check(one));
}

function titleOf({ op, opset, inputs, attributes }: ShapeCase): string {
  const settings = attributes ? ` ${JSON.stringify(attributes)}` : '';
  return `${op}${opset ? `-${opset}` : ''}(${inputs.join('; ')})${settings}`.slice(0, 160);
}

function check(one: ShapeCase): void {
  const names = one.inputs.map((text, at) => (text === '' ? '' : `in${at}`));
  const outputs = (one.gives ?? ['']).map((_, at) => `out${at}`);
  const model = modelOf(
    {
      inputs: Object.fromEntries(one.inputs.flatMap((text, at) => (text === '' ? [] : [[names[at], text]]))),
      nodes: [{ type: one.op, domain: one.domain, inputs: names, outputs, attributes: one.attributes }],
      outputs,
    },
    { opset: one.opset, opsets: one.domain ? { [one.domain]: one.opset ?? 1 } : {} },
  );
  const result = inferShapes(model, { bindings: new Map(Object.entries(one.bindings ?? {})) });
  if (one.fails !== undefined) {
    assert.match(result.problems[0]?.message ?? 'no problem', one.fails);
    assert.equal(result.problems[0].node, 0);
    assert.deepEqual(
      outputs.map((name) => describeValue(result.main.values.get(name))),
      outputs.map(() => '?'),
    );
    return;
  }
  assert.deepEqual(result.problems, []);
  assert.deepEqual(
    outputs.map((name) => describeValue(result.main.values.get(name))),
    one.gives,
  );
}
