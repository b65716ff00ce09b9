import type { ChartCanvas } from '../chartCanvas';
import type { DeviceMemory } from '../plan/memory';
import { mix, withAlpha, type Theme } from '../theme';

interface MemoryRow {
  readonly limit: number;
  /** Seconds of the whole axis, and those until which the memory is known. */
  readonly total: number;
  readonly end: number;
  readonly y: number;
  readonly height: number;
  readonly color: string;
}

/** A device's memory over time as an area of at most one column per pixel, with its limit as a line. */
export function paintMemory(
  chart: ChartCanvas,
  theme: Theme,
  { times, bytes }: DeviceMemory,
  { limit, total, end, y, height, color }: MemoryRow,
): void {
  const { context } = chart;
  const most = bytes.reduce((a, b) => Math.max(a, b), 0);
  const top = Math.max(most, Number.isFinite(limit) && limit < most * 4 ? limit : most) || 1;
  const level = (value: number): number => y + height - (value / top) * (height - 2);
  context.beginPath();
  let column = -Infinity;
  let highest = 0;
  let at = y + height;
  context.moveTo(chart.x(times.length > 0 ? times[0] / total : 0), at);
  for (let i = 0; i < times.length; i++) {
    const x = chart.x(times[i] / total);
    if (x - column < 1) {
      highest = Math.max(highest, bytes[i]);
      if (i + 1 < times.length) continue;
    } else highest = bytes[i];
    column = x;
    context.lineTo(x, at);
    at = level(highest);
    context.lineTo(x, at);
  }
  const right = chart.x(end / total);
  context.lineTo(right, at);
  context.lineTo(right, y + height);
  context.closePath();
  context.fillStyle = mix(theme.background, color, 0.26);
  context.fill();
  context.strokeStyle = mix(theme.background, color, 0.75);
  context.lineWidth = 1;
  context.stroke();
  if (!Number.isFinite(limit) || limit > top) return;
  context.strokeStyle = withAlpha(theme.error, 0.9);
  context.setLineDash([4, 3]);
  context.beginPath();
  context.moveTo(chart.margin.left, level(limit));
  context.lineTo(chart.width, level(limit));
  context.stroke();
  context.setLineDash([]);
}
