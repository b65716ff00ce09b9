import type { OrderMemory, ViewGraph } from '../../src/protocol/webview';
import type { LifetimeBox } from './boxes';

export const LIFETIME_MODES = ['map', 'area', 'gantt', 'devices'] as const;
export type LifetimeMode = (typeof LIFETIME_MODES)[number];

/** A rectangle to draw: steps or seconds across (half-open), `[low, high)` in bytes (map, area) or rows (gantt). */
export interface Tile {
  readonly box: number;
  readonly from: number;
  readonly to: number;
  readonly low: number;
  readonly high: number;
}

/** What to draw in a mode; `most` is the top of the vertical axis. Devices' regions have no addresses: stacked. */
export function tilesOf(boxes: readonly LifetimeBox[], mode: LifetimeMode): { tiles: Tile[]; most: number } {
  if (mode === 'area' || mode === 'devices') return stacked(boxes);
  if (mode === 'gantt') return rows(boxes);
  let most = 0;
  const tiles = boxes.map((box, i) => {
    const high = box.offset + box.bytes;
    most = Math.max(most, high);
    return { box: i, from: box.from, to: box.to, low: box.offset, high };
  });
  return { tiles, most };
}

/** Each storage on the sum of the older ones that live at the same step: the outline is live memory. */
function stacked(boxes: readonly LifetimeBox[]): { tiles: Tile[]; most: number } {
  const events: { at: number; box: number; begin: boolean }[] = [];
  boxes.forEach((box, i) => {
    events.push({ at: box.from, box: i, begin: true }, { at: box.to, box: i, begin: false });
  });
  events.sort((a, b) => a.at - b.at || Number(a.begin) - Number(b.begin));
  const tiles: Tile[] = [];
  let alive: { box: number; since: number; low: number }[] = [];
  let most = 0;
  for (let e = 0; e < events.length;) {
    const { at } = events[e];
    const ended = new Set<number>();
    const begun: number[] = [];
    for (; e < events.length && events[e].at === at; e++) {
      if (events[e].begin) begun.push(events[e].box);
      else ended.add(events[e].box);
    }
    const next: typeof alive = [];
    let low = 0;
    for (const entry of alive) {
      const { bytes } = boxes[entry.box];
      const moved = ended.has(entry.box) || entry.low !== low;
      if (moved && at > entry.since) {
        tiles.push({ box: entry.box, from: entry.since, to: at, low: entry.low, high: entry.low + bytes });
      }
      if (ended.has(entry.box)) continue;
      next.push(moved ? { box: entry.box, since: at, low } : entry);
      low += bytes;
    }
    for (const box of begun) {
      next.push({ box, since: at, low });
      low += boxes[box].bytes;
    }
    most = Math.max(most, low);
    alive = next;
  }
  return { tiles, most };
}

/** One row per storage, in the order in which they are born. */
function rows(boxes: readonly LifetimeBox[]): { tiles: Tile[]; most: number } {
  const order = boxes.map((_, i) => i).sort((a, b) => boxes[a].from - boxes[b].from || a - b);
  const tiles = order.map((box, row) => ({
    ...{ box, from: boxes[box].from, to: boxes[box].to },
    ...{ low: boxes.length - row - 0.9, high: boxes.length - row - 0.1 },
  }));
  return { tiles, most: boxes.length };
}

/** Storages alive at a step or moment, the largest first. */
export function aliveAt(boxes: readonly LifetimeBox[], at: number): LifetimeBox[] {
  return boxes.filter((box) => box.from <= at && at < box.to).sort((a, b) => b.bytes - a.bytes);
}

/** Tensors whose storage is made at a step, read for the last time there, and how many storages are alive. */
export function livesAt(
  { tensors: { storages } }: ViewGraph,
  { firstStep, lastStep }: OrderMemory,
  step: number,
): { readonly born: readonly number[]; readonly dying: readonly number[]; readonly alive: number } {
  const seen = new Set<number>();
  const born: number[] = [];
  const dying: number[] = [];
  storages.forEach((storage, tensor) => {
    if (storage < 0 || firstStep[tensor] > step || lastStep[tensor] < step || seen.has(storage)) return;
    if (firstStep[tensor] < 0) return;
    seen.add(storage);
    if (firstStep[tensor] === step) born.push(tensor);
    if (lastStep[tensor] === step) dying.push(tensor);
  });
  return { born, dying, alive: seen.size };
}
