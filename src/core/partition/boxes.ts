/**
 * Arithmetic of half-open boxes `[lo0, hi0, lo1, hi1, ...]` and of runs `[lo, hi)` of a linear index, for
 * `regions.ts`. Exact; no function changes its arguments.
 */

/** Elements of `[lo0, hi0, lo1, hi1, ...]`. */
export function boxElements(box: ArrayLike<number>): number {
  let volume = 1;
  for (let c = 0; c < box.length; c += 2) volume *= box[c + 1] - box[c];
  return volume;
}

/** Runs of the linear index over axes `[first, end)` of `shape` that a box covers there, ascending. */
export function boxRuns(
  shape: readonly number[],
  box: ArrayLike<number>,
  first: number,
  end: number,
): [number, number][] {
  let runs: [number, number][] = [[0, 1]];
  let inner = 1;
  for (let axis = end - 1; axis >= first; axis--) {
    const lo = box[2 * axis];
    const hi = box[2 * axis + 1];
    if (runs.length === 1 && runs[0][1] - runs[0][0] === inner) runs = [[lo * inner, hi * inner]];
    else {
      const outer: [number, number][] = [];
      for (let i = lo; i < hi; i++)
        for (const run of runs) outer.push([i * inner + run[0], i * inner + run[1]]);
      runs = outer;
    }
    inner *= shape[axis];
  }
  return runs;
}

/** Boxes over factors `[first, end)` that hold exactly `[lo, hi)` of their linear index. */
export function runBoxes(
  factors: readonly number[],
  first: number,
  end: number,
  lo: number,
  hi: number,
): number[][] {
  if (lo >= hi) return [];
  if (end - first <= 1) return [end > first ? [lo, hi] : []];
  let inner = 1;
  for (let f = first + 1; f < end; f++) inner *= factors[f];
  const head = Math.floor(lo / inner);
  const tail = Math.floor(hi / inner);
  const rest = (from: number, to: number): number[][] => runBoxes(factors, first + 1, end, from, to);
  if (head === tail) return rest(lo - head * inner, hi - head * inner).map((box) => [head, head + 1, ...box]);
  const boxes: number[][] = [];
  const full = lo > head * inner ? head + 1 : head;
  if (full > head) boxes.push(...rest(lo - head * inner, inner).map((box) => [head, full, ...box]));
  if (tail > full) boxes.push(...rest(0, inner).map((box) => [full, tail, ...box]));
  if (hi > tail * inner) boxes.push(...rest(0, hi - tail * inner).map((box) => [tail, tail + 1, ...box]));
  return boxes;
}

/** Every box of `a` followed by every box of `b`. */
export function cross(a: readonly number[][], b: readonly number[][]): number[][] {
  return a.flatMap((x) => b.map((y) => [...x, ...y]));
}

/** `box` minus `cut` as disjoint boxes: slabs before and after the cut, axis by axis. */
export function withoutBox(box: number[], cut: ArrayLike<number>): number[][] {
  for (let c = 0; c < box.length; c += 2) {
    if (cut[c] >= box[c + 1] || cut[c + 1] <= box[c]) return [box];
  }
  const parts: number[][] = [];
  const core = [...box];
  for (let c = 0; c < box.length; c += 2) {
    if (cut[c] > core[c]) {
      const slab = [...core];
      slab[c + 1] = cut[c];
      parts.push(slab);
      core[c] = cut[c];
    }
    if (cut[c + 1] < core[c + 1]) {
      const slab = [...core];
      slab[c] = cut[c + 1];
      parts.push(slab);
      core[c + 1] = cut[c + 1];
    }
  }
  return parts;
}

/** Joins boxes that differ in one axis only and touch there, until none do. Quadratic; regions are small. */
export function joinBoxes(parts: number[][]): number[][] {
  const boxes = [...parts];
  for (let i = 0; i < boxes.length; i++) {
    for (let j = 0; j < boxes.length; j++) {
      const joined = i === j ? undefined : joinPair(boxes[i], boxes[j]);
      if (joined === undefined) continue;
      boxes[i] = joined;
      boxes.splice(j, 1);
      i = -1;
      break;
    }
  }
  return boxes;
}

function joinPair(a: readonly number[], b: readonly number[]): number[] | undefined {
  let axis = -1;
  for (let c = 0; c < a.length; c += 2) {
    if (a[c] === b[c] && a[c + 1] === b[c + 1]) continue;
    if (axis >= 0 || (a[c + 1] !== b[c] && b[c + 1] !== a[c])) return undefined;
    axis = c;
  }
  if (axis < 0) return undefined;
  const joined = [...a];
  joined[axis] = Math.min(a[axis], b[axis]);
  joined[axis + 1] = Math.max(a[axis + 1], b[axis + 1]);
  return joined;
}

/** Sorts disjoint runs and joins those that touch. */
export function joinRuns(runs: readonly (readonly number[])[]): [number, number][] {
  const sorted = [...runs].sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [lo, hi] of sorted) {
    const last = joined[joined.length - 1];
    if (last !== undefined && last[1] === lo) last[1] = hi;
    else joined.push([lo, hi]);
  }
  return joined;
}

/** Elements in both of two ascending lists of runs `[lo, hi, lo, hi, ...]`. */
export function commonOnLine(x: readonly number[], y: readonly number[]): number {
  let total = 0;
  for (let i = 0, j = 0; i < x.length && j < y.length;) {
    const lo = x[i] > y[j] ? x[i] : y[j];
    const hi = x[i + 1] < y[j + 1] ? x[i + 1] : y[j + 1];
    if (hi > lo) total += hi - lo;
    if (x[i + 1] <= y[j + 1]) i += 2;
    else j += 2;
  }
  return total;
}

/** Runs of `a` minus those of `b`; both ascending. */
export function differenceOnLine(a: readonly number[], b: readonly number[]): [number, number][] {
  const out: [number, number][] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let lo = a[i];
    const hi = a[i + 1];
    while (j < b.length && b[j + 1] <= lo) j += 2;
    for (let c = j; lo < hi; c += 2) {
      const cut = c < b.length ? Math.min(hi, Math.max(lo, b[c])) : hi;
      if (cut > lo) out.push([lo, cut]);
      lo = c < b.length ? Math.max(lo, b[c + 1]) : hi;
    }
  }
  return out;
}
