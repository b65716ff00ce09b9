import { scaleLinear, select } from 'd3';
import type { OrderMemory } from '../../src/protocol/webview';
import { el } from '../dom';
import type { Session } from '../session';
import { mix } from '../theme';
import { bytesText, countText } from '../units';
import { stepArea } from './chartPath';

const MARGIN = { top: 32, right: 118, bottom: 16, left: 64 } as const;
/** Lines of opponents nearer than this to each other share one label. */
const LABEL_HEIGHT = 12;
const LABEL_TICK = 8;

interface Line {
  readonly label: string;
  readonly bytes: number;
  readonly color: string;
}

/** A brush narrower than this was a click. */
const LEAST_BRUSH = 4;

/**
 * Live bytes at each step under the graph: the peak marked, opponents as lines, and while a search runs its
 * best peak and proven bound on their way to each other. Pointing at a step marks its operator, a click selects
 * it, Shift and drag brush a part of the order.
 */
export class MemoryChart {
  readonly element = el('div', { className: 'memory-chart', tabIndex: 0 });
  private readonly svg = select(this.element).append('svg').attr('role', 'img');
  private readonly picture = this.svg.append('g');
  /** What moves with the pointer, apart from what it stands on. */
  private readonly marks = this.svg.append('g');
  /** Pixel at which a brush began. */
  private brushFrom: number | null = null;
  /** Best peak and proven bound of the running search, report by report. */
  private readonly closingIn: { readonly best: number; readonly bound: number }[] = [];
  private readonly readout = el('div', { className: 'chart-readout', aria: { live: 'polite' } });

  constructor(
    private readonly session: Session,
    private readonly goToStep: (step: number) => void,
  ) {
    this.element.append(this.readout);
    session.on(['progress'], () => this.follow());
    session.on(['document', 'plan', 'theme', 'progress', 'tab'], () => this.render());
    session.on(['step', 'hover', 'range'], () => this.renderMarks());
    new ResizeObserver(() => this.render()).observe(this.element);
    this.element.addEventListener('pointermove', (event) => this.point(event));
    this.element.addEventListener('pointerleave', () => session.set({ step: null }, 'step'));
    this.element.addEventListener('pointerdown', (event) => this.press(event));
    this.element.addEventListener('pointerup', (event) => this.release(event));
    this.element.addEventListener('click', (event) => {
      const step = this.stepAt(event);
      if (step !== null && !event.shiftKey) goToStep(step);
    });
    this.element.addEventListener('keydown', (event) => this.key(event));
  }

  /** Takes in a report of the search; a run that has ended leaves nothing behind. */
  private follow(): void {
    const { progress } = this.session;
    if (progress === null) this.closingIn.length = 0;
    if (progress === null || progress.bestPeakBytes === null || progress.boundPeakBytes === null) return;
    const last = this.closingIn[this.closingIn.length - 1];
    const [best, bound] = [progress.bestPeakBytes, progress.boundPeakBytes];
    if (last?.best !== best || last.bound !== bound) this.closingIn.push({ best, bound });
  }

  private render(): void {
    const { memory } = this.session;
    const { width, height } = this.element.getBoundingClientRect();
    if (memory === null || width < 120 || memory.liveBytes.length === 0) return;
    const { theme, plan } = this.session;
    const lines = this.lines();
    const most = Math.max(memory.peakBytes, ...lines.map((line) => line.bytes)) || 1;
    const x = scaleLinear([0, memory.liveBytes.length], [MARGIN.left, width - MARGIN.right]);
    const y = scaleLinear([0, most], [height - MARGIN.bottom, MARGIN.top]);
    const svg = this.svg.attr('width', width).attr('height', height);
    svg.attr(
      'aria-label',
      `Live memory per step, peak ${bytesText(memory.peakBytes)} at step ${memory.peakStep}`,
    );
    this.picture.selectAll('*').remove();
    const inner = width - MARGIN.left - MARGIN.right;
    const area = (of: 'highest' | 'lowest', share: number): void => {
      this.picture
        .append('path')
        .attr('transform', `translate(${MARGIN.left},0)`)
        .attr('d', stepArea(memory.liveBytes, inner, y, of))
        .attr('fill', mix(theme.background, theme.blue, share))
        .attr('stroke', of === 'highest' ? theme.blue : 'none');
    };
    area('highest', 0.38);
    if (memory.liveBytes.length > inner) area('lowest', 0.55);
    this.axis(y, most, height);
    this.drawClosingIn(y, inner);
    this.drawLines(lines, x, y);
    this.drawPeak(memory, x, y);
    const title = plan === null ? "Memory in the model's order" : "Memory in the plan's order";
    const text = `${title} · ${countText(memory.liveBytes.length, 'step')}`;
    if (memory.peakStep < memory.liveBytes.length / 2)
      this.text(width - MARGIN.right, 11, 'end', theme.dim, text);
    else this.text(MARGIN.left, 11, 'start', theme.dim, text);
    this.renderMarks();
  }

  private text(x: number, y: number, anchor: string, color: string, text: string): void {
    this.picture
      .append('text')
      .attr('paint-order', 'stroke')
      .attr('stroke', this.session.theme.background)
      .attr('stroke-width', 6)
      .attr('x', x)
      .attr('y', y)
      .attr('text-anchor', anchor)
      .attr('fill', color)
      .text(text);
  }

  private axis(y: (value: number) => number, most: number, height: number): void {
    const { theme } = this.session;
    for (const value of [0, most / 2, most])
      this.text(MARGIN.left - 6, y(value) + 4, 'end', theme.dim, bytesText(value));
    this.text(MARGIN.left, height - 3, 'start', theme.dim, 'step 0');
  }

  private lines(): Line[] {
    const { plan, progress, theme } = this.session;
    const out: Line[] = [];
    const push = (label: string, bytes: number | null | undefined, color: string): void => {
      if (bytes !== null && bytes !== undefined) out.push({ label, bytes, color });
    };
    const latest = this.closingIn[this.closingIn.length - 1];
    if (latest !== undefined && latest.best === latest.bound) {
      push('proven least', latest.best, theme.green);
      return out;
    }
    push('best', latest?.best, theme.green);
    push('proven bound', latest?.bound, theme.orange);
    if (progress !== null) return out;
    if (plan === null) return out;
    const { order } = plan.plan;
    for (const [name, { peakBytes }] of Object.entries(order.baselines))
      push(orderName(name), peakBytes, theme.dim);
    push(order.status === 'optimal' ? 'proven least' : 'proven bound', order.lowerBoundBytes, theme.green);
    return out;
  }

  /** How best and bound came to where they are: a band from the first report at the left to the latest at the right. */
  private drawClosingIn(y: (value: number) => number, inner: number): void {
    const { closingIn } = this;
    if (closingIn.length < 2) return;
    const { theme } = this.session;
    const at = (index: number): number => MARGIN.left + (index / closingIn.length) * inner;
    const steps = (of: 'best' | 'bound'): string =>
      closingIn.map((report, i) => `${at(i)},${y(report[of])} ${at(i + 1)},${y(report[of])}`).join(' ');
    const back = steps('bound').split(' ').reverse().join(' ');
    const band = this.picture.append('polygon').attr('points', `${steps('best')} ${back}`);
    band.attr('fill', theme.green).attr('fill-opacity', 0.12);
    for (const [of, color] of [
      ['best', theme.green],
      ['bound', theme.orange],
    ] as const) {
      const line = this.picture.append('polyline').attr('points', steps(of)).attr('fill', 'none');
      line.attr('stroke', color).attr('stroke-width', 2);
    }
  }

  /** Labels at the right border; lines of one height share a label. */
  private drawLines(
    lines: readonly Line[],
    x: (value: number) => number,
    y: (value: number) => number,
  ): void {
    const end = x(this.session.memory!.liveBytes.length);
    const groups: { at: number; labels: string[]; color: string }[] = [];
    for (const line of [...lines].sort((a, b) => b.bytes - a.bytes)) {
      const at = y(line.bytes);
      // The way of a running search is drawn as its own lines: theirs need only a label.
      const start = this.closingIn.length > 1 ? end - LABEL_TICK : MARGIN.left;
      this.picture
        .append('line')
        .attr('x1', start)
        .attr('x2', end)
        .attr('y1', at)
        .attr('y2', at)
        .attr('stroke', line.color)
        .attr('stroke-dasharray', '4 3');
      const last = groups[groups.length - 1];
      if (last !== undefined && at - last.at < LABEL_HEIGHT) last.labels.push(line.label);
      else groups.push({ at, labels: [line.label], color: line.color });
    }
    for (const { at, labels, color } of groups) {
      const all = groups.length === 1 && labels.length > 2;
      const text = all ? 'every order' : marginText(labels);
      const node = this.picture
        .append('text')
        .attr('x', end + 5)
        .attr('y', at + 4)
        .attr('fill', color)
        .text(text);
      node.append('title').text(labels.join(', '));
    }
  }

  private drawPeak(memory: OrderMemory, x: (value: number) => number, y: (value: number) => number): void {
    const { theme } = this.session;
    const at = x(memory.peakStep + 0.5);
    this.picture
      .append('circle')
      .attr('cx', at)
      .attr('cy', y(memory.peakBytes))
      .attr('r', 4)
      .attr('fill', theme.error);
    const right = memory.peakStep < memory.liveBytes.length / 2;
    const label = `peak ${bytesText(memory.peakBytes, memory.known)}, step ${memory.peakStep}`;
    this.text(
      at + (right ? 8 : -8),
      y(memory.peakBytes) - 5,
      right ? 'start' : 'end',
      theme.foreground,
      label,
    );
  }

  /** The step pointed at here, or of the operator pointed at anywhere; and what is brushed. */
  private renderMarks(): void {
    const { memory, step, range, theme, model, hover, orderSteps } = this.session;
    const { width, height } = this.element.getBoundingClientRect();
    this.marks.selectAll('*').remove();
    this.readout.textContent = '';
    if (memory === null || width < 120) return;
    const x = scaleLinear([0, memory.liveBytes.length], [MARGIN.left, width - MARGIN.right]);
    const box = (from: number, to: number, color: string, opacity: number): void =>
      void this.marks
        .append('rect')
        .attr('x', from)
        .attr('width', Math.max(1, to - from))
        .attr('y', MARGIN.top)
        .attr('height', height - MARGIN.top - MARGIN.bottom)
        .attr('fill', color)
        .attr('opacity', opacity);
    if (range !== null) {
      box(MARGIN.left, x(range.from), theme.background, 0.65);
      box(x(range.to), width - MARGIN.right, theme.background, 0.65);
    }
    const isMain = this.session.trail.length === 1 && model !== null;
    const hovered = isMain && hover?.kind === 'node' ? orderSteps?.[hover.node] : undefined;
    const shown = step ?? hovered ?? -1;
    if (shown < 0 || shown >= memory.liveBytes.length) return;
    box(x(shown + 0.5), x(shown + 0.5), theme.foreground, 1);
    const name = isMain ? ` · ${model.describe(memory.operators[shown])}` : '';
    this.readout.textContent = `step ${shown} · ${bytesText(memory.liveBytes[shown], memory.known)}${name}`;
  }

  private press(event: PointerEvent): void {
    if (!event.shiftKey || event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.brushFrom = event.clientX;
  }

  private release(event: PointerEvent): void {
    if (this.brushFrom === null) return;
    const [from, to] = [this.brushFrom, event.clientX].sort((a, b) => a - b);
    this.brushFrom = null;
    if (to - from < LEAST_BRUSH) this.session.set({ range: null }, 'range');
  }

  private stepAt({ clientX }: { readonly clientX: number }): number | null {
    const { memory } = this.session;
    if (memory === null) return null;
    const box = this.element.getBoundingClientRect();
    const inner = box.width - MARGIN.left - MARGIN.right;
    const step = Math.floor(((clientX - box.x - MARGIN.left) / inner) * memory.liveBytes.length);
    return step >= 0 && step < memory.liveBytes.length ? step : null;
  }

  private point(event: PointerEvent): void {
    const step = this.stepAt(event);
    if (this.brushFrom !== null) return this.brush(this.brushFrom, event.clientX);
    if (step !== this.session.step) this.session.set({ step }, 'step');
  }

  private brush(a: number, b: number): void {
    if (Math.abs(a - b) < LEAST_BRUSH) return;
    const last = this.session.memory!.liveBytes.length - 1;
    const from = this.stepAt({ clientX: Math.min(a, b) }) ?? 0;
    const to = this.stepAt({ clientX: Math.max(a, b) }) ?? last;
    this.session.set({ range: { from, to: to + 1 } }, 'range');
  }

  private key(event: KeyboardEvent): void {
    const { memory } = this.session;
    if (memory === null) return;
    const now = this.session.step ?? memory.peakStep;
    if (event.key === 'Enter') this.goToStep(now);
    else if (event.key === 'ArrowLeft') this.session.set({ step: Math.max(0, now - 1) }, 'step');
    else if (event.key === 'ArrowRight')
      this.session.set({ step: Math.min(memory.liveBytes.length - 1, now + 1) }, 'step');
    else return;
    event.preventDefault();
  }
}

/** Width of a character of the labels, on the wide side. */
const CHARACTER_WIDTH = 6.5;

/** All labels of a line where they fit into the margin, else the last one (the proven one, if any) and a count. */
function marginText(labels: readonly string[]): string {
  const text = labels.join(', ');
  if (text.length * CHARACTER_WIDTH <= MARGIN.right) return text;
  return labels.length === 1 ? text : `${labels[labels.length - 1]} +${labels.length - 1}`;
}

/** `depthFirst` -> `depth first`. */
function orderName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
