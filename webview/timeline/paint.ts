import type { ChartCanvas } from '../chartCanvas';
import { labelWithin } from '../chartText';
import type { PlanEvent } from '../plan/planIndex';
import type { Session } from '../session';
import { mix, withAlpha, type Theme } from '../theme';
import { bytesText, changeText, countText, secondsText } from '../units';
import { paintMemory } from './memoryLane';
import type { Arrangement, Band, Row, Section } from './sections';

export const MARGIN = { top: 26, right: 18, bottom: 8, left: 148 } as const;
/** Beside the longest name: what it is busy, and space. */
const BESIDE_NAME = 62;

/** Room for the longest name, but no more than a quarter of the page. */
export function leftMargin(
  { context, width }: ChartCanvas,
  theme: Theme,
  sections: readonly Section[],
): number {
  context.font = `11px ${theme.font}`;
  const widths = sections.flatMap(({ lanes }) => lanes.map(({ label }) => context.measureText(label).width));
  const wanted = Math.max(MARGIN.left, ...widths.map((one) => one + BESIDE_NAME));
  return Math.round(Math.min(wanted, Math.max(104, width / 4)));
}

/** Everything that one frame of the timeline is painted from. */
export interface TimelinePicture {
  readonly chart: ChartCanvas;
  readonly session: Session;
  readonly sections: readonly Section[];
  readonly arrangement: Arrangement;
  /** Seconds of the whole axis: those of the longest section. */
  readonly total: number;
  readonly isMarked: (event: PlanEvent) => boolean;
  /** Parts of each section's time to be lit: the step pointed at, and the brushed steps. */
  readonly spans: readonly (readonly Span[])[];
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly kind: 'step' | 'range';
}

export function paintTimeline(picture: TimelinePicture): void {
  const { chart, sections, arrangement } = picture;
  const { context, width, height, margin } = chart;
  for (const row of arrangement.rows) paintLabel(picture, row);
  if (sections.length > 1) arrangement.bands.forEach((band, i) => paintTitle(picture, band, i));
  paintAxis(picture);
  context.save();
  context.beginPath();
  context.rect(margin.left, 0, width - margin.left - margin.right, height);
  context.clip();
  for (const row of arrangement.rows) {
    paintEvents(picture, row);
    if (row.memoryHeight > 0) paintMemoryRow(picture, row);
  }
  arrangement.bands.forEach((band, i) => paintSpans(picture, band, i));
  context.restore();
}

/** What is compared between the two latency models. */
export function sectionFacts({ seconds, waiting, movedBytes, criticalTransfer, critical }: Section): string {
  const part = (share: number): string => `${Math.round(share * 100)} %`;
  return [
    `devices wait ${part(waiting)}`,
    `${bytesText(movedBytes)} moved`,
    `critical path ${countText(critical.size, 'event')}, ${part(criticalTransfer / seconds)} of it messages`,
  ].join(' · ');
}

function paintTitle({ chart, session, sections }: TimelinePicture, { titleY }: Band, i: number): void {
  const { context, width } = chart;
  const { theme } = session;
  const section = sections[i];
  const { model } = section.plan.plan.latency;
  if (i > 0) {
    context.fillStyle = theme.border;
    context.fillRect(0, titleY, width, 1);
  }
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.font = `600 12px ${theme.font}`;
  context.fillStyle = theme.foreground;
  const own = i === 0 ? '' : ` (${changeText(section.seconds, sections[0].seconds)})`;
  const title = `${model[0].toUpperCase()}${model.slice(1)}  ${secondsText(section.seconds)}${own}`;
  context.fillText(title, 14, titleY + 13);
  const at = 14 + context.measureText(title).width + 14;
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.dim;
  const facts = sectionFacts(section);
  if (at + context.measureText(facts).width < width - 12) context.fillText(facts, at, titleY + 13);
}

function paintLabel(picture: TimelinePicture, row: Row): void {
  const { chart, session, sections } = picture;
  const { lane, y, height, memoryHeight, memoryY } = row;
  const { context, margin } = chart;
  const { theme } = session;
  const { plan, seconds } = sections[row.section];
  const isQuiet = lane.kind === 'link';
  const room = margin.left - 18;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  context.font = `${isQuiet ? 11 : 12}px ${theme.font}`;
  context.fillStyle = isQuiet ? theme.dim : theme.foreground;
  const busy = `${Math.round((lane.busy / seconds) * 100)} %`;
  context.fillText(busy, margin.left - 10, y + height / 2);
  context.fillText(fitted(context, lane.label, room - 36), margin.left - 46, y + height / 2);
  if (memoryHeight < 14) return;
  context.font = `11px ${theme.font}`;
  const device = plan.plan.devices[lane.device];
  if (device === undefined) return;
  const isOver = device.peakBytes > device.limitBytes;
  context.fillStyle = isOver ? theme.error : theme.dim;
  const text = `${bytesText(device.peakBytes)} of ${bytesText(device.limitBytes)}`;
  const short = context.measureText(text).width > room ? bytesText(device.peakBytes) : text;
  context.fillText(short, margin.left - 10, memoryY + memoryHeight / 2);
}

function fitted(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let end = text.length - 1;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end)}…`;
}

function paintAxis({ chart, session, total, arrangement }: TimelinePicture): void {
  const { context, width, margin } = chart;
  const { theme } = session;
  context.font = `11px ${theme.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  const from = chart.fractionAt(margin.left) * total;
  const to = chart.fractionAt(width - margin.right) * total;
  const rough = (to - from) / Math.max(2, (width - margin.left) / 140);
  const base = 10 ** Math.floor(Math.log10(rough || 1));
  const step = base * ([1, 2, 5, 10].find((m) => m * base >= rough) ?? 10);
  const end = arrangement.bands.reduce((last, { bottom }) => Math.max(last, bottom), 0);
  for (let t = Math.ceil(from / step) * step; t <= to + step * 1e-6; t += step) {
    const x = chart.x(t / total);
    if (x < margin.left - 1 || x > width - margin.right + 1) continue;
    context.fillStyle = withAlpha(theme.foreground, 0.1);
    context.fillRect(x, margin.top - 6, 1, end - margin.top + 6);
    context.fillStyle = theme.dim;
    const text = secondsText(Math.abs(t) < step / 1e6 ? 0 : t);
    context.fillText(text, Math.min(x, width - margin.right - 20), 14);
  }
}

function paintEvents(picture: TimelinePicture, row: Row): void {
  const { chart, session, total } = picture;
  const { lane, y, height } = row;
  const { context, width, margin } = chart;
  const { theme, shownDevice } = session;
  const { plan, critical, seconds } = picture.sections[row.section];
  const { timeline } = plan.plan;
  const color = theme.series[lane.device % theme.series.length];
  const isFaded = shownDevice !== null && !lane.devices.includes(shownDevice);
  context.fillStyle = withAlpha(theme.foreground, theme.kind.startsWith('hc') ? 0.14 : 0.06);
  context.fillRect(chart.x(0), y, chart.x(seconds / total) - chart.x(0), height);
  let lastPixel = -1;
  for (const i of lane.events) {
    const event = timeline[i];
    const x0 = chart.x(event.start / total);
    const x1 = chart.x(event.end / total);
    if (x1 < margin.left || x0 > width - margin.right) continue;
    const isCritical = critical.has(i);
    const isMarked = picture.isMarked(event);
    if (x1 - x0 < 1 && Math.floor(x1) === lastPixel && !isMarked && !isCritical) continue;
    lastPixel = Math.floor(x1);
    const part = isFaded ? 0.15 : event.kind === 'transfer' ? 0.5 : event.kind === 'reduce' ? 0.9 : 0.7;
    const fill = mix(theme.background, color, isMarked ? 1 : part);
    context.fillStyle = fill;
    context.fillRect(x0, y, Math.max(0.7, x1 - x0 - 0.4), height);
    if (isCritical) {
      context.fillStyle = isFaded ? theme.dim : theme.foreground;
      context.fillRect(x0, y + height - 2.5, Math.max(1, x1 - x0), 2.5);
    }
    if (isMarked) {
      context.strokeStyle = theme.focus;
      context.lineWidth = 2;
      context.strokeRect(x0, y + 1, Math.max(2, x1 - x0), height - 2);
    }
    if (x1 - x0 > 44 && height > 12)
      labelWithin(context, theme, nameOf(picture, event), 11, fill, [
        Math.max(x0, margin.left),
        x1,
        y + height / 2 - 1,
      ]);
  }
}

function nameOf({ session, sections }: TimelinePicture, event: PlanEvent): string {
  if (event.kind === 'transfer') return bytesText(event.bytes);
  const op = sections[0].plan.operatorOf(event.operator);
  return op === -1 ? '' : (session.trail[0]?.typeText(op) ?? '');
}

function paintMemoryRow({ chart, session, sections, total }: TimelinePicture, row: Row): void {
  const { theme } = session;
  const { plan } = sections[row.section];
  const { device } = row.lane;
  const memory = plan.view.deviceMemory[device];
  if (memory === undefined) return;
  const limit = plan.plan.devices[device]?.limitBytes ?? 0;
  const color = theme.series[device % theme.series.length];
  const end = sections[row.section].seconds;
  paintMemory(chart, theme, memory, { limit, total, end, y: row.memoryY, height: row.memoryHeight, color });
}

function paintSpans(
  { chart, session, spans, total }: TimelinePicture,
  { top, bottom }: Band,
  i: number,
): void {
  const { context, width, margin } = chart;
  const { theme } = session;
  for (const { from, to, kind } of spans[i] ?? []) {
    const x0 = chart.x(from / total);
    const x1 = Math.max(x0 + 1, chart.x(to / total));
    if (kind === 'step') {
      context.fillStyle = withAlpha(theme.foreground, 0.12);
      context.fillRect(x0, top, x1 - x0, bottom - top);
      continue;
    }
    context.fillStyle = withAlpha(theme.background, 0.6);
    context.fillRect(margin.left, top, x0 - margin.left, bottom - top);
    context.fillRect(x1, top, width - x1, bottom - top);
    context.fillStyle = theme.focus;
    context.fillRect(x0 - 1, top, 1, bottom - top);
    context.fillRect(x1, top, 1, bottom - top);
  }
}
