import assert from 'node:assert/strict';
import type { Initializer, Model, ModelGraph, ValueInfo } from '../../../../src/core/onnx/model';
import { readModel } from '../../../../src/core/onnx/readModel';
import { sizeOf } from '../../../../src/core/shape/dim';
import { inferShapes } from '../../../../src/core/shape/inferShapes';
import type { ValueType } from '../../../../src/core/shape/types';
import { conformanceCases, type ConformanceCase } from '../../../support/conformance';
import { type CaseValue, decodeCaseValue, numbersOf } from '../../../support/protoValues';

/** Inputs up to this many elements are known to inference, larger ones only by their shape. */
const KNOWN_ELEMENTS = 64;
const LEAST_EQUAL = 0.97;

type Outcome = 'equal' | 'unknown' | 'wrong' | 'failed';

describe('shape inference on ONNX conformance cases', () => {
  const cases = conformanceCases();
  if (cases === undefined) return;

  it('gives every output its type and shape, or unknown where that depends on data', () => {
    const found = cases.map((one) => ({ name: one.name, ...outcomeOf(one) }));
    const count = (outcome: Outcome) => found.filter((one) => one.outcome === outcome).length;
    const bad = found.filter((one) => one.outcome === 'wrong' || one.outcome === 'failed');
    console.log(
      `  ${cases.length} conformance cases: ${count('equal')} equal, ${count('unknown')} unknown because of data, ` +
        `${count('wrong')} wrong, ${count('failed')} failed`,
    );
    assert.deepEqual(bad, []);
    assert.ok(count('equal') >= LEAST_EQUAL * (cases.length - count('unknown')));
    const unexplained = found.filter((one) => one.outcome === 'unknown' && !DATA_DEPENDENT.test(one.name));
    assert.deepEqual(unexplained, []);
  });
});

/** Operators whose result's size is in data that is larger or not numeric, or in the encoded image. */
const DATA_DEPENDENT =
  /^(image_decoder|nonmaxsuppression|string_split|strnormalizer|unique|compress|nonzero|sequence)/;

function outcomeOf(one: ConformanceCase): { outcome: Outcome; detail?: string } {
  try {
    const model = readModel({
      size: one.model.length,
      read: (offset, length) => one.model.subarray(offset, offset + length),
    });
    const stripped = withoutAnswers(model, one);
    const { main, problems } = inferShapes(stripped, { bindings: new Map() });
    const serious = problems.find((problem) => problem.severity === 'error');
    if (serious !== undefined) return { outcome: 'failed', detail: serious.message };
    const outcomes = model.graph.outputs.map((output, at) => {
      const expected = decode(one.outputs[at], output);
      return expected ? compare(main.values.get(output.name)?.type, expected) : { outcome: 'equal' as const };
    });
    for (const outcome of ['wrong', 'unknown'] as const) {
      const hit = outcomes.find((each) => each.outcome === outcome);
      if (hit !== undefined) return hit;
    }
    return { outcome: 'equal' };
  } catch (error) {
    return { outcome: 'failed', detail: String((error as Error).stack) };
  }
}

/** The model without what it says of results, and with its small inputs as constants. */
function withoutAnswers(model: Model, one: ConformanceCase): Model {
  const initializers: Initializer[] = [];
  for (const [at, input] of model.graph.inputs.entries()) {
    const value = decode(one.inputs[at], input);
    if (value?.kind !== 'tensor') continue;
    const elements = value.dims.reduce((product, size) => product * size, 1);
    if (elements > KNOWN_ELEMENTS) continue;
    initializers.push({
      name: input.name,
      type: value.type,
      dims: value.dims,
      bytes: undefined,
      payload: { kind: 'none' },
      values: numbersOf(value),
    });
  }
  const graph: ModelGraph = {
    ...model.graph,
    valueInfo: [],
    outputs: model.graph.outputs.map(({ name }) => ({ name, type: { kind: 'unknown' } })),
    initializers: [...model.graph.initializers, ...initializers],
  };
  return { ...model, graph };
}

function decode(bytes: Uint8Array | undefined, info: ValueInfo): CaseValue | undefined {
  const { kind } = info.type;
  if (bytes === undefined || (kind !== 'tensor' && kind !== 'sequence' && kind !== 'optional'))
    return undefined;
  return decodeCaseValue(bytes, kind);
}

function compare(ours: ValueType | undefined, expected: CaseValue): { outcome: Outcome; detail?: string } {
  if (ours === undefined || ours.kind === 'unknown') return { outcome: 'unknown', detail: 'no type' };
  if (ours.kind === 'optional') {
    if (expected.kind !== 'optional') return { outcome: 'wrong', detail: 'optional' };
    return expected.value ? compare(ours.element, expected.value) : { outcome: 'equal' };
  }
  if (ours.kind === 'sequence') {
    if (expected.kind !== 'sequence') return { outcome: 'wrong', detail: 'sequence' };
    return worst(expected.elements.map((element) => compareElement(ours.element, element)));
  }
  if (ours.kind !== 'tensor' || expected.kind !== 'tensor') return { outcome: 'wrong', detail: ours.kind };
  const detail = `${ours.type}[${ours.shape?.map(sizeOf)}] for ${expected.type}[${expected.dims}]`;
  if (ours.type !== expected.type) return { outcome: ours.type ? 'wrong' : 'unknown', detail };
  if (ours.shape === undefined) return { outcome: 'unknown', detail };
  const sizes = ours.shape.map(sizeOf);
  const contradicts =
    sizes.length !== expected.dims.length ||
    sizes.some((size, axis) => size !== undefined && size !== expected.dims[axis]);
  return { outcome: contradicts ? 'wrong' : sizes.includes(undefined) ? 'unknown' : 'equal', detail };
}

/** A sequence's elements may differ in shape, which its type leaves open. */
function compareElement(ours: ValueType, expected: CaseValue): { outcome: Outcome; detail?: string } {
  const result = compare(ours, expected);
  return result.outcome === 'unknown' && ours.kind === 'tensor' && ours.type !== undefined
    ? { outcome: 'equal' }
    : result;
}

function worst(all: readonly { outcome: Outcome; detail?: string }[]): { outcome: Outcome; detail?: string } {
  return (
    all.find((one) => one.outcome === 'wrong') ??
    all.find((one) => one.outcome === 'unknown') ?? { outcome: 'equal' }
  );
}
