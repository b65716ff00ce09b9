import {
  easeCubicOut,
  select,
  zoom,
  zoomIdentity,
  type D3ZoomEvent,
  type ZoomBehavior,
  type ZoomTransform,
} from 'd3';
import { el, takeFocus } from '../dom';
import type { Session } from '../session';
import { FramePainter } from './frame';
import { hit, tagAt } from './hit';
import { Minimap } from './minimap';
import type { Tag } from './painting';
import { TextFitter } from './text';

const CLOSEST = 3;
const MARGIN = 36;
/** First sight: the whole width where that stays readable, else the middle of the top. */
const LEAST_FIRST_ZOOM = 0.5;
const MOVE_MILLISECONDS = 220;
const ZOOM_PER_NOTCH = 0.0022;

export interface GraphViewEvents {
  /** Double click or Enter on a node. */
  activate(node: number): void;
  /** A click on the label of an edge that is not drawn: to one of the nodes at its other end. */
  follow(wire: number, ends: readonly number[]): void;
  /** Right click or Shift+F10, at a point of the page. */
  menu(node: number | null, x: number, y: number): void;
  /** The pointer rests on something: where it is on the page. */
  pointer(x: number, y: number): void;
}

/** The canvas with the graph: camera, pointer, and one repaint per frame at most. */
export class GraphView {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly painter: FramePainter;
  private readonly context: CanvasRenderingContext2D;
  private readonly zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  private readonly minimap: Minimap;
  private transform: ZoomTransform = zoomIdentity;
  private tags: Tag[] = [];
  private width = 0;
  private height = 0;
  private ratio = 0;
  private pending = false;
  private placed = false;

  constructor(
    private readonly session: Session,
    private readonly events: GraphViewEvents,
  ) {
    this.canvas = el('canvas', {
      className: 'graph-canvas',
      tabIndex: 0,
      aria: { label: 'Operator graph', describedby: 'graph-keys' },
    });
    this.canvas.setAttribute('role', 'application');
    this.context = this.canvas.getContext('2d', { alpha: false })!;
    this.painter = new FramePainter(session, new TextFitter(this.context));
    this.minimap = new Minimap(session, this.painter, (y, x) => this.centerOn(x, y));
    this.element = el('div', { className: 'graph-view' }, this.canvas, this.minimap.element);
    this.zoom = zoom<HTMLCanvasElement, unknown>()
      .filter(
        (event: Event) =>
          event.type !== 'dblclick' && event.type !== 'wheel' && (event as MouseEvent).button !== 2,
      )
      .on('zoom', (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        this.transform = event.transform;
        this.repaint();
      });
    select(this.canvas).call(this.zoom);
    this.listen();
    new ResizeObserver(() => {
      if (this.measure()) this.paint();
    }).observe(this.element);
    session.on(
      [
        'graph',
        'scene',
        'plan',
        'theme',
        'look',
        'selection',
        'hover',
        'step',
        'device',
        'hoverDevice',
        'range',
        'pins',
        'verification',
        'tab',
      ],
      () => this.repaint(),
    );
  }

  get camera(): { k: number; x: number; y: number } {
    return { k: this.transform.k, x: this.transform.x, y: this.transform.y };
  }

  /** Moves without animation. */
  setCamera({ k, x, y }: { k: number; x: number; y: number }): void {
    this.placed = true;
    this.limit();
    select(this.canvas).call((s) => this.zoom.transform(s, zoomIdentity.translate(x, y).scale(k)));
  }

  /** The top of the graph in the middle, as large as its width allows. */
  showStart(): void {
    const { model } = this.session;
    if (model === null || this.width === 0) {
      this.placed = false;
      return;
    }
    const { minX, maxX, height } = model.scene.bounds;
    const fitWidth = (this.width - 2 * MARGIN - this.minimap.width) / Math.max(1, maxX - minX);
    const fitAll = Math.min(fitWidth, (this.height - 2 * MARGIN) / Math.max(1, height));
    const k =
      fitAll >= LEAST_FIRST_ZOOM ? Math.min(1.25, fitAll) : Math.min(1, Math.max(LEAST_FIRST_ZOOM, fitWidth));
    const middle = fitWidth >= k ? (minX + maxX) / 2 : 0;
    const x = (this.width - this.minimap.width) / 2 - middle * k;
    const y = fitAll >= LEAST_FIRST_ZOOM ? (this.height - height * k) / 2 : MARGIN;
    this.setCamera({ k, x, y });
  }

  fit(): void {
    const { model } = this.session;
    if (model === null) return;
    const { minX, maxX, height } = model.scene.bounds;
    const k = Math.min(
      1.25,
      (this.width - 2 * MARGIN - this.minimap.width) / Math.max(1, maxX - minX),
      (this.height - 2 * MARGIN) / Math.max(1, height),
    );
    const x = (this.width - this.minimap.width) / 2 - ((minX + maxX) / 2) * k;
    this.moveTo({ k, x, y: (this.height - height * k) / 2 });
  }

  zoomBy(factor: number): void {
    select(this.canvas).call((s) => this.zoom.scaleBy(s, factor));
  }

  /** Brings a node into view, near enough to read. */
  reveal(node: number): void {
    const { model } = this.session;
    const i = model?.place[model.shownFor(node)] ?? -1;
    if (model === null || i === -1) return;
    const { scene } = model;
    const k = Math.max(this.transform.k, 0.8);
    const cx = scene.x[i] + scene.width[i] / 2;
    const cy = scene.y[i] + Math.min(scene.height[i], this.height / k) / 2;
    this.moveTo({ k, x: (this.width - this.minimap.width) / 2 - cx * k, y: this.height / 2 - cy * k });
  }

  /** True where the whole node is in sight. */
  inSight(node: number): boolean {
    const { model } = this.session;
    const i = model?.place[node] ?? -1;
    if (model === null || i === -1) return false;
    const { scene } = model;
    const [left, top] = this.transform.apply([scene.x[i], scene.y[i]]);
    const [right, bottom] = this.transform.apply([scene.x[i] + scene.width[i], scene.y[i] + scene.height[i]]);
    return left >= 0 && top >= 0 && right <= this.width - this.minimap.width && bottom <= this.height;
  }

  /** Keeps a node's corner where it is on the screen while `change` puts another scene in place. */
  holding(node: number, change: () => void): void {
    const corner = (): [number, number] | null => {
      const model = this.session.model;
      const i = model?.place[node] ?? -1;
      return model === null || i === -1
        ? null
        : this.transform.apply([model.scene.x[i] + model.scene.width[i] / 2, model.scene.y[i]]);
    };
    const before = corner();
    change();
    const after = corner();
    if (before === null || after === null) return;
    const { k, x, y } = this.transform;
    this.setCamera({ k, x: x + before[0] - after[0], y: y + before[1] - after[1] });
  }

  repaint(): void {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    this.pending = false;
    if (this.session.tab !== 'graph' || this.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    this.tags = this.painter.paint(this.context, this.camera, this.width, this.height, ratio);
    this.minimap.paint(this.camera, this.width, this.height, ratio);
  }

  /** Page coordinates of a node's right upper corner, for menus opened by key. */
  anchorOf(node: number): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    const { model } = this.session;
    const i = model?.place[node] ?? -1;
    if (model === null || i === -1) return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const { scene } = model;
    const [x, y] = this.transform.apply([scene.x[i] + scene.width[i] / 2, scene.y[i] + scene.height[i] / 2]);
    return { x: box.x + x, y: box.y + y };
  }

  private moveTo({ k, x, y }: { k: number; x: number; y: number }): void {
    this.limit();
    const target = zoomIdentity.translate(x, y).scale(k);
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (still) select(this.canvas).call((s) => this.zoom.transform(s, target));
    else {
      select(this.canvas)
        .transition()
        .duration(MOVE_MILLISECONDS)
        .ease(easeCubicOut)
        .call((s) => this.zoom.transform(s, target));
    }
  }

  private centerOn(x: number, y: number): void {
    const { k } = this.transform;
    this.setCamera({ k, x: (this.width - this.minimap.width) / 2 - x * k, y: this.height / 2 - y * k });
  }

  private limit(): void {
    const { model } = this.session;
    if (model === null) return;
    const { minX, maxX, height } = model.scene.bounds;
    const furthest = Math.min(
      0.5,
      (this.height || 600) / (height + 400),
      (this.width || 800) / (maxX - minX + 400),
    );
    this.zoom.scaleExtent([furthest / 2, CLOSEST]);
    const border = 2000;
    this.zoom.translateExtent([
      [minX - border / furthest, -border / furthest],
      [maxX + border / furthest, height + border / furthest],
    ]);
  }

  /** Takes the element's size; true where it has changed. A canvas that gets a size is empty until painted. */
  measure(): boolean {
    const { width, height } = this.element.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const same = width === this.width && height === this.height && ratio === this.ratio;
    if (width === 0 || height === 0 || same) return false;
    const moved = this.width === 0 ? 0 : (width - this.width) / 2;
    this.width = width;
    this.height = height;
    this.ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.minimap.resize(width, height, ratio);
    if (!this.placed) this.showStart();
    else if (moved !== 0) this.setCamera({ ...this.camera, x: this.transform.x + moved });
    this.repaint();
    return true;
  }

  private listen(): void {
    this.canvas.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.canvas.addEventListener('pointermove', (event) => {
      if (event.buttons === 0) this.pointAt(event);
    });
    this.canvas.addEventListener('pointerleave', () => this.session.point(null));
    this.canvas.addEventListener('pointerdown', () => this.session.point(null));
    this.canvas.addEventListener('click', (event) => {
      const tag = tagAt(this.tags, ...this.transform.invert([event.offsetX, event.offsetY]));
      if (tag !== undefined) this.events.follow(tag.wire, tag.ends);
      else if (this.session.model !== null) this.session.select(this.under(event));
      takeFocus(this.canvas);
    });
    this.canvas.addEventListener('dblclick', (event) => {
      const target = this.under(event);
      if (target?.kind === 'node') this.events.activate(target.node);
    });
    this.canvas.addEventListener('contextmenu', (event) => {
      event.preventDefault();
      const target = this.under(event);
      if (target !== null) this.session.select(target);
      this.events.menu(target?.kind === 'node' ? target.node : null, event.clientX, event.clientY);
    });
  }

  private under(event: MouseEvent): ReturnType<typeof hit> {
    const { model } = this.session;
    if (model === null) return null;
    const [x, y] = this.transform.invert([event.offsetX, event.offsetY]);
    return hit(model, this.tags, x, y, this.transform.k);
  }

  private pointAt(event: PointerEvent): void {
    const target = this.under(event);
    this.canvas.style.cursor = target === null ? 'default' : 'pointer';
    this.events.pointer(event.clientX, event.clientY);
    this.session.point(target);
  }

  /** Two fingers or the wheel move the picture, with Ctrl (and by pinching) they zoom around the pointer. */
  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const canvas = select(this.canvas);
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.height : 1;
    if (event.ctrlKey || event.metaKey) {
      const factor = 2 ** (-event.deltaY * unit * ZOOM_PER_NOTCH);
      canvas.call((s) => this.zoom.scaleBy(s, factor, [event.offsetX, event.offsetY]));
      return;
    }
    const { k } = this.transform;
    const [dx, dy] = event.shiftKey && event.deltaX === 0 ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
    canvas.call((s) => this.zoom.translateBy(s, (-dx * unit) / k, (-dy * unit) / k));
  }
}
