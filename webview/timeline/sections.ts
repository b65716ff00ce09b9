import type { ViewGraph } from '../../src/protocol/webview';
import type { PlanIndex } from '../plan/planIndex';
import { criticalPath } from './criticalPath';
import { lanesOf, type Lane } from './lanes';

/** A plan's timeline in one latency model, with the figures that are compared. */
export interface Section {
  readonly plan: PlanIndex;
  readonly lanes: readonly Lane[];
  /** Positions in `plan.timeline`. */
  readonly critical: ReadonlySet<number>;
  readonly seconds: number;
  /** Seconds of the critical path spent in messages. */
  readonly criticalTransfer: number;
  /** Mean over the devices of the fraction of the latency in which they do not compute. */
  readonly waiting: number;
  readonly movedBytes: number;
}

export function sectionOf(plan: PlanIndex, { tensors, operators }: ViewGraph): Section {
  const producer = new Map(
    tensors.names.map((name, t) => [name, operators.nodes[tensors.producers[t]] ?? -1]),
  );
  const { timeline, latency } = plan.plan;
  const lanes = lanesOf(plan);
  const critical = criticalPath(plan, (tensor) => producer.get(tensor) ?? -1);
  const devices = lanes.filter(({ kind }) => kind === 'device');
  const busy = devices.reduce((sum, lane) => sum + lane.busy, 0);
  const sum = (of: (event: (typeof timeline)[number], i: number) => number): number =>
    timeline.reduce((total, event, i) => total + of(event, i), 0);
  return {
    ...{ plan, lanes, critical, seconds: latency.seconds },
    criticalTransfer: sum((event, i) =>
      event.kind === 'transfer' && critical.has(i) ? event.end - event.start : 0,
    ),
    waiting: latency.seconds === 0 ? 0 : 1 - busy / devices.length / latency.seconds,
    movedBytes: sum((event) => (event.kind === 'transfer' ? event.bytes : 0)),
  };
}

/** Where a lane stands; `memoryHeight` is 0 where it has no memory below it. */
export interface Row {
  readonly section: number;
  readonly lane: Lane;
  readonly y: number;
  readonly height: number;
  readonly memoryY: number;
  readonly memoryHeight: number;
}

/** Where a section's title stands, and how far its lanes reach. */
export interface Band {
  readonly titleY: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Arrangement {
  readonly rows: readonly Row[];
  readonly bands: readonly Band[];
  /** Below this height something would be cut off. */
  readonly leastHeight: number;
}

const MOST = { device: 34, memory: 46, link: 20 } as const;
const LEAST = { device: 16, memory: 18, link: 11 } as const;
const GAP = 8;
const LEAST_GAP = 3;
const TITLE = 24;

/** Sections one below the other; lanes share the height between `top` and `bottom` and shrink to a least size. */
export function arrange(sections: readonly Section[], top: number, bottom: number): Arrangement {
  const titles = sections.length > 1 ? TITLE : 0;
  const total = (sizes: Record<keyof typeof MOST, number>, gap: number): number =>
    sections.reduce(
      (sum, { lanes }) =>
        lanes.reduce(
          (part, { kind }) => part + gap + sizes[kind] + (kind === 'device' ? sizes.memory : 0),
          sum + titles,
        ),
      0,
    );
  const least = total(LEAST, LEAST_GAP);
  const most = total(MOST, GAP);
  const share = most === least ? 1 : Math.min(1, Math.max(0, (bottom - top - least) / (most - least)));
  const between = (a: number, b: number): number => a + (b - a) * share;
  const size = (kind: keyof typeof MOST): number => Math.floor(between(LEAST[kind], MOST[kind]));
  const rows: Row[] = [];
  const bands: Band[] = [];
  let y = top;
  sections.forEach(({ lanes }, section) => {
    const titleY = y;
    y += titles;
    const first = y;
    for (const lane of lanes) {
      const height = size(lane.kind);
      const memoryHeight = lane.kind === 'device' ? size('memory') : 0;
      rows.push({ section, lane, y, height, memoryY: y + height + 1, memoryHeight });
      y += height + memoryHeight + between(LEAST_GAP, GAP);
    }
    bands.push({ titleY, top: first, bottom: y });
  });
  return { rows, bands, leastHeight: top + least };
}
