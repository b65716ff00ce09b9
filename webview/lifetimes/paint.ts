import { categoryColors, categoryOf } from '../categories';
import type { ChartCanvas } from '../chartCanvas';
import { labelWithin } from '../chartText';
import type { Session } from '../session';
import { mix, withAlpha } from '../theme';
import { bytesText, secondsText } from '../units';
import type { LifetimeBox } from './boxes';
import type { LifetimeContent, LifetimeLane } from './content';
import { laneY, MARGIN, placesOf, type LanePlace } from './places';

export interface LifetimePicture {
  readonly chart: ChartCanvas;
  readonly session: Session;
  readonly content: LifetimeContent;
  readonly isGantt: boolean;
  /** Tensor that is hovered or selected anywhere, or -1. */
  readonly marked: number;
  /** Parts of the axis: the peak, the step pointed at, and what is brushed. */
  readonly marks: readonly Mark[];
}

export interface Mark {
  readonly from: number;
  readonly to: number;
  readonly kind: 'peak' | 'step' | 'range';
}

export function paintLifetimes(picture: LifetimePicture): void {
  const { chart, content } = picture;
  const { context, width, height } = chart;
  const places = placesOf(content.lanes.length, height);
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, 0, width - MARGIN.left - MARGIN.right, height - MARGIN.bottom + 1);
  context.clip();
  content.lanes.forEach((lane, i) => paintLane(picture, lane, places[i]));
  for (const mark of picture.marks) paintMark(picture, mark);
  context.restore();
  content.lanes.forEach((lane, i) => paintScale(picture, lane, places[i]));
  paintAxis(picture);
}

function paintLane(picture: LifetimePicture, lane: LifetimeLane, place: LanePlace): void {
  const { chart, session } = picture;
  const { context, width } = chart;
  const { theme } = session;
  if (lane.device !== -1) {
    context.fillStyle = withAlpha(theme.foreground, 0.04);
    context.fillRect(chart.x(0), place.top, chart.x(1) - chart.x(0), place.bottom - place.top);
  }
  if (lane.base > 0) {
    const y = laneY(lane, place, lane.base);
    const fill = mix(theme.background, theme.foreground, 0.2);
    context.fillStyle = fill;
    context.fillRect(chart.x(0), y, chart.x(1) - chart.x(0), place.bottom - y);
    if (place.bottom - y > 13) {
      const text = `weights and runtime  ${bytesText(lane.base)}`;
      labelWithin(context, theme, text, 10, fill, [
        Math.max(MARGIN.left, chart.x(0)),
        chart.x(1),
        (y + place.bottom) / 2,
      ]);
    }
  }
  paintTiles(picture, lane, place);
  if (lane.limit === null || lane.limit > lane.most) return;
  context.strokeStyle = theme.error;
  context.setLineDash([5, 3]);
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(MARGIN.left, laneY(lane, place, lane.limit));
  context.lineTo(width, laneY(lane, place, lane.limit));
  context.stroke();
  context.setLineDash([]);
}

/** No more than one rectangle per pixel: what is smaller than the last drawn pixel is left out. */
function paintTiles(picture: LifetimePicture, lane: LifetimeLane, place: LanePlace): void {
  const { chart, session, content, marked } = picture;
  const { context } = chart;
  const { theme } = session;
  const drawn = new Set<number>();
  const columns = Math.ceil(chart.width) + 1;
  const colors = tileColors(session);
  const { names } = session.opened!.graph.tensors;
  for (const tile of lane.tiles) {
    const box = lane.boxes[tile.box];
    const x0 = chart.x(tile.from / content.length);
    const x1 = chart.x(tile.to / content.length);
    if (x1 < MARGIN.left || x0 > chart.width - MARGIN.right) continue;
    const y0 = laneY(lane, place, lane.base + tile.high);
    const [w, h] = [x1 - x0, laneY(lane, place, lane.base + tile.low) - y0];
    if (w < 1.2 && h < 1.2) {
      const pixel = Math.floor(y0) * columns + Math.floor(x0);
      if (drawn.has(pixel)) continue;
      drawn.add(pixel);
    }
    const isMarked = marked !== -1 && isOfTensor(session, box, marked);
    const fill = mix(theme.background, colors(box), isMarked ? 0.85 : 0.42);
    context.fillStyle = fill;
    context.fillRect(x0, y0, Math.max(0.8, w - 0.5), Math.max(0.8, h - 0.5));
    if (isMarked) {
      context.strokeStyle = theme.focus;
      context.lineWidth = 2;
      context.strokeRect(x0, y0, w, h);
    }
    if (w <= 56 || h <= 13) continue;
    const text = `${names[box.tensor] ?? ''}  ${bytesText(box.bytes)}`;
    labelWithin(context, theme, text, 10, fill, [Math.max(x0, MARGIN.left), x1, y0 + h / 2]);
  }
}

/** Colour of the family of the operator that makes it; inputs and weights have their own. */
export function tileColors({ theme, opened }: Session): (box: LifetimeBox) => string {
  const { producers } = opened!.graph.tensors;
  const { types, typeNames } = opened!.graph.operators;
  const colors = categoryColors(theme);
  return (box) => {
    if (box.storage === -1) return theme.dim;
    const producer = box.tensor === -1 ? -1 : producers[box.tensor];
    return producer < 0 ? theme.yellow : colors[categoryOf(typeNames[types[producer]])];
  };
}

function isOfTensor({ opened }: Session, box: LifetimeBox, tensor: number): boolean {
  if (box.tensor === tensor) return true;
  const storage = opened!.graph.tensors.storages[tensor];
  return storage >= 0 && box.storage === storage;
}

function paintMark({ chart, session, content }: LifetimePicture, { from, to, kind }: Mark): void {
  const { context } = chart;
  const { theme } = session;
  const x0 = chart.x(from / content.length);
  const w = Math.max(1.5, chart.x(to / content.length) - x0);
  if (kind === 'range') {
    context.fillStyle = withAlpha(theme.background, 0.6);
    context.fillRect(0, 0, x0, chart.height);
    context.fillRect(x0 + w, 0, chart.width, chart.height);
    return;
  }
  const color = kind === 'peak' ? theme.error : theme.foreground;
  context.fillStyle = withAlpha(color, 0.22);
  context.fillRect(x0, MARGIN.top, w, chart.height);
  context.fillStyle = color;
  context.fillRect(x0, MARGIN.top, Math.min(1.5, w), chart.height);
}

function paintScale(picture: LifetimePicture, lane: LifetimeLane, place: LanePlace): void {
  const { chart, session, isGantt } = picture;
  const { context } = chart;
  const { theme, plan } = session;
  context.textBaseline = 'middle';
  if (lane.device !== -1) {
    const device = plan!.plan.devices[lane.device];
    const text = `${bytesText(device.peakBytes)} of ${bytesText(device.limitBytes)}`;
    context.textAlign = 'left';
    context.font = `600 12px ${theme.font}`;
    context.fillStyle = theme.series[lane.device % theme.series.length];
    context.fillRect(MARGIN.left, place.top - 13, 9, 9);
    context.fillStyle = theme.foreground;
    context.fillText(device.name, MARGIN.left + 15, place.top - 8);
    const after = MARGIN.left + 15 + context.measureText(device.name).width + 10;
    context.font = `11px ${theme.font}`;
    context.fillStyle = device.peakBytes > device.limitBytes ? theme.error : theme.dim;
    context.fillText(text, after, place.top - 8);
  }
  if (isGantt) return;
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.dim;
  context.textAlign = 'right';
  const parts = place.bottom - place.top > 110 ? [0, 0.25, 0.5, 0.75, 1] : [0, 1];
  for (const part of parts)
    context.fillText(bytesText(lane.most * part), MARGIN.left - 8, laneY(lane, place, lane.most * part));
}

function paintAxis({ chart, session, content }: LifetimePicture): void {
  const { context, width, height } = chart;
  const { theme } = session;
  const { axis, length } = content;
  const from = Math.max(0, chart.fractionAt(MARGIN.left) * length);
  const to = Math.min(length, chart.fractionAt(width - MARGIN.right) * length);
  const rough = (to - from) / Math.max(2, (width - MARGIN.left) / 120) || 1;
  const base = 10 ** Math.floor(Math.log10(rough));
  const nice = base * ([1, 2, 5, 10].find((m) => m * base >= rough) ?? 10);
  const every = axis === 'steps' ? Math.max(1, Math.round(nice)) : nice;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.dim;
  for (let k = Math.ceil(from / every - 1e-9); k * every < to; k++) {
    const middle = axis === 'steps' ? 0.5 : 0;
    const text = axis === 'steps' ? String(k * every) : secondsText(k * every);
    const x = chart.x((k * every + middle) / length);
    context.fillText(text, Math.min(Math.max(x, MARGIN.left + 4), width - MARGIN.right - 16), height - 12);
  }
}
