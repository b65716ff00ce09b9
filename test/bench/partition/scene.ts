import { join } from 'node:path';
import type { Cluster } from '../../../src/core/cluster/cluster';
import type { Graph } from '../../../src/core/graph/graph';
import type { Bytes, OperatorId } from '../../../src/core/graph/units';
import { wholeGene } from '../../../src/core/latency/gene';
import { simulate } from '../../../src/core/latency/simulate';
import { createWorkload, type LatencyModel } from '../../../src/core/latency/workload';
import { orderProblem } from '../../../src/core/memory/problem';
import { findOrder } from '../../../src/core/order/btsearch';
import type { PartitionRules } from '../../../src/core/partition/partition';
import { partitionRules } from '../../../src/core/partition/rules';
import { analyzeFile } from '../../../src/engine/analyze';
import { freeControl } from '../../support/control';
import { fourDevices, type Network } from '../../support/fourDevices';

export const MODELS = [
  'public/light_bvlc_alexnet',
  'public/light_vgg19',
  'public/light_resnet50',
  'public/light_inception_v1',
  'public/light_squeezenet',
  'public/light_shufflenet',
  'public/light_densenet121',
  'architectures/nasnet-imagenet',
  'architectures/amoebanet-cifar',
  'architectures/darts-cifar',
  'architectures/randwire-stack-s1',
];

export const LATENCIES: readonly LatencyModel[] = ['overlapped', 'synchronous'];
/** Memory of each device in percent of what the model needs on one device. */
export type Memory = 'unlimited' | '60' | '40';
export const MEMORIES: readonly Memory[] = ['unlimited', '60', '40'];

/** More than any of the models needs. */
export const UNLIMITED: Bytes = 2 ** 31;

export interface Model {
  readonly name: string;
  readonly graph: Graph;
  readonly rules: PartitionRules;
  readonly order: readonly OperatorId[];
  /** Operators that run. */
  readonly operators: number;
  /** On one device. */
  readonly neededBytes: Bytes;
}

export const shortName = (path: string): string => path.replace(/.*\/(light_)?/, '');

export function loadModel(folder: string, path: string): Model {
  const { graph } = analyzeFile(join(folder, `${path}.onnx`), { bindings: new Map(), fuse: 'none' });
  const rules = partitionRules(graph);
  const order = findOrder(orderProblem(graph, { inPlace: 'none' }), {}, freeControl()).steps;
  const alone = fourDevices('1g', UNLIMITED);
  const workload = createWorkload(graph, rules, alone, order, 'overlapped');
  const genome = graph.operators.map(({ id, isView }) =>
    isView ? undefined : workload.genes.compile(id, wholeGene(0, alone.devices.length)),
  );
  return {
    name: shortName(path),
    graph,
    rules,
    order,
    operators: workload.flow.steps.length,
    neededBytes: simulate(workload, genome).devices[0].peakBytes,
  };
}

export function clusterFor({ neededBytes }: Model, network: Network, memory: Memory): Cluster {
  const bytes = memory === 'unlimited' ? UNLIMITED : Math.floor((neededBytes * Number(memory)) / 100);
  return fourDevices(network, bytes);
}
