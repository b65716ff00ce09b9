import { layer, type Layered } from './elements';
import { orderRanks } from './ordering';
import type { LayoutCache } from './pieces';
import { cutRanks, signature, takePiece } from './pieces';
import { placeElements } from './coordinates';
import { assignRanks } from './ranks';
import { route } from './routes';
import { placeRanks } from './rows';
import { SPACING, type LevelGraph, type LevelLayout, type Spacing } from './types';

/**
 * Layered layout of one level after Sugiyama et al. (1981), every step linear in items plus dummies.
 *
 * Before: nets are acyclic. After: no two items overlap, every edge runs downwards and around boxes, pieces
 * between cuts are centred on x = 0. The same level gives the same layout.
 */
export function layoutLevel(level: LevelGraph, cache: LayoutCache, spacing: Spacing = SPACING): LevelLayout {
  const rank = assignRanks(level);
  const layered = layer(level, rank);
  const x = placeColumns(layered, cache, spacing);
  const rows = placeRanks(level, layered, x, spacing);
  const routes = route(level, layered, x, rows);
  return {
    x: x.subarray(0, level.count),
    y: rows.itemTop,
    rank,
    ...extent(level, x, routes.points),
    height: rows.height,
    routes,
  };
}

function placeColumns(layered: Layered, cache: LayoutCache, spacing: Spacing): Float64Array {
  const x = new Float64Array(layered.count);
  const local = new Int32Array(layered.count);
  for (const { top, bottom } of cutRanks(layered)) {
    const piece = takePiece(layered, top, bottom, local);
    if (piece.elements.length === piece.firstInRank.length - 1) continue;
    const key = signature(piece);
    let places = cache.find(key);
    if (places === undefined) {
      places = placeElements(piece, orderRanks(piece), spacing);
      cache.keep(key, places);
    }
    for (let i = 0; i < places.length; i++) x[piece.elements[i]] = places[i];
  }
  return x;
}

function extent(level: LevelGraph, x: Float64Array, points: Float64Array): { minX: number; maxX: number } {
  let minX = 0;
  let maxX = 0;
  for (let item = 0; item < level.count; item++) {
    minX = Math.min(minX, x[item] - level.left[item]);
    maxX = Math.max(maxX, x[item] + level.right[item]);
  }
  for (let i = 0; i < points.length; i += 2) {
    minX = Math.min(minX, points[i]);
    maxX = Math.max(maxX, points[i]);
  }
  return { minX, maxX };
}
