import { DETAIL } from './camera';
import type { Painting } from './painting';

const RADIUS = 10;
/** A frame keeps its title readable while it is at least this wide on the screen. */
const TITLE_FROM = 70;

/** Open groups: a quiet frame with its title in the corner, and where to close it. */
export function paintFrame(p: Painting, i: number): void {
  const { context, scene, theme } = p;
  const [x, y, w, h] = [scene.x[i], scene.y[i], scene.width[i], scene.height[i]];
  context.beginPath();
  context.roundRect(x, y, w, h, Math.min(RADIUS, w / 4));
  context.fillStyle = p.frameFill;
  context.fill();
  context.lineWidth = Math.max(1, 0.6 / p.k);
  context.strokeStyle = theme.border;
  context.stroke();
  if (p.k < DETAIL.label || w * p.k < TITLE_FROM) return;
  const size = Math.min(14, Math.max(11, 9 / p.k));
  const font = `${size}px ${theme.font}`;
  context.font = font;
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  context.fillStyle = theme.dim;
  const title = p.model.title1(scene.node[i]);
  context.fillText(p.text.fit(title, font, w / 2 - 22), x + 10, y + 8 + size * 0.75);
}
