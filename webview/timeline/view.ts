import { ChartCanvas } from '../chartCanvas';
import { button } from '../controls';
import { el, fill } from '../dom';
import type { LinkedActions } from '../lifetimes/view';
import type { PlanEvent } from '../plan/planIndex';
import type { Session } from '../session';
import { mix, withAlpha } from '../theme';
import { bytesText, secondsText } from '../units';
import { criticalPath, lanesOf, type Lane } from './lanes';
import { paintMemory } from './memoryLane';

const MARGIN = { top: 26, right: 18, bottom: 8, left: 148 } as const;
const GAP = 8;
const MOST = { device: 34, memory: 46, link: 20 } as const;
const LEAST = { device: 14, memory: 16, link: 9 } as const;

interface Row {
  readonly lane: Lane;
  readonly y: number;
  readonly height: number;
  readonly memoryY: number;
  readonly memoryHeight: number;
}

/** Devices and links over time: compute, transfer, waiting; the critical path; each device's memory below it. */
export class TimelineView {
  readonly element = el('div', { className: 'chart-page', hidden: true });
  private readonly chart: ChartCanvas;
  private readonly facts = el('p', { className: 'note' });
  private readonly readout = el('p', { className: 'note', aria: { live: 'polite' } });
  private lanes: readonly Lane[] = [];
  private critical: ReadonlySet<number> = new Set();
  private stale = true;

  constructor(
    private readonly session: Session,
    private readonly actions: LinkedActions,
  ) {
    this.chart = new ChartCanvas('Timeline of devices and links', MARGIN, () => this.paint());
    const whole = button({
      label: 'Whole time',
      title: 'Show the whole timeline (0)',
      pressed: () => this.chart.reset(),
    });
    this.element.append(
      el('div', { className: 'chart-bar' }, whole, this.facts, this.readout),
      this.chart.element,
    );
    session.on(['plan'], () => (this.stale = true));
    session.on(['plan', 'theme', 'tab', 'selection', 'hover', 'device'], () => this.refresh());
    this.chart.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.chart.canvas.addEventListener('pointerleave', () => session.point(null));
    this.chart.canvas.addEventListener('click', (event) => this.click(event));
  }

  private refresh(): void {
    const { tab, plan } = this.session;
    if (plan === null && tab === 'timeline') this.session.set({ tab: 'graph' }, 'tab');
    if (tab !== 'timeline' || plan === null) return;
    if (this.stale) this.compute();
    this.chart.repaint();
  }

  private compute(): void {
    const { plan, opened } = this.session;
    if (plan === null || opened === null) return;
    this.stale = false;
    this.lanes = lanesOf(plan);
    const { names, producers } = opened.graph.tensors;
    const producer = new Map(
      names.map((name, t) => [name, opened.graph.operators.nodes[producers[t]] ?? -1]),
    );
    this.critical = criticalPath(plan, (tensor) => producer.get(tensor) ?? -1);
    const { latency, timeline } = plan.plan;
    const moved = timeline.reduce((sum, event) => sum + (event.kind === 'transfer' ? event.bytes : 0), 0);
    fill(this.facts, [
      el('b', {}, secondsText(latency.seconds)),
      ` estimated, ${latency.model} · ${bytesText(moved)} moved · critical path underlined (${this.critical.size} events)`,
    ]);
  }

  /** Lanes share the height; they shrink before anything is cut off. */
  private rows(): Row[] {
    const room = this.chart.height - MARGIN.top - MARGIN.bottom;
    const wanted = this.lanes.reduce(
      (sum, lane) => sum + GAP + MOST[lane.kind] + (lane.kind === 'device' ? MOST.memory : 0),
      0,
    );
    const scale = Math.min(1, room / Math.max(1, wanted));
    const size = (kind: keyof typeof MOST): number => Math.max(LEAST[kind], MOST[kind] * scale);
    let y: number = MARGIN.top;
    return this.lanes.map((lane) => {
      const height = size(lane.kind);
      const memoryHeight = lane.kind === 'device' ? size('memory') : 0;
      const row = { lane, y, height, memoryY: y + height + 1, memoryHeight };
      y += height + memoryHeight + GAP * Math.max(0.4, scale);
      return row;
    });
  }

  private paint(): void {
    const { plan, theme } = this.session;
    if (plan === null) return;
    const { context, width, height } = this.chart;
    const total = plan.plan.latency.seconds;
    const rows = this.rows();
    for (const row of rows) this.paintLabel(row, total);
    this.paintAxis(total);
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, 0, width - MARGIN.left - MARGIN.right, height);
    context.clip();
    for (const row of rows) {
      this.paintEvents(row, total);
      if (row.lane.kind !== 'device') continue;
      const limit = plan.plan.devices[row.lane.device]?.limitBytes ?? 0;
      const memory = plan.view.deviceMemory[row.lane.device];
      if (memory)
        paintMemory(
          this.chart,
          theme,
          memory,
          limit,
          total,
          row.memoryY,
          row.memoryHeight,
          theme.series[row.lane.device % theme.series.length],
        );
    }
    context.restore();
  }

  private paintLabel({ lane, y, height, memoryHeight, memoryY }: Row, total: number): void {
    const { context } = this.chart;
    const { theme, plan } = this.session;
    const quiet = lane.kind === 'link';
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.font = `${quiet ? 11 : 12}px ${theme.font}`;
    context.fillStyle = quiet ? theme.dim : theme.foreground;
    const busy = `${Math.round((lane.busy / total) * 100)} %`;
    context.fillText(`${lane.label}  ${busy}`, MARGIN.left - 10, y + height / 2, MARGIN.left - 16);
    if (quiet || memoryHeight < 14) return;
    context.font = `11px ${theme.font}`;
    context.fillStyle = theme.dim;
    const device = plan!.plan.devices[lane.device];
    const text =
      device === undefined ? '' : `${bytesText(device.peakBytes)} of ${bytesText(device.limitBytes)}`;
    context.fillText(text, MARGIN.left - 10, memoryY + memoryHeight / 2, MARGIN.left - 16);
  }

  private paintAxis(total: number): void {
    const { context, width, height } = this.chart;
    const { theme } = this.session;
    context.font = `11px ${theme.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'alphabetic';
    const from = this.chart.fractionAt(MARGIN.left) * total;
    const to = this.chart.fractionAt(width - MARGIN.right) * total;
    const rough = (to - from) / 7;
    const base = 10 ** Math.floor(Math.log10(rough || 1));
    const step = base * ([1, 2, 5, 10].find((m) => m * base >= rough) ?? 10);
    for (let t = Math.ceil(from / step) * step; t <= to + step * 1e-6; t += step) {
      const x = this.chart.x(t / total);
      if (x < MARGIN.left - 1 || x > width - MARGIN.right + 1) continue;
      context.fillStyle = withAlpha(theme.foreground, 0.1);
      context.fillRect(x, MARGIN.top - 6, 1, height);
      context.fillStyle = theme.dim;
      context.fillText(
        secondsText(Math.abs(t) < step / 1e6 ? 0 : t),
        Math.min(x, width - MARGIN.right - 20),
        14,
      );
    }
  }

  private paintEvents({ lane, y, height }: Row, total: number): void {
    const { context, width } = this.chart;
    const { theme, plan, device } = this.session;
    const { timeline } = plan!.plan;
    const color = theme.series[lane.device % theme.series.length];
    const faded = device !== null && device !== lane.device;
    context.fillStyle = withAlpha(theme.foreground, 0.06);
    context.fillRect(MARGIN.left, y, width - MARGIN.left - MARGIN.right, height);
    const marked = this.markedOperators();
    let lastPixel = -1;
    context.font = `11px ${theme.font}`;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    for (const i of lane.events) {
      const event = timeline[i];
      const x0 = this.chart.x(event.start / total);
      const x1 = this.chart.x(event.end / total);
      if (x1 < MARGIN.left || x0 > width - MARGIN.right) continue;
      const isCritical = this.critical.has(i);
      const isMarked = event.operator !== null && marked.has(event.operator);
      if (x1 - x0 < 1 && Math.floor(x1) === lastPixel && !isMarked && !isCritical) continue;
      lastPixel = Math.floor(x1);
      const part = faded ? 0.15 : event.kind === 'transfer' ? 0.5 : event.kind === 'reduce' ? 0.9 : 0.7;
      context.fillStyle = mix(theme.background, color, isMarked ? 1 : part);
      context.fillRect(x0, y, Math.max(0.7, x1 - x0 - 0.4), height);
      if (isCritical) {
        context.fillStyle = theme.foreground;
        context.fillRect(x0, y + height - 2.5, Math.max(1, x1 - x0), 2.5);
      }
      if (isMarked) {
        context.strokeStyle = theme.focus;
        context.lineWidth = 2;
        context.strokeRect(x0, y + 1, Math.max(2, x1 - x0), height - 2);
      }
      if (x1 - x0 > 44 && height > 12)
        this.paintName(event, Math.max(x0, MARGIN.left), x1, y + height / 2 - 1);
    }
  }

  private paintName(event: PlanEvent, x0: number, x1: number, y: number): void {
    const { context } = this.chart;
    const main = this.session.trail[0];
    const op = this.session.plan!.operatorOf(event.operator);
    const text = event.kind === 'transfer' ? bytesText(event.bytes) : op === -1 ? '' : main.typeText(op);
    if (context.measureText(text).width > x1 - x0 - 8) return;
    context.fillStyle = this.session.theme.foreground;
    context.fillText(text, x0 + 4, y);
  }

  /** Indices in `graph.node` of what is selected or hovered anywhere. */
  private markedOperators(): ReadonlySet<number> {
    const { selection, hover, trail } = this.session;
    const main = trail[0];
    const out = new Set<number>();
    if (main === undefined || trail.length !== 1) return out;
    for (const target of [selection, hover]) {
      if (target?.kind === 'node' && main.isOperator(target.node))
        out.add(main.graph.operators.nodes[target.node]);
      if (target?.kind === 'tensor') {
        const producer = main.graph.tensors.producers[target.tensor];
        if (producer >= 0) out.add(main.graph.operators.nodes[producer]);
      }
    }
    return out;
  }

  private under(event: MouseEvent): PlanEvent | null {
    const { plan } = this.session;
    if (plan === null) return null;
    const row = this.rows().find(({ y, height }) => event.offsetY >= y && event.offsetY < y + height);
    if (row === undefined) return null;
    const seconds = this.chart.fractionAt(event.offsetX) * plan.plan.latency.seconds;
    const reach = (2 / this.chart.innerWidth / this.chart.transform.k) * plan.plan.latency.seconds;
    for (const i of row.lane.events) {
      const found = plan.plan.timeline[i];
      if (found.start - reach <= seconds && seconds < found.end + reach) return found;
    }
    return null;
  }

  private point(event: PointerEvent): void {
    if (event.buttons !== 0) return;
    const found = this.under(event);
    this.actions.pointer(event.clientX, event.clientY);
    const op = found === null ? -1 : this.session.plan!.operatorOf(found.operator);
    this.readout.textContent = found === null ? '' : describe(found);
    this.session.point(op === -1 || this.session.trail.length !== 1 ? null : { kind: 'node', node: op });
  }

  private click(event: MouseEvent): void {
    const found = this.under(event);
    const op = found === null ? -1 : this.session.plan!.operatorOf(found.operator);
    this.session.select(op === -1 ? null : { kind: 'node', node: op });
  }
}

function describe(event: PlanEvent): string {
  const when = `${secondsText(event.start)} – ${secondsText(event.end)} (${secondsText(event.end - event.start)})`;
  if (event.kind !== 'transfer') return `${event.kind} on ${event.device}, ${when}`;
  return `${event.tensor}: ${bytesText(event.bytes)} from ${event.from} to ${event.to}, ${when}`;
}
