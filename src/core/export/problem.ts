import type { Graph, Operator, Tensor } from '../graph/graph';
import { InputError } from '../graph/problem';
import type { Partition, PartitionRules, Split } from '../partition/partition';

/** A plan as the export needs it. */
export interface PlannedGraph {
  readonly graph: Graph;
  readonly rules: PartitionRules;
  /** Names, in the cluster's order. */
  readonly devices: readonly string[];
  /** Devices where the model's inputs are and where its outputs must be. */
  readonly source: number;
  readonly sink: number;
  /** Operators in execution order, views among them. */
  readonly steps: readonly number[];
  /** By operator; `undefined` for views, which no device executes. */
  readonly partitions: readonly (Partition | undefined)[];
}

/** A name that people recognise. */
export function operatorLabel(operator: Operator): string {
  return `operator ${operator.index} (${operator.type}${operator.name === '' ? '' : ` "${operator.name}"`})`;
}

/** The split of a partition, or `undefined` for a whole operator. Throws `InputError` where the rules have none. */
export function splitOf(plan: PlannedGraph, operator: Operator, partition: Partition): Split | undefined {
  if (partition.dimension === 'none') return undefined;
  const found = plan.rules
    .splits(operator.id)
    .find((split) => split.dimension === partition.dimension && split.axis === partition.axis);
  if (found === undefined)
    throw new InputError(
      `The plan splits ${operatorLabel(operator)} by ${partition.dimension} along axis ${partition.axis}, which this operator does not allow.`,
    );
  return found;
}

/** Throws `InputError` with one sentence about the first shard that does not fit; see `splitOf`. */
export function checkPartition(plan: PlannedGraph, operator: Operator, partition: Partition): void {
  const label = operatorLabel(operator);
  const split = splitOf(plan, operator, partition);
  const { length, unit } = split ?? { length: 1, unit: 1 };
  if (partition.shards.length === 0) throw new InputError(`The plan gives ${label} to no device.`);
  const ordered = [...partition.shards].sort((a, b) => a.start - b.start);
  let covered = 0;
  for (const shard of ordered) {
    if (plan.devices[shard.device] === undefined)
      throw new InputError(`The plan gives a part of ${label} to a device that its cluster does not have.`);
    if (shard.start >= shard.end)
      throw new InputError(`The plan has an empty shard of ${label}: [${shard.start}, ${shard.end}).`);
    if (shard.start > covered)
      throw new InputError(
        `The plan leaves a gap in ${label}: nobody computes [${covered}, ${shard.start}) of axis ${partition.axis}.`,
      );
    if (shard.start < covered)
      throw new InputError(
        `The plan's shards of ${label} overlap at [${shard.start}, ${Math.min(covered, shard.end)}) of axis ${partition.axis}.`,
      );
    const cuts = [shard.start, shard.end, shard.computeStart ?? shard.start, shard.computeEnd ?? shard.end];
    if (cuts.some((cut) => cut % unit !== 0 || cut < 0 || cut > length))
      throw new InputError(
        `The plan cuts ${label} at [${shard.start}, ${shard.end}), but cuts must be multiples of ${unit} in [0, ${length}].`,
      );
    covered = shard.end;
  }
  if (covered !== length)
    throw new InputError(
      `The plan leaves a gap in ${label}: nobody computes [${covered}, ${length}) of axis ${partition.axis}.`,
    );
  if (split?.dimension === 'K' && plan.devices[partition.reduceOn ?? -1] === undefined)
    throw new InputError(`The plan splits ${label} into partial sums, but names no device that adds them.`);
}

/** Throws `InputError` unless every operator stands once in the steps and every shard fits. */
export function checkPlannedGraph(plan: PlannedGraph): void {
  const seen = new Set<number>();
  for (const step of plan.steps) {
    const operator = plan.graph.operators[step];
    if (operator === undefined || seen.has(step))
      throw new InputError(`The plan's order names operator ${step} that the model does not have, or twice.`);
    seen.add(step);
    const partition = plan.partitions[step];
    if (operator.isView) continue;
    if (partition === undefined)
      throw new InputError(`The plan says nothing about ${operatorLabel(operator)}.`);
    checkPartition(plan, operator, partition);
  }
  if (seen.size !== plan.graph.operators.length)
    throw new InputError(
      `The plan orders ${seen.size} operators, but the model has ${plan.graph.operators.length}.`,
    );
}

export function tensorName(tensor: Tensor | undefined): string {
  return tensor?.name ?? '';
}
