import type { Layered } from './elements';
import { ITEM, type LevelGraph, type Spacing } from './types';

/** Vertical bands: rank `r` covers `[top[r], bottom[r])`, the edges cross over in the gaps between them. */
export interface Rows {
  readonly top: Float64Array;
  readonly bottom: Float64Array;
  readonly itemTop: Float64Array;
  readonly height: number;
}

/** A gap grows with the widest S in it (a flat S is hard to follow), up to this much. */
const MOST_EXTRA = 46;
const EXTRA_PER_PIXEL = 1 / 9;
const S_WITHOUT_EXTRA = 120;

export function placeRanks(level: LevelGraph, layered: Layered, x: Float64Array, spacing: Spacing): Rows {
  const { rank, rankCount } = layered;
  const tall = new Float64Array(rankCount);
  for (let item = 0; item < level.count; item++)
    tall[rank[item]] = Math.max(tall[rank[item]], level.height[item]);
  const widest = widestS(layered, x);
  const top = new Float64Array(rankCount);
  const bottom = new Float64Array(rankCount);
  let y = 0;
  for (let r = 0; r < rankCount; r++) {
    top[r] = y;
    bottom[r] = y + tall[r];
    const extra = Math.min(MOST_EXTRA, Math.max(0, widest[r] - S_WITHOUT_EXTRA) * EXTRA_PER_PIXEL);
    y = bottom[r] + spacing.betweenRanks + extra;
  }
  const itemTop = new Float64Array(level.count);
  for (let item = 0; item < level.count; item++) {
    const room = tall[rank[item]] - level.height[item];
    const bottomMost = level.kind[item] === ITEM.outputPort;
    itemTop[item] = top[rank[item]] + (bottomMost ? room : room / 2);
  }
  return { top, bottom, itemTop, height: rankCount === 0 ? 0 : bottom[rankCount - 1] };
}

function widestS({ count, rank, rankCount, firstDown, down }: Layered, x: Float64Array): Float64Array {
  const widest = new Float64Array(rankCount);
  for (let v = 0; v < count; v++) {
    for (let i = firstDown[v]; i < firstDown[v + 1]; i++) {
      widest[rank[v]] = Math.max(widest[rank[v]], Math.abs(x[down[i]] - x[v]));
    }
  }
  return widest;
}
