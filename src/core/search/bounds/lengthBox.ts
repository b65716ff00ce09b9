/**
 * Boxes of lengths: an operator's option and, per device, the least and the most units of the axis that it
 * computes. A box stands for every partition with such lengths, in any order of the devices along the axis and
 * with any recomputed halos (lengths count what is computed, so they sum to at least the axis).
 */
import { NONE, type Nanoseconds } from '../../graph/units';
import type { Option } from './options';
import { MOST_DEVICES_BY_SET } from './phase';
import type { BoundScene } from './scene';

export interface LengthBox {
  readonly option: number;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

/** What a reader needs at least, per device. */
export interface ReadFacts {
  readonly atEnd: Float64Array;
  readonly inside: Float64Array;
  readonly axis: number;
}

/** What a producer holds at most, per device. */
export interface MakeFacts {
  readonly most: Float64Array;
  /** Of `most`. */
  readonly sum: number;
  readonly axis: number;
  /** Bit per device that may hold anything; 0 where there are too many devices for that. */
  readonly holders: number;
  readonly holderCount: number;
  /** `others[d * devices + k]`: most that `k + 1` devices other than `d` hold together. */
  readonly others: Float64Array;
}

export interface BoxFacts {
  readonly box: LengthBox;
  /** Least step time without message phases, penalties of memory included. */
  readonly cost: Nanoseconds;
  readonly reads: readonly ReadFacts[];
  readonly makes: readonly MakeFacts[];
}

/** Nanoseconds per byte of weights on each device: Lagrange multipliers of the memory limits. */
export type MemoryPrices = Float64Array;

export function rootBox(option: Option, index: number, devices: number): LengthBox {
  const lo = new Int32Array(devices);
  const hi = new Int32Array(devices);
  if (option.split === NONE) {
    lo[option.device] = 1;
    hi[option.device] = 1;
  } else hi.fill(option.length);
  return { option: index, lo, hi };
}

/** Raises the least lengths to what the others leave over; `undefined` where the box holds no partition. */
export function tighten({ option, lo, hi }: LengthBox, length: number): LengthBox | undefined {
  let sum = 0;
  for (let d = 0; d < hi.length; d++) sum += hi[d];
  if (sum < length) return undefined;
  const raised = lo.map((least, d) => Math.max(least, length - (sum - hi[d])));
  for (let d = 0; d < hi.length; d++) if (raised[d] > hi[d]) return undefined;
  return { option, lo: raised, hi };
}

export function isPoint({ lo, hi }: LengthBox): boolean {
  for (let d = 0; d < lo.length; d++) if (lo[d] !== hi[d]) return false;
  return true;
}

export function boxFacts(
  scene: BoundScene,
  operator: number,
  option: Option,
  box: LengthBox,
  prices: MemoryPrices | undefined,
): BoxFacts {
  const { lo, hi } = box;
  const devices = lo.length;
  let most = 0;
  for (let d = 0; d < devices; d++) most += hi[d];
  const mayRecompute = most > option.length;
  const reads = option.needs.map(({ atEnd, inside, axis }): ReadFacts => {
    const ends = Float64Array.from(lo, (n) => atEnd[n]);
    return { atEnd: ends, inside: mayRecompute ? ends : Float64Array.from(lo, (n) => inside[n]), axis };
  });
  const makes = option.makes.map(({ most: table, axis }) =>
    makeFacts(
      Float64Array.from(hi, (n, d) =>
        option.isReduced ? (d === option.device ? table[option.length] : 0) : table[n],
      ),
      axis,
    ),
  );
  const cost =
    stepCost(scene, operator, option, box) + (prices === undefined ? 0 : penalty(option, box, prices));
  return { box, cost, reads, makes };
}

export function makeFacts(most: Float64Array, axis: number): MakeFacts {
  const devices = most.length;
  const others = new Float64Array(devices * devices);
  let holders = 0;
  let holderCount = 0;
  for (let d = 0; d < devices; d++) {
    if (most[d] > 0) {
      holderCount++;
      if (devices <= MOST_DEVICES_BY_SET) holders |= 1 << d;
    }
    const rest = Float64Array.from(most.filter((_, other) => other !== d))
      .sort()
      .reverse();
    let sum = 0;
    for (let k = 0; k < devices; k++) others[d * devices + k] = sum += rest[k] ?? 0;
  }
  return { most, sum: most.reduce((all, held) => all + held, 0), axis, holders, holderCount, others };
}

/** The slowest shard at least; for a reduction with its messages. */
function stepCost(scene: BoundScene, operator: number, option: Option, box: LengthBox): Nanoseconds {
  const slowest = leastSlowest(option, box);
  if (!option.isReduced) return slowest;
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
  return slowest + messages + first;
}

/** Least of the longest shard over all lengths in the box that cover the axis. */
function leastSlowest({ computeNs, length }: Option, { lo, hi }: LengthBox): Nanoseconds {
  let low = 0;
  let high = 0;
  for (let d = 0; d < lo.length; d++) {
    low = Math.max(low, computeNs[d][lo[d]]);
    high = Math.max(high, computeNs[d][hi[d]]);
  }
  const covers = (ns: number): boolean => {
    let sum = 0;
    for (let d = 0; d < lo.length; d++) sum += unitsWithin(computeNs[d], lo[d], hi[d], ns);
    return sum >= length;
  };
  if (covers(low)) return low;
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (covers(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Largest length in `[lo, hi]` that takes at most `ns`; `lo` where none does. */
export function unitsWithin(table: Float64Array, lo: number, hi: number, ns: number): number {
  if (table[hi] <= ns) return hi;
  while (lo + 1 < hi) {
    const middle = (lo + hi) >> 1;
    if (table[middle] <= ns) lo = middle;
    else hi = middle;
  }
  return lo;
}

/** Least price of the weights: the cheapest way to spread what the least lengths leave over. */
function penalty({ weightBytes, length }: Option, { lo, hi }: LengthBox, prices: MemoryPrices): Nanoseconds {
  let total = 0;
  let left = length;
  const slopes: { slope: number; room: number }[] = [];
  for (let d = 0; d < lo.length; d++) {
    total += prices[d] * weightBytes[lo[d]];
    left -= lo[d];
    let slope = Infinity;
    for (let n = lo[d] + 1; n <= hi[d]; n++) {
      slope = Math.min(slope, (weightBytes[n] - weightBytes[lo[d]]) / (n - lo[d]));
    }
    if (hi[d] > lo[d]) slopes.push({ slope: slope * prices[d], room: hi[d] - lo[d] });
  }
  slopes.sort((a, b) => a.slope - b.slope);
  for (const { slope, room } of slopes) {
    if (left <= 0) break;
    total += slope * Math.min(left, room);
    left -= room;
  }
  return total;
}
