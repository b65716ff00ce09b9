import type { Cluster } from '../../src/core/cluster/cluster';
import type { FuseRule, Graph } from '../../src/core/graph/graph';
import type { Random } from '../../src/core/graph/random';
import { simulate } from '../../src/core/latency/simulate';
import {
  createWorkload,
  type Genome,
  type LatencyModel,
  type Workload,
} from '../../src/core/latency/workload';
import { orderProblem } from '../../src/core/memory/problem';
import { findOrder } from '../../src/core/order/btsearch';
import type { PartitionRules } from '../../src/core/partition/partition';
import { partitionRules } from '../../src/core/partition/rules';
import type { Plan } from '../../src/core/plan/plan';
import { analyzeModel } from '../../src/engine/analyze';
import type { ByteSource } from '../../src/core/onnx/model';
import { planOf } from './planOf';
import { randomGene } from './randomPlan';

const NO_CONTROL = { cancelled: () => false, now: () => 0, report: () => undefined };

/** A model with its optimal order, ready to be partitioned in any way. */
export interface Planner {
  readonly graph: Graph;
  readonly rules: PartitionRules;
  readonly workload: Workload;
  /** The plan file that this genome makes, its timeline simulated. */
  plan(genome: Genome): Plan;
}

export function planner(
  source: ByteSource,
  cluster: Cluster,
  latency: LatencyModel,
  fuse: FuseRule = 'none',
): Planner {
  const { model, graph } = analyzeModel(source, { bindings: new Map(), fuse });
  const rules = partitionRules(graph);
  const problem = orderProblem(graph, { inPlace: 'none' });
  const order = findOrder(problem, {}, NO_CONTROL);
  const workload = createWorkload(graph, rules, cluster, order.steps, latency);
  const plan = (genome: Genome): Plan => {
    const made = planOf(workload, genome, simulate(workload, genome));
    const { fileBytes: bytes, structureSha256 } = model;
    const { status, lowerBoundBytes } = order;
    return {
      ...made,
      model: { file: 'model.onnx', bytes, structureSha256, sha256: '', bindings: {} },
      order: { ...made.order, status, lowerBoundBytes },
    };
  };
  return { graph, rules, workload, plan };
}

/** Random splits, cuts, devices and orders of them for every operator. */
export function randomGenome({ graph, rules, workload }: Planner, random: Random): Genome {
  const devices = workload.cluster.devices.length;
  return graph.operators.map(({ id, isView }) =>
    isView ? undefined : workload.genes.compile(id, randomGene(random, rules.splits(id), devices)),
  );
}
