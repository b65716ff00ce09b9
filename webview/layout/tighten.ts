import type { Piece } from './pieces';
import type { Spacing } from './types';

/** Lines are bent only where that makes the piece at most this part of its width. */
const WORTHWHILE = 0.98;

/** Distance that the anchors of two neighbours in a rank keep, `a` standing left of `b`. */
export function separation({ left, right, dummy }: Piece, a: number, b: number, spacing: Spacing): number {
  const lines = dummy[a] === 1 || dummy[b] === 1;
  return right[a] + (lines ? spacing.betweenLines : spacing.betweenBoxes) + left[b];
}

/**
 * Draws in what stands outside of the room that the piece needs: the widest rank packed, and what lets the elements
 * in `fixed` (1 each) stay where they are. Order and distances stay, and only what stood outside moves. Linear.
 *
 * Why distances stay: the outermost places that two neighbours may take differ by just their distance on either
 * side, so both clamped to them keep at least that.
 */
export function tighten(
  piece: Piece,
  order: Int32Array,
  x: Float64Array,
  fixed: Uint8Array,
  spacing: Spacing,
): void {
  const { before, after } = roomInRanks(piece, order, spacing);
  const { min, max } = neededRoom(piece, x, fixed, before, after);
  for (let v = 0; v < x.length; v++) {
    x[v] = Math.max(min + before[v], Math.min(max - after[v], x[v]));
  }
}

/** Per element the least distances of its anchor from the left and the right end of its rank. */
function roomInRanks(
  piece: Piece,
  order: Int32Array,
  spacing: Spacing,
): { readonly before: Float64Array; readonly after: Float64Array } {
  const { firstInRank, left, right } = piece;
  const before = new Float64Array(order.length);
  const after = new Float64Array(order.length);
  for (let r = 0; r + 1 < firstInRank.length; r++) {
    const [begin, end] = [firstInRank[r], firstInRank[r + 1]];
    for (let k = begin; k < end; k++) {
      const v = order[k];
      before[v] = k === begin ? left[v] : before[order[k - 1]] + separation(piece, order[k - 1], v, spacing);
    }
    for (let k = end - 1; k >= begin; k--) {
      const v = order[k];
      after[v] = k === end - 1 ? right[v] : after[order[k + 1]] + separation(piece, v, order[k + 1], spacing);
    }
  }
  return { before, after };
}

/** Around the middle of what the piece covers now, moved to hold what the fixed elements need. */
function neededRoom(
  { left, right }: Piece,
  x: Float64Array,
  fixed: Uint8Array,
  before: Float64Array,
  after: Float64Array,
): { readonly min: number; readonly max: number } {
  const need = { min: Infinity, max: -Infinity };
  const now = { min: Infinity, max: -Infinity };
  let widest = 0;
  for (let v = 0; v < x.length; v++) {
    widest = Math.max(widest, before[v] + after[v]);
    now.min = Math.min(now.min, x[v] - left[v]);
    now.max = Math.max(now.max, x[v] + right[v]);
    if (fixed[v] === 0) continue;
    need.min = Math.min(need.min, x[v] - before[v]);
    need.max = Math.max(need.max, x[v] + after[v]);
  }
  const middle = (now.min + now.max) / 2;
  let min = Math.min(need.min, middle - widest / 2);
  const max = Math.max(need.max, min + widest);
  min = Math.min(need.min, max - widest);
  return max - min < (now.max - now.min) * WORTHWHILE ? { min, max } : now;
}
