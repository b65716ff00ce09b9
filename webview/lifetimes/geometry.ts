import type { LifetimeBox } from './boxes';

export const LIFETIME_MODES = ['map', 'area', 'gantt'] as const;
export type LifetimeMode = (typeof LIFETIME_MODES)[number];

/** A rectangle to draw: steps across (half-open), `[low, high)` in bytes (map, area) or rows (gantt). */
export interface Tile {
  readonly box: number;
  readonly from: number;
  readonly to: number;
  readonly low: number;
  readonly high: number;
}

/** What to draw in a mode; `most` is the top of the vertical axis. */
export function tilesOf(boxes: readonly LifetimeBox[], mode: LifetimeMode): { tiles: Tile[]; most: number } {
  if (mode === 'area') return stacked(boxes);
  if (mode === 'gantt') return rows(boxes);
  let most = 0;
  const tiles = boxes.map((box, i) => {
    const high = box.offset + box.bytes;
    most = Math.max(most, high);
    return { box: i, from: box.firstStep, to: box.endStep, low: box.offset, high };
  });
  return { tiles, most };
}

/** Each storage on the sum of the older ones that live at the same step: the outline is live memory. */
function stacked(boxes: readonly LifetimeBox[]): { tiles: Tile[]; most: number } {
  const events: { step: number; box: number; begin: boolean }[] = [];
  boxes.forEach((box, i) => {
    events.push({ step: box.firstStep, box: i, begin: true }, { step: box.endStep, box: i, begin: false });
  });
  events.sort((a, b) => a.step - b.step || Number(a.begin) - Number(b.begin));
  const tiles: Tile[] = [];
  let alive: { box: number; since: number; low: number }[] = [];
  let most = 0;
  for (let e = 0; e < events.length;) {
    const { step } = events[e];
    const ended = new Set<number>();
    const begun: number[] = [];
    for (; e < events.length && events[e].step === step; e++) {
      if (events[e].begin) begun.push(events[e].box);
      else ended.add(events[e].box);
    }
    const next: typeof alive = [];
    let low = 0;
    for (const entry of alive) {
      const { bytes } = boxes[entry.box];
      const moved = ended.has(entry.box) || entry.low !== low;
      if (moved && step > entry.since) {
        tiles.push({ box: entry.box, from: entry.since, to: step, low: entry.low, high: entry.low + bytes });
      }
      if (ended.has(entry.box)) continue;
      next.push(moved ? { box: entry.box, since: step, low } : entry);
      low += bytes;
    }
    for (const box of begun) {
      next.push({ box, since: step, low });
      low += boxes[box].bytes;
    }
    most = Math.max(most, low);
    alive = next;
  }
  return { tiles, most };
}

/** One row per storage, in the order in which they are born. */
function rows(boxes: readonly LifetimeBox[]): { tiles: Tile[]; most: number } {
  const order = boxes.map((_, i) => i).sort((a, b) => boxes[a].firstStep - boxes[b].firstStep || a - b);
  const tiles = order.map((box, row) => ({
    ...{ box, from: boxes[box].firstStep, to: boxes[box].endStep },
    ...{ low: boxes.length - row - 0.9, high: boxes.length - row - 0.1 },
  }));
  return { tiles, most: boxes.length };
}

/** Storages alive at a step, the largest first. */
export function aliveAt(boxes: readonly LifetimeBox[], step: number): LifetimeBox[] {
  return boxes.filter((box) => box.firstStep <= step && step < box.endStep).sort((a, b) => b.bytes - a.bytes);
}
