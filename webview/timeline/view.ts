import type { PlanReplay } from '../../src/protocol/webview';
import { ChartCanvas } from '../chartCanvas';
import { button, dropdown } from '../controls';
import { el, fill } from '../dom';
import type { LinkedActions } from '../lifetimes/view';
import { PlanIndex, type PlanEvent } from '../plan/planIndex';
import type { Session } from '../session';
import { bytesText, secondsText } from '../units';
import { leftMargin, MARGIN, paintTimeline, sectionFacts, type Span } from './paint';
import { arrange, sectionOf, type Arrangement, type Section } from './sections';

type Shown = 'own' | 'other' | 'both';

export interface TimelineActions extends LinkedActions {
  /** The shown plan in the latency model that is not its own. */
  replay(): Promise<PlanReplay>;
}

/**
 * Devices and links over time: compute, transfer, waiting; the critical path; each device's memory below it. In
 * the plan's own latency model, in the other one, or in both on the same scale.
 */
export class TimelineView {
  readonly element = el('div', { className: 'chart-page', hidden: true });
  private readonly chart: ChartCanvas;
  private readonly facts = el('p', { className: 'note' });
  private readonly readout = el('p', { className: 'note readout', aria: { live: 'polite' } });
  private readonly choice = el('span', {});
  private shown: Shown = 'own';
  private own: Section | null = null;
  private other: Section | null = null;
  private isStale = true;
  private shownRange: Session['range'] = null;

  constructor(
    private readonly session: Session,
    private readonly actions: TimelineActions,
  ) {
    this.chart = new ChartCanvas(
      'Timeline of devices and links',
      { ...MARGIN },
      () => this.paint(),
      (part) => this.brushed(part),
    );
    const whole = button({
      label: 'Whole time',
      title: 'Show the whole timeline (0)',
      pressed: () => this.chart.reset(),
    });
    const bar = el(
      'div',
      { className: 'chart-bar' },
      this.choice,
      whole,
      chartKey(),
      this.facts,
      this.readout,
    );
    this.element.append(bar, el('div', { className: 'chart-scroll' }, this.chart.element));
    session.on(['plan'], () => (this.isStale = true));
    session.on(['plan', 'theme', 'tab', 'selection', 'hover', 'device', 'hoverDevice', 'step', 'range'], () =>
      this.refresh(),
    );
    this.chart.canvas.addEventListener('pointermove', (event) => this.point(event));
    this.chart.canvas.addEventListener('pointerleave', () => this.leave());
    this.chart.canvas.addEventListener('click', (event) => this.click(event));
  }

  private refresh(): void {
    const { tab, plan, range } = this.session;
    if (plan === null && tab === 'timeline') this.session.set({ tab: 'graph' }, 'tab');
    if (tab !== 'timeline' || plan === null) return;
    if (this.isStale) this.compute();
    if (range !== this.shownRange) this.showRange();
    this.chart.repaint();
  }

  private compute(): void {
    const { plan, opened } = this.session;
    if (plan === null || opened === null) return;
    this.isStale = false;
    this.own = sectionOf(plan, opened.graph);
    this.other = null;
    const { model } = plan.plan.latency;
    const name = { own: model, other: model === 'overlapped' ? 'synchronous' : 'overlapped' };
    const options = [
      { value: 'own', text: `${capital(name.own)}: the plan's own` },
      { value: 'other', text: `${capital(name.other)}: replayed` },
      { value: 'both', text: 'Both, one above the other' },
    ];
    const choose = dropdown('Latency model', options, (value) => this.show(value as Shown));
    choose.value = this.shown;
    fill(this.choice, [choose]);
    this.show(this.shown);
  }

  private show(shown: Shown): void {
    this.shown = shown;
    if (shown !== 'own' && this.other === null) void this.replay();
    this.say();
    this.chart.repaint();
  }

  private async replay(): Promise<void> {
    const { plan, opened } = this.session;
    const replay = await this.actions.replay();
    if (plan === null || opened === null || this.session.plan !== plan) return;
    this.other = sectionOf(new PlanIndex({ ...plan.view, ...replay }, opened.graph), opened.graph);
    this.say();
    this.chart.repaint();
  }

  /** What shows now: the replay joins when it has come. */
  private sections(): readonly Section[] {
    const { own, other, shown } = this;
    if (own === null) return [];
    if (other === null || shown === 'own') return [own];
    return shown === 'other' ? [other] : [own, other];
  }

  private say(): void {
    const sections = this.sections();
    const isWaiting = this.shown !== 'own' && this.other === null;
    const first = sections[0];
    if (first === undefined) return;
    const { model } = first.plan.plan.latency;
    fill(this.facts, [
      el('b', {}, sections.map(({ seconds }) => secondsText(seconds)).join(' and ')),
      isWaiting ? ' replaying …' : ' estimated',
      sections.length > 1 ? '' : `, ${model} · ${sectionFacts(first)}`,
    ]);
  }

  private total(): number {
    return Math.max(...this.sections().map(({ seconds }) => seconds), 1e-12);
  }

  private arrangement(): Arrangement {
    return arrange(this.sections(), MARGIN.top, this.chart.height - MARGIN.bottom);
  }

  private paint(): void {
    const { chart, session } = this;
    const sections = this.sections();
    const arrangement = this.arrangement();
    chart.margin.left = leftMargin(chart, session.theme, sections);
    // Taller than the page where lanes would be cut: the page then scrolls.
    chart.element.style.minHeight = `${Math.ceil(arrangement.leastHeight + MARGIN.bottom)}px`;
    paintTimeline({
      ...{ chart, session, sections, arrangement, total: this.total() },
      isMarked: this.marker(),
      spans: sections.map(({ plan }) => this.spans(plan)),
    });
  }

  private spans(plan: PlanIndex): Span[] {
    const { step, range } = this.session;
    const spans: Span[] = [];
    const stepSpan = step === null ? null : plan.spanOf(step, step + 1);
    const rangeSpan = range === null ? null : plan.spanOf(range.from, range.to);
    if (rangeSpan !== null) spans.push({ ...rangeSpan, kind: 'range' });
    if (stepSpan !== null) spans.push({ ...stepSpan, kind: 'step' });
    return spans;
  }

  /** Events of what is selected or hovered anywhere: an operator's own, and the messages of a tensor. */
  private marker(): (event: PlanEvent) => boolean {
    const { selection, hover, trail } = this.session;
    const main = trail[0];
    const operators = new Set<number>();
    const tensors = new Set<string>();
    if (main === undefined || trail.length !== 1) return () => false;
    const { graph, scene } = main;
    const tensor = (id: number): void => {
      tensors.add(graph.tensors.names[id]);
      const producer = graph.tensors.producers[id];
      if (producer >= 0) operators.add(graph.operators.nodes[producer]);
    };
    for (const target of [selection, hover]) {
      if (target?.kind === 'node' && main.isOperator(target.node))
        operators.add(graph.operators.nodes[target.node]);
      if (target?.kind === 'tensor') tensor(target.tensor);
      if (target?.kind === 'wire') {
        const { firstTensor, tensors: ids } = scene.wires;
        for (const id of ids.subarray(firstTensor[target.wire], firstTensor[target.wire + 1])) tensor(id);
      }
    }
    return (event) =>
      (event.operator !== null && operators.has(event.operator)) ||
      (event.kind === 'transfer' && tensors.has(event.tensor));
  }

  private under(event: MouseEvent): PlanEvent | null {
    const sections = this.sections();
    const row = this.arrangement().rows.find(
      ({ y, height }) => event.offsetY >= y && event.offsetY < y + height,
    );
    if (row === undefined) return null;
    const total = this.total();
    const seconds = this.chart.fractionAt(event.offsetX) * total;
    const reach = (2 / this.chart.innerWidth / this.chart.transform.k) * total;
    const { timeline } = sections[row.section].plan.plan;
    for (const i of row.lane.events) {
      const found = timeline[i];
      if (found.start - reach <= seconds && seconds < found.end + reach) return found;
    }
    return null;
  }

  private point(event: PointerEvent): void {
    if (event.buttons !== 0 || this.chart.isBrushing) return;
    const found = this.under(event);
    const { plan, trail } = this.session;
    this.actions.pointer(event.clientX, event.clientY);
    const op = found === null || plan === null ? -1 : plan.operatorOf(found.operator);
    this.readout.textContent = found === null ? '' : describe(found);
    const step = op === -1 || plan === null ? null : plan.stepOf(op);
    if (step !== this.session.step) this.session.set({ step }, 'step');
    this.session.point(op === -1 || trail.length !== 1 ? null : { kind: 'node', node: op });
  }

  private leave(): void {
    this.readout.textContent = '';
    this.session.set({ step: null }, 'step');
    this.session.point(null);
  }

  private click(event: MouseEvent): void {
    if (event.shiftKey) return;
    const found = this.under(event);
    const op = found === null ? -1 : this.session.plan!.operatorOf(found.operator);
    this.session.select(op === -1 ? null : { kind: 'node', node: op });
  }

  private brushed(part: readonly [number, number] | null): void {
    const plan = this.sections()[0]?.plan;
    if (plan === undefined) return;
    const total = this.total();
    const range = part === null ? null : plan.stepsWithin(part[0] * total, part[1] * total);
    this.shownRange = range;
    this.session.set({ range }, 'range');
  }

  /** Goes to what was brushed elsewhere. */
  private showRange(): void {
    const { range } = this.session;
    this.shownRange = range;
    const span = range === null ? null : this.sections()[0]?.plan.spanOf(range.from, range.to);
    if (!span) return this.chart.reset();
    const total = this.total();
    const around = (span.to - span.from) * 0.04;
    this.chart.show(Math.max(0, span.from - around) / total, Math.min(total, span.to + around) / total);
  }
}

function describe(event: PlanEvent): string {
  const when = `${secondsText(event.start)} – ${secondsText(event.end)} (${secondsText(event.end - event.start)})`;
  if (event.kind !== 'transfer') return `${event.kind} on ${event.device}, ${when}`;
  return `${event.tensor}: ${bytesText(event.bytes)} from ${event.from} to ${event.to}, ${when}`;
}

function capital(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}`;
}

/** What the marks in the lanes mean. */
function chartKey(): HTMLElement {
  const entry = (kind: string, text: string): HTMLElement =>
    el('span', { className: 'swatch' }, el('i', { className: `key-${kind}` }), text);
  return el(
    'p',
    { className: 'note chart-key' },
    entry('compute', 'compute'),
    entry('transfer', 'message'),
    entry('waiting', 'waiting'),
    entry('critical', 'critical path'),
  );
}
