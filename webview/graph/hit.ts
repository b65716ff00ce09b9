import type { GraphModel } from '../graphModel';
import type { Target } from '../session';
import type { Tag } from './painting';

/** How near to a line, in world pixels, the pointer means it. */
const LINE_REACH = 5;
const FRAME_TITLE = 26;

/** What lies under a point of the picture: boxes before tags before lines before titles of frames. */
export function hit(model: GraphModel, tags: readonly Tag[], x: number, y: number, k: number): Target | null {
  const { scene, spatial } = model;
  const reach = LINE_REACH / Math.min(1, k);
  const band = Math.floor(y / spatial.bandHeight);
  const tag = tagAt(tags, x, y);
  if (tag !== undefined) return { kind: 'wire', wire: tag.wire };
  if (band < 0 || band + 1 >= spatial.firstBox.length) return null;
  let title: Target | null = null;
  for (let b = spatial.firstBox[band + 1] - 1; b >= spatial.firstBox[band]; b--) {
    const i = spatial.boxes[b];
    const inside =
      x >= scene.x[i] &&
      x < scene.x[i] + scene.width[i] &&
      y >= scene.y[i] &&
      y < scene.y[i] + scene.height[i];
    if (!inside) continue;
    if (scene.frame[i] === 0) return { kind: 'node', node: scene.node[i] };
    if (y < scene.y[i] + FRAME_TITLE) title ??= { kind: 'node', node: scene.node[i] };
  }
  return nearestLine(model, band, x, y, reach) ?? title;
}

export function tagAt(tags: readonly Tag[], x: number, y: number): Tag | undefined {
  return tags.find((tag) => x >= tag.x && x < tag.x + tag.width && y >= tag.y && y < tag.y + tag.height);
}

function nearestLine(
  { scene, spatial }: GraphModel,
  band: number,
  x: number,
  y: number,
  reach: number,
): Target | null {
  let nearest = reach;
  let found: Target | null = null;
  for (let l = spatial.firstLine[band]; l < spatial.firstLine[band + 1]; l++) {
    const line = spatial.lines[l];
    const [minX, minY, maxX, maxY] = spatial.lineBounds.subarray(line * 4, line * 4 + 4);
    if (x < minX - reach || x > maxX + reach || y < minY || y > maxY) continue;
    const distance = Math.abs(lineAt(scene.lines, line, y) - x);
    if (distance >= nearest) continue;
    nearest = distance;
    found = { kind: 'wire', wire: scene.lines.wire[line] };
  }
  return found;
}

/** x of a line at height y: lines run downwards, so there is one. */
function lineAt(
  { first, points }: { readonly first: Uint32Array; readonly points: Float32Array },
  line: number,
  y: number,
): number {
  let p = first[line] + 2;
  while (p + 2 < first[line + 1] && points[p + 1] < y) p += 2;
  const [x0, y0, x1, y1] = points.subarray(p - 2, p + 2);
  if (x0 === x1 || y1 <= y0) return x1;
  const t = parameterAt((y - y0) / (y1 - y0));
  return x0 + (x1 - x0) * t * t * (3 - 2 * t);
}

/** The S is a cubic with control points at half the height: y(t) = 1.5 t - 1.5 t^2 + t^3; solved by bisection. */
function parameterAt(height: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 12; i++) {
    const t = (low + high) / 2;
    if (1.5 * t - 1.5 * t * t + t * t * t < height) low = t;
    else high = t;
  }
  return (low + high) / 2;
}
