import type { PlanIndex } from '../plan/planIndex';
import { bytesText, secondsText } from '../units';
import type { LifetimeBox } from './boxes';
import type { LifetimeContent, LifetimeLane } from './content';
import { laneY, MARGIN, placesOf, type LanePlace } from './places';

export interface SvgOptions {
  /** Colours of the theme that is in force. */
  readonly theme: {
    readonly background: string;
    readonly foreground: string;
    readonly dim: string;
    readonly error: string;
  };
  readonly fill: (box: LifetimeBox) => string;
  /** Of what is held throughout. */
  readonly baseFill: string;
  readonly names: readonly string[];
  readonly plan: PlanIndex | null;
}

const WIDTH = 1200;
const LANE_HEIGHT = 190;
const SINGLE_HEIGHT = 620;
/** Thinner rectangles are left out: they could not be seen. */
const LEAST = 0.2;

/** The whole picture as a drawing that scales; every rectangle says its tensor, size and life. */
export function pictureSvg(content: LifetimeContent, options: SvgOptions): string {
  const { lanes } = content;
  const { theme, plan } = options;
  const height = lanes.length > 1 ? lanes.length * LANE_HEIGHT : SINGLE_HEIGHT;
  const places = placesOf(lanes.length, height);
  const parts = lanes.flatMap((lane, i) => [
    ...(lane.device === -1
      ? []
      : [label(MARGIN.left, places[i].top - 6, plan!.deviceNames[lane.device], theme.foreground)]),
    label(MARGIN.left - 8, places[i].top + 8, bytesText(lane.most), theme.dim, 'end'),
    laneSvg(content, lane, places[i], options),
  ]);
  const end = content.axis === 'steps' ? `step ${content.length}` : secondsText(content.length);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="${theme.background}"/>`,
    ...parts,
    label(MARGIN.left, height - 8, content.axis === 'steps' ? 'step 0' : '0 s', theme.dim),
    label(WIDTH - MARGIN.right, height - 8, end, theme.dim, 'end'),
    '</svg>\n',
  ].join('\n');
}

function laneSvg(
  { axis, length }: LifetimeContent,
  lane: LifetimeLane,
  place: LanePlace,
  { theme, fill, baseFill, names }: SvgOptions,
): string {
  const x = (at: number): number => MARGIN.left + (at / length) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number => laneY(lane, place, value);
  const out: string[] = [];
  if (lane.base > 0) {
    out.push(rectangle(x(0), y(lane.base), x(length), y(0), baseFill, `weights and runtime ${lane.base} B`));
  }
  for (const tile of lane.tiles) {
    const box = lane.boxes[tile.box];
    const [x0, x1] = [x(tile.from), x(tile.to)];
    const [y0, y1] = [y(lane.base + tile.high), y(lane.base + tile.low)];
    if (x1 - x0 < LEAST || y1 - y0 < LEAST) continue;
    const life =
      axis === 'steps'
        ? `steps ${box.from} to ${box.to - 1}`
        : `${secondsText(box.from)} to ${secondsText(box.to)}`;
    const title = `${names[box.tensor] ?? 'body of an operator'}, ${bytesText(box.bytes)}, ${life}`;
    out.push(rectangle(x0, y0, x1, y1, fill(box), title));
  }
  if (lane.limit !== null && lane.limit <= lane.most) {
    const at = y(lane.limit).toFixed(1);
    out.push(
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}" stroke="${theme.error}" stroke-dasharray="5 3"/>`,
    );
  }
  return out.join('\n');
}

function rectangle(x0: number, y0: number, x1: number, y1: number, fill: string, title: string): string {
  const box = `x="${x0.toFixed(2)}" y="${y0.toFixed(2)}" width="${(x1 - x0).toFixed(2)}" height="${(y1 - y0).toFixed(2)}"`;
  return `<rect ${box} fill="${fill}"><title>${escaped(title)}</title></rect>`;
}

function label(x: number, y: number, text: string, color: string, anchor = 'start'): string {
  return `<text x="${x}" y="${y.toFixed(1)}" fill="${color}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
