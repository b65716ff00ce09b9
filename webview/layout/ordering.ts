import type { Piece } from './pieces';

/** Sweeps without a better order after which the search ends, and sweeps at most. */
const PATIENCE = 4;
const MOST_SWEEPS = 12;
/** Edges times sweeps at most: large pieces get fewer sweeps. */
const WORK = 4_000_000;
/** Pieces up to this size also swap neighbours where that removes crossings. */
const SWAP_UP_TO = 3000;

/**
 * Order within each rank: weighted medians, down and up in turn (Gansner et al. 1993), the order with the
 * fewest crossings kept. Returns the elements of each rank from left to right. Ties keep what was.
 */
export function orderRanks(piece: Piece): Int32Array {
  let order = startOrder(piece);
  let best = order.slice();
  let fewest = crossings(piece, best);
  const sweeps = Math.max(2, Math.min(MOST_SWEEPS, Math.floor(WORK / (piece.down.length + 1))));
  for (let sweep = 0, idle = 0; sweep < sweeps && idle < PATIENCE && fewest > 0; sweep++, idle++) {
    order = order.slice();
    medianSweep(piece, order, sweep % 2 === 0);
    if (piece.elements.length <= SWAP_UP_TO) swapNeighbours(piece, order);
    const count = crossings(piece, order);
    if (count >= fewest) continue;
    fewest = count;
    best = order.slice();
    idle = -1;
  }
  return best;
}

/** Depth first from the top, boxes before lines that pass by, so that a shortcut runs right of its block. */
function startOrder({ elements, firstInRank, firstDown, down, dummy }: Piece): Int32Array {
  const size = elements.length;
  const rank = rankOf(firstInRank, size);
  const fill = firstInRank.slice();
  const order = new Int32Array(size);
  const seen = new Uint8Array(size);
  const stack: number[] = [];
  for (let start = 0; start < size; start++) {
    if (seen[start] === 1) continue;
    stack.push(start);
    while (stack.length > 0) {
      const v = stack.pop()!;
      if (seen[v] === 1) continue;
      seen[v] = 1;
      order[fill[rank[v]]++] = v;
      for (const lines of [1, 0]) {
        for (let i = firstDown[v + 1] - 1; i >= firstDown[v]; i--) {
          if (dummy[down[i]] === lines && seen[down[i]] === 0) stack.push(down[i]);
        }
      }
    }
  }
  return order;
}

export function rankOf(firstInRank: Uint32Array, size: number): Int32Array {
  const rank = new Int32Array(size);
  for (let r = 0; r + 1 < firstInRank.length; r++) rank.fill(r, firstInRank[r], firstInRank[r + 1]);
  return rank;
}

export function positions(firstInRank: Uint32Array, order: Int32Array): Int32Array {
  const position = new Int32Array(order.length);
  for (let r = 0; r + 1 < firstInRank.length; r++) {
    for (let i = firstInRank[r]; i < firstInRank[r + 1]; i++) position[order[i]] = i - firstInRank[r];
  }
  return position;
}

function medianSweep(piece: Piece, order: Int32Array, downwards: boolean): void {
  const { firstInRank } = piece;
  const ranks = firstInRank.length - 1;
  const first = downwards ? piece.firstUp : piece.firstDown;
  const list = downwards ? piece.up : piece.down;
  const position = positions(firstInRank, order);
  for (let i = 1; i < ranks; i++) {
    const r = downwards ? i : ranks - 1 - i;
    const begin = firstInRank[r];
    const end = firstInRank[r + 1];
    if (end - begin < 2) continue;
    sortRank(order, begin, end, (v) => median(v, first, list, position));
    for (let k = begin; k < end; k++) position[order[k]] = k - begin;
  }
}

/** Elements without neighbours on that side keep their places, the others are sorted around them. */
function sortRank(order: Int32Array, begin: number, end: number, value: (v: number) => number): void {
  const movable: { v: number; at: number; median: number }[] = [];
  for (let k = begin; k < end; k++) {
    const at = value(order[k]);
    if (at >= 0) movable.push({ v: order[k], at: k, median: at });
  }
  const places = movable.map((entry) => entry.at);
  movable.sort((a, b) => a.median - b.median || a.at - b.at);
  movable.forEach((entry, i) => (order[places[i]] = entry.v));
}

function median(v: number, first: Uint32Array, list: Int32Array, position: Int32Array): number {
  const begin = first[v];
  const degree = first[v + 1] - begin;
  if (degree === 0) return -1;
  if (degree === 1) return position[list[begin]];
  if (degree === 2) return (position[list[begin]] + position[list[begin + 1]]) / 2;
  const around = Array.from(list.subarray(begin, begin + degree), (u) => position[u]).sort((a, b) => a - b);
  const middle = degree >> 1;
  if (degree % 2 === 1) return around[middle];
  const leftSpread = around[middle - 1] - around[0];
  const rightSpread = around[degree - 1] - around[middle];
  if (leftSpread + rightSpread === 0) return (around[middle - 1] + around[middle]) / 2;
  return (around[middle - 1] * rightSpread + around[middle] * leftSpread) / (leftSpread + rightSpread);
}

/** Crossings over all ranks, by inversion counting in a Fenwick tree: O(edges log width). */
export function crossings(piece: Piece, order: Int32Array): number {
  const { firstInRank, firstDown, down } = piece;
  const position = positions(firstInRank, order);
  let count = 0;
  for (let r = 0; r + 2 < firstInRank.length; r++) {
    const width = firstInRank[r + 2] - firstInRank[r + 1];
    const tree = new Int32Array(width + 1);
    let placed = 0;
    for (let k = firstInRank[r]; k < firstInRank[r + 1]; k++) {
      const v = order[k];
      for (let i = firstDown[v]; i < firstDown[v + 1]; i++) {
        let notRight = 0;
        for (let p = position[down[i]] + 1; p > 0; p &= p - 1) notRight += tree[p];
        count += placed - notRight;
      }
      for (let i = firstDown[v]; i < firstDown[v + 1]; i++) {
        placed++;
        for (let p = position[down[i]] + 1; p <= width; p += p & -p) tree[p]++;
      }
    }
  }
  return count;
}

function swapNeighbours(piece: Piece, order: Int32Array): void {
  const { firstInRank, firstDown, down, firstUp, up } = piece;
  const position = positions(firstInRank, order);
  for (let r = 0; r + 1 < firstInRank.length; r++) {
    for (let k = firstInRank[r]; k + 1 < firstInRank[r + 1]; k++) {
      const a = order[k];
      const b = order[k + 1];
      const gain =
        inversions(firstUp, up, a, b, position) +
        inversions(firstDown, down, a, b, position) -
        inversions(firstUp, up, b, a, position) -
        inversions(firstDown, down, b, a, position);
      if (gain <= 0) continue;
      order[k] = b;
      order[k + 1] = a;
      position[a]++;
      position[b]--;
    }
  }
}

/** Crossings between the edges of `a` and `b` while `a` stands left of `b`. */
function inversions(
  first: Uint32Array,
  list: Int32Array,
  a: number,
  b: number,
  position: Int32Array,
): number {
  let count = 0;
  for (let i = first[a]; i < first[a + 1]; i++) {
    for (let j = first[b]; j < first[b + 1]; j++) if (position[list[i]] > position[list[j]]) count++;
  }
  return count;
}
