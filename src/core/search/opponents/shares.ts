/** Cuts of an axis over devices: by given shares, by speed, on a grid. All cuts are multiples of the unit. */
import type { DeviceId } from '../../graph/units';
import type { Split } from '../../partition/partition';

/** Cuts `[0, ..., length]` closest to the shares' running sums; a share of 0 gets nothing. */
export function cutsByShares(split: Split, shares: readonly number[]): number[] {
  const units = split.length / split.unit;
  const total = shares.reduce((sum, share) => sum + share, 0);
  const cuts = [0];
  let sum = 0;
  shares.forEach((share, device) => {
    sum += share;
    const isLast = shares.slice(device + 1).every((rest) => rest === 0);
    const at = isLast ? units : Math.round((units * sum) / total);
    cuts.push((share === 0 ? cuts[device] / split.unit : at) * split.unit);
  });
  return cuts;
}

/**
 * Cuts that make the slowest shard as fast as whole units allow: each next unit goes to the device that would
 * then end first (optimal for shard times that rise with the length).
 * @param shardNs time of so many units on a device
 */
export function balancedCuts(
  split: Split,
  devices: readonly DeviceId[],
  count: number,
  shardNs: (device: DeviceId, units: number) => number,
): number[] {
  const units = new Array<number>(count).fill(0);
  for (let left = split.length / split.unit; left > 0; left--) {
    let best = devices[0];
    let bestNs = Infinity;
    for (const device of devices) {
      const ns = shardNs(device, units[device] + 1);
      if (ns < bestNs) [best, bestNs] = [device, ns];
    }
    units[best]++;
  }
  const cuts = [0];
  units.forEach((share, device) => cuts.push(cuts[device] + share * split.unit));
  return cuts;
}

/** Up to so many of the fastest devices every number is tried, beyond it each a quarter less than the one before. */
const MOST_IN_EACH_SET = 8;

/** The fastest two devices, the fastest three, ... all of them; the largest set first, each ascending. */
export function fastestSets(speeds: readonly number[]): DeviceId[][] {
  const fastest = speeds.map((_, device) => device).sort((a, b) => speeds[b] - speeds[a] || a - b);
  const sets: DeviceId[][] = [];
  let size = speeds.length;
  while (size > 1) {
    sets.push(fastest.slice(0, size).sort((a, b) => a - b));
    size = size > MOST_IN_EACH_SET ? Math.max(MOST_IN_EACH_SET, Math.floor(size * 0.75)) : size - 1;
  }
  return sets;
}
