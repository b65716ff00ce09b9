import type { Layered } from './elements';

/**
 * A graph is cut where a rank holds one element that is a box: whatever is above and below meets only there.
 * Each piece between two cuts is laid out alone, cuts stand on x = 0 (so the main path is straight and nothing
 * drifts), equal pieces are laid out once, and the picture can be shown from the top while the rest follows.
 */
export interface Piece {
  /** Elements by rank; the local index of an element is its position here. */
  readonly elements: Int32Array;
  readonly firstInRank: Uint32Array;
  readonly topCut: boolean;
  readonly bottomCut: boolean;
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly dummy: Uint8Array;
  /** Edges to the next rank in local indices. */
  readonly firstDown: Uint32Array;
  readonly down: Int32Array;
  readonly firstUp: Uint32Array;
  readonly up: Int32Array;
}

/** Rank intervals `[top, bottom]` of the pieces, both ends included: neighbours share their cut. */
export function cutRanks(layered: Layered): { top: number; bottom: number }[] {
  const { rankCount, firstInRank, byRank, itemCount } = layered;
  const pieces: { top: number; bottom: number }[] = [];
  let top = 0;
  for (let r = 1; r < rankCount; r++) {
    const alone = firstInRank[r + 1] - firstInRank[r] === 1 && byRank[firstInRank[r]] < itemCount;
    if (!alone && r < rankCount - 1) continue;
    pieces.push({ top, bottom: r });
    top = r;
  }
  if (rankCount === 1) pieces.push({ top: 0, bottom: 0 });
  return pieces;
}

/** `local` is scratch space of one entry per element. */
export function takePiece(layered: Layered, top: number, bottom: number, local: Int32Array): Piece {
  const begin = layered.firstInRank[top];
  const elements = layered.byRank.slice(begin, layered.firstInRank[bottom + 1]);
  const firstInRank = layered.firstInRank.slice(top, bottom + 2).map((first) => first - begin);
  elements.forEach((element, i) => (local[element] = i));
  const isCut = (rank: number): boolean =>
    layered.firstInRank[rank + 1] - layered.firstInRank[rank] === 1 &&
    layered.byRank[layered.firstInRank[rank]] < layered.itemCount;
  const topCount = firstInRank[1];
  const bottomStart = firstInRank[firstInRank.length - 2];
  const [firstDown, down] = lists(elements, layered.firstDown, layered.down, local, 0, bottomStart);
  const [firstUp, up] = lists(elements, layered.firstUp, layered.up, local, topCount, elements.length);
  return {
    ...{ elements, firstInRank, firstDown, down, firstUp, up },
    topCut: isCut(top),
    bottomCut: isCut(bottom),
    left: Float64Array.from(elements, (e) => layered.left[e]),
    right: Float64Array.from(elements, (e) => layered.right[e]),
    dummy: Uint8Array.from(elements, (e) => (e >= layered.itemCount ? 1 : 0)),
  };
}

/** Adjacency of the local elements `[begin, end)`; the others are at the piece's border and have none. */
function lists(
  elements: Int32Array,
  firstOf: Uint32Array,
  list: Int32Array,
  local: Int32Array,
  begin: number,
  end: number,
): [Uint32Array, Int32Array] {
  const first = new Uint32Array(elements.length + 1);
  for (let i = 0; i < elements.length; i++) {
    const degree = firstOf[elements[i] + 1] - firstOf[elements[i]];
    first[i + 1] = first[i] + (i >= begin && i < end ? degree : 0);
  }
  const out = new Int32Array(first[elements.length]);
  for (let i = begin, next = 0; i < end; i++) {
    for (let p = firstOf[elements[i]]; p < firstOf[elements[i] + 1]; p++) out[next++] = local[list[p]];
  }
  return [first, out];
}

/** What a piece looks like to the layout, as one array: equal arrays have equal layouts of the same variant. */
export function signature(piece: Piece, variant: 0 | 1): Int32Array {
  const { elements, firstInRank, left, right, dummy, firstDown, down } = piece;
  const size = elements.length;
  const out = new Int32Array(3 + firstInRank.length + size * 3 + firstDown.length + down.length);
  out[0] = (piece.topCut ? 1 : 0) | (piece.bottomCut ? 2 : 0) | (variant << 2);
  out[1] = size;
  out[2] = firstInRank.length;
  out.set(firstInRank, 3);
  let next = 3 + firstInRank.length;
  for (let i = 0; i < size; i++) {
    out[next++] = Math.round(left[i] * 4);
    out[next++] = Math.round(right[i] * 4);
    out[next++] = dummy[i];
  }
  out.set(firstDown, next);
  out.set(down, next + firstDown.length);
  return out;
}

/** Layouts by what was laid out; keeps its entries for the life of a graph view. */
export class LayoutCache {
  private readonly byHash = new Map<number, { key: Int32Array; x: Float64Array }[]>();

  find(key: Int32Array): Float64Array | undefined {
    return this.byHash.get(hash(key))?.find((entry) => same(entry.key, key))?.x;
  }

  keep(key: Int32Array, x: Float64Array): void {
    const entries = this.byHash.get(hash(key));
    if (entries) entries.push({ key, x });
    else this.byHash.set(hash(key), [{ key, x }]);
  }
}

/** FNV-1a over 32-bit words. */
function hash(words: Int32Array): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) h = Math.imul(h ^ words[i], 0x01000193);
  return h;
}

function same(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
