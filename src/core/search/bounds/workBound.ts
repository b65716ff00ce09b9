/**
 * A bound on the overlapped latency: no device can be busy longer than the whole takes, and none can hold more weights
 * than it has room, so with any shares `lambda` that sum to one and any prices `mu >= 0` of a byte
 *
 *     latency >= sum_d (lambda_d * busy_d + mu_d * (weights_d - room_d))
 *             >= sum_v min_d (lambda_d * time(v, d) + mu_d * weights(v)) - sum_d mu_d * room_d
 *
 * because the least weighted time and price of an operator, split in any way, is that of the whole on one device (times
 * are a fixed overhead plus at least their part of the work, and the parts hold all weights at least). The best `lambda`
 * and `mu` are the dual of spreading work and weights evenly; they are found by repeated updates and stand in the
 * certificate, and any of them give a valid bound.
 */
import type { Bytes, Nanoseconds } from '../../graph/units';
import { Interrupted } from './elimination';
import { roomsOf } from './memoryPrices';
import type { BoundScene } from './scene';

/** Updates at each rate, at least and at most, and operators that all of them look at. */
const LEAST_UPDATES = 100;
const MOST_UPDATES = 1000;
const MOST_LOOKS = 1_000_000;
/** How far a share goes where a device is busy for twice the latency: each goes on from the best before. */
const RATES = [1, 0.25, 0.06, 0.015, 0.004];
/** Of the latency, per room: the same of a price where twice the room is used, in parts of these. */
const PRICE_RATE = 0.7;
/** Some hundred hours. */
const MOST_NS = 1e15;
/** A device that would have to work or to hold that many times as much goes no faster. */
const MOST_EXCESS = 4;

export interface WorkBound {
  readonly ns: Nanoseconds;
  readonly shares: readonly number[];
  /** Nanoseconds per byte of weights on each device; absent where they raise nothing. */
  readonly weightPrices?: readonly number[];
}

interface Duals {
  readonly shares: readonly number[];
  readonly prices: readonly number[];
}

export function workBound(scene: BoundScene, isStopped: () => boolean): WorkBound {
  const loads = leastLoads(scene, isStopped);
  const { devices } = scene.cluster;
  const free = devices.map(() => 0);
  const inverse = devices.map((_, d) => 1 / loads.reduce((sum, { times }) => sum + times[d], 1));
  const begin = { shares: normalized(inverse), prices: free };
  const best = updated(scene, loads, begin, 0, isStopped);
  const unpriced = { ns: floorNs(best.ns), shares: best.shares };
  const weights = loads.reduce((sum, { bytes }) => sum + bytes, 0);
  if (roomsOf(scene.cluster).every((room) => room >= weights)) return unpriced;
  const priced = updated(scene, loads, best, PRICE_RATE, isStopped);
  const ns = floorNs(priced.ns);
  return ns > unpriced.ns && ns < MOST_NS
    ? { ns, shares: priced.shares, weightPrices: priced.prices }
    : unpriced;
}

/** The bound of given shares and prices, derived again. */
export function workBoundOf(
  scene: BoundScene,
  shares: readonly number[],
  weightPrices: readonly number[] = shares.map(() => 0),
): Nanoseconds {
  const duals = { shares: normalized(shares), prices: weightPrices };
  const loads = leastLoads(scene, () => false);
  return floorNs(weighted(loads, duals, roomsOf(scene.cluster)).ns);
}

/** Room for floating point. */
export function floorNs(ns: number): Nanoseconds {
  return Math.max(0, Math.floor(ns * (1 - 1e-9) - 1));
}

/** The best of the duals on the way and of the means of the later ones. */
function updated(
  scene: BoundScene,
  loads: readonly Load[],
  begin: Duals,
  priceRate: number,
  isStopped: () => boolean,
): Duals & { readonly ns: Nanoseconds } {
  const rooms = roomsOf(scene.cluster).map((room) => Math.max(1, room));
  let best = { ns: -Infinity, ...begin };
  const keep = (candidate: Duals): ReturnType<typeof weighted> => {
    const found = weighted(loads, candidate, rooms);
    if (found.ns > best.ns) best = { ns: found.ns, ...candidate };
    return found;
  };
  const updates = Math.max(LEAST_UPDATES, Math.min(MOST_UPDATES, Math.floor(MOST_LOOKS / loads.length)));
  const excess = (used: number, limit: number): number => Math.min(MOST_EXCESS, used / limit) - 1;
  for (const first of RATES) {
    let duals: Duals = best;
    const sums = { shares: begin.shares.map(() => 0), prices: begin.shares.map(() => 0) };
    for (let update = 0; update < updates; update++) {
      if (isStopped()) throw new Interrupted();
      const { busyNs, held } = keep(duals);
      // All devices together have no room for the weights: it would rise for ever.
      if (best.ns > MOST_NS) return best;
      const level = Math.max(1, best.ns);
      const rate = first / (1 + (20 * update) / updates);
      const { shares, prices } = duals;
      duals = {
        shares: normalized(shares.map((share, d) => share * Math.exp(rate * excess(busyNs[d], level)))),
        prices: prices.map((price, d) =>
          Math.max(0, price + (priceRate * rate * level * excess(held[d], rooms[d])) / rooms[d]),
        ),
      };
      if (2 * update < updates) continue;
      duals.shares.forEach((share, d) => (sums.shares[d] += share));
      duals.prices.forEach((price, d) => (sums.prices[d] += (2 * price) / updates));
    }
    keep({ shares: normalized(sums.shares), prices: sums.prices });
  }
  return best;
}

function normalized(shares: readonly number[]): number[] {
  const sum = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => share / sum);
}

/** What an operator puts on the devices at least. */
interface Load {
  /**
   * Per device a time such that a part of the operator never takes less than its part of it, and all parts together no
   * less than that times their shares of the axis.
   */
  readonly times: Float64Array;
  /** The same of weights that no other operator uses, on any device. */
  readonly bytes: Bytes;
}

function leastLoads(scene: BoundScene, isStopped: () => boolean): Load[] {
  return scene.flow.steps.map((operator) => {
    if (isStopped()) throw new Interrupted();
    const times = new Float64Array(scene.cluster.devices.length).fill(Infinity);
    let bytes = Infinity;
    for (const { computeNs, weightBytes, length, split, device } of scene.optionsOf(operator)) {
      computeNs.forEach((table, d) => {
        if (split < 0 && d !== device) return;
        for (let n = 1; n <= length; n++) times[d] = Math.min(times[d], (table[n] * length) / n);
      });
      for (let n = 1; n <= length; n++) bytes = Math.min(bytes, (weightBytes[n] * length) / n);
    }
    return { times, bytes };
  });
}

function weighted(
  loads: readonly Load[],
  { shares, prices }: Duals,
  rooms: readonly Bytes[],
): { ns: number; busyNs: number[]; held: number[] } {
  const busyNs = shares.map(() => 0);
  const held = shares.map(() => 0);
  let ns = 0;
  for (const { times, bytes } of loads) {
    let best = 0;
    let least = Infinity;
    for (let d = 0; d < times.length; d++) {
      const cost = shares[d] * times[d] + prices[d] * bytes;
      if (cost < least) [best, least] = [d, cost];
    }
    ns += least;
    busyNs[best] += times[best];
    held[best] += bytes;
  }
  const credit = prices.reduce((sum, price, d) => sum + price * rooms[d], 0);
  return { ns: ns - credit - NOISE * (ns + credit), busyNs, held };
}

/** Of sums of as many terms as there are operators. */
const NOISE = 1e-12;
