import type { Cluster } from '../cluster/cluster';
import type { Graph } from '../graph/graph';
import type { OperatorId } from '../graph/units';
import type { PartitionRules } from '../partition/partition';
import { Regions } from '../partition/regions';
import { GeneTable, type CompiledGene } from './compiledGene';
import { CostModel } from './costModel';
import { flowOf, type Flow } from './flow';
import { TrafficTable } from './traffic';

export type LatencyModel = 'overlapped' | 'synchronous';

/** What stays fixed while genes are tried: the model, the cluster, the order and the latency model. */
export interface Workload {
  readonly graph: Graph;
  readonly cluster: Cluster;
  readonly latencyModel: LatencyModel;
  /** Every operator, views included. */
  readonly order: readonly OperatorId[];
  readonly flow: Flow;
  readonly genes: GeneTable;
  readonly traffic: TrafficTable;
}

/** The genes of a plan, by operator; `undefined` for views. */
export type Genome = readonly (CompiledGene | undefined)[];

export function createWorkload(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  order: readonly OperatorId[],
  latencyModel: LatencyModel,
): Workload {
  const flow = flowOf(graph, order);
  const genes = new GeneTable(graph, rules, cluster, new CostModel(cluster), new Regions(graph), flow);
  const traffic = new TrafficTable(genes, flow, latencyModel === 'overlapped');
  return { graph, cluster, latencyModel, order, flow, genes, traffic };
}

/** The same in another order; what was compiled stays usable. */
export function reordered(workload: Workload, order: readonly OperatorId[]): Workload {
  const flow = flowOf(workload.graph, order);
  const traffic = new TrafficTable(workload.genes, flow, workload.latencyModel === 'overlapped');
  return { ...workload, order, flow, traffic };
}
