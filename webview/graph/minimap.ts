import { el } from '../dom';
import type { Session } from '../session';
import { withAlpha } from '../theme';
import type { Camera } from './camera';
import type { FramePainter } from './frame';

const WIDTH = 76;
/** Of the whole view, at most: narrow views keep their room for the graph. */
const MOST_OF_VIEW = 0.12;
const PADDING = 6;

/**
 * The whole graph at the right border, like the editor's own minimap: height and width are scaled apart, since
 * graphs are far taller than wide. It shows colours, the peak and what is in sight; a click goes there.
 */
export class Minimap {
  readonly element: HTMLCanvasElement;
  width = WIDTH;
  private readonly picture = document.createElement('canvas');
  private stale = true;
  private height = 0;

  constructor(
    private readonly session: Session,
    private readonly painter: FramePainter,
    private readonly goTo: (y: number, x: number) => void,
  ) {
    this.element = el('canvas', { className: 'minimap', aria: { hidden: 'true' } });
    session.on(['graph', 'scene', 'plan', 'theme', 'look'], () => (this.stale = true));
    const point = (event: PointerEvent): void => {
      if (event.buttons !== 1) return;
      const { x, y } = this.world(event.offsetX, event.offsetY);
      this.goTo(y, x);
    };
    this.element.addEventListener('pointerdown', (event) => {
      this.element.setPointerCapture(event.pointerId);
      point(event);
    });
    this.element.addEventListener('pointermove', point);
  }

  resize(viewWidth: number, height: number, ratio: number): void {
    this.height = height;
    this.width = Math.round(Math.min(WIDTH, viewWidth * MOST_OF_VIEW));
    this.element.style.setProperty('width', `${this.width}px`);
    this.element.width = this.picture.width = Math.round(this.width * ratio);
    this.element.height = this.picture.height = Math.round(height * ratio);
    this.stale = true;
  }

  paint(camera: Camera, width: number, height: number, ratio: number): void {
    const { model, theme } = this.session;
    const context = this.element.getContext('2d')!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.element.width, this.element.height);
    if (model === null) return;
    if (this.stale) this.redraw(ratio);
    context.drawImage(this.picture, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { sx, sy, minX, top } = this.scales();
    const x0 = PADDING + (-camera.x / camera.k - minX) * sx;
    const x1 = PADDING + ((width - camera.x) / camera.k - minX) * sx;
    const y0 = top + (-camera.y / camera.k) * sy;
    const y1 = top + ((height - camera.y) / camera.k) * sy;
    const left = Math.max(1, x0);
    const right = Math.min(this.width - 1, x1);
    const tall = Math.max(6, y1 - y0);
    context.fillStyle = withAlpha(theme.foreground, 0.1);
    context.fillRect(left, y0, right - left, tall);
    context.strokeStyle = withAlpha(theme.foreground, 0.5);
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, y0 + 0.5, right - left - 1, tall - 1);
  }

  private redraw(ratio: number): void {
    this.stale = false;
    const { model, theme, plan, shownPlan } = this.session;
    const context = this.picture.getContext('2d')!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.background;
    context.fillRect(0, 0, this.picture.width, this.picture.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (model === null) return;
    const look = this.painter.currentLook(model);
    const { sx, sy, minX, top } = this.scales();
    const { scene } = model;
    const classes = look.colors.length;
    for (let i = 0; i < scene.node.length; i++) {
      if (scene.frame[i] === 1) continue;
      const node = scene.node[i];
      const x = PADDING + (scene.x[i] - minX) * sx;
      const y = top + scene.y[i] * sy;
      const w = Math.max(1.5, scene.width[i] * sx);
      const h = Math.max(0.8, scene.height[i] * sy);
      if (look.mode === 'device' && shownPlan !== null && model.isOperator(node) && shownPlan.isSplit(node)) {
        let at = x;
        for (const share of shownPlan.shares(node)) {
          context.fillStyle = look.colors[share.device];
          context.fillRect(at, y, share.fraction * w, h);
          at += share.fraction * w;
        }
        continue;
      }
      if (!model.isGroup(node)) {
        context.fillStyle = model.isOperator(node) ? look.colors[look.classOf[node]] : theme.dim;
        context.fillRect(x, y, w, h);
        continue;
      }
      let at = x;
      for (let c = 0; c < classes; c++) {
        const part = look.mix[model.groupIndex(node) * classes + c] * w;
        if (part < 0.2) continue;
        context.fillStyle = look.colors[c];
        context.fillRect(at, y, part, h);
        at += part;
      }
    }
    if (plan === null || shownPlan === null) return;
    const peak = model.place[model.shownFor(plan.view.memory.operators[plan.view.memory.peakStep])];
    if (peak < 0) return;
    context.fillStyle = theme.error;
    context.fillRect(this.width - 8, top + scene.y[peak] * sy - 1.5, 8, 3);
  }

  private scales(): { sx: number; sy: number; minX: number; top: number } {
    const { minX, maxX, height } = this.session.model!.scene.bounds;
    const sy = Math.min((this.height - 2 * PADDING) / Math.max(1, height), 0.12);
    const sx = Math.min((this.width - 2 * PADDING) / Math.max(1, maxX - minX), 0.12);
    const center = (this.width - 2 * PADDING - (maxX - minX) * sx) / 2;
    return { sx, sy, minX: minX - center / sx, top: PADDING };
  }

  private world(x: number, y: number): { x: number; y: number } {
    const { sx, sy, minX, top } = this.scales();
    return { x: (x - PADDING) / sx + minX, y: (y - top) / sy };
  }
}
