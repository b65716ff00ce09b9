import type { Cluster } from '../cluster/cluster';
import { LONGEST_LATENCY_NS } from '../latency/countable';
import type { Seconds } from '../graph/units';
import type { Partition } from '../partition/partition';
import { planPartition } from './build';
import type { PlanBaseline, PlanLatency } from './plan';

/** How the baselines that put everything on one device are named. */
export const SINGLE_DEVICE_PREFIX = 'single ';

/** An opponent with what it takes to replay it. */
export interface PlannedBaseline {
  readonly name: string;
  readonly seconds: Seconds;
  readonly valid: boolean;
  /** Per operator; `undefined` for views. */
  readonly partitions: readonly (Partition | undefined)[];
}

/**
 * Every opponent's latency; `singleDevice` is the best device alone, a valid one where there is any. Opponents
 * share most of their partitions: each stands once in `baselinePartitions`, in the order of its first use. Those that
 * take longer than seconds can say to the nanosecond are left out.
 */
export function planBaselines(
  planned: readonly PlannedBaseline[],
  { devices }: Cluster,
): Pick<PlanLatency, 'baselines' | 'baselinePartitions'> {
  const names = devices.map(({ name }) => name);
  const table = new Map<string, number>();
  const position = (partition: Partition | undefined): number => {
    const key = JSON.stringify(planPartition(partition, names));
    const known = table.get(key) ?? table.size;
    table.set(key, known);
    return known;
  };
  const entries = planned
    .filter(({ seconds }) => seconds * 1e9 <= LONGEST_LATENCY_NS)
    .map(({ name, seconds, valid, partitions }) => {
      const baseline: PlanBaseline = { seconds, valid, partitions: partitions.map(position) };
      return [name, baseline] as const;
    });
  const singles = entries.filter(([name]) => name.startsWith(SINGLE_DEVICE_PREFIX));
  const better = (a: PlanBaseline, b: PlanBaseline): PlanBaseline =>
    (a.valid === b.valid ? a.seconds <= b.seconds : a.valid) ? a : b;
  const best = singles.map(([, single]) => single).reduce(better);
  return {
    baselines: {
      singleDevice: { seconds: best.seconds, valid: best.valid },
      ...Object.fromEntries(entries),
    },
    baselinePartitions: [...table.keys()].map((key) => JSON.parse(key) as ReturnType<typeof planPartition>),
  };
}
