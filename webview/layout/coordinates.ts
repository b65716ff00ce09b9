import type { Spacing } from './types';
import type { Piece } from './pieces';
import { markConflicts } from './conflicts';
import { positions } from './ordering';
import { findSpine } from './spine';
import { separation, tighten } from './tighten';

/** Whether a piece has a main path, and may be placed without one where that is narrower. */
export type MainPath = 'straight' | 'free';

/**
 * x of every element of a piece after Brandes and Köpf (2001): four alignments (from above and below, to the
 * left and to the right), each compacted over its block graph, and the mean of the two in the middle; the
 * main path is aligned first, so that it is straight in all four. Cuts are put on x = 0; what then stands out
 * of the room that the widest rank needs is drawn in. Linear.
 */
export function placeElements(
  piece: Piece,
  order: Int32Array,
  spacing: Spacing,
  mainPath: MainPath,
): Float64Array {
  const spine = findSpine(piece);
  const turned = leansLeft(piece, order, spine) ? reversed(piece, order) : order;
  if (mainPath === 'free') spine.fill(-1);
  return placeAround(piece, turned, spine, spacing);
}

/**
 * Whether more stands left of the main path than right of it: such a piece is turned round, so that everything
 * beside the path is on one side and the pieces together are no wider than one. Structure alone decides, not
 * sizes, so that opening a group turns nothing.
 */
function leansLeft({ firstInRank }: Piece, order: Int32Array, spine: Int32Array): boolean {
  const onSpine = new Uint8Array(order.length);
  for (let v = 0; v < spine.length; v++) if (spine[v] !== -1) onSpine[v] = onSpine[spine[v]] = 1;
  let left = 0;
  let right = 0;
  for (let r = 0; r + 1 < firstInRank.length; r++) {
    for (let k = firstInRank[r]; k < firstInRank[r + 1]; k++) {
      if (onSpine[order[k]] === 0) continue;
      left += k - firstInRank[r];
      right += firstInRank[r + 1] - 1 - k;
    }
  }
  return left > right;
}

function reversed({ firstInRank }: Piece, order: Int32Array): Int32Array {
  const out = order.slice();
  for (let r = 0; r + 1 < firstInRank.length; r++) out.subarray(firstInRank[r], firstInRank[r + 1]).reverse();
  return out;
}

function placeAround(piece: Piece, order: Int32Array, spine: Int32Array, spacing: Spacing): Float64Array {
  const position = positions(piece.firstInRank, order);
  const conflict = markConflicts(piece, position, spine);
  const candidates: Float64Array[] = [];
  for (const fromAbove of [true, false]) {
    for (const toLeft of [true, false]) {
      const neighbours = alignable(piece, position, spine, conflict, fromAbove);
      const root = align(piece, order, position, neighbours, fromAbove, toLeft);
      candidates.push(compact(piece, order, root, spacing, toLeft));
    }
  }
  const x = balance(candidates, piece);
  const axis = axisOf(piece, x, spine);
  const fixed = new Uint8Array(x.length);
  for (let v = 0; v < x.length; v++) {
    x[v] -= axis;
    if (spine[v] !== -1) fixed[v] = fixed[spine[v]] = 1;
  }
  standCutsOnAxis(piece, x, fixed);
  tighten(piece, order, x, fixed, spacing);
  return x;
}

/** Per element the neighbours on one side that it may be aligned with: in `list`, sorted by position. */
interface Alignable {
  readonly first: Uint32Array;
  readonly list: Int32Array;
}

function alignable(
  piece: Piece,
  position: Int32Array,
  spine: Int32Array,
  conflict: Uint8Array,
  fromAbove: boolean,
): Alignable {
  const { firstDown, down, elements } = piece;
  const size = elements.length;
  const above = new Int32Array(size).fill(-1);
  for (let v = 0; v < size; v++) if (spine[v] !== -1) above[spine[v]] = v;
  const found: number[][] = Array.from({ length: size }, () => []);
  for (let v = 0; v < size; v++) {
    for (let i = firstDown[v]; i < firstDown[v + 1]; i++) {
      const w = down[i];
      const straight = spine[v] === w;
      if (conflict[i] === 1) continue;
      if (!straight && (spine[v] !== -1 || above[w] !== -1)) continue;
      if (fromAbove) found[w].push(v);
      else found[v].push(w);
    }
  }
  const first = new Uint32Array(size + 1);
  for (let v = 0; v < size; v++) first[v + 1] = first[v] + found[v].length;
  const list = new Int32Array(first[size]);
  for (let v = 0; v < size; v++)
    list.set(
      found[v].sort((a, b) => position[a] - position[b]),
      first[v],
    );
  return { first, list };
}

/** Vertical alignment: returns the root (one representative) of each element's block. */
function align(
  { firstInRank, elements }: Piece,
  order: Int32Array,
  position: Int32Array,
  { first, list }: Alignable,
  fromAbove: boolean,
  toLeft: boolean,
): Int32Array {
  const size = elements.length;
  const root = Int32Array.from({ length: size }, (_, v) => v);
  const taken = new Uint8Array(size);
  const ranks = firstInRank.length - 1;
  for (let step = 1; step < ranks; step++) {
    const r = fromAbove ? step : ranks - 1 - step;
    const begin = firstInRank[r];
    const end = firstInRank[r + 1];
    let border = toLeft ? -1 : Infinity;
    for (let k = 0; k < end - begin; k++) {
      const v = order[toLeft ? begin + k : end - 1 - k];
      const degree = first[v + 1] - first[v];
      if (degree === 0) continue;
      const low = first[v] + ((degree - 1) >> 1);
      const high = first[v] + (degree >> 1);
      for (const at of low === high ? [low] : toLeft ? [low, high] : [high, low]) {
        const u = list[at];
        const free = toLeft ? position[u] > border : position[u] < border;
        if (!free || taken[u] === 1) continue;
        root[v] = root[u];
        taken[u] = 1;
        border = position[u];
        break;
      }
    }
  }
  return root;
}

/**
 * Horizontal compaction: longest paths over the graph of blocks, first to the near side, then every block
 * pulled as close to its far neighbours as they allow.
 */
function compact(
  piece: Piece,
  order: Int32Array,
  root: Int32Array,
  spacing: Spacing,
  toLeft: boolean,
): Float64Array {
  const blocks = blockGraph(piece, order, root, spacing, toLeft);
  const size = root.length;
  const at = new Float64Array(size);
  const topological: number[] = [];
  const waiting = blocks.incoming.slice();
  for (let v = 0; v < size; v++) if (root[v] === v && waiting[v] === 0) topological.push(v);
  for (let next = 0; next < topological.length; next++) {
    const b = topological[next];
    for (let i = blocks.first[b]; i < blocks.first[b + 1]; i++) {
      const c = blocks.to[i];
      at[c] = Math.max(at[c], at[b] + blocks.gap[i]);
      if (--waiting[c] === 0) topological.push(c);
    }
  }
  for (let next = topological.length - 1; next >= 0; next--) {
    const b = topological[next];
    let room = Infinity;
    for (let i = blocks.first[b]; i < blocks.first[b + 1]; i++) {
      room = Math.min(room, at[blocks.to[i]] - blocks.gap[i]);
    }
    if (room !== Infinity) at[b] = Math.max(at[b], room);
  }
  const x = new Float64Array(size);
  for (let v = 0; v < size; v++) x[v] = toLeft ? at[root[v]] : -at[root[v]];
  return x;
}

interface BlockGraph {
  readonly first: Uint32Array;
  readonly to: Int32Array;
  readonly gap: Float64Array;
  readonly incoming: Int32Array;
}

function blockGraph(
  piece: Piece,
  order: Int32Array,
  root: Int32Array,
  spacing: Spacing,
  toLeft: boolean,
): BlockGraph {
  const { firstInRank } = piece;
  const size = root.length;
  const first = new Uint32Array(size + 1);
  const incoming = new Int32Array(size);
  const each = (visit: (a: number, b: number, gap: number) => void): void => {
    for (let r = 0; r + 1 < firstInRank.length; r++) {
      for (let k = firstInRank[r]; k + 1 < firstInRank[r + 1]; k++) {
        const a = order[k];
        const b = order[k + 1];
        const gap = separation(piece, a, b, spacing);
        if (toLeft) visit(root[a], root[b], gap);
        else visit(root[b], root[a], gap);
      }
    }
  };
  each((a, b) => {
    first[a + 1]++;
    incoming[b]++;
  });
  for (let v = 0; v < size; v++) first[v + 1] += first[v];
  const fill = first.slice();
  const to = new Int32Array(first[size]);
  const gaps = new Float64Array(first[size]);
  each((a, b, gap) => {
    gaps[fill[a]] = gap;
    to[fill[a]++] = b;
  });
  return { first, to, gap: gaps, incoming };
}

/** Aligns the four candidates with the narrowest, then takes the mean of each element's two middle places. */
function balance(candidates: readonly Float64Array[], { left, right }: Piece): Float64Array {
  const size = left.length;
  const spans = candidates.map((x) => {
    let min = Infinity;
    let max = -Infinity;
    for (let v = 0; v < size; v++) {
      min = Math.min(min, x[v] - left[v]);
      max = Math.max(max, x[v] + right[v]);
    }
    return { min, max };
  });
  const narrowest = spans.reduce((a, b) => (b.max - b.min < a.max - a.min ? b : a));
  const shift = spans.map(({ min, max }, i) => (i % 2 === 0 ? narrowest.min - min : narrowest.max - max));
  const out = new Float64Array(size);
  const four = [0, 0, 0, 0];
  for (let v = 0; v < size; v++) {
    for (let i = 0; i < 4; i++) four[i] = candidates[i][v] + shift[i];
    four.sort((a, b) => a - b);
    out[v] = (four[1] + four[2]) / 2;
  }
  return out;
}

/** Where the piece's axis is: its spine, else its cuts, else its middle. */
function axisOf({ topCut, bottomCut, left, right }: Piece, x: Float64Array, spine: Int32Array): number {
  const last = x.length - 1;
  const onSpine = spine.findIndex((next) => next !== -1);
  if (onSpine !== -1) return x[onSpine];
  if (topCut && bottomCut) return (x[0] + x[last]) / 2;
  if (topCut) return x[0];
  if (bottomCut) return x[last];
  let min = Infinity;
  let max = -Infinity;
  for (let v = 0; v <= last; v++) {
    min = Math.min(min, x[v] - left[v]);
    max = Math.max(max, x[v] + right[v]);
  }
  return (min + max) / 2;
}

function standCutsOnAxis({ topCut, bottomCut }: Piece, x: Float64Array, fixed: Uint8Array): void {
  const last = x.length - 1;
  if (topCut) {
    x[0] = 0;
    fixed[0] = 1;
  }
  if (bottomCut) {
    x[last] = 0;
    fixed[last] = 1;
  }
}
