/**
 * A bound on the overlapped latency: no device can be busy longer than the whole takes, so with any shares
 * `lambda` that sum to one
 *
 *     latency >= sum_d lambda_d * busy_d >= sum_v min_d lambda_d * time(v, d)
 *
 * because the least weighted time of an operator, split in any way, is that of the whole on one device (times
 * are a fixed overhead plus at least their part of the work). The best `lambda` is the dual of spreading the
 * work evenly; it is found by multiplicative updates and stands in the certificate, and any `lambda` gives a valid bound.
 */
import type { Nanoseconds } from '../../graph/units';
import { Interrupted } from './elimination';
import type { BoundScene } from './scene';

const UPDATES = 400;
const FIRST_RATE = 0.3;

export interface WorkBound {
  readonly ns: Nanoseconds;
  readonly shares: readonly number[];
}

export function workBound(scene: BoundScene, isStopped: () => boolean): WorkBound {
  const times = leastTimes(scene, isStopped);
  let shares = normalized(
    scene.cluster.devices.map((_, d) => 1 / times.reduce((sum, row) => sum + row[d], 1)),
  );
  let best: WorkBound = { ns: 0, shares };
  for (let update = 0; update < UPDATES; update++) {
    const { ns, load } = weighted(times, shares);
    if (ns > best.ns) best = { ns, shares };
    const rate = FIRST_RATE / (1 + update / 20);
    shares = normalized(shares.map((share, d) => share * Math.exp(rate * (load[d] / Math.max(1, ns) - 1))));
  }
  return { ns: floorNs(best.ns), shares: best.shares };
}

/** The bound of given shares, derived again. */
export function workBoundOf(scene: BoundScene, shares: readonly number[]): Nanoseconds {
  const normal = normalized(shares);
  return floorNs(
    weighted(
      leastTimes(scene, () => false),
      normal,
    ).ns,
  );
}

/** Room for floating point. */
export function floorNs(ns: number): Nanoseconds {
  return Math.max(0, Math.floor(ns * (1 - 1e-9) - 1));
}

function normalized(shares: readonly number[]): number[] {
  const sum = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => share / sum);
}

/**
 * Per operator and device a time such that a part of the operator never takes less than its part of it, and all
 * parts together no less than that times their shares of the axis.
 */
function leastTimes(scene: BoundScene, isStopped: () => boolean): Float64Array[] {
  return scene.flow.steps.map((operator) => {
    if (isStopped()) throw new Interrupted();
    const least = new Float64Array(scene.cluster.devices.length).fill(Infinity);
    for (const { computeNs, length, split, device } of scene.optionsOf(operator)) {
      computeNs.forEach((table, d) => {
        if (split < 0 && d !== device) return;
        for (let n = 1; n <= length; n++) least[d] = Math.min(least[d], (table[n] * length) / n);
      });
    }
    return least;
  });
}

function weighted(times: readonly Float64Array[], shares: readonly number[]): { ns: number; load: number[] } {
  const load = shares.map(() => 0);
  let ns = 0;
  for (const row of times) {
    let best = 0;
    for (let d = 1; d < row.length; d++) if (shares[d] * row[d] < shares[best] * row[best]) best = d;
    ns += shares[best] * row[best];
    load[best] += row[best];
  }
  return { ns, load };
}
