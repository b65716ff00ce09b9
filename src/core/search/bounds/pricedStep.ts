/**
 * Prices of memory, and what a step costs at least with them. At every step `t` a device `d` holds the weights of all
 * its shards and what the operator of `t` reads and makes there, so for any prices `p[d][t] >= 0` a valid plan has
 *
 *     sum_(d,t) p[d][t] * (weights on d + read and made on d at t)  <=  sum_(d,t) p[d][t] * room of d
 *
 * (Lagrange multipliers). The left side is a sum over operators: each byte of weights on `d` costs the sum of all of
 * `d`'s prices, each byte that an operator reads or makes there costs the price of its own step.
 */
import type { Bytes, Nanoseconds, OperatorId } from '../../graph/units';
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

/** Those that one operator pays. */
export interface OperatorPrices {
  readonly weights: readonly Nanoseconds[];
  /** Absent where its step has none. */
  readonly activations?: readonly Nanoseconds[];
}

export interface PricedStep {
  /** The slowest shard and the price of its memory, together at least. */
  readonly ns: Nanoseconds;
  /** How long the slowest shard takes where that is attained, at least. */
  readonly slowest: Nanoseconds;
  /** Per device, where it is attained. */
  readonly weightBytes: readonly Bytes[];
  readonly activationBytes: readonly Bytes[];
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
export function pricedStep(option: Option, box: LengthBox, prices: OperatorPrices): PricedStep {
  const { computeNs } = option;
  const low = Math.max(box.timeLo, leastSlowest(option, box));
  let high = low;
  for (let d = 0; d < box.hi.length; d++) high = Math.max(high, computeNs[d][box.hi[d]]);
  high = Math.max(low, Math.min(high, box.timeHi));
  let at = { from: low, to: high, spread: cheapestSpread(option, box, prices, high) };
  if (high === low) return priced(at);
  const first = cheapestSpread(option, box, prices, low);
  const intervals = [{ from: low, to: low, spread: first }, at];
  for (let left = TIMES; ; left--) {
    at = intervals.reduce((least, other) =>
      other.from + other.spread.price < least.from + least.spread.price ? other : least,
    );
    const { from, to, spread } = at;
    if (left === 0 || to - from <= Math.max(1, CLOSE * from)) return priced(at);
    const middle = Math.floor((from + to) / 2);
    intervals.splice(intervals.indexOf(at), 1, { from: middle, to, spread });
    intervals.push({ from, to: middle, spread: cheapestSpread(option, box, prices, middle) });
  }
}

function priced({ from, spread }: { from: Nanoseconds; spread: Spread }): PricedStep {
  return { ...spread, ns: from + spread.price, slowest: from };
}

interface Spread {
  readonly price: Nanoseconds;
  readonly weightBytes: readonly Bytes[];
  readonly activationBytes: readonly Bytes[];
}

/** The cheapest way to spread what the least lengths leave over, with no shard longer than `within`. */
function cheapestSpread(
  option: Option,
  { lo, hi, excessLo }: LengthBox,
  { weights, activations }: OperatorPrices,
  within: Nanoseconds,
): Spread {
  const { computeNs, length } = option;
  const weightBytes: number[] = [];
  const activationBytes: number[] = [];
  const slopes: { device: number; weight: number; activation: number; price: number; units: number }[] = [];
  let price = 0;
  let left = length + excessLo;
  for (let d = 0; d < lo.length; d++) {
    const from = lo[d];
    const to = unitsWithin(computeNs[d], from, hi[d], within);
    weightBytes.push(option.weightBytes[from]);
    activationBytes.push(option.activationBytes[from] + (d === option.device ? option.reducedBytes : 0));
    price += weights[d] * weightBytes[d] + (activations?.[d] ?? 0) * activationBytes[d];
    left -= from;
    if (to === from) continue;
    const weight = leastSlope(option.weightBytes, from, to);
    const own = activations?.[d] ?? 0;
    const activation = activations === undefined ? 0 : leastSlope(option.activationBytes, from, to);
    slopes.push({
      device: d,
      weight,
      activation,
      price: weights[d] * weight + own * activation,
      units: to - from,
    });
  }
  slopes.sort((a, b) => a.price - b.price);
  for (const { device, weight, activation, price: perUnit, units } of slopes) {
    if (left <= 0) break;
    const taken = Math.min(left, units);
    price += perUnit * taken;
    weightBytes[device] += weight * taken;
    activationBytes[device] += activation * taken;
    left -= taken;
  }
  return { price, weightBytes, activationBytes };
}

/** Of a line from the table's entry at `from` that no entry up to `to` lies below. */
function leastSlope(table: Float64Array, from: number, to: number): number {
  let least = Infinity;
  for (let n = from + 1; n <= to; n++) least = Math.min(least, (table[n] - table[from]) / (n - from));
  return least;
}
