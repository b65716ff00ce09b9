import type { Piece } from './pieces';
import { rankOf } from './ordering';

/** Pieces with more ranks than this always get a spine: without one, long nets of cells drift sideways. */
export const TALL = 40;
/** The longest branch must hold this many times the boxes of the next one to be the main path. */
const DOMINANT = 2;

/**
 * The main path of a piece, drawn as one straight line: the path over the most boxes, where it clearly is the
 * main one (a residual block against its shortcut); branches of like length stay symmetric and give none.
 * Returns, per element, the next element of the spine below it, or -1.
 */
export function findSpine(piece: Piece): Int32Array {
  const { elements, firstInRank, firstDown, down, dummy } = piece;
  const size = elements.length;
  const boxes = new Int32Array(size);
  const next = new Int32Array(size).fill(-1);
  for (let v = size - 1; v >= 0; v--) {
    for (let i = firstDown[v]; i < firstDown[v + 1]; i++) {
      if (next[v] === -1 || boxes[down[i]] > boxes[next[v]]) next[v] = down[i];
    }
    boxes[v] = 1 - dummy[v] + (next[v] === -1 ? 0 : boxes[next[v]]);
  }
  const spine = new Int32Array(size).fill(-1);
  const head = longest(boxes, firstInRank[1]);
  if (head === -1 || !hasMainPath(piece, head, boxes, next)) return spine;
  for (let v = head; next[v] !== -1; v = next[v]) spine[v] = next[v];
  return spine;
}

function longest(boxes: Int32Array, topCount: number): number {
  let head = -1;
  for (let v = 0; v < topCount; v++) if (head === -1 || boxes[v] > boxes[head]) head = v;
  return head;
}

function hasMainPath(piece: Piece, head: number, boxes: Int32Array, next: Int32Array): boolean {
  const { firstInRank, firstDown, down, elements } = piece;
  if (firstInRank.length - 1 > TALL) return true;
  const rank = rankOf(firstInRank, elements.length);
  let fork = head;
  while (next[fork] !== -1 && firstDown[fork + 1] - firstDown[fork] === 1) fork = next[fork];
  if (next[fork] === -1) return true;
  const end = tail(head, next);
  let second = 0;
  for (let i = firstDown[fork]; i < firstDown[fork + 1]; i++) {
    if (down[i] !== next[fork]) second = Math.max(second, boxes[down[i]]);
  }
  /** Boxes of the common tail count for both branches: compare what lies between fork and join. */
  const shared = boxes[join(piece, fork, next, rank, end)];
  return boxes[next[fork]] - shared > DOMINANT * Math.max(0, second - shared);
}

function tail(head: number, next: Int32Array): number {
  let v = head;
  while (next[v] !== -1) v = next[v];
  return v;
}

/** First spine element below `fork` that the fork's other branches reach too. */
function join(piece: Piece, fork: number, next: Int32Array, rank: Int32Array, end: number): number {
  const { firstDown, down } = piece;
  const reached = new Set<number>();
  const stack: number[] = [];
  for (let i = firstDown[fork]; i < firstDown[fork + 1]; i++) if (down[i] !== next[fork]) stack.push(down[i]);
  while (stack.length > 0) {
    const v = stack.pop()!;
    if (reached.has(v)) continue;
    reached.add(v);
    for (let i = firstDown[v]; i < firstDown[v + 1]; i++) if (rank[down[i]] > rank[v]) stack.push(down[i]);
  }
  for (let v = next[fork]; v !== end; v = next[v]) if (reached.has(v)) return v;
  return end;
}
