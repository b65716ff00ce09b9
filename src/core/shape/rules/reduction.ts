import type { ElementType } from '../../graph/elementType';
import { add, maximum, minimum, multiply, sizeOf } from '../dim';
import {
  countOf,
  frontAxis,
  like,
  type Operation,
  type Outputs,
  type Rule,
  type Rules,
  sizesOf,
  tensor,
  unknownDims,
} from '../operation';
import { BINARY, fit, isInteger } from '../scalar';
import type { Dim } from '../types';

/** Since when each reduction takes its axes as an input instead of an attribute. */
const AXES_INPUT_SINCE = 18;
const SUM_AXES_INPUT_SINCE = 13;

const reduce: Rule = (op) => {
  const shape = op.shape(0);
  const type = op.type(0);
  const keep = op.int('keepdims', 1) !== 0;
  const axes = axesOf(op);
  if (shape === undefined) return [tensor(type, !keep && axes?.length === 0 ? [] : undefined)];
  if (axes === undefined) return [tensor(type, shapeForUnknownAxes(op, shape, keep))];
  const noop = axes.length === 0 && op.int('noop_with_empty_axes', 0) !== 0;
  if (noop) return [{ ...like(op, 0), values: isPlainReduction(op) ? op.values(0) : undefined }];
  const reduced = new Set(axes.length ? axes.map((axis) => frontAxis(axis, shape.length)) : shape.keys());
  const out = keep
    ? shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim))
    : shape.filter((_, axis) => !reduced.has(axis));
  return [tensor(type, out, reducedValues(op, shape, reduced))];
};

/** The axes as written; empty stands for all of them; `undefined` where they are not known. */
function axesOf(op: Operation): readonly number[] | undefined {
  const since = op.node.type === 'ReduceSum' ? SUM_AXES_INPUT_SINCE : AXES_INPUT_SINCE;
  if (op.version < since) return op.ints('axes') ?? [];
  return op.has(1) ? op.numbers(1) : (op.ints('axes') ?? []);
}

/** The number of axes may be known where the axes are not. */
function shapeForUnknownAxes(op: Operation, shape: readonly Dim[], keep: boolean): Dim[] | undefined {
  const count = sizeOf(op.shape(1)?.[0]);
  if (keep) return shape.map((dim) => (dim === 1 ? 1 : undefined));
  if (count === undefined || count === 0 || count > shape.length) return undefined;
  return unknownDims(shape.length - count);
}

const FOLDS: Readonly<Record<string, (a: Dim, b: Dim) => Dim>> = {
  ReduceSum: add,
  ReduceMean: add,
  ReduceProd: multiply,
  ReduceMax: maximum,
  ReduceMin: minimum,
};

/** With no axes to reduce these leave the elements as they are; the others (squares, logarithms) do not. */
function isPlainReduction(op: Operation): boolean {
  return op.node.type in FOLDS;
}

function reducedValues(
  op: Operation,
  shape: readonly Dim[],
  reduced: ReadonlySet<number>,
): Dim[] | undefined {
  const sizes = sizesOf(shape);
  const values = op.values(0);
  const fold = FOLDS[op.node.type];
  if (sizes === undefined || values === undefined || fold === undefined || values.length === 0)
    return undefined;
  if (!isInteger(op.type(0)) && values.some((value) => !Number.isInteger(sizeOf(value)))) return undefined;
  const kept = sizes.filter((_, axis) => !reduced.has(axis));
  const out = Array<Dim>(countOf(kept));
  const started = Array<boolean>(out.length).fill(false);
  for (const [flat, value] of values.entries()) {
    const at = keptOffset(flat, sizes, reduced);
    out[at] = started[at] ? fold(out[at], value) : value;
    started[at] = true;
  }
  const type = op.type(0);
  const count = values.length / out.length;
  const divided = op.node.type === 'ReduceMean' ? out.map((dim) => BINARY['Div'](dim, count, type)) : out;
  return divided.map((dim) => (typeof dim === 'number' ? fit(dim, type) : dim));
}

function keptOffset(flat: number, sizes: readonly number[], reduced: ReadonlySet<number>): number {
  let offset = 0;
  let stride = 1;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const index = flat % sizes[axis];
    flat = Math.floor(flat / sizes[axis]);
    if (reduced.has(axis)) continue;
    offset += index * stride;
    stride *= sizes[axis];
  }
  return offset;
}

/** Position of the extreme element along one axis. */
const argExtreme: Rule = (op) => {
  const shape = op.shape(0);
  if (shape === undefined) return [tensor('int64', undefined)];
  const axis = frontAxis(op.int('axis', 0), shape.length);
  const keep = op.int('keepdims', 1) !== 0;
  return [
    tensor(
      'int64',
      keep ? shape.map((dim, one) => (one === axis ? 1 : dim)) : shape.filter((_, one) => one !== axis),
    ),
  ];
};

/** Running sums and products keep the shape; sums along a vector are followed. */
const cumulative: Rule = (op): Outputs => {
  const values = op.values(0);
  const follow =
    values !== undefined && op.shape(0)?.length === 1 && !op.int('exclusive', 0) && !op.int('reverse', 0);
  if (!follow) return [like(op, 0)];
  const scalar = BINARY[op.node.type === 'CumSum' ? 'Add' : 'Mul'];
  return [{ ...like(op, 0), values: running(values, scalar, op.type(0)) }];
};

function running(
  values: readonly Dim[],
  scalar: (a: Dim, b: Dim, type: ElementType | undefined) => Dim,
  type: ElementType | undefined,
): Dim[] {
  let sum: Dim;
  return values.map((value, at) => (sum = at === 0 ? value : scalar(sum, value, type)));
}

const REDUCTIONS = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'];

export const reductionRules: Rules = {
  ...Object.fromEntries(REDUCTIONS.map((name) => [`Reduce${name}`, reduce])),
  ArgMax: argExtreme,
  ArgMin: argExtreme,
  CumProd: cumulative,
  CumSum: cumulative,
};
