import type { Nanoseconds } from '../../graph/units';
import type { LengthBox } from './lengthBox';
import type { Option } from './options';

/** Least of the longest shard over all lengths in the box that cover the axis. */
export function leastSlowest({ computeNs, length }: Option, { lo, hi, excessLo }: LengthBox): Nanoseconds {
  let low = 0;
  let high = 0;
  for (let d = 0; d < lo.length; d++) {
    low = Math.max(low, computeNs[d][lo[d]]);
    high = Math.max(high, computeNs[d][hi[d]]);
  }
  const covers = (ns: number): boolean => {
    let sum = 0;
    for (let d = 0; d < lo.length; d++) sum += unitsWithin(computeNs[d], lo[d], hi[d], ns);
    return sum >= length + excessLo;
  };
  if (covers(low)) return low;
  while (low + 1 < high) {
    const middle = Math.floor((low + high) / 2);
    if (covers(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Largest length in `[lo, hi]` whose entry of a rising table is at most `limit`; `lo` where none does. */
export function unitsWithin(table: Float64Array, lo: number, hi: number, limit: number): number {
  if (table[hi] <= limit) return hi;
  while (lo + 1 < hi) {
    const middle = (lo + hi) >> 1;
    if (table[middle] <= limit) lo = middle;
    else hi = middle;
  }
  return lo;
}
