import type { Piece } from './pieces';
import { TALL } from './spine';

export interface PlacedPiece {
  readonly piece: Piece;
  readonly places: Float64Array;
}

/** Less than this is not worth a bent main path. */
const WORTHWHILE = 4;
const MOST_ROUNDS = 8;

/**
 * The pieces stand on one axis, so the widest on either side make the level's width. Those give up their straight
 * main path as long as that makes the level narrower.
 */
export function narrowed(
  pieces: readonly PlacedPiece[],
  free: (piece: Piece) => Float64Array,
): readonly PlacedPiece[] {
  let best = pieces;
  let span = spanOf(best);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { min, max } = span;
    const next = best.map((placed) => {
      const own = spanOf([placed]);
      const isOuter = own.min <= min || own.max >= max;
      return isOuter && placed.piece.firstInRank.length - 1 <= TALL
        ? { ...placed, places: free(placed.piece) }
        : placed;
    });
    const narrower = spanOf(next);
    if (narrower.max - narrower.min > max - min - WORTHWHILE) return best;
    [best, span] = [next, narrower];
  }
  return best;
}

function spanOf(pieces: readonly PlacedPiece[]): { readonly min: number; readonly max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (const { piece, places } of pieces) {
    for (let v = 0; v < places.length; v++) {
      min = Math.min(min, places[v] - piece.left[v]);
      max = Math.max(max, places[v] + piece.right[v]);
    }
  }
  return { min, max };
}
