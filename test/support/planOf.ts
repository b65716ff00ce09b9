import { encodeCluster } from '../../src/core/cluster/encode';
import { NONE } from '../../src/core/graph/units';
import { genePartition } from '../../src/core/latency/gene';
import type { Timeline, TimelineEvent } from '../../src/core/latency/timeline';
import type { Genome, Workload } from '../../src/core/latency/workload';
import type { Plan, PlanEvent } from '../../src/core/plan/plan';

const NANOSECONDS = 1e9;

/** A plan with everything that the checker's partition, timeline and memory rules look at; its order's figures are empty. */
export function planOf(workload: Workload, genome: Genome, timeline: Timeline): Plan {
  const { graph, cluster, order, genes, latencyModel } = workload;
  const device = (id: number): string => cluster.devices[id].name;
  return {
    format: 'memorianova-plan',
    version: 1,
    model: { file: 'm.onnx', bytes: 0, structureSha256: '', sha256: '', bindings: {} },
    cluster: encodeCluster(cluster),
    options: {
      seed: 1,
      latency: latencyModel,
      strategy: 'hybrid',
      inPlace: 'none',
      fuse: 'none',
      evaluations: 0,
    },
    order: {
      status: 'feasible',
      peakBytes: 0,
      lowerBoundBytes: 0,
      arenaBytes: 0,
      weightBytes: graph.weightBytes.bytes,
      steps: order.map((id) => graph.operators[id].index),
      baselines: {},
    },
    tensors: [],
    operators: graph.operators
      .filter(({ isView }) => !isView)
      .map(({ id, index, name, type, flops }) => {
        const { shards, reduceOn, ...partition } = genePartition(genome[id]!.gene, genes.splits(id));
        return {
          index,
          name,
          type,
          step: order.indexOf(id),
          flops: flops ?? 0,
          weightBytes: 0,
          partition: {
            ...partition,
            shards: shards.map((shard) => ({ ...shard, device: device(shard.device) })),
            ...(reduceOn === undefined ? {} : { reduceOn: device(reduceOn) }),
          },
        };
      }),
    devices: timeline.devices.map(({ peakBytes, peakStep, weightBytes, busyNs }, id) => ({
      name: device(id),
      limitBytes: cluster.devices[id].memory,
      peakBytes,
      peakStep,
      weightBytes,
      busySeconds: busyNs / NANOSECONDS,
    })),
    latency: {
      model: latencyModel,
      seconds: timeline.latencyNs / NANOSECONDS,
      lowerBoundSeconds: 0,
      boundMethod: '',
      baselines: {},
    },
    timeline: timeline.events.map((event) => planEvent(workload, event)),
  };
}

function planEvent({ graph, cluster }: Workload, event: TimelineEvent): PlanEvent {
  const times = { start: event.start / NANOSECONDS, end: event.end / NANOSECONDS };
  if (event.kind !== 'transfer') {
    const { kind, operator, device } = event;
    return {
      kind,
      operator: graph.operators[operator].index,
      device: cluster.devices[device].name,
      ...times,
    };
  }
  return {
    kind: 'transfer',
    tensor: graph.tensors[graph.storages[event.storage].tensors[0]].name,
    operator: event.operator === NONE ? null : graph.operators[event.operator].index,
    from: cluster.devices[event.from].name,
    to: cluster.devices[event.to].name,
    bytes: event.bytes,
    ...times,
  };
}
