import { DETAIL } from './camera';
import type { Painting } from './painting';

const FONT = 11;
const ROW = 16;
const AWAY = 18;
const GAP = 6;

/**
 * Far out, where boxes have lost their labels: a table of contents at the picture's right border, one line per
 * group of the top level, as far as lines find room. Sizes are screen pixels.
 */
export function paintContents(p: Painting, boxes: readonly number[]): void {
  if (p.k >= DETAIL.label) return;
  const { scene, model, theme, context, k } = p;
  const font = `${FONT / k}px ${theme.font}`;
  const x = scene.bounds.maxX + AWAY / k;
  let free = -Infinity;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  for (const i of boxes) {
    const node = scene.node[i];
    if (!model.isGroup(node) || model.hierarchy.parent[node] !== -1) continue;
    const y = scene.y[i] + Math.min(scene.height[i] / 2, ROW / k);
    if (y < free) continue;
    free = y + ROW / k;
    context.strokeStyle = theme.border;
    context.lineWidth = 1 / k;
    context.beginPath();
    context.moveTo(scene.x[i] + scene.width[i] + GAP / k, y);
    context.lineTo(x - GAP / k, y);
    context.stroke();
    context.font = font;
    context.fillStyle = theme.foreground;
    const title = model.title1(node);
    context.fillText(title, x, y);
    context.fillStyle = theme.dim;
    context.fillText(p.groupNote(node).second, x + context.measureText(`${title}  `).width, y);
  }
}
