import type { Piece } from './pieces';

/**
 * Which edges of a piece may not be drawn straight because they cross one that must be: the spine first, then
 * lines that pass by (the type 1 conflicts of Brandes and Köpf 2001). Per position in `piece.down`: 1 where the
 * edge gives way. Linear: an edge crosses a straight one exactly when a running maximum or minimum says so.
 */
export function markConflicts(piece: Piece, position: Int32Array, spine: Int32Array): Uint8Array {
  const { firstInRank, firstDown, down, dummy } = piece;
  const conflict = new Uint8Array(down.length);
  for (let r = 0; r + 2 < firstInRank.length; r++) {
    const begin = firstInRank[r];
    const end = firstInRank[r + 1];
    const width = firstInRank[r + 2] - end;
    const onSpine = (v: number, i: number): boolean => spine[v] === down[i];
    const passes = (v: number, i: number): boolean => dummy[v] === 1 && dummy[down[i]] === 1;
    giveWay(onSpine, (v, i) => !onSpine(v, i));
    giveWay(
      (v, i) => passes(v, i) && conflict[i] === 0,
      (v, i) => !passes(v, i) && !onSpine(v, i),
    );

    /** Marks the edges of `weak` that cross one of `strong` between ranks r and r + 1. */
    function giveWay(
      strong: (v: number, i: number) => boolean,
      weak: (v: number, i: number) => boolean,
    ): void {
      const highest = new Int32Array(width).fill(-1);
      const lowest = new Int32Array(width).fill(end);
      let any = false;
      for (let v = begin; v < end; v++) {
        for (let i = firstDown[v]; i < firstDown[v + 1]; i++) {
          if (!strong(v, i)) continue;
          any = true;
          const below = position[down[i]];
          highest[below] = Math.max(highest[below], position[v]);
          lowest[below] = Math.min(lowest[below], position[v]);
        }
      }
      if (!any) return;
      for (let p = 1; p < width; p++) highest[p] = Math.max(highest[p], highest[p - 1]);
      for (let p = width - 2; p >= 0; p--) lowest[p] = Math.min(lowest[p], lowest[p + 1]);
      for (let v = begin; v < end; v++) {
        for (let i = firstDown[v]; i < firstDown[v + 1]; i++) {
          if (!weak(v, i)) continue;
          const below = position[down[i]];
          const leftOf = below > 0 && highest[below - 1] > position[v];
          const rightOf = below + 1 < width && lowest[below + 1] < position[v];
          if (leftOf || rightOf) conflict[i] = 1;
        }
      }
    }
  }
  return conflict;
}
