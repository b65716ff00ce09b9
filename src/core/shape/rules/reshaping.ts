import { broadcast } from '../broadcast';
import { add, floorDivide, multiply, product, sizeOf } from '../dim';
import { build, elementAt, stridesOf } from '../layout';
import {
  frontAxis,
  like,
  type Operation,
  type Output,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  scalar,
  sizesOf,
  tensor,
  unknownDims,
} from '../operation';
import type { Dim } from '../types';

/** Rank given by the length of a shape input whose values are not known. */
export function dimsFromLength(op: Operation, input: number): Dim[] | undefined {
  const length = sizeOf(op.shape(input)?.[0]);
  return length === undefined || length > MAX_LENGTH ? undefined : unknownDims(length);
}

const MAX_LENGTH = 64;

const reshape: Rule = (op) => {
  const target = op.version < 5 ? op.ints('shape') : op.values(1);
  const type = op.type(0);
  if (target === undefined) return [tensor(type, dimsFromLength(op, 1))];
  const shape = reshaped(op.shape(0), target, op.int('allowzero', 0) !== 0);
  return [{ ...tensor(type, shape), values: op.values(0) }];
};

/** 0 copies the input's dimension (unless `allowZero`), one -1 takes what is left. */
function reshaped(input: readonly Dim[] | undefined, target: readonly Dim[], allowZero: boolean): Dim[] {
  const copied = new Set<number>();
  const shape = target.map((dim, axis): Dim => {
    if (dim === 0 && !allowZero) {
      if (input !== undefined && axis >= input.length)
        throw new RuleError(`it copies axis ${axis} of a tensor of rank ${input.length}`);
      copied.add(axis);
      return input?.[axis];
    }
    const size = sizeOf(dim);
    if (size !== undefined && size < -1) throw new RuleError(`its shape holds ${size}`);
    return dim;
  });
  const infer = target.flatMap((dim, axis) => (sizeOf(dim) === -1 ? [axis] : []));
  if (infer.length > 1) throw new RuleError('its shape holds -1 more than once');
  const unknown = target.flatMap((dim, axis) => (dim === undefined ? [axis] : []));
  const open =
    infer.length === 1 && unknown.length === 0
      ? infer[0]
      : unknown.length === 1 && infer.length === 0
        ? unknown[0]
        : undefined;
  if (open !== undefined) shape[open] = remaining(input, shape, copied, open);
  else for (const axis of infer) shape[axis] = undefined;
  if (open === undefined) checkCount(input, shape);
  return shape;
}

/** The dimension that makes the element counts equal; axes copied from the input cancel out. */
function remaining(
  input: readonly Dim[] | undefined,
  shape: readonly Dim[],
  copied: ReadonlySet<number>,
  open: number,
): Dim {
  if (input === undefined) return undefined;
  // A copied 0 leaves nothing to divide by; the result is then 0 as well, as runtimes have it.
  const others = product(shape.filter((_, axis) => axis !== open && !copied.has(axis)));
  const total = product(input.filter((_, axis) => !copied.has(axis)));
  const have = sizeOf(total);
  const per = sizeOf(others);
  if (per === 0) return have === 0 ? 0 : undefined;
  if (have !== undefined && per !== undefined) {
    if (have % per !== 0) throw new RuleError(`${have} elements cannot be cut into rows of ${per}`);
    return floorDivide(total, others);
  }
  return floorDivide(total, others);
}

function checkCount(input: readonly Dim[] | undefined, shape: readonly Dim[]): void {
  const have = input && sizeOf(product(input));
  const want = sizeOf(product(shape));
  if (have !== undefined && want !== undefined && have !== want)
    throw new RuleError(`${have} elements cannot take a shape of ${want}`);
}

const flatten: Rule = (op) => {
  const shape = op.shape(0);
  const values = op.values(0);
  if (shape === undefined) return [tensor(op.type(0), unknownDims(2))];
  const given = op.int('axis', 1);
  const axis = given === shape.length ? given : given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length)
    throw new RuleError(`axis ${given} is outside a tensor of rank ${shape.length}`);
  return [tensor(op.type(0), [product(shape.slice(0, axis)), product(shape.slice(axis))], values)];
};

/** Axes are an attribute before opset 13, an input since. */
function squeezeAxes(op: Operation): { axes: readonly number[] | undefined; given: boolean } {
  if (op.version < 13) return { axes: op.ints('axes'), given: op.hasAttribute('axes') };
  return { axes: op.numbers(1), given: op.has(1) };
}

const squeeze: Rule = (op) => {
  const shape = op.shape(0);
  const { axes, given } = squeezeAxes(op);
  const values = op.values(0);
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  if (!given) {
    const sizes = shape.map(sizeOf);
    const kept = shape.filter((_, axis) => sizes[axis] !== 1);
    return [tensor(op.type(0), sizes.includes(undefined) ? undefined : kept, values)];
  }
  if (axes === undefined) {
    const count = sizeOf(op.shape(1)?.[0]);
    return [
      tensor(
        op.type(0),
        count !== undefined && count <= shape.length ? unknownDims(shape.length - count) : undefined,
      ),
    ];
  }
  const dropped = new Set(axes.map((axis) => frontAxis(axis, shape.length)));
  for (const axis of dropped) {
    const size = sizeOf(shape[axis]);
    if (size !== undefined && size !== 1) throw new RuleError(`axis ${axis} has size ${size}, not 1`);
  }
  return [
    tensor(
      op.type(0),
      shape.filter((_, axis) => !dropped.has(axis)),
      values,
    ),
  ];
};

const unsqueeze: Rule = (op) => {
  const shape = op.shape(0);
  const { axes } = squeezeAxes(op);
  const values = op.values(0);
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  if (axes === undefined) {
    const count = sizeOf(op.shape(1)?.[0]);
    return [
      tensor(
        op.type(0),
        count !== undefined && count <= MAX_LENGTH ? unknownDims(shape.length + count) : undefined,
      ),
    ];
  }
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => frontAxis(axis, rank)));
  if (added.size !== axes.length) throw new RuleError('it adds an axis twice');
  let next = 0;
  const out = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : shape[next++]));
  return [tensor(op.type(0), out, values)];
};

const transpose: Rule = (op) => {
  const shape = op.shape(0);
  const given = op.ints('perm');
  if (shape === undefined) return [tensor(op.type(0), given && unknownDims(given.length))];
  const order = given?.length
    ? given.map((axis) => frontAxis(axis, shape.length))
    : [...shape.keys()].reverse();
  if (order.length !== shape.length || new Set(order).size !== order.length)
    throw new RuleError(`its attribute 'perm' is no permutation of ${shape.length} axes`);
  const out = order.map((axis) => shape[axis]);
  return [tensor(op.type(0), out, transposedValues(op.values(0), shape, out, order))];
};

function transposedValues(
  values: readonly Dim[] | undefined,
  shape: readonly Dim[],
  out: readonly Dim[],
  order: readonly number[],
): Dim[] | undefined {
  const sizes = sizesOf(shape);
  const outSizes = sizesOf(out);
  if (values === undefined || sizes === undefined || outSizes === undefined) return undefined;
  const strides = stridesOf(sizes);
  const moved = order.map((axis) => strides[axis]);
  return build(outSizes, (index) => elementAt(values, moved, index));
}

const expand: Rule = (op) => {
  const target = op.values(1) ?? dimsFromLength(op, 1);
  const shape = target && broadcast([op.shape(0), target]);
  const source = op.values(0);
  const sizes = sizesOf(shape);
  const from = sizesOf(op.shape(0));
  if (source === undefined || sizes === undefined || from === undefined) return [tensor(op.type(0), shape)];
  const strides = stridesOf(from).map((stride, axis) => (from[axis] === 1 ? 0 : stride));
  const lead = sizes.length - from.length;
  const aligned = [...Array<number>(lead).fill(0), ...strides];
  return [
    tensor(
      op.type(0),
      shape,
      build(sizes, (index) => elementAt(source, aligned, index)),
    ),
  ];
};

const tile: Rule = (op) => {
  const shape = op.shape(0);
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  const repeats = op.version < 6 ? undefined : op.values(1);
  if (repeats === undefined) return [tensor(op.type(0), unknownDims(shape.length))];
  if (repeats.length !== shape.length)
    throw new RuleError(`it has ${repeats.length} repeats for a tensor of rank ${shape.length}`);
  const out = shape.map((dim, axis) => multiply(dim, repeats[axis]));
  return [tensor(op.type(0), out, tiledValues(op.values(0), shape, out))];
};

function tiledValues(
  values: readonly Dim[] | undefined,
  shape: readonly Dim[],
  out: readonly Dim[],
): Dim[] | undefined {
  const sizes = sizesOf(shape);
  const outSizes = sizesOf(out);
  if (values === undefined || sizes === undefined || outSizes === undefined) return undefined;
  const strides = stridesOf(sizes);
  return build(outSizes, (index) =>
    elementAt(
      values,
      strides,
      index.map((one, axis) => one % sizes[axis]),
    ),
  );
}

/** The dimensions themselves, as values; `start` and `end` since opset 15. */
const shapeOf: Rule = (op): Outputs => {
  const shape = op.shape(0);
  if (shape === undefined) return [tensor('int64', [undefined])];
  const clamp = (axis: number) => Math.min(Math.max(axis < 0 ? axis + shape.length : axis, 0), shape.length);
  const part = shape.slice(clamp(op.int('start', 0)), clamp(op.int('end', shape.length)));
  return [tensor('int64', [part.length], part)];
};

const sizeRule: Rule = (op): Outputs => {
  const shape = op.shape(0);
  const count = shape && product(shape);
  return [scalar('int64', count)];
};

const depthToSpace: Rule = (op) => [
  blocks(op, (channels, block) => floorDivide(channels, block * block), multiply),
];
const spaceToDepth: Rule = (op) => [
  blocks(
    op,
    (channels, block) => multiply(channels, block * block),
    (size, block) => floorDivide(size, block),
  ),
];

function blocks(
  op: Operation,
  channels: (dim: Dim, block: number) => Dim,
  spatial: (dim: Dim, block: number) => Dim,
): Output {
  const shape = op.shape(0);
  const block = op.int('blocksize', 1);
  if (shape === undefined) return tensor(op.type(0), unknownDims(4));
  if (shape.length !== 4) throw new RuleError(`its input has rank ${shape.length}, not 4`);
  return tensor(op.type(0), [
    shape[0],
    channels(shape[1], block),
    spatial(shape[2], block),
    spatial(shape[3], block),
  ]);
}

/** Sum of dimensions along a concatenated axis. */
export function sumOfDims(dims: readonly Dim[]): Dim {
  let sum: Dim = 0;
  for (const dim of dims) sum = add(sum, dim);
  return sum;
}

export const reshapingRules: Rules = {
  DepthToSpace: depthToSpace,
  Expand: expand,
  Flatten: flatten,
  Reshape: reshape,
  ReverseSequence: (op) => [like(op, 0)],
  Shape: shapeOf,
  Size: sizeRule,
  SpaceToDepth: spaceToDepth,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Trilu: (op) => [like(op, 0)],
  Unsqueeze: unsqueeze,
};
