import { countOf, MAX_VALUES } from './operation';
import type { Dim } from './types';

/** Row-major strides. */
export function stridesOf(sizes: readonly number[]): number[] {
  const strides = Array<number>(sizes.length).fill(1);
  for (let axis = sizes.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * sizes[axis + 1];
  return strides;
}

/** Builds a small tensor of `sizes` element by element from its index; `undefined` where it is too large to follow. */
export function build(
  sizes: readonly number[],
  element: (index: readonly number[]) => Dim,
): Dim[] | undefined {
  const count = countOf(sizes);
  if (count > MAX_VALUES) return undefined;
  const index = Array<number>(sizes.length).fill(0);
  return Array.from({ length: count }, () => {
    const value = element(index);
    for (let axis = sizes.length - 1; axis >= 0 && ++index[axis] === sizes[axis]; axis--) index[axis] = 0;
    return value;
  });
}

/** Element at `index` of a row-major tensor. */
export function elementAt(values: readonly Dim[], strides: readonly number[], index: readonly number[]): Dim {
  let offset = 0;
  for (let axis = 0; axis < strides.length; axis++) offset += index[axis] * strides[axis];
  return values[offset];
}
