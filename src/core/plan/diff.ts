import type { Plan, PlanOperator } from './plan';

/** How one operator's partition differs between two plans. */
export interface OperatorChange {
  readonly index: number;
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

export interface PlanDiff {
  readonly seconds: { readonly before: number; readonly after: number };
  readonly peakBytes: { readonly before: number; readonly after: number };
  readonly devices: readonly {
    readonly name: string;
    readonly before: number | undefined;
    readonly after: number | undefined;
  }[];
  readonly operators: readonly OperatorChange[];
  readonly orderChanged: boolean;
}

/** What changed from one plan to another of the same model: latency, peaks per device, partitions, order. */
export function diffPlans(before: Plan, after: Plan): PlanDiff {
  const earlier = new Map(before.operators.map((operator) => [operator.index, operator]));
  const names = new Set([...before.devices, ...after.devices].map((device) => device.name));
  const peak = (plan: Plan, name: string): number | undefined =>
    plan.devices.find((device) => device.name === name)?.peakBytes;
  return {
    seconds: { before: before.latency.seconds, after: after.latency.seconds },
    peakBytes: { before: before.order.peakBytes, after: after.order.peakBytes },
    devices: [...names].map((name) => ({ name, before: peak(before, name), after: peak(after, name) })),
    operators: after.operators.flatMap((operator) => {
      const was = earlier.get(operator.index);
      const change = {
        index: operator.index,
        name: operator.name || operator.type,
        before: was === undefined ? 'absent' : partitionText(was),
        after: partitionText(operator),
      };
      return change.before === change.after ? [] : [change];
    }),
    orderChanged: before.order.steps.join() !== after.order.steps.join(),
  };
}

/** A partition in a line: `H camera 0-28, tv 28-56`, `camera` for a whole operator. */
export function partitionText({ partition }: PlanOperator): string {
  if (partition.shards.length === 0) return 'view';
  if (partition.dimension === 'none') return partition.shards[0].device;
  const along = [...partition.shards].sort((a, b) => a.start - b.start);
  const shards = along.map((shard) => `${shard.device} ${shard.start}-${shard.end}`).join(', ');
  return `${partition.dimension} ${shards}${partition.reduceOn ? `, sum on ${partition.reduceOn}` : ''}`;
}
