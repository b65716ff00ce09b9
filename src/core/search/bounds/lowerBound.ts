/**
 * A proven lower bound of the latency of every plan: any integer split along any axis, `K` splits and recomputed
 * halos included, over any devices in any order along the axis, within the devices' memories. The certificate
 * says how it was found; `verifyBound` derives it again from the model and the cluster.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import { NONE, type Nanoseconds } from '../../graph/units';
import type { LatencyModel } from '../../latency/workload';
import type { PartitionRules } from '../../partition/partition';
import { BoundTrial, goingOn, higher, isEnough, WAYS, type Tried } from './boundTrial';
import { NOTHING_PROVEN, type LatencyBound } from './boxBound';
import { Interrupted } from './elimination';
import { pathBound } from './pathBound';
import type { RefineLimits } from './refine';
import { BoundScene } from './scene';
import { workBound } from './workBound';

export interface BoundRequest {
  readonly graph: Graph;
  readonly rules: PartitionRules;
  readonly cluster: Cluster;
  readonly latency: LatencyModel;
  /** Latency of a valid plan, if one is known: boxes that cannot hold a better one are dropped. */
  readonly incumbentNs?: Nanoseconds;
  /** Of a better one that is known later: a bound may wait for it. */
  readonly laterNs?: Nanoseconds;
  readonly limits?: RefineLimits;
}

/** Some 10 to 20 s of one core for a CNN of 60 to 200 operators. */
export function defaultLimits(operators: number): RefineLimits {
  const tableLimit = Math.max(LEAST_TABLE, Math.min(MOST_TABLE, Math.floor(CELLS_PER_ROUND / operators)));
  const work = Math.min(MOST_WORK, WORK_PER_OPERATOR * operators);
  return { rounds: MOST_ROUNDS, work, tableLimit, gap: GAP };
}

export const MOST_ROUNDS = 5000;
const MOST_WORK = 400_000_000;
/** Small models are soon as well proven as they will be. */
const WORK_PER_OPERATOR = 8_000_000;
const CELLS_PER_ROUND = 2_000_000_000;
const LEAST_TABLE = 200_000;
export const MOST_TABLE = 30_000_000;
/** The bound is as good as the incumbent. */
const GAP = 0.001;

/** @param isStopped a safety stop; the bound then holds as well, but may differ from run to run */
export function latencyBound(request: BoundRequest, isStopped: () => boolean): LatencyBound {
  if (isStopped()) return NOTHING_PROVEN;
  try {
    return request.latency === 'overlapped'
      ? overlappedBound(request, isStopped)
      : refinedBound(request, isStopped);
  } catch (error) {
    if (error instanceof Interrupted) return NOTHING_PROVEN;
    throw error;
  }
}

/** The higher of two bounds, neither of which sees messages. */
function overlappedBound({ graph, rules, cluster }: BoundRequest, isStopped: () => boolean): LatencyBound {
  const scene = new BoundScene(graph, rules, cluster);
  const { ns, ...duals } = workBound(scene, isStopped);
  const pathNs = pathBound(scene, isStopped);
  if (pathNs > ns) {
    const method = 'mean path';
    return { ns: pathNs, method, certificate: { model: 'overlapped', method }, stopped: false };
  }
  const method = duals.weightPrices === undefined ? 'work over speed' : 'work and weights';
  return { ns, method, certificate: { model: 'overlapped', method, ...duals }, stopped: false };
}

/** All ways on this thread. */
function refinedBound(request: BoundRequest, isStopped: () => boolean): LatencyBound {
  const { graph, rules, cluster } = request;
  const scene = new BoundScene(graph, rules, cluster);
  const trials: BoundTrial[] = [];
  const tried: Tried[] = [];
  for (const way of WAYS) {
    const trial = boundTrial(request, way, isStopped, scene);
    trials.push(trial);
    tried.push(trial.begin());
    if (isEnough(tried[tried.length - 1])) break;
  }
  const { bound, next } = goingOn(tried);
  if (next === NONE) return bound;
  // The other's boxes are let go.
  const [last] = trials.splice(next, 1);
  trials.length = 0;
  return higher(bound, last.finish(tried[next].isClose ? request.laterNs : undefined));
}

/** One of the ways. @param scene shared by those on the same thread */
export function boundTrial(
  { graph, rules, cluster, incumbentNs, limits }: BoundRequest,
  way: boolean,
  isStopped: () => boolean,
  scene = new BoundScene(graph, rules, cluster),
): BoundTrial {
  return new BoundTrial(scene, way, incumbentNs, limits ?? defaultLimits(scene.flow.steps.length), isStopped);
}
