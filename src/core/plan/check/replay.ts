import { tensorBytes } from '../../graph/elementType';
import type { Graph, Operator } from '../../graph/graph';
import { NONE } from '../../graph/units';
import type { PartitionRules, ShardWork, Split } from '../../partition/partition';
import type { Plan, PlanOperator } from '../plan';
import { Grid, type TensorBox } from './grid';
import { EMPTY, type Runs, unite } from './runs';
import type { Violations } from './violations';

/** One shard as the plan gives it. */
interface PlannedShard {
  readonly operator: Operator;
  readonly step: number;
  readonly device: number;
  readonly work: ShardWork;
  /** The work of the range that it owns: `work` itself unless it computes more. */
  readonly owned: ShardWork;
  /** Its outputs are partial sums. */
  readonly isPartial: boolean;
}

/** A shard with the elements that it reads and makes, per storage. */
export interface ReplayShard extends PlannedShard {
  /** Storage -> elements read. */
  readonly needs: ReadonlyMap<number, Runs>;
  /** Storage -> elements computed here, and the part of them that it owns. Empty for a partial sum. */
  readonly makes: ReadonlyMap<number, Runs>;
  readonly owns: ReadonlyMap<number, Runs>;
  /** Storage -> bytes of the full-size partial sum that it makes (`K` only). */
  readonly partials: ReadonlyMap<number, number>;
}

/** A plan laid over its graph: devices by position, shards per operator. */
export interface Replay {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly devices: readonly string[];
  readonly source: number;
  readonly sink: number;
  /** Operator id -> step. */
  readonly stepOf: readonly number[];
  /** Operators in execution order. */
  readonly steps: readonly Operator[];
  /** Operator id -> its shards by device position; empty for views. */
  readonly shards: readonly (readonly ReplayShard[])[];
  /** Operator id -> device that adds the partial sums, or `NONE`. */
  readonly reduceOn: readonly number[];
  /** Storage -> its elements, as far as the shards tell them apart: what runs of it count in. */
  readonly grids: readonly Grid[];
}

export function storageElements(graph: Graph, storage: number): number {
  const shape = graph.tensors[graph.storages[storage].tensors[0]].shape;
  return shape === undefined ? 0 : shape.reduce<number>((product, length) => product * (length ?? 0), 1);
}

/** Bytes of `elements` elements of a storage; 0 where its type or shape is not known. */
export function storageBytes(graph: Graph, storage: number, elements: number): number {
  const type = graph.tensors[graph.storages[storage].tensors[0]].type;
  return type === undefined ? 0 : (tensorBytes(type, elements) ?? 0);
}

/** Bytes of some elements of a storage. */
export function regionBytes({ graph, grids }: Replay, storage: number, elements: Runs): number {
  return storageBytes(graph, storage, grids[storage].count(elements));
}

/** Name under which a storage's messages and lifetimes appear: the tensor that made it. */
export function storageName(graph: Graph, storage: number): string {
  return graph.tensors[graph.storages[storage].tensors[0]].name;
}

export function describeOperator(operator: Operator): string {
  return `operator ${operator.index} (${operator.type}${operator.name ? ` "${operator.name}"` : ''})`;
}

/**
 * Steps, devices and shards of a plan. Finds gaps, overlaps, unknown devices and splits that the operator does
 * not allow; `undefined` where the plan is too far from the graph for the rest to mean anything.
 */
export function replayPlan(
  graph: Graph,
  rules: PartitionRules,
  plan: Plan,
  violations: Violations,
): Replay | undefined {
  const devices = plan.cluster.devices.map((device) => device.name);
  const source = devices.indexOf(plan.cluster.source);
  const sink = devices.indexOf(plan.cluster.sink);
  if (source < 0 || sink < 0) {
    violations.add('partition', "The cluster's source or sink is none of its devices.");
    return undefined;
  }
  const byIndex = new Map(graph.operators.map((operator) => [operator.index, operator]));
  const steps: Operator[] = [];
  const seen = new Set<Operator>();
  for (const index of plan.order.steps) {
    const operator = byIndex.get(index);
    if (operator === undefined || seen.has(operator)) {
      violations.add(
        'order',
        `order.steps names operator ${index}, which is ${operator ? 'there twice' : 'not in the model'}.`,
      );
      return undefined;
    }
    seen.add(operator);
    steps.push(operator);
  }
  if (steps.length !== graph.operators.length) {
    violations.add(
      'order',
      `order.steps has ${steps.length} of the model's ${graph.operators.length} operators.`,
    );
    return undefined;
  }
  const stepOf = new Array<number>(graph.operators.length);
  steps.forEach((operator, step) => (stepOf[operator.id] = step));

  const entries = new Map(plan.operators.map((entry) => [entry.index, entry]));
  const reduceOn = new Array<number>(graph.operators.length).fill(NONE);
  const planned = graph.operators.map((operator): readonly PlannedShard[] => {
    if (operator.isView) return [];
    const entry = entries.get(operator.index);
    if (entry === undefined) {
      violations.add('partition', `${describeOperator(operator)} has no partition in the plan.`);
      return [];
    }
    if (entry.partition.dimension === 'K')
      reduceOn[operator.id] = devices.indexOf(entry.partition.reduceOn ?? '');
    return plannedShards(rules, operator, entry, devices, stepOf[operator.id], violations);
  });
  graph.operators.forEach((operator) => {
    const entry = entries.get(operator.index);
    if (entry?.partition.dimension === 'K' && !operator.isView && reduceOn[operator.id] < 0) {
      violations.add(
        'partition',
        `${describeOperator(operator)} is split by K but reduceOn names no device.`,
      );
    }
  });
  if (violations.any) return undefined;
  const grids = storageGrids(graph, planned.flat());
  const shards = planned.map((own) => own.map((shard) => replayShard(graph, grids, shard)));
  return { graph, plan, devices, source, sink, stepOf, steps, shards, reduceOn, grids };
}

function plannedShards(
  rules: PartitionRules,
  operator: Operator,
  entry: PlanOperator,
  devices: readonly string[],
  step: number,
  violations: Violations,
): PlannedShard[] {
  const { dimension, axis, shards } = entry.partition;
  const where = describeOperator(operator);
  const split =
    dimension === 'none'
      ? undefined
      : rules.splits(operator.id).find((s) => s.dimension === dimension && s.axis === axis);
  if (dimension !== 'none' && split === undefined) {
    violations.add('partition', `${where} cannot be split by ${dimension} along axis ${axis}.`);
    return [];
  }
  if (!coversAxis(entry, split, where, devices, violations)) return [];
  return shards.map((shard) => {
    const start = shard.computeStart ?? shard.start;
    const end = shard.computeEnd ?? shard.end;
    const work = rules.work(operator.id, split, start, end);
    const owned =
      start === shard.start && end === shard.end
        ? work
        : rules.work(operator.id, split, shard.start, shard.end);
    const isPartial = dimension === 'K' && shards.length > 1;
    return { operator, step, device: devices.indexOf(shard.device), work, owned, isPartial };
  });
}

function coversAxis(
  entry: PlanOperator,
  split: Split | undefined,
  where: string,
  devices: readonly string[],
  violations: Violations,
): boolean {
  const { shards } = entry.partition;
  const fail = (message: string): boolean => {
    violations.add('partition', `${where}: ${message}`);
    return false;
  };
  for (const shard of shards) {
    if (!devices.includes(shard.device)) return fail(`device "${shard.device}" is not in the cluster.`);
  }
  if (new Set(shards.map((shard) => shard.device)).size !== shards.length)
    return fail('a device has two shards.');
  if (split === undefined) {
    if (shards.length !== 1) return fail(`runs whole but on ${shards.length} devices.`);
    const [{ start, end, computeStart = start, computeEnd = end }] = shards;
    const isWhole = start === 0 && end === 1 && computeStart === 0 && computeEnd === 1;
    return (
      (isWhole && entry.partition.axis === NONE) || fail('runs whole, which is axis -1 and shard [0, 1).')
    );
  }
  const ordered = [...shards].sort((a, b) => a.start - b.start);
  let covered = 0;
  for (const shard of ordered) {
    const { start, end, computeStart = start, computeEnd = end } = shard;
    if (!Number.isInteger(start) || !Number.isInteger(end) || end <= start)
      return fail(`shard [${start}, ${end}) is empty or not whole.`);
    if (start > covered) return fail(`a gap: [${covered}, ${start}) belongs to no device.`);
    if (start < covered)
      return fail(`an overlap: [${start}, ${Math.min(covered, end)}) belongs to two devices.`);
    if (end < split.length && end % split.unit !== 0)
      return fail(`the cut at ${end} is not a multiple of ${split.unit}.`);
    if (computeStart > start || computeEnd < end || computeStart < 0 || computeEnd > split.length) {
      return fail(
        `computes [${computeStart}, ${computeEnd}), which does not contain its own [${start}, ${end}) or leaves the axis.`,
      );
    }
    covered = end;
  }
  return covered === split.length || fail(`a gap: [${covered}, ${split.length}) belongs to no device.`);
}

function storageGrids(graph: Graph, shards: readonly PlannedShard[]): Grid[] {
  const boxes: TensorBox[][] = graph.storages.map(() => []);
  const add = (tensors: readonly number[], parts: ShardWork['inputs']): void =>
    tensors.forEach((id, position) => {
      const found = tensorBox(graph, id, parts[position]);
      if (found !== undefined) boxes[graph.tensors[id].storage].push(found);
    });
  for (const { operator, work, owned } of shards) {
    add(operator.inputs, work.inputs);
    add(operator.outputs, work.outputs);
    if (owned !== work) add(operator.outputs, owned.outputs);
  }
  return graph.storages.map(({ id }) => new Grid(storageElements(graph, id), boxes[id]));
}

/** `undefined`: no box, of a weight, or in a tensor whose shape is not known. */
function tensorBox(graph: Graph, id: number, box: readonly number[] | undefined): TensorBox | undefined {
  if (id === NONE || box === undefined || graph.tensors[id].storage === NONE) return undefined;
  const { shape } = graph.tensors[id];
  const isKnown = shape !== undefined && shape.every((length) => length !== undefined);
  return isKnown ? { shape: shape as number[], box } : undefined;
}

function replayShard(graph: Graph, grids: readonly Grid[], shard: PlannedShard): ReplayShard {
  const { operator, work, owned, isPartial } = shard;
  const makes = regions(graph, grids, operator.outputs, work.outputs);
  const sum = (storage: number): number => storageBytes(graph, storage, storageElements(graph, storage));
  return {
    ...shard,
    needs: regions(graph, grids, operator.inputs, work.inputs),
    makes: isPartial ? new Map<number, Runs>() : makes,
    owns: isPartial ? new Map<number, Runs>() : regions(graph, grids, operator.outputs, owned.outputs),
    partials: new Map(isPartial ? [...makes.keys()].map((storage) => [storage, sum(storage)]) : []),
  };
}

/**
 * Elements per storage of an operator's boxes; several tensors of one storage are united, and one whose shape is not
 * known is needed whole.
 */
function regions(
  graph: Graph,
  grids: readonly Grid[],
  tensors: readonly number[],
  boxes: readonly (readonly number[] | undefined)[],
): ReadonlyMap<number, Runs> {
  const result = new Map<number, Runs>();
  tensors.forEach((id, position) => {
    if (id === NONE || boxes[position] === undefined) return;
    const { storage } = graph.tensors[id];
    if (storage === NONE) return;
    const found = tensorBox(graph, id, boxes[position]);
    const runs = found === undefined ? grids[storage].whole : grids[storage].runs(found);
    result.set(storage, unite(result.get(storage) ?? EMPTY, runs));
  });
  return result;
}
