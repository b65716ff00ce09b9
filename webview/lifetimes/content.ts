import type { DeviceHoldings, OrderMemory, ViewGraph } from '../../src/protocol/webview';
import type { PlanIndex } from '../plan/planIndex';
import { boxesOfDevice, boxesOfModel, boxesOfPlan, boxesOfWeights, type LifetimeBox } from './boxes';
import { tilesOf, type LifetimeMode, type Tile } from './geometry';

export const KINDS = ['activations', 'weights', 'both'] as const;
export type Kind = (typeof KINDS)[number];

/** What the filters above the picture say. */
export interface LifetimeFilter {
  readonly mode: LifetimeMode;
  readonly kind: Kind;
  /** Least share of the peak that a storage must have to be shown. */
  readonly leastShare: number;
  /** Only what is alive at this step, where one is given. */
  readonly aliveAt: number | null;
  /** Only what this device holds, where one is given. */
  readonly device: number | null;
}

/** One lane of the picture: everything on one device, or a single lane for the whole order. */
export interface LifetimeLane {
  /** Device of the plan, -1 for the whole order. */
  readonly device: number;
  readonly boxes: readonly LifetimeBox[];
  /** `low` and `high` without `base`. */
  readonly tiles: readonly Tile[];
  /** Bytes below the boxes that are held throughout: weights and the runtime's own. */
  readonly base: number;
  /** Top of the vertical axis: bytes, or rows. */
  readonly most: number;
  /** The device's memory; `null`: no limit is known. */
  readonly limit: number | null;
}

export interface LifetimeContent {
  readonly axis: 'steps' | 'seconds';
  /** Steps, or seconds, of the whole axis. */
  readonly length: number;
  readonly lanes: readonly LifetimeLane[];
  /** Storages or regions before the filters. */
  readonly count: number;
}

export interface LifetimeSource {
  readonly graph: ViewGraph;
  readonly memory: OrderMemory;
  readonly plan: PlanIndex | null;
  /** Per device of the plan; `null` while nobody has asked, or without a plan. */
  readonly holdings: readonly DeviceHoldings[] | null;
}

/** What there is to draw. Pure: the same source and filter, the same rectangles. */
export function contentOf(source: LifetimeSource, filter: LifetimeFilter): LifetimeContent {
  return filter.mode === 'devices' ? deviceContent(source, filter) : orderContent(source, filter);
}

function orderContent(source: LifetimeSource, filter: LifetimeFilter): LifetimeContent {
  const { graph, memory, plan } = source;
  const steps = memory.liveBytes.length;
  const weights = filter.kind === 'activations' ? [] : boxesOfWeights(graph, steps);
  const activations =
    filter.kind === 'weights'
      ? []
      : plan === null
        ? boxesOfModel(graph, memory)
        : boxesOfPlan(plan, graph, filter.device);
  const below = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  const all = [...weights, ...activations.map((box) => ({ ...box, offset: box.offset + below }))];
  const kept = all.filter(keep(source, filter, memory.peakBytes));
  const { tiles, most } = tilesOf(kept, filter.mode);
  const whole = filter.kind === 'weights' ? below : memory.peakBytes + below;
  const top = Math.max(most, filter.mode === 'gantt' ? 1 : whole);
  return {
    ...{ axis: 'steps', length: steps, count: all.length },
    lanes: [{ device: -1, boxes: kept, tiles, base: 0, most: top || 1, limit: null }],
  };
}

function keep(
  { holdings }: LifetimeSource,
  { leastShare, aliveAt, device }: LifetimeFilter,
  peak: number,
): (box: LifetimeBox) => boolean {
  const held = device === null || holdings === null ? null : new Set(holdings[device]?.storages);
  return (box) =>
    box.bytes >= leastShare * peak &&
    (aliveAt === null || (box.from <= aliveAt && aliveAt < box.to)) &&
    (held === null || box.storage === -1 || held.has(box.storage));
}

function deviceContent({ graph, plan, holdings }: LifetimeSource, filter: LifetimeFilter): LifetimeContent {
  const seconds = plan?.plan.latency.seconds ?? 0;
  const shown = (holdings ?? []).map((_, device) => device);
  const span = filter.aliveAt === null ? null : plan!.spanOf(filter.aliveAt, filter.aliveAt + 1);
  let count = 0;
  const lanes = shown
    .filter((device) => filter.device === null || filter.device === device)
    .map((device) => {
      const mine = holdings![device];
      const constant = mine.baseBytes + mine.weightBytes;
      const all = filter.kind === 'weights' ? [] : boxesOfDevice(mine, graph);
      count += all.length;
      const { peakBytes, limitBytes } = plan!.plan.devices[device];
      const boxes = all.filter(
        ({ bytes, from, to }) =>
          bytes >= filter.leastShare * peakBytes && (span === null || (from < span.to && span.from < to)),
      );
      const { tiles } = tilesOf(boxes, 'devices');
      const base = filter.kind === 'activations' ? 0 : constant;
      const limit = limitBytes - (filter.kind === 'activations' ? constant : 0);
      const most = peakBytes - (filter.kind === 'activations' ? constant : 0);
      return { ...{ device, boxes, tiles, base, limit }, most: topOf(most, limit) };
    });
  return { axis: 'seconds', length: seconds || 1, lanes, count };
}

/** The limit belongs into the picture unless it would press what there is to the ground. */
const HIGHEST_LIMIT = 4;

function topOf(most: number, limit: number): number {
  return Math.max(most, limit < most * HIGHEST_LIMIT ? limit * 1.04 : most) || 1;
}

/** Where a device holds the most, and how much of its memory that is. */
export interface LanePeak {
  readonly lane: LifetimeLane;
  /** Step or second. */
  readonly at: number;
  readonly bytes: number;
}

export function peakOf(lane: LifetimeLane): LanePeak {
  const top = lane.tiles.reduce<Tile | null>(
    (most, tile) => (most === null || tile.high > most.high ? tile : most),
    null,
  );
  return { lane, at: top?.from ?? 0, bytes: lane.base + (top?.high ?? 0) };
}

/** The lane that is nearest to its limit, at its peak. */
export function tightest(lanes: readonly LifetimeLane[]): LanePeak | null {
  const share = ({ lane, bytes }: LanePeak): number => bytes / (lane.limit ?? lane.most);
  return lanes
    .map(peakOf)
    .reduce<LanePeak | null>(
      (most, peak) => (most === null || share(peak) > share(most) ? peak : most),
      null,
    );
}
