import type { Stopped } from '../graph/control';
import type { Cluster } from '../cluster/cluster';
import { encodeCluster } from '../cluster/encode';
import type { Graph, Operator, Tensor } from '../graph/graph';
import { type Bytes, NONE, type OperatorId, type Step } from '../graph/units';
import type { DeviceLoad, Timeline, TimelineEvent } from '../latency/timeline';
import type { Partition } from '../partition/partition';
import type {
  Plan,
  PlanDevice,
  PlanEvent,
  PlanLatency,
  PlanOperator,
  PlanOptions,
  PlanPartition,
  PlanTensor,
} from './plan';

/** An order of all operators with its proof and its arena. */
export interface PlannedOrder {
  readonly status: 'optimal' | 'feasible';
  readonly steps: readonly OperatorId[];
  readonly peakBytes: Bytes;
  readonly lowerBoundBytes: Bytes;
  readonly arenaBytes: Bytes;
  /** Per storage. */
  readonly offsets: ArrayLike<number>;
  /** Per operator, of the memory inside it. */
  readonly bodyOffsets: ArrayLike<number>;
  readonly firstStep: ArrayLike<number>;
  readonly lastStep: ArrayLike<number>;
  readonly baselines: Readonly<Record<string, { readonly peakBytes: Bytes }>>;
}

/** A partition of every operator with its simulated timeline. */
export interface PlannedPartition {
  /** Per operator; `undefined` for views, which have none. */
  readonly partitions: readonly (Partition | undefined)[];
  readonly timeline: Timeline;
  readonly latency: Omit<PlanLatency, 'model'>;
}

export interface PlanParts {
  readonly model: Plan['model'];
  readonly graph: Graph;
  readonly cluster: Cluster;
  readonly options: PlanOptions;
  readonly stopped?: Stopped;
  readonly order: PlannedOrder;
  readonly partition: PlannedPartition;
}

/** The plan file of a search's results. Deterministic: no clock, machine or path goes in. */
export function buildPlan({ model, graph, cluster, options, stopped, order, partition }: PlanParts): Plan {
  const names = cluster.devices.map((device) => device.name);
  const stepOf = new Array<number>(graph.operators.length);
  order.steps.forEach((operator, step) => (stepOf[operator] = step));
  return {
    format: 'memorianova-plan',
    version: 1,
    model,
    cluster: encodeCluster(cluster),
    options,
    ...(stopped === undefined ? {} : { stopped }),
    order: {
      status: order.status,
      peakBytes: order.peakBytes,
      lowerBoundBytes: order.lowerBoundBytes,
      arenaBytes: order.arenaBytes,
      weightBytes: graph.weightBytes.bytes,
      steps: order.steps.map((operator) => graph.operators[operator].index),
      baselines: order.baselines,
    },
    tensors: graph.tensors
      .filter((tensor) => tensor.storage !== NONE)
      .map((tensor) => planTensor(tensor, order)),
    operators: graph.operators.map((operator) =>
      planOperator(graph, operator, stepOf[operator.id], order, partition.partitions[operator.id], names),
    ),
    devices: partition.timeline.devices.map((device, index) =>
      planDevice(device, names[index], cluster.devices[index].memory),
    ),
    latency: { model: options.latency, ...partition.latency } as PlanLatency,
    timeline: partition.timeline.events.map((event) => planEvent(graph, event, names)),
  };
}

function planTensor(tensor: Tensor, order: PlannedOrder): PlanTensor {
  return {
    name: tensor.name,
    type: tensor.type ?? 'unknown',
    shape: (tensor.shape ?? []).map((length) => length ?? 0),
    bytes: tensor.bytes ?? 0,
    storage: tensor.storage,
    firstStep: order.firstStep[tensor.storage],
    lastStep: order.lastStep[tensor.storage],
    offset: order.offsets[tensor.storage],
  };
}

function planOperator(
  graph: Graph,
  operator: Operator,
  step: Step,
  { bodyOffsets }: PlannedOrder,
  partition: Partition | undefined,
  names: readonly string[],
): PlanOperator {
  const weights = new Set(operator.inputs.filter((id) => id !== NONE && graph.tensors[id].isWeight));
  const { bytes } = operator.bodyPeak;
  return {
    index: operator.index,
    name: operator.name,
    type: operator.type,
    step,
    flops: operator.flops ?? 0,
    weightBytes: [...weights].reduce((sum, id) => sum + (graph.tensors[id].bytes ?? 0), 0),
    ...(operator.members.length > 1 ? { members: operator.members.map((member) => member.index) } : {}),
    ...(bytes > 0 ? { body: { bytes, offset: bodyOffsets[operator.id] } } : {}),
    partition: planPartition(partition, names),
  };
}

/** @param partition `undefined` for a view */
export function planPartition(partition: Partition | undefined, names: readonly string[]): PlanPartition {
  if (partition === undefined) return { dimension: 'none', axis: NONE, shards: [] };
  const { dimension, axis, shards, reduceOn } = partition;
  return {
    dimension,
    axis,
    shards: shards.map(({ device, ...range }) => ({ device: names[device], ...range })),
    ...(reduceOn === undefined ? {} : { reduceOn: names[reduceOn] }),
  };
}

export function planDevice(device: DeviceLoad, name: string, limitBytes: Bytes): PlanDevice {
  const { peakBytes, peakStep, weightBytes, busyNs } = device;
  return { name, limitBytes, peakBytes, peakStep, weightBytes, busySeconds: busyNs / 1e9 };
}

export function planEvent(graph: Graph, event: TimelineEvent, names: readonly string[]): PlanEvent {
  const times = { start: event.start / 1e9, end: event.end / 1e9 };
  if (event.kind !== 'transfer') {
    return {
      kind: event.kind,
      operator: graph.operators[event.operator].index,
      device: names[event.device],
      ...times,
    };
  }
  return {
    kind: 'transfer',
    tensor: graph.tensors[graph.storages[event.storage].tensors[0]].name,
    operator: event.operator === NONE ? null : graph.operators[event.operator].index,
    from: names[event.from],
    to: names[event.to],
    bytes: event.bytes,
    ...times,
  };
}
