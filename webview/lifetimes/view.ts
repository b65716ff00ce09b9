import { button, checkbox, dropdown } from '../controls';
import { categoryColors, categoryOf } from '../categories';
import { ChartCanvas } from '../chartCanvas';
import { el, fill } from '../dom';
import type { Session } from '../session';
import { mix, withAlpha } from '../theme';
import { bytesText, countText } from '../units';
import { boxesOfModel, boxesOfPlan, type LifetimeBox } from './boxes';
import { explainPeak } from './explain';
import { LIFETIME_MODES, tilesOf, type LifetimeMode, type Tile } from './geometry';

export interface LinkedActions {
  goToOperator(op: number): void;
  goToTensor(tensor: number): void;
  pointer(x: number, y: number): void;
}

const MARGIN = { top: 12, right: 16, bottom: 26, left: 76 } as const;
const MODE_LABELS: Readonly<Record<LifetimeMode, string>> = {
  map: 'Address map',
  area: 'Stacked by age',
  gantt: 'One row each',
};
/** Least share of the peak that a storage must have to be shown. */
const SIZES = [0, 0.01, 0.05, 0.2] as const;

/** Memory over the steps of the order: every activation storage as a rectangle, the peak marked and explained. */
export class LifetimeView {
  readonly element = el('div', { className: 'chart-page', hidden: true });
  private readonly chart: ChartCanvas;
  private readonly facts = el('p', { className: 'note' });
  private readonly list = el('div', { className: 'peak-list', hidden: true });
  private boxes: readonly LifetimeBox[] = [];
  private tiles: readonly Tile[] = [];
  private most = 1;
  private mode: LifetimeMode = 'map';
  private leastShare = 0;
  private onlyAlive = false;
  private stale = true;

  constructor(
    private readonly session: Session,
    private readonly actions: LinkedActions,
  ) {
    this.chart = new ChartCanvas('Lifetimes of activations', MARGIN, () => this.paint());
    const modes = LIFETIME_MODES.map((mode) => ({ value: mode, text: MODE_LABELS[mode] }));
    const sizes = SIZES.map((share) => ({
      value: String(share),
      text: share === 0 ? 'All sizes' : `From ${share * 100} % of the peak`,
    }));
    const bar = el(
      'div',
      { className: 'chart-bar' },
      dropdown('Show as', modes, (mode) => this.change(() => (this.mode = mode as LifetimeMode))),
      dropdown('Sizes', sizes, (share) => this.change(() => (this.leastShare = Number(share)))),
      checkbox('Alive at the marked step', false, (on) => this.change(() => (this.onlyAlive = on))),
      button({ label: 'Explain the peak', pressed: () => this.explain(this.peakStep()) }),
      this.facts,
    );
    this.element.append(bar, this.chart.element, this.list);
    session.on(['document', 'plan'], () => this.change(() => (this.list.hidden = true)));
    session.on(['theme', 'selection', 'hover', 'tab'], () => this.refresh());
    session.on(['step'], () => (this.onlyAlive ? this.change(() => undefined) : this.refresh()));
    this.chart.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.chart.canvas.addEventListener('pointerleave', () => {
      session.point(null);
    });
    this.chart.canvas.addEventListener('click', (event) => this.click(event));
    this.chart.element.addEventListener('keydown', (event) => this.key(event));
  }

  private memory() {
    return this.session.plan?.view.memory ?? this.session.opened?.memory ?? null;
  }

  private peakStep(): number {
    return this.memory()?.peakStep ?? 0;
  }

  private change(set: () => void): void {
    set();
    this.stale = true;
    this.refresh();
  }

  private refresh(): void {
    if (this.session.tab !== 'lifetimes') return;
    if (this.stale) this.compute();
    this.chart.repaint();
  }

  private compute(): void {
    const { opened, plan } = this.session;
    const memory = this.memory();
    if (opened === null || memory === null) return;
    this.stale = false;
    const all =
      plan === null ? boxesOfModel(opened.graph, opened.memory) : boxesOfPlan(plan.view, opened.graph);
    const step = this.session.step ?? memory.peakStep;
    this.boxes = all.filter(
      (box) =>
        box.bytes >= this.leastShare * memory.peakBytes &&
        (!this.onlyAlive || (box.firstStep <= step && step < box.endStep)),
    );
    const { tiles, most } = tilesOf(this.boxes, this.mode);
    this.tiles = tiles;
    this.most = Math.max(most, this.mode === 'gantt' ? 1 : memory.peakBytes);
    this.say(all.length);
  }

  private say(count: number): void {
    const memory = this.memory()!;
    const { plan } = this.session;
    const facts = [`peak ${bytesText(memory.peakBytes, memory.known)} at step ${memory.peakStep}`];
    if (plan !== null) {
      const { order } = plan.plan;
      const fragmentation = (order.arenaBytes / order.peakBytes - 1) * 100;
      facts.push(`proven bound ${bytesText(order.lowerBoundBytes)}`);
      facts.push(`arena ${bytesText(order.arenaBytes)}, fragmentation ${fragmentation.toFixed(1)} %`);
      const before = order.baselines['model'];
      if (before) facts.push(`model's order ${bytesText(before.peakBytes)}`);
    } else facts.push("the model's own order, addresses by first fit");
    facts.push(countText(count, 'storage'));
    fill(this.facts, [facts.join(' · ')]);
  }

  private y(value: number): number {
    const { height } = this.chart;
    return height - MARGIN.bottom - (value / this.most) * (height - MARGIN.top - MARGIN.bottom);
  }

  private paint(): void {
    const memory = this.memory();
    if (memory === null) return;
    const { context, width, height } = this.chart;
    const { theme } = this.session;
    const steps = memory.liveBytes.length;
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, 0, width - MARGIN.left - MARGIN.right, height - MARGIN.bottom);
    context.clip();
    this.paintTiles(steps);
    this.paintMarks(memory.peakStep, steps);
    context.restore();
    context.font = `11px ${theme.font}`;
    context.fillStyle = theme.dim;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    if (this.mode !== 'gantt') {
      for (const part of [0, 0.25, 0.5, 0.75, 1])
        context.fillText(bytesText(this.most * part), MARGIN.left - 8, this.y(this.most * part));
    }
    this.paintSteps(steps);
  }

  /** No more than one rectangle per pixel: what is smaller than the last drawn pixel is left out. */
  private paintTiles(steps: number): void {
    const { context, chart, session } = {
      context: this.chart.context,
      chart: this.chart,
      session: this.session,
    };
    const { theme } = session;
    const marked = this.markedTensor();
    const drawn = new Set<number>();
    const columns = Math.ceil(chart.width) + 1;
    context.font = `10px ${theme.font}`;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    for (const tile of this.tiles) {
      const box = this.boxes[tile.box];
      const x0 = chart.x(tile.from / steps);
      const x1 = chart.x(tile.to / steps);
      if (x1 < MARGIN.left || x0 > chart.width - MARGIN.right) continue;
      const y0 = this.y(tile.high);
      const [w, h] = [x1 - x0, this.y(tile.low) - y0];
      if (w < 1.2 && h < 1.2) {
        const pixel = Math.floor(y0) * columns + Math.floor(x0);
        if (drawn.has(pixel)) continue;
        drawn.add(pixel);
      }
      const color = this.color(box);
      const isMarked = marked !== -1 && this.shares(box, marked);
      context.fillStyle = mix(theme.background, color, isMarked ? 0.85 : 0.42);
      context.fillRect(x0, y0, Math.max(0.8, w - 0.5), Math.max(0.8, h - 0.5));
      if (isMarked) {
        context.strokeStyle = theme.focus;
        context.lineWidth = 2;
        context.strokeRect(x0, y0, w, h);
      }
      if (w > 56 && h > 13) this.paintName(box, Math.max(x0, MARGIN.left), x1, y0 + h / 2);
    }
  }

  private paintName(box: LifetimeBox, x0: number, x1: number, y: number): void {
    const { context } = this.chart;
    const { opened, theme } = this.session;
    const name = box.tensor === -1 ? '' : opened!.graph.tensors.names[box.tensor];
    const text = `${name}  ${bytesText(box.bytes)}`;
    if (context.measureText(text).width > x1 - x0 - 10) return;
    context.fillStyle = theme.foreground;
    context.fillText(text, x0 + 5, y);
  }

  /** Colour of the family of the operator that makes it. */
  private color(box: LifetimeBox): string {
    const { theme, opened } = this.session;
    const { producers } = opened!.graph.tensors;
    const { types, typeNames } = opened!.graph.operators;
    const producer = box.tensor === -1 ? -1 : producers[box.tensor];
    if (producer < 0) return theme.yellow;
    return categoryColors(theme)[categoryOf(typeNames[types[producer]])];
  }

  private shares(box: LifetimeBox, tensor: number): boolean {
    const { storages } = this.session.opened!.graph.tensors;
    return box.tensor === tensor || (box.tensor !== -1 && storages[box.tensor] === storages[tensor]);
  }

  private markedTensor(): number {
    const { selection, hover, model } = this.session;
    if (this.session.trail.length !== 1 || model === null) return -1;
    for (const target of [hover, selection]) {
      if (target?.kind === 'tensor') return target.tensor;
      if (target?.kind === 'node' && model.isOperator(target.node))
        return model.outputsOf(target.node)[0] ?? -1;
      if (target?.kind === 'wire')
        return model.scene.wires.tensors[model.scene.wires.firstTensor[target.wire]] ?? -1;
    }
    return -1;
  }

  private paintMarks(peakStep: number, steps: number): void {
    const { context, chart } = { context: this.chart.context, chart: this.chart };
    const { theme, step } = this.session;
    const column = (at: number, color: string): void => {
      const x0 = chart.x(at / steps);
      const w = Math.max(1.5, chart.x((at + 1) / steps) - x0);
      context.fillStyle = withAlpha(color, 0.22);
      context.fillRect(x0, MARGIN.top, w, chart.height);
      context.fillStyle = color;
      context.fillRect(x0, MARGIN.top, Math.min(1.5, w), chart.height);
    };
    column(peakStep, theme.error);
    if (step !== null) column(step, theme.foreground);
  }

  private paintSteps(steps: number): void {
    const { context, chart } = { context: this.chart.context, chart: this.chart };
    const { theme } = this.session;
    const from = Math.max(0, Math.floor(chart.fractionAt(MARGIN.left) * steps));
    const to = Math.min(steps, Math.ceil(chart.fractionAt(chart.width - MARGIN.right) * steps));
    const every = Math.max(1, 10 ** Math.ceil(Math.log10(Math.max(1, (to - from) / 9))));
    context.textAlign = 'center';
    context.fillStyle = theme.dim;
    for (let step = Math.ceil(from / every) * every; step < to; step += every) {
      context.fillText(String(step), chart.x((step + 0.5) / steps), chart.height - 12);
    }
  }

  private under(event: MouseEvent): { step: number; box: LifetimeBox | null } {
    const memory = this.memory();
    const steps = memory?.liveBytes.length ?? 1;
    const step = Math.max(0, Math.min(steps - 1, Math.floor(this.chart.fractionAt(event.offsetX) * steps)));
    const found = this.tiles.find(
      (tile) =>
        tile.from <= step &&
        step < tile.to &&
        event.offsetY <= this.y(tile.low) &&
        event.offsetY >= this.y(tile.high),
    );
    return { step, box: found === undefined ? null : this.boxes[found.box] };
  }

  private point(event: PointerEvent): void {
    if (event.buttons !== 0) return;
    const { step, box } = this.under(event);
    this.actions.pointer(event.clientX, event.clientY);
    if (step !== this.session.step) this.session.set({ step }, 'step');
    const mine = box !== null && box.tensor !== -1 && this.session.trail.length === 1;
    this.session.point(mine ? { kind: 'tensor', tensor: box.tensor } : null);
  }

  private click(event: MouseEvent): void {
    const { step, box } = this.under(event);
    if (box !== null && box.tensor !== -1) this.session.select({ kind: 'tensor', tensor: box.tensor });
    this.explain(step);
  }

  private explain(step: number): void {
    const memory = this.memory();
    const { opened } = this.session;
    if (memory === null || opened === null) return;
    this.session.set({ step }, 'step');
    this.list.hidden = false;
    fill(this.list, explainPeak(this.session, this.boxes, step, this.actions));
  }

  private key(event: KeyboardEvent): void {
    const memory = this.memory();
    if (memory === null) return;
    const now = this.session.step ?? memory.peakStep;
    const last = memory.liveBytes.length - 1;
    if (event.key === 'ArrowRight') this.session.set({ step: Math.min(last, now + 1) }, 'step');
    else if (event.key === 'ArrowLeft') this.session.set({ step: Math.max(0, now - 1) }, 'step');
    else if (event.key === 'Enter') this.explain(now);
    else return;
    event.preventDefault();
  }
}
