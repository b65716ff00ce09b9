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

  it('gives expressions that evaluate to the right sizes where inputs have names for dimensions', () => {
    const found = cases.flatMap(namedOutcomes);
    const count = (outcome: Outcome) => found.filter((one) => one.outcome === outcome).length;
    console.log(
      `  ${found.length} outputs of inputs with named dimensions: ${count('equal')} equal once evaluated, ` +
        `${count('unknown')} unknown, ${count('wrong')} wrong`,
    );
    assert.deepEqual(
      found.filter((one) => one.outcome === 'wrong'),
      [],
    );
    assert.ok(count('equal') > LEAST_EVALUATED * found.length);
  });
});

const LEAST_EVALUATED = 0.9;

/** Operators whose result's size is in data that is larger or not numeric, or in the encoded image. */
const DATA_DEPENDENT =
  /^(image_decoder|nonmaxsuppression|string_split|strnormalizer|unique|compress|nonzero|sequence)/;

function outcomeOf(one: ConformanceCase): { outcome: Outcome; detail?: string } {
  try {
    const model = load(one);
    const stripped = withoutAnswers(model, one, (value) => elementsOf(value) <= KNOWN_ELEMENTS);
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

/** The model without what it says of results, and with the inputs that are known as constants. */
function withoutAnswers(model: Model, one: ConformanceCase, isKnown: (value: CaseValue) => boolean): Model {
  const initializers: Initializer[] = [];
  for (const [at, input] of model.graph.inputs.entries()) {
    const value = decode(one.inputs[at], input);
    if (value?.kind !== 'tensor' || !isKnown(value)) continue;
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

/** Every size above 1 of an input that is no small integer tensor becomes a name of that size. */
function namedOutcomes(one: ConformanceCase): { name: string; outcome: Outcome; detail?: string }[] {
  const model = load(one);
  const sizes = new Map<string, number>();
  const inputs = model.graph.inputs.map((input, at): ValueInfo => {
    const value = decode(one.inputs[at], input);
    if (value?.kind !== 'tensor' || input.type.kind !== 'tensor' || isShapeLike(value)) return input;
    const shape = value.dims.map((size) => (size > 1 ? `size${size}` : size));
    for (const size of value.dims) if (size > 1) sizes.set(`size${size}`, size);
    return { name: input.name, type: { ...input.type, shape } };
  });
  const named = withoutAnswers({ ...model, graph: { ...model.graph, inputs } }, one, isShapeLike);
  const { main } = inferShapes(named, { bindings: new Map() });
  return model.graph.outputs.flatMap((output, at) => {
    const expected = decode(one.outputs[at], output);
    if (expected?.kind !== 'tensor') return [];
    const ours = evaluated(main.values.get(output.name)?.type, sizes);
    return [{ name: `${one.name} ${output.name}`, ...compare(ours, expected) }];
  });
}

function isShapeLike(value: CaseValue): boolean {
  return value.kind === 'tensor' && /int|bool/.test(value.type) && elementsOf(value) <= KNOWN_ELEMENTS;
}

function evaluated(type: ValueType | undefined, sizes: ReadonlyMap<string, number>): ValueType | undefined {
  if (type?.kind !== 'tensor') return type;
  return { ...type, shape: type.shape?.map((dim) => (typeof dim === 'object' ? dim.evaluate(sizes) : dim)) };
}

function elementsOf(value: CaseValue): number {
  return value.kind === 'tensor' ? value.dims.reduce((product, size) => product * size, 1) : Infinity;
}

function load(one: ConformanceCase): Model {
  const { model } = one;
  return readModel({
    size: model.length,
    read: (offset, length) => model.subarray(offset, offset + length),
  });
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
