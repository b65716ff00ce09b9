/**
 * Sets of numbers as ascending disjoint runs `[start0, end0, start1, end1, ...]`: row-major positions of elements, or
 * cells of a storage's `Grid`. Plain on purpose: the checker counts elements in a way of its own.
 */
export type Runs = readonly number[];

export const EMPTY: Runs = [];

/** Row-major positions of a box (`[start0, end0, ...]` per axis) in a tensor of the given shape. */
export function boxRuns(shape: readonly number[], box: readonly number[]): Runs {
  const rank = shape.length;
  // Axes behind `contiguous` are taken whole, so that one run spans them.
  let contiguous = rank;
  let inner = 1;
  while (contiguous > 0 && isWhole(shape, box, contiguous - 1)) {
    contiguous--;
    inner *= shape[contiguous];
  }
  if (isEmptyBox(box)) return EMPTY;
  if (contiguous === 0) return [0, inner];

  const runAxis = contiguous - 1;
  const runs: number[] = [];
  const position = Array.from({ length: runAxis }, (_, axis) => box[2 * axis]);
  for (;;) {
    let base = 0;
    for (let axis = 0; axis < runAxis; axis++) base = base * shape[axis] + position[axis];
    base *= shape[runAxis];
    append(runs, (base + box[2 * runAxis]) * inner, (base + box[2 * runAxis + 1]) * inner);
    let axis = runAxis - 1;
    while (axis >= 0 && ++position[axis] >= box[2 * axis + 1]) {
      position[axis] = box[2 * axis];
      axis--;
    }
    if (axis < 0) return runs;
  }
}

/** Elements of a box; a scalar's has no axes, and one element. */
export function boxElements(box: readonly number[]): number {
  let elements = 1;
  for (let at = 0; at < box.length; at += 2) elements *= Math.max(0, box[at + 1] - box[at]);
  return elements;
}

/** A scalar's box is not empty. */
export function isEmptyBox(box: readonly number[]): boolean {
  for (let at = 0; at < box.length; at += 2) if (box[at + 1] <= box[at]) return true;
  return false;
}

export function isWhole(shape: readonly number[], box: readonly number[], axis: number): boolean {
  return box[2 * axis] === 0 && box[2 * axis + 1] === shape[axis];
}

export function append(runs: number[], start: number, end: number): void {
  if (runs.length > 0 && runs[runs.length - 1] === start) runs[runs.length - 1] = end;
  else runs.push(start, end);
}

export function unite(a: Runs, b: Runs): Runs {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const result: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && a[i] <= b[j]);
    const start = takeA ? a[i] : b[j];
    const end = takeA ? a[i + 1] : b[j + 1];
    if (takeA) i += 2;
    else j += 2;
    const last = result.length - 1;
    if (last >= 0 && result[last] >= start) result[last] = Math.max(result[last], end);
    else result.push(start, end);
  }
  return result;
}

export function intersect(a: Runs, b: Runs): Runs {
  const result: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const start = Math.max(a[i], b[j]);
    const end = Math.min(a[i + 1], b[j + 1]);
    if (start < end) append(result, start, end);
    if (a[i + 1] < b[j + 1]) i += 2;
    else j += 2;
  }
  return result;
}

export function subtract(a: Runs, b: Runs): Runs {
  if (b.length === 0) return a;
  const result: number[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let start = a[i];
    while (j < b.length && b[j + 1] <= start) j += 2;
    for (let k = j; k < b.length && b[k] < a[i + 1]; k += 2) {
      if (b[k] > start) append(result, start, b[k]);
      start = Math.max(start, b[k + 1]);
    }
    if (start < a[i + 1]) append(result, start, a[i + 1]);
  }
  return result;
}

export function overlaps(a: Runs, b: Runs): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] < b[j + 1] && b[j] < a[i + 1]) return true;
    if (a[i + 1] < b[j + 1]) i += 2;
    else j += 2;
  }
  return false;
}
