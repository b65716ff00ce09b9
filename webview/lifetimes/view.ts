import type { DeviceHoldings, SavedFile } from '../../src/protocol/webview';
import { ChartCanvas } from '../chartCanvas';
import { button, checkbox, dropdown, setOptions } from '../controls';
import { el, fill } from '../dom';
import type { MenuEntry } from '../panels/menu';
import type { Session } from '../session';
import { bytesText, countText } from '../units';
import type { LifetimeBox } from './boxes';
import { contentOf, tightest, type Kind, type LifetimeContent, type LifetimeLane } from './content';
import { explainAt } from './explain';
import { exportEntries } from './exports';
import { LIFETIME_MODES, type LifetimeMode } from './geometry';
import { paintLifetimes, type Mark } from './paint';
import { laneY, MARGIN, placesOf } from './places';
import { Scrubber } from './scrubber';

export interface LinkedActions {
  goToOperator(op: number): void;
  goToTensor(tensor: number): void;
  pointer(x: number, y: number): void;
}

export interface LifetimeActions extends LinkedActions {
  holdings(): Promise<readonly DeviceHoldings[]>;
  menu(entries: readonly MenuEntry[], x: number, y: number): void;
  saveFile(file: SavedFile): void;
}

const MODE_LABELS: Readonly<Record<LifetimeMode, string>> = {
  map: 'Address map',
  area: 'Stacked by age',
  gantt: 'One row each',
  devices: 'Each device over time',
};
const KIND_LABELS: Readonly<Record<Kind, string>> = {
  activations: 'Activations',
  weights: 'Weights',
  both: 'Activations and weights',
};
const SIZES = [0, 0.01, 0.05, 0.2] as const;
const ALL = 'all';

/**
 * Memory as rectangles: every storage over the steps of the order, or every region of each device over time; the
 * peak marked and explained. Filters by device, by weights or activations, by size, by what is alive.
 */
export class LifetimeView {
  readonly element = el('div', { className: 'chart-page', hidden: true });
  private readonly chart: ChartCanvas;
  private readonly facts = el('p', { className: 'note' });
  private readonly list = el('div', { className: 'peak-list', hidden: true });
  private readonly modes: ReturnType<typeof dropdown>;
  private readonly kinds: ReturnType<typeof dropdown>;
  private readonly devices: ReturnType<typeof dropdown>;
  private readonly scrubber: Scrubber;
  private content: LifetimeContent = { axis: 'steps', length: 1, lanes: [], count: 0 };
  private holdings: readonly DeviceHoldings[] | null = null;
  private mode: LifetimeMode = 'map';
  private kind: Kind = 'activations';
  private leastShare = 0;
  private onlyAlive = false;
  private isStale = true;
  private shownRange: Session['range'] = null;

  constructor(
    private readonly session: Session,
    private readonly actions: LifetimeActions,
  ) {
    this.chart = new ChartCanvas(
      'Lifetimes of tensors',
      { ...MARGIN },
      () => this.paint(),
      (part) => this.brushed(part),
    );
    this.modes = dropdown('Show as', [], (mode) => this.setMode(mode as LifetimeMode));
    const kinds = Object.entries(KIND_LABELS).map(([value, text]) => ({ value, text }));
    this.kinds = dropdown('Kind', kinds, (kind) => this.change(() => (this.kind = kind as Kind)));
    this.devices = dropdown('Device', [], (name) =>
      session.set({ device: name === ALL ? null : session.plan!.deviceIndex(name) }, 'device'),
    );
    this.scrubber = new Scrubber(session);
    this.element.append(
      this.bar(),
      el('div', { className: 'chart-scroll' }, this.chart.element),
      this.scrubber.element,
      this.list,
    );
    session.on(['document', 'plan'], () => this.reset());
    session.on(['theme', 'selection', 'hover', 'tab', 'range'], () => this.refresh());
    session.on(['device'], () => this.change(() => undefined));
    session.on(['step'], () => (this.onlyAlive ? this.change(() => undefined) : this.refresh()));
    this.chart.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.chart.canvas.addEventListener('pointerleave', () => session.point(null));
    this.chart.canvas.addEventListener('click', (event) => this.click(event));
    this.chart.element.addEventListener('keydown', (event) => this.key(event));
  }

  private bar(): HTMLElement {
    const sizes = SIZES.map((share) => ({
      value: String(share),
      text: share === 0 ? 'All sizes' : `From ${share * 100} % of the peak`,
    }));
    const exporting = button({
      label: 'Export …',
      title: 'Write the table or the picture to a file',
      pressed: () => this.openExports(exporting),
    });
    return el(
      'div',
      { className: 'chart-bar' },
      this.modes,
      this.devices,
      this.kinds,
      dropdown('Sizes', sizes, (share) => this.change(() => (this.leastShare = Number(share)))),
      checkbox('Alive at the marked step', false, (on) => this.change(() => (this.onlyAlive = on))),
      button({ label: 'Explain the peak', pressed: () => this.explainPeak() }),
      exporting,
      this.facts,
    );
  }

  private reset(): void {
    const { plan } = this.session;
    this.holdings = null;
    this.list.hidden = true;
    if (plan === null && this.mode === 'devices') this.mode = 'map';
    const shown = LIFETIME_MODES.filter((mode) => mode !== 'devices' || plan !== null);
    setOptions(
      this.modes,
      shown.map((mode) => ({ value: mode, text: MODE_LABELS[mode] })),
    );
    this.devices.hidden = plan === null;
    setOptions(this.devices, [
      { value: ALL, text: 'All devices' },
      ...(plan?.deviceNames ?? []).map((name) => ({ value: name, text: name })),
    ]);
    this.change(() => undefined);
  }

  /** A device's limit counts weights as well; where it is far off, what changes is shown larger without them. */
  private setMode(mode: LifetimeMode): void {
    this.change(() => {
      const isNear = this.session.plan?.plan.devices.some((one) => one.peakBytes * 4 > one.limitBytes);
      if ((mode === 'devices') !== (this.mode === 'devices'))
        this.kind = mode === 'devices' && isNear === true ? 'both' : 'activations';
      this.mode = mode;
      this.list.hidden = true;
    });
    this.chart.reset();
  }

  private change(set: () => void): void {
    set();
    this.isStale = true;
    this.refresh();
  }

  private refresh(): void {
    if (this.session.tab !== 'lifetimes') return;
    if (this.isStale) this.compute();
    if (this.session.range !== this.shownRange) this.showRange();
    this.chart.repaint();
  }

  private compute(): void {
    const { opened, plan, memory, device, step } = this.session;
    if (opened === null || memory === null) return;
    this.isStale = false;
    const needsHoldings = plan !== null && (this.mode === 'devices' || device !== null);
    if (needsHoldings && this.holdings === null) void this.ask();
    this.content = contentOf(
      { graph: opened.graph, memory, plan, holdings: this.holdings },
      {
        ...{ mode: this.mode, kind: this.kind, leastShare: this.leastShare, device },
        aliveAt: this.onlyAlive ? (step ?? memory.peakStep) : null,
      },
    );
    this.modes.value = this.mode;
    this.kinds.value = this.kind;
    this.devices.value = device === null || plan === null ? ALL : plan.deviceNames[device];
    this.say();
  }

  private async ask(): Promise<void> {
    const { plan } = this.session;
    const holdings = await this.actions.holdings();
    if (this.session.plan !== plan) return;
    this.change(() => (this.holdings = holdings));
  }

  private say(): void {
    const memory = this.session.memory!;
    const { plan } = this.session;
    const facts = [`peak ${bytesText(memory.peakBytes, memory.known)} at step ${memory.peakStep}`];
    if (this.content.axis === 'seconds') {
      const { latency } = plan!.plan;
      facts[0] = `memory of each device over the plan's time, ${latency.model}, estimated`;
    } else if (plan !== null) {
      const { order } = plan.plan;
      const fragmentation = (order.arenaBytes / order.peakBytes - 1) * 100;
      facts.push(`proven bound ${bytesText(order.lowerBoundBytes)}`);
      facts.push(`arena ${bytesText(order.arenaBytes)}, fragmentation ${fragmentation.toFixed(1)} %`);
      const before = order.baselines['model'];
      if (before) facts.push(`model's order ${bytesText(before.peakBytes)}`);
    } else facts.push("the model's own order, addresses by first fit");
    const shown = this.content.lanes.reduce((sum, { boxes }) => sum + boxes.length, 0);
    const { count, axis } = this.content;
    const all = countText(count, axis === 'steps' ? 'storage' : 'region');
    facts.push(shown === count ? all : `${shown.toLocaleString('en-US')} of ${all}`);
    fill(this.facts, [facts.join(' · ')]);
  }

  private paint(): void {
    const { chart, session, content, mode } = this;
    if (session.memory === null) return;
    const marked = this.markedTensor();
    paintLifetimes({ chart, session, content, isGantt: mode === 'gantt', marked, marks: this.marks() });
  }

  private marks(): Mark[] {
    const { memory, step, range, plan } = this.session;
    const { axis } = this.content;
    const span = (from: number, to: number): { from: number; to: number } | null =>
      axis === 'steps' ? { from, to } : (plan?.spanOf(from, to) ?? null);
    const marks: Mark[] = [];
    const add = (kind: Mark['kind'], found: { from: number; to: number } | null): void => {
      if (found !== null) marks.push({ ...found, kind });
    };
    if (range !== null) add('range', span(range.from, range.to));
    if (axis === 'steps') add('peak', span(memory!.peakStep, memory!.peakStep + 1));
    if (step !== null) add('step', span(step, step + 1));
    return marks;
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

  /** What lies under the pointer; `at` in steps or seconds. */
  private under(event: MouseEvent): { at: number; lane: LifetimeLane | null; box: LifetimeBox | null } {
    const { length, lanes, axis } = this.content;
    const inside = Math.min(1 - 1e-9, Math.max(0, this.chart.fractionAt(event.offsetX)));
    const at = axis === 'steps' ? Math.floor(inside * length) : inside * length;
    const places = placesOf(lanes.length, this.chart.height);
    const i = places.findIndex(({ top, bottom }) => event.offsetY >= top - 20 && event.offsetY <= bottom + 2);
    const lane = lanes[i] ?? null;
    if (lane === null) return { at, lane, box: null };
    const y = (value: number): number => laneY(lane, places[i], lane.base + value);
    const found = lane.tiles.find(
      (tile) =>
        tile.from <= at && at < tile.to && event.offsetY <= y(tile.low) && event.offsetY >= y(tile.high),
    );
    return { at, lane, box: found === undefined ? null : lane.boxes[found.box] };
  }

  private stepAt(at: number): number | null {
    if (this.content.axis === 'steps') return at;
    return this.session.plan?.stepsWithin(at, at + this.content.length * 1e-9)?.from ?? null;
  }

  private point(event: PointerEvent): void {
    if (event.buttons !== 0 || this.chart.isBrushing) return;
    const { at, box } = this.under(event);
    const step = this.stepAt(at);
    this.actions.pointer(event.clientX, event.clientY);
    if (step !== this.session.step) this.session.set({ step }, 'step');
    const mine = box !== null && box.tensor !== -1 && this.session.trail.length === 1;
    this.session.point(mine ? { kind: 'tensor', tensor: box.tensor } : null);
  }

  private click(event: MouseEvent): void {
    if (event.shiftKey) return;
    const { at, lane, box } = this.under(event);
    if (box !== null && box.tensor !== -1) this.session.select({ kind: 'tensor', tensor: box.tensor });
    if (lane !== null) this.explain(lane, at);
  }

  private explainPeak(): void {
    const { content } = this;
    const memory = this.session.memory;
    if (memory === null) return;
    if (content.axis === 'steps') return this.explain(content.lanes[0], memory.peakStep);
    const peak = tightest(content.lanes);
    if (peak !== null) this.explain(peak.lane, peak.at);
  }

  private explain(lane: LifetimeLane, at: number): void {
    this.session.set({ step: this.stepAt(at) }, 'step');
    this.list.hidden = false;
    fill(this.list, explainAt(this.session, this.content, lane, at, this.actions));
  }

  private openExports(from: HTMLElement): void {
    const { bottom, left } = from.getBoundingClientRect();
    const picture = { chart: this.chart, content: this.content };
    this.actions.menu(
      exportEntries(this.session, picture, this.holdings, (file) => this.actions.saveFile(file)),
      left,
      bottom + 2,
    );
  }

  private brushed(part: readonly [number, number] | null): void {
    const { length, axis } = this.content;
    const [from, to] = (part ?? [0, 0]).map((at) => at * length);
    const steps = { from: Math.floor(from), to: Math.max(Math.floor(from) + 1, Math.ceil(to)) };
    const range =
      part === null ? null : axis === 'steps' ? steps : (this.session.plan?.stepsWithin(from, to) ?? null);
    this.shownRange = range;
    this.session.set({ range }, 'range');
  }

  /** Goes to what was brushed elsewhere. */
  private showRange(): void {
    const { range, plan } = this.session;
    const { axis, length } = this.content;
    this.shownRange = range;
    const span = range === null || axis === 'steps' ? range : (plan?.spanOf(range.from, range.to) ?? null);
    if (span === null) return this.chart.reset();
    const around = (span.to - span.from) * 0.04;
    this.chart.show(Math.max(0, span.from - around) / length, Math.min(length, span.to + around) / length);
  }

  private key(event: KeyboardEvent): void {
    const { memory } = this.session;
    if (memory === null || event.key !== 'Enter') return this.scrubber.key(event);
    const step = this.session.step ?? memory.peakStep;
    if (this.content.axis === 'steps') this.explain(this.content.lanes[0], step);
    else this.explainPeak();
    event.preventDefault();
  }
}
