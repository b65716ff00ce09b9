import type { SpatialIndex } from '../layoutProtocol';
import type { Scene } from './scene';

const BAND = 640;
const MOST_BANDS = 4096;

/** Buckets boxes and lines by horizontal bands; what spans several is in each. */
export function spatialIndex(scene: Scene): SpatialIndex {
  const height = Math.max(1, scene.bounds.height);
  const bandHeight = Math.max(BAND, height / MOST_BANDS);
  const bands = Math.floor(height / bandHeight) + 1;
  const lineBounds = boundsOfLines(scene);
  const band = (y: number): number => Math.min(bands - 1, Math.max(0, Math.floor(y / bandHeight)));
  const boxes = bucket(
    bands,
    scene.node.length,
    (i) => band(scene.y[i]),
    (i) => band(scene.y[i] + scene.height[i]),
  );
  const lines = bucket(
    bands,
    scene.lines.wire.length,
    (i) => band(lineBounds[i * 4 + 1]),
    (i) => band(lineBounds[i * 4 + 3]),
  );
  return {
    bandHeight,
    firstBox: boxes.first,
    boxes: boxes.list,
    firstLine: lines.first,
    lines: lines.list,
    lineBounds,
  };
}

function boundsOfLines({ lines }: Scene): Float32Array {
  const bounds = new Float32Array(lines.wire.length * 4);
  for (let line = 0; line < lines.wire.length; line++) {
    let minX = Infinity;
    let maxX = -Infinity;
    for (let p = lines.first[line]; p < lines.first[line + 1]; p += 2) {
      minX = Math.min(minX, lines.points[p]);
      maxX = Math.max(maxX, lines.points[p]);
    }
    bounds[line * 4] = minX;
    bounds[line * 4 + 1] = lines.points[lines.first[line] + 1];
    bounds[line * 4 + 2] = maxX;
    bounds[line * 4 + 3] = lines.points[lines.first[line + 1] - 1];
  }
  return bounds;
}

function bucket(
  bands: number,
  count: number,
  from: (i: number) => number,
  to: (i: number) => number,
): { first: Uint32Array; list: Uint32Array } {
  const first = new Uint32Array(bands + 1);
  for (let i = 0; i < count; i++) for (let b = from(i); b <= to(i); b++) first[b + 1]++;
  for (let b = 0; b < bands; b++) first[b + 1] += first[b];
  const fill = first.slice();
  const list = new Uint32Array(first[bands]);
  for (let i = 0; i < count; i++) for (let b = from(i); b <= to(i); b++) list[fill[b]++] = i;
  return { first, list };
}
