import { line, scaleLinear, scaleLog, select, type ScaleContinuousNumeric } from 'd3';
import type { SweepOf, SweepResult } from '../../src/protocol/webview';
import { el } from '../dom';
import { table, type Cell } from '../panels/table';
import type { Theme } from '../theme';
import { changeText, secondsText } from '../units';
import { quantityText } from './clusterDraft';

export type Swept = Extract<SweepResult, { kind: 'swept' }>;
type Point = Swept['points'][number];

const WIDTH = 520;
const HEIGHT = 230;
const MARGIN = { top: 26, right: 16, bottom: 26, left: 62 } as const;

export function valueText(of: SweepOf['of'], value: number): string {
  return of === 'bandwidth' ? quantityText(value, 'bandwidth') : `${value} ×`;
}

/** Latency against what was swept, with the best single device and the point from which splitting pays. */
export function sweepChart(swept: Swept, of: SweepOf['of'], theme: Theme): HTMLElement {
  const { points, splittingPaysFrom } = swept;
  const svg = select(document.createElementNS('http://www.w3.org/2000/svg', 'svg'))
    .attr('viewBox', `0 0 ${WIDTH} ${HEIGHT}`)
    .attr('class', 'sweep-chart')
    .attr('role', 'img')
    .attr('aria-label', sentence(swept, of));
  const ends = [points[0].value, points[points.length - 1].value] as const;
  const across = [MARGIN.left, WIDTH - MARGIN.right] as const;
  const x = of === 'bandwidth' ? scaleLog(ends, across) : scaleLinear([0, ends[1]], across);
  const most = Math.max(
    ...points.flatMap(({ seconds, singleSeconds }) => [seconds ?? 0, singleSeconds ?? 0]),
  );
  const y = scaleLinear([0, most * 1.08 || 1], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const text = (at: number, height: number, anchor: string, color: string, what: string): void =>
    void svg
      .append('text')
      .attr('x', at)
      .attr('y', height)
      .attr('text-anchor', anchor)
      .attr('fill', color)
      .text(what);
  for (const value of y.ticks(4)) {
    svg
      .append('line')
      .attr('x1', across[0])
      .attr('x2', across[1])
      .attr('y1', y(value))
      .attr('y2', y(value))
      .attr('stroke', theme.border)
      .attr('stroke-opacity', 0.6);
    text(across[0] - 8, y(value) + 4, 'end', theme.dim, secondsText(value));
  }
  let last = -Infinity;
  for (const { value } of points) {
    if (x(value) - last < 74) continue;
    last = x(value);
    const anchor = last > across[1] - 30 ? 'end' : last < across[0] + 30 ? 'start' : 'middle';
    text(last, HEIGHT - 8, anchor, theme.dim, valueText(of, value));
  }
  if (splittingPaysFrom !== null) {
    const at = x(splittingPaysFrom);
    svg
      .append('line')
      .attr('x1', at)
      .attr('x2', at)
      .attr('y1', MARGIN.top - 4)
      .attr('y2', HEIGHT - MARGIN.bottom)
      .attr('stroke', theme.green)
      .attr('stroke-dasharray', '4 3');
    const isRight = at > WIDTH * 0.6;
    const label = `splitting pays from ${valueText(of, splittingPaysFrom)}`;
    text(isRight ? at - 6 : at + 6, 14, isRight ? 'end' : 'start', theme.green, label);
  }
  const draw = (value: (point: Point) => number | null, color: string, dashes: string): void => {
    const known = points.filter((point) => value(point) !== null);
    svg
      .append('path')
      .attr(
        'd',
        pathOf(known, x, (point) => y(value(point)!)),
      )
      .attr('fill', 'none')
      .attr('stroke', color)
      .attr('stroke-width', 2)
      .attr('stroke-dasharray', dashes);
    for (const point of known)
      svg
        .append('circle')
        .attr('cx', x(point.value))
        .attr('cy', y(value(point)!))
        .attr('r', 3.5)
        .attr('fill', color);
  };
  draw(({ singleSeconds }) => singleSeconds, theme.dim, '5 4');
  draw(({ seconds }) => seconds, theme.blue, '');
  const key = (color: string, what: string): HTMLElement =>
    el('span', { className: 'swatch' }, el('i', { style: { background: color } }), what);
  return el(
    'figure',
    { className: 'sweep' },
    el('figcaption', {}, key(theme.blue, 'best plan found'), key(theme.dim, 'best single device')),
    svg.node()!,
    el('p', {}, sentence(swept, of)),
    table(
      points.map((point) => rowOf(point, of)),
      [of, 'latency', 'best single device', 'change'],
    ),
  );
}

function pathOf(
  points: readonly Point[],
  x: ScaleContinuousNumeric<number, number>,
  y: (point: Point) => number,
): string {
  return line<Point>(({ value }) => x(value), y)(points) ?? '';
}

function rowOf({ value, seconds, singleSeconds }: Point, of: SweepOf['of']): Cell[] {
  const fits = (at: number | null): Cell => ({ number: at === null ? 'does not fit' : secondsText(at) });
  const change = seconds === null || singleSeconds === null ? '' : changeText(seconds, singleSeconds);
  return [valueText(of, value), fits(seconds), fits(singleSeconds), { number: change }];
}

export function sentence({ points, splittingPaysFrom, leastGain }: Swept, of: SweepOf['of']): string {
  const gain = `at least ${leastGain * 100} % faster than the best single device`;
  if (splittingPaysFrom === null) return `Splitting pays at none of these values: nowhere is it ${gain}.`;
  const where = splittingPaysFrom === points[0].value ? 'at all of these values, from' : 'from';
  return `Splitting pays ${where} ${valueText(of, splittingPaysFrom)} on: there it is ${gain}.`;
}
