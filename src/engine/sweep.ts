import type { Cluster } from '../core/cluster/cluster';
import { parseCluster } from '../core/cluster/parse';
import type { Control } from '../core/graph/control';
import { orderProblem } from '../core/memory/problem';
import { findOrder } from '../core/order/btsearch';
import { partitionRules } from '../core/partition/rules';
import { planGenes } from '../core/plan/genes';
import type { Plan } from '../core/plan/plan';
import type { PartitionProgress } from '../core/search/geneflow/problem';
import { requireKnownSizes } from '../core/search/geneflow/searchPartition';
import type { SearchWorkers } from './searchWorkers';
import {
  atBandwidth,
  atMemory,
  carryOver,
  sweep,
  type Sweep,
  type SweptCluster,
} from '../core/search/whatIf';
import type { Analysis } from './analyze';
import { operatorPins, type OptimizeOptions, type PlanPin } from './optimize';
import { ORDER_SHARE, TimeLimit } from './timeLimit';

/** What is swept: the bandwidth of every link in B/s, or a factor on every device's memory. */
export type Swept = 'bandwidth' | 'memory';

const SWEPT: Readonly<Record<Swept, SweptCluster>> = { bandwidth: atBandwidth, memory: atMemory };

export interface SweepRequest {
  readonly analysis: Analysis;
  readonly cluster: Cluster;
  /** `evaluations` are those of each search, of which each value has two; `timeLimit` is that of the whole. */
  readonly options: OptimizeOptions;
  readonly of: Swept;
  readonly values: readonly number[];
  /** A plan of the same model to start from. */
  readonly start?: Plan;
  readonly pins?: ReadonlyMap<number, PlanPin>;
  readonly workers?: SearchWorkers;
}

/** How far a sweep is. */
export interface SweepProgress extends PartitionProgress {
  /** 0 to 1. */
  readonly fraction: number;
}

/** Latency at several bandwidths or memories of a cluster, each searched from its neighbours' plans. */
export function sweepModel(request: SweepRequest, control: Control<SweepProgress>): Promise<Sweep> {
  const { analysis, cluster, options, of, values, start, pins, workers } = request;
  const { graph } = analysis;
  requireKnownSizes(graph);
  const limit = new TimeLimit(() => control.now(), options.timeLimit);
  const rules = partitionRules(graph);
  const quiet = { ...control, report: () => undefined };
  const order = findOrder(
    orderProblem(graph, { inPlace: options.inPlace }),
    { timeLimitSeconds: limit.left(ORDER_SHARE) },
    quiet,
  );
  const partition = {
    ...options,
    timeLimit: limit.left(),
    freeOrder: false,
    ...(pins === undefined ? {} : { pins: operatorPins(graph, rules, cluster, pins) }),
  };
  const before = start && parseCluster(start.cluster);
  const genes = start && carryOver(planGenes(graph, rules, start, before!), before!, cluster);
  const seeds = genes && [{ name: 'plan at hand', genes }];
  const problem = {
    graph,
    rules,
    cluster,
    order: order.steps,
    options: partition,
    ...(seeds && { seeds }),
  };
  return sweep(problem, SWEPT[of], values, withFraction(control, values.length), workers?.makePool);
}

/** Evaluations fall back to 0 when the next search starts: what is done is counted by that. */
function withFraction(control: Control<SweepProgress>, values: number): Control<PartitionProgress> {
  const searches = 2 * values - 1;
  let started = 1;
  let last = 0;
  return {
    ...control,
    report: (progress) => {
      if (progress.evaluations < last) started++;
      last = progress.evaluations;
      control.report({ ...progress, fraction: Math.min(1, (started - 1) / searches) });
    },
  };
}
