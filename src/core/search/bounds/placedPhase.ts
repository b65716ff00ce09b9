/**
 * Least length of a message phase between two splits along the same axis whose lengths are given: with the devices in
 * any order along the axis, at the maker and at the reader, and the units that are computed twice at any of the cuts.
 * Then every shard has its place, and what each device lacks, and who alone holds it, are known. That is more than
 * lengths alone say (`phase.ts`): a device between two others receives a halo from either side.
 */
import type { Bytes, Nanoseconds } from '../../graph/units';
import { waysToShare } from '../waysToShare';
import type { Spans } from './lengthTables';
import type { PhaseLinks } from './phaseLinks';

/** More devices have too many orders along the axis, and more units too many cuts to lie at. */
const MOST_PLACED = 4;
const MOST_EXCESS = 3;

/** What is known of a split whose shards can only lie at few places. */
export interface Places {
  readonly spans: Spans;
  /** Units per device. */
  readonly lengths: Int32Array;
  /**
   * Units that are computed twice; no more than any device computes. So a shard lies within another at an end of it at
   * the most: otherwise what lies beside it within the other would be a third's, and computed twice as well.
   */
  readonly excess: number;
  /** Bits of `overlapsOf`: at which cuts they lie. */
  readonly overlaps: number;
}

export function placesOf(
  spans: Spans | undefined,
  lengths: Int32Array,
  excess: number,
  overlaps: number,
): Places | undefined {
  if (spans === undefined || lengths.length > MOST_PLACED || excess > MOST_EXCESS) return undefined;
  return lengths.every((n) => n === 0 || n >= excess) ? { spans, lengths, excess, overlaps } : undefined;
}

/** In how many ways the units that are computed twice can lie at the cuts. */
export function overlapsOf({ lengths, excess }: Places): number {
  let count = 0;
  for (const n of lengths) if (n > 0) count++;
  return OVERLAPS[count][excess].length;
}

/** One side of a phase: where the shards lie, order by order. */
class Side {
  orders: readonly Int32Array[] = [];
  overlaps: readonly Int32Array[] = [];
  /** `[start, end)` along the tensor's axis per device, empty for one that takes no part; of a maker what it alone has. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly ownStart: Float64Array;
  readonly ownEnd: Float64Array;
  private places!: Places;

  constructor(devices: number) {
    [this.start, this.end, this.ownStart, this.ownEnd] = [0, 1, 2, 3].map(() => new Float64Array(devices));
  }

  set(places: Places): void {
    this.places = places;
    let active = 0;
    let count = 0;
    places.lengths.forEach((n, d) => {
      if (n === 0) return;
      active |= 1 << d;
      count++;
    });
    this.orders = ORDERS[active];
    this.overlaps = someOverlaps(count, places);
  }

  /** Takes the devices' places. @param overlap units that each device in the order shares with the one before it */
  place(order: Int32Array, overlap: Int32Array): void {
    const { lengths, spans } = this.places;
    const { start, end, ownStart, ownEnd } = this;
    start.fill(0);
    end.fill(0);
    ownStart.fill(0);
    ownEnd.fill(0);
    let unit = 0;
    for (let k = 0; k < order.length; k++) {
      const d = order[k];
      const first = unit - overlap[k];
      const last = first + lengths[d];
      start[d] = spans.from[first];
      end[d] = spans.to[last - 1];
      unit = last;
      const firstOwn = first + overlap[k];
      const lastOwn = last - (k + 1 < order.length ? overlap[k + 1] : 0);
      if (firstOwn >= lastOwn) continue;
      ownStart[d] = spans.from[firstOwn];
      ownEnd[d] = spans.to[lastOwn - 1];
    }
  }
}

export const ALL_OVERLAPS = -1;

const DEVICES = Array.from({ length: MOST_PLACED }, (_, d) => d);
/** By the devices that take part, as bits. */
const ORDERS: readonly (readonly Int32Array[])[] = Array.from({ length: 1 << MOST_PLACED }, (_, active) =>
  ordersOf(DEVICES.filter((d) => (active & (1 << d)) !== 0)).map((order) => Int32Array.from(order)),
);

/** By the number of devices and the excess. */
const OVERLAPS: readonly (readonly (readonly Int32Array[])[])[] = Array.from(
  { length: MOST_PLACED + 1 },
  (_, count) =>
    Array.from({ length: MOST_EXCESS + 1 }, (_, excess) =>
      [...waysToShare(excess, Math.max(0, count - 1))].map((shares) => Int32Array.from([0, ...shares])),
    ),
);

/** By the number of devices, the excess and the bits of those that are possible. */
const SOME_OVERLAPS = new Map<number, readonly Int32Array[]>();
/** As many as there are ways in which units can lie at the cuts. */
const MOST_OVERLAPS = 10;

function someOverlaps(count: number, { excess, overlaps }: Places): readonly Int32Array[] {
  const all = OVERLAPS[count][excess];
  if (overlaps === ALL_OVERLAPS) return all;
  const key = ((count * (MOST_EXCESS + 1) + excess) << MOST_OVERLAPS) | overlaps;
  let some = SOME_OVERLAPS.get(key);
  if (some === undefined) {
    some = all.filter((_, way) => (overlaps & (1 << way)) !== 0);
    SOME_OVERLAPS.set(key, some);
  }
  return some;
}

function ordersOf(devices: readonly number[]): number[][] {
  if (devices.length < 2) return [[...devices]];
  return devices.flatMap((first) =>
    ordersOf(devices.filter((d) => d !== first)).map((rest) => [first, ...rest]),
  );
}

/** Phases with the same devices in the same order at the maker and at the reader, and otherwise. */
export interface ByOrder {
  readonly kept: Nanoseconds;
  readonly reordered: Nanoseconds;
}

export class PlacedPhase {
  private readonly up: Float64Array;
  private readonly make: Side;
  private readonly read: Side;
  private isRelayed = false;
  private bytes = 0;

  constructor(private readonly links: PhaseLinks) {
    this.up = new Float64Array(links.devices);
    this.make = new Side(links.devices);
    this.read = new Side(links.devices);
  }

  /**
   * Of one phase, or where the storage is relayed of all phases on its way.
   * @param elementBytes that have to arrive for an element that is lacked
   * @param least as long it is in any case: less need not be looked for
   * @param reordered the same where the devices' order is another
   */
  least(
    made: Places,
    needed: Places,
    elementBytes: Bytes,
    isRelayed: boolean,
    { least, reordered }: { readonly least: Nanoseconds; readonly reordered: Nanoseconds },
  ): Nanoseconds {
    this.set(made, needed, elementBytes, isRelayed);
    // Seldom far from the best.
    const kept = this.inSameOrder(least);
    const floor = Math.max(least, reordered);
    return kept <= floor ? kept : this.inOtherOrder(floor, kept);
  }

  /** The same by the devices' order; infinite where that cannot be. */
  leastByOrder(
    made: Places,
    needed: Places,
    elementBytes: Bytes,
    isRelayed: boolean,
    floor: Nanoseconds,
  ): ByOrder {
    this.set(made, needed, elementBytes, isRelayed);
    return { kept: this.inSameOrder(floor), reordered: this.inOtherOrder(floor, Infinity) };
  }

  private inSameOrder(floor: Nanoseconds): Nanoseconds {
    const { make, read } = this;
    let best = Infinity;
    if (make.orders !== read.orders) return best;
    for (const order of make.orders) {
      best = this.leastOf(order, order, best, floor);
      if (best <= floor) return floor;
    }
    return best;
  }

  /** @param known less is looked for only */
  private inOtherOrder(floor: Nanoseconds, known: Nanoseconds): Nanoseconds {
    const { make, read } = this;
    let best = known;
    for (const before of make.orders) {
      for (const after of read.orders) {
        if (before === after) continue;
        best = this.leastOf(before, after, best, floor);
        if (best <= floor) return floor;
      }
    }
    return best;
  }

  private set(made: Places, needed: Places, elementBytes: Bytes, isRelayed: boolean): void {
    this.bytes = made.spans.slab * elementBytes;
    this.isRelayed = isRelayed;
    this.make.set(made);
    this.read.set(needed);
  }

  private leastOf(
    before: Int32Array,
    after: Int32Array,
    known: Nanoseconds,
    floor: Nanoseconds,
  ): Nanoseconds {
    const { make, read } = this;
    let best = known;
    for (const overlap of make.overlaps) {
      make.place(before, overlap);
      for (const other of read.overlaps) {
        read.place(after, other);
        best = this.phase(best);
        if (best <= floor) return best;
      }
    }
    return best;
  }

  /** At the places of now; `limit` where it is not below that. */
  private phase(limit: Nanoseconds): Nanoseconds {
    const once = this.atOnce(limit);
    if (!this.isRelayed || once <= 2 * this.links.leastLatency) return once;
    return Math.min(once, this.inTurn());
  }

  private atOnce(limit: Nanoseconds): Nanoseconds {
    const { devices, isShared, pairLatency, pairNsPerByte, leastLatency, leastNsPerByte } = this.links;
    const { up, bytes, make, read } = this;
    up.fill(0);
    let longest = 0;
    let sum = 0;
    for (let to = 0; to < devices; to++) {
      let missing = this.missing(to);
      if (missing === 0) continue;
      let down = 0;
      for (let from = 0; from < devices; from++) {
        if (from === to) continue;
        const places =
          Math.min(read.end[to], make.ownEnd[from]) - Math.max(read.start[to], make.ownStart[from]);
        if (places <= 0) continue;
        const pair = from * devices + to;
        const ns = pairLatency[pair] + places * bytes * pairNsPerByte[pair];
        missing -= places;
        down += ns;
        up[from] += ns;
        if (up[from] > longest) longest = up[from];
      }
      if (down === 0) down = leastLatency;
      // Of what several hold.
      down += missing * bytes * leastNsPerByte;
      sum += down;
      if (down > longest) longest = down;
      if ((isShared ? sum : longest) >= limit) return limit;
    }
    return isShared ? sum : longest;
  }

  /** In two phases or more, one after the other: what a device lacks arrives in any of them. */
  private inTurn(): Nanoseconds {
    const { devices, isShared, leastLatency, leastNsPerByte } = this.links;
    let most = 0;
    let sum = 0;
    for (let d = 0; d < devices; d++) {
      const places = this.missing(d);
      sum += places;
      if (places > most) most = places;
    }
    return 2 * leastLatency + (isShared ? sum : most) * this.bytes * leastNsPerByte;
  }

  /** Places along the tensor's axis that a device needs and does not hold. */
  private missing(d: number): number {
    const { make, read } = this;
    const start = read.start[d];
    const end = read.end[d];
    if (end <= start) return 0;
    return end - start - Math.max(0, Math.min(end, make.end[d]) - Math.max(start, make.start[d]));
  }
}
