/**
 * Prices of memory, and what a step costs at least with them. At every step `t` a device `d` holds the weights of all
 * its shards and what the operator of `t` reads and makes there, so for any prices `p[d][t] >= 0` a valid plan has
 *
 *     sum_(d,t) p[d][t] * (weights on d + read and made on d at t)  <=  sum_(d,t) p[d][t] * room of d
 *
 * (Lagrange multipliers). The left side is a sum over operators: each byte of weights on `d` costs the sum of all of
 * `d`'s prices, each byte that an operator reads or makes there costs the price of its own step.
 */
import type { Nanoseconds, OperatorId } from '../../graph/units';
import { leastSlowest, unitsWithin } from './leastSlowest';
import type { LengthBox } from './lengthBox';
import type { Option } from './options';

/** Nanoseconds per byte on each device. */
export interface MemoryPrices {
  /** Of steps at which nothing but the weights is counted. */
  readonly weights: readonly Nanoseconds[];
  /** Of the steps of these operators. */
  readonly steps: readonly { readonly operator: OperatorId; readonly prices: readonly Nanoseconds[] }[];
}

/** What each length costs on each device beside the step's time: `tables[device][length]`; may be negative. */
export type PriceTables = readonly Float64Array[];

export interface PricedStep {
  /** The slowest shard and the price of its lengths, together at least. */
  readonly ns: Nanoseconds;
  /** How long the slowest shard takes where that is attained, at least. */
  readonly slowest: Nanoseconds;
  /** Per device, where it is attained. */
  readonly lengths: readonly MixedLength[];
}

/** Between two lengths, or beyond the second on the line through both. */
export interface MixedLength {
  readonly from: number;
  readonly to: number;
  /** Of the way. */
  readonly part: number;
}

/** Of a table by length. */
export function entryAt(table: Float64Array, { from, to, part }: MixedLength): number {
  return part === 0 ? table[from] : (1 - part) * table[from] + part * table[to];
}

/** The whole price of a byte of weights on each device. */
export function weightPrices({ weights, steps }: MemoryPrices): Nanoseconds[] {
  return weights.map((price, d) => steps.reduce((sum, { prices }) => sum + prices[d], price));
}

/** Times at which the least price of the lengths that are possible within them is worked out, at most. */
const TIMES = 10;
/** Closer than this share they are not told apart. */
const CLOSE = 0.005;

/**
 * Within a longer time more lengths are possible, so the least price falls as the time rises: between two times it
 * costs at least the earlier and the price at the later. The interval that costs least is halved, again and again.
 */
export function pricedStep(option: Option, box: LengthBox, tables: PriceTables): PricedStep {
  const { computeNs } = option;
  const low = Math.max(box.timeLo, leastSlowest(option, box));
  let high = low;
  for (let d = 0; d < box.hi.length; d++) high = Math.max(high, computeNs[d][box.hi[d]]);
  high = Math.max(low, Math.min(high, box.timeHi));
  const lines = tables.map((table, d) => leastSlopes(table, box.lo[d], box.hi[d]));
  const spread = (within: Nanoseconds): Spread => cheapestSpread(option, box, tables, lines, within);
  let at = { from: low, to: high, spread: spread(high) };
  if (high === low) return priced(at);
  const intervals = [{ from: low, to: low, spread: spread(low) }, at];
  for (let left = TIMES; ; left--) {
    at = intervals.reduce((least, other) =>
      other.from + other.spread.price < least.from + least.spread.price ? other : least,
    );
    const { from, to } = at;
    if (left === 0 || to - from <= Math.max(1, CLOSE * from)) return priced(at);
    const middle = Math.floor((from + to) / 2);
    intervals.splice(intervals.indexOf(at), 1, { from: middle, to, spread: at.spread });
    intervals.push({ from, to: middle, spread: spread(middle) });
  }
}

function priced({ from, spread }: { from: Nanoseconds; spread: Spread }): PricedStep {
  return { lengths: spread.lengths, ns: from + spread.price, slowest: from };
}

interface Spread {
  readonly price: Nanoseconds;
  readonly lengths: readonly MixedLength[];
}

/**
 * The cheapest way to spread what the least lengths leave over, with no shard longer than `within`.
 * @param lines per device `leastSlopes`
 */
function cheapestSpread(
  { computeNs, length }: Option,
  { lo, hi, excessLo, excessHi }: LengthBox,
  tables: PriceTables,
  lines: readonly Lines[],
  within: Nanoseconds,
): Spread {
  const lengths: MixedLength[] = [];
  const slopes: { device: number; price: number; units: number }[] = [];
  let price = 0;
  let left = length + excessLo;
  for (let d = 0; d < lo.length; d++) {
    const from = lo[d];
    const units = unitsWithin(computeNs[d], from, hi[d], within) - from;
    lengths.push({ from, to: from, part: 0 });
    price += tables[d][from];
    left -= from;
    if (units > 0) slopes.push({ device: d, price: lines[d].slopes[units], units });
  }
  slopes.sort((a, b) => a.price - b.price);
  // Beyond what covers the axis only what pays.
  let room = left + excessHi - excessLo;
  for (const { device: d, price: perUnit, units } of slopes) {
    const taken = Math.min(perUnit < 0 ? room : left, units);
    if (taken <= 0) break;
    price += perUnit * taken;
    const touching = lines[d].touching[units];
    lengths[d] = { from: lo[d], to: lo[d] + touching, part: taken / touching };
    left -= taken;
    room -= taken;
  }
  return { price, lengths };
}

/** Per number of units the line from the table's entry at `from` that no entry up to there lies below. */
interface Lines {
  readonly slopes: Float64Array;
  /** How many units on it touches the table. */
  readonly touching: Int32Array;
}

function leastSlopes(table: Float64Array, from: number, to: number): Lines {
  const slopes = new Float64Array(to - from + 1);
  const touching = new Int32Array(to - from + 1);
  const start = table[from];
  let least = Infinity;
  let at = 0;
  for (let units = 1; units < slopes.length; units++) {
    const slope = (table[from + units] - start) / units;
    if (slope <= least) [least, at] = [slope, units];
    slopes[units] = least;
    touching[units] = at;
  }
  return { slopes, touching };
}
