/**
 * Boxes of lengths: an operator's option and, per device, the least and the most units of the axis that it
 * computes. A box stands for every partition with such lengths, in any order of the devices along the axis.
 * Lengths count what is computed: where halos are recomputed they sum to the axis and an *excess*, which is
 * bounded as well, because without it the halos of a split must be sent whatever the lengths are.
 */
import { NONE, type Bytes, type Nanoseconds } from '../../graph/units';
import { leastSlowest, unitsWithin } from './leastSlowest';
import type { NeedTable, PlaceTable, Spans } from './lengthTables';
import type { Option } from './options';
import { MOST_DEVICES_BY_SET } from './phaseLinks';
import { ALL_OVERLAPS, overlapsOf, placesOf, type Places } from './placedPhase';
import type { BoundScene } from './scene';

export interface LengthBox {
  readonly option: number;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** Least and most units that are computed more than once. */
  readonly excessLo: number;
  readonly excessHi: number;
  /** Of a point: where what is computed more than once may lie, as of `Places`. */
  readonly overlaps: number;
  /** The slowest shard takes at least and at most so long. */
  readonly timeLo: Nanoseconds;
  readonly timeHi: Nanoseconds;
}

/** What a reader needs at least, per device. */
export interface ReadFacts {
  readonly atEnd: Float64Array;
  readonly inside: Float64Array;
  /** `atEnd` of the longest lengths. */
  readonly atEndMost: Float64Array;
  /** Needed at most. */
  readonly most: Float64Array;
  readonly axis: number;
  /** Of all devices together, as often as it is needed. */
  readonly total: number;
  /** The same, once. */
  readonly together: number;
  /** Devices that take part at least, as bits, and how many may. */
  readonly active: number;
  readonly receivers: number;
  /** Devices that may touch an end of the axis: two, and those whose lengths the excess has room for beside them. */
  readonly ends: number;
  /** What two neighbours along the axis both need at most. */
  readonly shared: number;
  /** As of what is made. */
  readonly isOrdered: boolean;
  /** What two neighbours along the axis both need at least. */
  readonly overlap: number;
  readonly isRun: boolean;
  /** Of a unit, at least, and what a device that takes part needs more or less than that. */
  readonly perUnit: number;
  readonly beside: number;
  readonly units: number;
  /** Of a device that touches no end. */
  readonly place: PlaceTable;
  /** Of all devices together where none has almost all units (more than `place.longest`). */
  readonly spread: number;
  /** Of one that has. */
  readonly gathered: number;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** Absent where its shards may lie at too many places. */
  readonly places?: Places;
  /** That have to arrive for an element that is lacked. */
  readonly elementBytes: Bytes;
}

/** What a producer holds at most, per device. */
export interface MakeFacts {
  readonly most: Float64Array;
  /** That by the shortest lengths. */
  readonly least: Float64Array;
  /** All devices together. */
  readonly total: number;
  /** Most that the devices other than `d` hold together. */
  readonly elsewhere: Float64Array;
  /** Elements that are held more than once, at most. */
  readonly doubled: number;
  /** No shard may lie within another. */
  readonly isOrdered: boolean;
  readonly axis: number;
  readonly isRun: boolean;
  /** Bit per device that may hold anything; 0 where there are too many devices for that. */
  readonly holders: number;
  readonly holderCount: number;
  /** `others[d * devices + k]`: most that `k + 1` devices other than `d` hold together. */
  readonly others: Float64Array;
  /** As of what is needed. */
  readonly places?: Places;
}

export interface BoxFacts {
  readonly box: LengthBox;
  /** The slowest shard at least, and with it the messages of a reduction. */
  readonly slowest: Nanoseconds;
  readonly step: Nanoseconds;
  readonly reads: readonly ReadFacts[];
  readonly makes: readonly MakeFacts[];
}

/** All partitions of an option whose shards fit into their devices' rooms, each by itself. */
export function rootBox(option: Option, index: number, rooms: readonly Bytes[]): LengthBox {
  const devices = rooms.length;
  const lo = new Int32Array(devices);
  const hi = new Int32Array(devices);
  rooms.forEach((room, d) => {
    if (option.split !== NONE) hi[d] = unitsWithin(option.heldBytes, 0, option.length, room);
    else if (d === option.device && option.heldBytes[1] <= room) lo[d] = hi[d] = 1;
  });
  const mayRecompute = option.split !== NONE && !option.isReduced;
  return {
    option: index,
    lo,
    hi,
    excessLo: 0,
    excessHi: mayRecompute ? (devices - 1) * option.length : 0,
    overlaps: ALL_OVERLAPS,
    timeLo: 0,
    timeHi: Infinity,
  };
}

/** Narrows the lengths to what they leave each other; `undefined` where the box holds no partition. */
export function tighten(box: LengthBox, { length, computeNs }: Option): LengthBox | undefined {
  const lo = box.lo.slice();
  const hi = box.hi.slice();
  let { excessLo, excessHi, timeHi } = box;
  let slowest = 0;
  for (let d = 0; d < lo.length; d++) {
    if (computeNs[d][lo[d]] > timeHi) return undefined;
    hi[d] = unitsWithin(computeNs[d], lo[d], hi[d], timeHi);
  }
  for (let isNarrower = true; isNarrower;) {
    isNarrower = false;
    let least = 0;
    let most = 0;
    for (let d = 0; d < lo.length; d++) {
      least += lo[d];
      most += hi[d];
    }
    excessLo = Math.max(excessLo, least - length);
    excessHi = Math.min(excessHi, most - length);
    if (excessLo > excessHi) return undefined;
    for (let d = 0; d < lo.length; d++) {
      const raised = length + excessLo - (most - hi[d]);
      const lowered = length + excessHi - (least - lo[d]);
      if (raised > hi[d] || lowered < lo[d]) return undefined;
      if (raised > lo[d] || lowered < hi[d]) isNarrower = true;
      lo[d] = Math.max(lo[d], raised);
      hi[d] = Math.min(hi[d], lowered);
    }
  }
  for (let d = 0; d < lo.length; d++) slowest = Math.max(slowest, computeNs[d][hi[d]]);
  timeHi = Math.min(timeHi, slowest);
  if (box.timeLo > timeHi) return undefined;
  return { ...box, lo, hi, excessLo, excessHi, timeHi };
}

export function isPoint({ lo, hi }: LengthBox): boolean {
  for (let d = 0; d < lo.length; d++) if (lo[d] !== hi[d]) return false;
  return true;
}

/** Bits of the places of a point that are told apart no further, if there are several. */
export function openOverlaps({ box, reads, makes }: BoxFacts): number {
  if (box.excessHi === 0 || !isPoint(box)) return 0;
  const places = [...reads, ...makes].find((own) => own.places !== undefined)?.places;
  if (places === undefined) return 0;
  const open = box.overlaps & ((1 << overlapsOf(places)) - 1);
  return (open & (open - 1)) === 0 ? 0 : open;
}

export function boxFacts(scene: BoundScene, operator: number, option: Option, box: LengthBox): BoxFacts {
  const { lo, hi, excessHi } = box;
  const reads = option.needs.map((table) => readFacts(option, box, table));
  const makes = option.makes.map(({ most: table, perUnit, axis, isRun, spans }) =>
    option.isReduced
      ? makeFacts(
          Float64Array.from(hi, (_, d) => (d === option.device ? table[option.length] : 0)),
          undefined,
          { axis, isRun },
        )
      : makeFacts(
          entriesAt(table, hi),
          entriesAt(table, lo),
          { axis, isRun, places: placesIn(box, spans) },
          Float64Array.from(lo, (n) => perUnit * (option.length + excessHi - n)),
          { doubled: perUnit * excessHi, isOrdered: excessHi < shortestOf(box) },
        ),
  );
  const slowest = Math.max(box.timeLo, leastSlowest(option, box));
  return { box, slowest, step: slowest + messagesOf(scene, operator, option, box), reads, makes };
}

/** Per device. Boxes are made by the million, and `from` with a function takes several times as long. */
function entriesAt(table: Float64Array, lengths: Int32Array): Float64Array {
  const entries = new Float64Array(lengths.length);
  for (let d = 0; d < lengths.length; d++) entries[d] = table[lengths[d]];
  return entries;
}

function readFacts(option: Option, box: LengthBox, table: NeedTable): ReadFacts {
  const { length } = option;
  const { lo, hi, excessLo, excessHi } = box;
  let active = 0;
  let actives = 0;
  let receivers = 0;
  let longest = 0;
  for (let d = 0; d < lo.length; d++) {
    if (hi[d] === 0) continue;
    receivers++;
    longest = Math.max(longest, hi[d]);
    if (lo[d] === 0) continue;
    actives++;
    if (d < MOST_DEVICES_BY_SET) active |= 1 << d;
  }
  const shortest = shortestOf(box);
  const isOrdered = excessHi < shortest;
  // Before and behind a device that touches no end lies another, which it overlaps by the excess at most.
  const place = shortest - excessHi >= table.margin ? table.deep : table.inside;
  const ends = Math.min(receivers, endsAtMost(box));
  const atEnd = entriesAt(table.atEnd, lo);
  const atEndMost = entriesAt(table.atEnd, hi);
  const mostNeeded = entriesAt(table.mostNeeded, hi);
  const inside = entriesAt(place.needed, lo);
  const { perUnit, least, leastWhole, saved } = place;
  const { overlap, mostOverlap, perShared, isRun } = table;
  const beside = longest <= place.longest ? least : leastWhole;
  const units = length + excessLo;
  const byUnits = (each: number, most: number): number => {
    const parts = each < 0 ? receivers : Math.max(actives, fewestFor(units, hi, most));
    return perUnit * units + each * parts - saved * ends;
  };
  let total = 0;
  for (let d = 0; d < lo.length; d++) total += atEnd[d];
  const shared = mostOverlap + perShared * excessHi;
  total = Math.max(total, byUnits(beside, length), table.together);
  return {
    atEnd,
    inside,
    atEndMost,
    most: mostNeeded,
    axis: table.axis,
    total,
    together: table.together,
    active,
    receivers,
    ends,
    shared,
    isOrdered,
    overlap,
    isRun,
    perUnit,
    beside: Math.min(0, leastWhole),
    units,
    place,
    spread: longest <= place.longest ? total : byUnits(least, place.longest),
    gathered: longest <= place.longest ? Infinity : table.atEnd[place.longest + 1],
    lo,
    hi,
    places: placesIn(box, table.spans),
    elementBytes: table.elementBytes[Math.min(length, shortest)],
  };
}

/** Devices that it takes for so many units, if none has more than `most` of them. */
function fewestFor(units: number, hi: Int32Array, most: number): number {
  const longest = hi.slice().sort();
  let devices = 0;
  for (let left = units; left > 0 && devices < hi.length; devices++)
    left -= Math.min(most, longest[hi.length - 1 - devices]);
  return devices;
}

/** Where its shards can only lie at few places. */
function placesIn(box: LengthBox, spans: Spans | undefined): Places | undefined {
  return box.excessLo === box.excessHi && isPoint(box)
    ? placesOf(spans, box.lo, box.excessHi, box.overlaps)
    : undefined;
}

/** Least length of a device that takes part. */
function shortestOf({ lo, hi }: LengthBox): number {
  let shortest = Infinity;
  for (let d = 0; d < lo.length; d++) if (hi[d] > 0) shortest = Math.min(shortest, Math.max(1, lo[d]));
  return shortest;
}

/** Two devices at the same end of the axis have the shorter's length twice. */
function endsAtMost({ lo, hi, excessHi }: LengthBox): number {
  if (excessHi === 0) return 2;
  const lengths = lo.filter((_, d) => hi[d] > 0).sort();
  let ends = 2;
  let left = excessHi;
  for (const length of lengths) {
    left -= Math.max(1, length);
    if (left < 0) break;
    ends++;
  }
  return ends;
}

/**
 * @param shortest held by the shortest lengths, where that may be less
 * @param besides most that the others hold together; @param doubles what is held more than once, at most
 */
export function makeFacts(
  most: Float64Array,
  shortest: Float64Array | undefined,
  { axis, isRun, places }: Pick<MakeFacts, 'axis' | 'isRun' | 'places'>,
  besides?: Float64Array,
  { doubled, isOrdered } = { doubled: 0, isOrdered: true },
): MakeFacts {
  const devices = most.length;
  const others = new Float64Array(devices * devices);
  const elsewhere = new Float64Array(devices);
  const ranked = most.slice().sort().reverse();
  let holders = 0;
  let holderCount = 0;
  let total = 0;
  for (let d = 0; d < devices; d++) {
    total += most[d];
    if (most[d] > 0) {
      holderCount++;
      if (devices <= MOST_DEVICES_BY_SET) holders |= 1 << d;
    }
    const limit = besides === undefined ? Infinity : besides[d];
    let sum = 0;
    let isPassed = false;
    for (let k = 0; k < devices; k++) {
      if (!isPassed && ranked[k] === most[d]) isPassed = true;
      else {
        sum += ranked[k];
        others[d * devices + k - (isPassed ? 1 : 0)] = Math.min(sum, limit);
      }
    }
    others[d * devices + devices - 1] = Math.min(sum, limit);
    elsewhere[d] = Math.min(sum, limit);
  }
  for (let d = 0; d < devices; d++) total = Math.min(total, most[d] + elsewhere[d]);
  return {
    most,
    least: shortest ?? most,
    total,
    elsewhere,
    doubled,
    isOrdered,
    axis,
    isRun,
    places,
    holders,
    holderCount,
    others,
  };
}

/** Of a reduction: its messages, and adding up. */
function messagesOf(scene: BoundScene, operator: number, option: Option, box: LengthBox): Nanoseconds {
  if (!option.isReduced) return 0;
  let parts = 0;
  for (const n of box.lo) if (n > 0) parts++;
  parts = Math.max(2, parts);
  const { graph, cluster, costs, flow } = scene;
  let messages = 0;
  const least = (bytes: number): number => {
    let ns = Infinity;
    cluster.devices.forEach((_, d) => {
      if (d !== option.device && box.hi[d] > 0) ns = Math.min(ns, costs.messageNs(d, option.device, bytes));
    });
    return ns === Infinity ? 0 : ns;
  };
  let first = 0;
  flow.operators[operator].makes.forEach((storage, made) => {
    const elements = scene.space(storage).size;
    const bytes = scene.bytes(graph.storages[storage].tensors[0], elements);
    if (made === 0)
      first = costs.reduceNs(option.device, graph.operators[operator].type, parts, elements, bytes);
    messages += (parts - 1) * least(bytes);
  });
  return messages + first;
}
