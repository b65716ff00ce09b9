import { maximum, merge, sizeOf } from './dim';
import { countOf, MAX_VALUES, RuleError, sizesOf } from './operation';
import type { Dim } from './types';

type Shape = readonly Dim[] | undefined;

/** Shape of an elementwise result, aligned at the last axis; `undefined` where a rank is unknown. */
export function broadcast(shapes: readonly Shape[]): Dim[] | undefined {
  let result: Dim[] | undefined;
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    result = result === undefined ? [...shape] : broadcastPair(result, shape);
  }
  return result;
}

function broadcastPair(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = axis - rank + a.length;
    const y = axis - rank + b.length;
    return x < 0 ? b[y] : y < 0 ? a[x] : broadcastDim(a[x], b[y]);
  });
}

/** A known size other than 1 wins over an unknown one: the unknown one must be equal to it, or 1. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  const x = sizeOf(a);
  const y = sizeOf(b);
  if (x === 1) return b;
  if (y === 1) return a;
  if (x !== undefined && y !== undefined && x !== y)
    throw new RuleError(`sizes ${x} and ${y} cannot be broadcast together`);
  if (x !== undefined || y !== undefined) return x === undefined ? b : y === undefined ? a : unify(a, b);
  // Of two sizes of at least 1, either equal or one of them 1, the larger.
  return maximum(a, b);
}

/** Two dimensions that the operator's definition says are equal: the better known of them. */
export function unify(a: Dim, b: Dim): Dim {
  if (a === undefined) return b;
  if (b === undefined) return a;
  const x = sizeOf(a);
  const y = sizeOf(b);
  if (x !== undefined && y !== undefined && x !== y)
    throw new RuleError(`sizes ${x} and ${y} should be equal`);
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  return x === undefined && y !== undefined ? b : a;
}

export function unifyShapes(a: Shape, b: Shape): Shape {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.length !== b.length) throw new RuleError(`ranks ${a.length} and ${b.length} should be equal`);
  return a.map((dim, axis) => unify(dim, b[axis]));
}

/** What holds for either shape: where control flow may give one or the other. */
export function mergeShapes(a: Shape, b: Shape): Shape {
  if (a === undefined || b === undefined || a.length !== b.length) return undefined;
  return a.map((dim, axis) => merge(dim, b[axis]));
}

/** Applies `f` element by element under broadcasting; `undefined` where shapes or values are not known or too large. */
export function mapValues(
  operands: readonly { readonly shape: Shape; readonly values: readonly Dim[] | undefined }[],
  f: (elements: readonly Dim[]) => Dim,
): Dim[] | undefined {
  if (operands.some((operand) => operand.values === undefined)) return undefined;
  const shape = sizesOf(broadcast(operands.map((operand) => operand.shape)));
  if (shape === undefined || countOf(shape) > MAX_VALUES) return undefined;
  const steps = operands.map((operand) => stridesInto(sizesOf(operand.shape)!, shape));
  return Array.from({ length: countOf(shape) }, (_, flat) =>
    f(operands.map((operand, one) => operand.values![offsetOf(flat, shape, steps[one])])),
  );
}

/** Row-major strides of `sizes` seen from the wider `shape`: 0 along broadcast axes. */
export function stridesInto(sizes: readonly number[], shape: readonly number[]): number[] {
  const strides = shape.map(() => 0);
  let stride = 1;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    if (sizes[axis] !== 1) strides[axis + shape.length - sizes.length] = stride;
    stride *= sizes[axis];
  }
  return strides;
}

function offsetOf(flat: number, shape: readonly number[], strides: readonly number[]): number {
  let offset = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    offset += (flat % shape[axis]) * strides[axis];
    flat = Math.floor(flat / shape[axis]);
  }
  return offset;
}
