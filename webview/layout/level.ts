import { layer, type Layered } from './elements';
import { orderRanks } from './ordering';
import { cutRanks, signature, takePiece, type LayoutCache, type Piece } from './pieces';
import { placeElements, type MainPath } from './coordinates';
import { narrowed } from './narrow';
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
  const local = new Int32Array(layered.count);
  const place = (piece: Piece, mainPath: MainPath): Float64Array => {
    const key = signature(piece, mainPath === 'free' ? 1 : 0);
    const known = cache.find(key);
    if (known !== undefined) return known;
    const places = placeElements(piece, orderRanks(piece), spacing, mainPath);
    cache.keep(key, places);
    return places;
  };
  const pieces = cutRanks(layered)
    .map(({ top, bottom }) => takePiece(layered, top, bottom, local))
    .filter((piece) => piece.elements.length > piece.firstInRank.length - 1);
  const columns = pieces.map((piece) => ({ piece, places: place(piece, 'straight') }));
  const x = new Float64Array(layered.count);
  for (const { piece, places } of narrowed(columns, (piece) => place(piece, 'free'))) {
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
