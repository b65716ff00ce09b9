import { product, sizeOf } from '../dim';
import { build, elementAt, stridesOf } from '../layout';
import {
  countOf,
  frontAxis,
  like,
  type Operation,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  sizesOf,
  tensor,
} from '../operation';
import { BINARY, type Scalar } from '../scalar';
import type { Dim } from '../types';

const gather: Rule = (op) => {
  const data = op.shape(0);
  const indices = op.shape(1);
  if (data === undefined || indices === undefined) return [tensor(op.type(0), undefined)];
  if (data.length === 0) throw new RuleError('its data is a scalar');
  const axis = frontAxis(op.int('axis', 0), data.length);
  const shape = [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
  return [tensor(op.type(0), shape, gatheredValues(op, data, indices, axis, shape))];
};

function gatheredValues(
  op: Operation,
  data: readonly Dim[],
  indices: readonly Dim[],
  axis: number,
  shape: readonly Dim[],
): Dim[] | undefined {
  const values = op.values(0);
  const picks = op.values(1);
  const dataSizes = sizesOf(data);
  const indexSizes = sizesOf(indices);
  const sizes = sizesOf(shape);
  if (!values || !picks || !dataSizes || !indexSizes || !sizes) return undefined;
  const strides = stridesOf(dataSizes);
  const indexStrides = stridesOf(indexSizes);
  return build(sizes, (index) => {
    const at = sizeOf(elementAt(picks, indexStrides, index.slice(axis, axis + indexSizes.length)));
    if (at === undefined) return undefined;
    const along = indexInside(at, dataSizes[axis]);
    return elementAt(values, strides, [
      ...index.slice(0, axis),
      along,
      ...index.slice(axis + indexSizes.length),
    ]);
  });
}

function indexInside(at: number, size: number): number {
  const front = at < 0 ? at + size : at;
  if (front < 0 || front >= size) throw new RuleError(`index ${at} is outside an axis of size ${size}`);
  return front;
}

const gatherElements: Rule = (op) => {
  const data = sizesOf(op.shape(0));
  const sizes = sizesOf(op.shape(1));
  const values = op.values(0);
  const picks = op.numbers(1);
  const shape = op.shape(1);
  if (!data || !sizes || !values || !picks) return [tensor(op.type(0), shape)];
  const axis = frontAxis(op.int('axis', 0), data.length);
  const strides = stridesOf(data);
  const indexStrides = stridesOf(sizes);
  const picked = build(sizes, (index) => {
    const at = indexInside(sizeOf(elementAt(picks, indexStrides, index))!, data[axis]);
    return elementAt(
      values,
      strides,
      index.map((one, each) => (each === axis ? at : one)),
    );
  });
  return [tensor(op.type(0), shape, picked)];
};

const gatherNd: Rule = (op) => {
  const data = op.shape(0);
  const indices = op.shape(1);
  const depth = sizeOf(indices?.at(-1));
  const batch = op.int('batch_dims', 0);
  if (data === undefined || indices === undefined || depth === undefined)
    return [tensor(op.type(0), undefined)];
  if (batch + depth > data.length || batch >= indices.length)
    throw new RuleError(`its indices have ${depth} entries for a tensor of rank ${data.length}`);
  const shape = [...indices.slice(0, -1), ...data.slice(batch + depth)];
  return [tensor(op.type(0), shape, batch === 0 ? gatheredNdValues(op, depth, shape) : undefined)];
};

function gatheredNdValues(op: Operation, depth: number, shape: readonly Dim[]): Dim[] | undefined {
  const values = op.values(0);
  const picks = op.numbers(1);
  const data = sizesOf(op.shape(0));
  const sizes = sizesOf(shape);
  if (!values || !picks || !data || !sizes) return undefined;
  const strides = stridesOf(data);
  const run = countOf(data.slice(depth));
  return values.length === 0
    ? []
    : build([picks.length / Math.max(depth, 1), run], ([row, rest]) => {
        let offset = rest;
        for (let axis = 0; axis < depth; axis++)
          offset += indexInside(picks[row * depth + axis], data[axis]) * strides[axis];
        return values[offset];
      });
}

/** How a scatter combines what is there with what comes. */
function reductionOf(op: Operation): Scalar {
  const names: Record<string, string> = { add: 'Add', mul: 'Mul', max: 'Max', min: 'Min' };
  const name = names[op.string('reduction', 'none')];
  return name === undefined ? (_, update) => update : BINARY[name];
}

const scatterElements: Rule = (op) => {
  const data = sizesOf(op.shape(0));
  const sizes = sizesOf(op.shape(1));
  const values = op.values(0);
  const picks = op.numbers(1);
  const updates = op.values(2);
  if (!data || !sizes || !values || !picks || !updates) return [like(op, 0)];
  const axis = frontAxis(op.int('axis', 0), data.length);
  const strides = stridesOf(data);
  const reduce = reductionOf(op);
  const out = [...values];
  let next = 0;
  build(sizes, (index) => {
    const at = indexInside(picks[next], data[axis]);
    const offset = index.reduce((sum, one, each) => sum + (each === axis ? at : one) * strides[each], 0);
    out[offset] = reduce(out[offset], updates[next++], op.type(0));
    return undefined;
  });
  return [{ ...like(op, 0), values: out }];
};

const scatterNd: Rule = (op) => {
  const data = sizesOf(op.shape(0));
  const indices = sizesOf(op.shape(1));
  const values = op.values(0);
  const picks = op.numbers(1);
  const updates = op.values(2);
  if (!data || !indices || !values || !picks || !updates || indices.length === 0) return [like(op, 0)];
  const depth = indices[indices.length - 1];
  if (depth > data.length)
    throw new RuleError(`its indices have ${depth} entries for a tensor of rank ${data.length}`);
  const strides = stridesOf(data);
  const run = countOf(data.slice(depth));
  const reduce = reductionOf(op);
  const out = [...values];
  for (const [at, update] of updates.entries()) {
    const row = Math.floor(at / run);
    let offset = at % run;
    for (let axis = 0; axis < depth; axis++)
      offset += indexInside(picks[row * depth + axis], data[axis]) * strides[axis];
    out[offset] = reduce(out[offset], update, op.type(0));
  }
  return [{ ...like(op, 0), values: out }];
};

/** `k` is an attribute before opset 10, an input since. */
const topK: Rule = (op): Outputs => {
  const shape = op.shape(0);
  if (shape === undefined) return [tensor(op.type(0), undefined), tensor('int64', undefined)];
  const axis = frontAxis(op.int('axis', -1), shape.length);
  const k = op.version < 10 ? op.int('k') : op.values(1)?.[0];
  const size = sizeOf(shape[axis]);
  if (size !== undefined && (sizeOf(k) ?? 0) > size)
    throw new RuleError(`it wants ${sizeOf(k)} of ${size} elements`);
  const out = shape.map((dim, one) => (one === axis ? k : dim));
  return [tensor(op.type(0), out), tensor('int64', out)];
};

const oneHot: Rule = (op) => {
  const indices = op.shape(0);
  if (indices === undefined) return [tensor(op.type(2), undefined)];
  const axis = frontAxis(op.int('axis', -1), indices.length + 1);
  const depth = op.values(1)?.[0];
  const whole = typeof depth === 'number' ? Math.trunc(depth) : depth;
  return [tensor(op.type(2), [...indices.slice(0, axis), whole, ...indices.slice(axis)])];
};

/** One column per non-zero element, one row per axis; the count follows from the data. */
const nonZero: Rule = (op) => {
  const shape = op.shape(0);
  const values = op.numbers(0);
  const sizes = sizesOf(shape);
  if (shape === undefined || values === undefined || sizes === undefined)
    return [tensor('int64', [shape?.length, undefined])];
  const strides = stridesOf(sizes);
  const found = [...values.keys()].filter((at) => values[at] !== 0);
  const rows = sizes.map((size, axis) => found.map((at) => Math.floor(at / strides[axis]) % size));
  return [tensor('int64', [sizes.length, found.length], rows.flat())];
};

const compress: Rule = (op) => {
  const shape = op.shape(0);
  const flags = op.numbers(1);
  const count = flags?.filter((flag) => flag !== 0).length;
  if (!op.hasAttribute('axis')) return [tensor(op.type(0), [count])];
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  const axis = frontAxis(op.int('axis', 0), shape.length);
  return [
    tensor(
      op.type(0),
      shape.map((dim, one) => (one === axis ? count : dim)),
    ),
  ];
};

/** How many distinct elements (or, with an axis, slices) there are follows from the data. */
const unique: Rule = (op): Outputs => {
  const shape = op.shape(0);
  const axis = op.hasAttribute('axis') && shape ? frontAxis(op.int('axis', 0), shape.length) : undefined;
  const flat = !op.hasAttribute('axis');
  const values = op.numbers(0);
  const count = flat ? values && new Set(values).size : distinctSlices(op, values);
  const all = flat ? shape && product(shape) : axis === undefined ? undefined : shape![axis];
  const out = flat ? [count] : shape?.map((dim, one) => (one === axis ? count : dim));
  return [
    tensor(op.type(0), out),
    tensor('int64', [count]),
    tensor('int64', [all]),
    tensor('int64', [count]),
  ];
};

/** Number of different slices along the axis. */
function distinctSlices(op: Operation, values: readonly number[] | undefined): number | undefined {
  const sizes = sizesOf(op.shape(0));
  if (values === undefined || sizes === undefined) return undefined;
  const axis = frontAxis(op.int('axis', 0), sizes.length);
  const stride = stridesOf(sizes)[axis];
  const slices = Array.from({ length: sizes[axis] }, (): number[] => []);
  for (const [at, value] of values.entries()) slices[Math.floor(at / stride) % sizes[axis]].push(value);
  return new Set(slices.map((slice) => slice.join())).size;
}

/** Writes a block of new entries into a cache: the cache's shape stays. */
const tensorScatter: Rule = (op) => [like(op, 0)];

export const indexingRules: Rules = {
  Compress: compress,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  NonZero: nonZero,
  OneHot: oneHot,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  TensorScatter: tensorScatter,
  TopK: topK,
  Unique: unique,
};
