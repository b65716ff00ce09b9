import { select, zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior, type ZoomTransform } from 'd3';
import { el } from './dom';

export interface ChartMargin {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  left: number;
}

/** A brush narrower than this was a click. */
const LEAST_BRUSH = 4;

/**
 * A canvas with a horizontal axis that can be zoomed and moved (wheel with Ctrl zooms, without it moves, drag
 * moves, Shift and drag brushes, double click resets), repainted once per frame at most. Where it is taller than
 * its page, the plain wheel scrolls.
 */
export class ChartCanvas {
  readonly element: HTMLElement;
  readonly canvas = el('canvas', {});
  readonly context = this.canvas.getContext('2d')!;
  width = 0;
  height = 0;
  transform: ZoomTransform = zoomIdentity;
  private readonly zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  private pending = false;
  /** What is to be shown once the chart has a size. */
  private wanted: readonly [number, number] | null = null;
  /** Pixels between which a brush is being drawn. */
  private brush: [number, number] | null = null;

  constructor(
    label: string,
    readonly margin: ChartMargin,
    private readonly paint: () => void,
    /** A part of the axis was brushed, in fractions; `null`: a click that marks nothing. */
    private readonly brushed: (part: readonly [number, number] | null) => void,
  ) {
    this.element = el('div', { className: 'chart', tabIndex: 0, aria: { label } }, this.canvas);
    this.zoom = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([1, 4000])
      .filter(
        (event: Event) =>
          event.type !== 'wheel' &&
          event.type !== 'dblclick' &&
          (event as MouseEvent).button === 0 &&
          !(event as MouseEvent).shiftKey,
      )
      .on('zoom', (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        this.transform = event.transform;
        this.repaint();
      });
    select(this.canvas).call(this.zoom);
    this.canvas.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.canvas.addEventListener('dblclick', () => this.reset());
    this.canvas.addEventListener('pointerdown', (event) => this.startBrush(event));
    this.canvas.addEventListener('pointermove', (event) => this.moveBrush(event));
    this.canvas.addEventListener('pointerup', () => this.endBrush());
    this.element.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  get innerWidth(): number {
    return Math.max(1, this.width - this.margin.left - this.margin.right);
  }

  /** Pixel of a fraction (0 to 1) of the whole axis. */
  x(fraction: number): number {
    return this.margin.left + this.transform.applyX(fraction * this.innerWidth);
  }

  /** Fraction of the axis at a pixel. */
  fractionAt(pixel: number): number {
    return this.transform.invertX(pixel - this.margin.left) / this.innerWidth;
  }

  /** Shows the part `[from, to]` of the axis; a chart that has no size yet does so when it gets one. */
  show(from: number, to: number): void {
    this.wanted = this.width === 0 ? [from, to] : null;
    if (this.wanted !== null) return;
    const k = Math.min(4000, 1 / Math.max(to - from, 1e-6));
    const target = zoomIdentity.translate(-from * this.innerWidth * k, 0).scale(k);
    select(this.canvas).call((s) => this.zoom.transform(s, target));
  }

  reset(): void {
    select(this.canvas).call((s) => this.zoom.transform(s, zoomIdentity));
  }

  repaint(): void {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      if (this.width === 0 || this.element.offsetParent === null) return;
      const ratio = window.devicePixelRatio || 1;
      this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.context.clearRect(0, 0, this.width, this.height);
      this.paint();
      this.describe();
      if (this.brush !== null) this.paintBrush(this.brush);
    });
  }

  /** For those who do not see it: which part of the axis is in sight. */
  private describe(): void {
    const percent = (pixel: number): number => Math.round(this.fractionAt(pixel) * 100);
    const [from, to] = [percent(this.margin.left), percent(this.width - this.margin.right)];
    this.element.setAttribute('aria-description', `${from} % to ${to} % of the axis in sight`);
  }

  get isBrushing(): boolean {
    return this.brush !== null;
  }

  private startBrush(event: PointerEvent): void {
    if (!event.shiftKey || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.brush = [event.offsetX, event.offsetX];
  }

  private moveBrush(event: PointerEvent): void {
    if (this.brush === null) return;
    this.brush[1] = event.offsetX;
    this.repaint();
  }

  private endBrush(): void {
    if (this.brush === null) return;
    const [a, b] = [...this.brush].sort((x, y) => x - y);
    this.brush = null;
    this.repaint();
    const inside = (pixel: number): number => Math.min(1, Math.max(0, this.fractionAt(pixel)));
    this.brushed(b - a < LEAST_BRUSH ? null : [inside(a), inside(b)]);
  }

  private paintBrush([a, b]: readonly [number, number]): void {
    this.context.fillStyle = 'rgb(128 128 128 / 0.3)';
    this.context.fillRect(Math.min(a, b), 0, Math.abs(b - a), this.height);
  }

  private resize(): void {
    const { width, height } = this.element.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    const ratio = window.devicePixelRatio || 1;
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.zoom.extent([
      [0, 0],
      [this.innerWidth, height],
    ]);
    this.zoom.translateExtent([
      [0, -Infinity],
      [this.innerWidth, Infinity],
    ]);
    if (this.wanted !== null) this.show(...this.wanted);
    this.repaint();
  }

  private wheel(event: WheelEvent): void {
    const page = this.element.parentElement!;
    const isTaller = page.scrollHeight > page.clientHeight;
    if (isTaller && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.deltaX === 0) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    const canvas = select(this.canvas);
    if (event.ctrlKey || event.metaKey) {
      const factor = 2 ** (-event.deltaY * unit * 0.003);
      canvas.call((s) => this.zoom.scaleBy(s, factor, [event.offsetX - this.margin.left, 0]));
    } else {
      const by = (event.deltaX === 0 ? event.deltaY : event.deltaX) * unit;
      canvas.call((s) => this.zoom.translateBy(s, -by / this.transform.k, 0));
    }
  }

  private key(event: KeyboardEvent): void {
    const canvas = select(this.canvas);
    if (event.key === '+') canvas.call((s) => this.zoom.scaleBy(s, 1.4));
    else if (event.key === '-') canvas.call((s) => this.zoom.scaleBy(s, 1 / 1.4));
    else if (event.key === '0') this.reset();
    else return;
    event.preventDefault();
  }
}
