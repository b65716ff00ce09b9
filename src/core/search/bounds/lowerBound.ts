/**
 * A proven lower bound of the latency of every plan: any integer split along any axis, `K` splits and recomputed
 * halos included, over any devices in any order along the axis, within the devices' memories. The certificate
 * says how it was found; `verifyBound` derives it again from the model and the cluster.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import type { Nanoseconds, OperatorId } from '../../graph/units';
import { createWorkload, type LatencyModel } from '../../latency/workload';
import type { PartitionRules } from '../../partition/partition';
import { boxesHash, type BoundCertificate } from './certificate';
import { memoryPrices } from './memoryPrices';
import { overlappedBound } from './overlappedBound';
import { refine, type RefineLimits } from './refine';
import { BoundScene } from './scene';
import { SynchronousProblem } from './synchronousProblem';

export interface BoundRequest {
  readonly graph: Graph;
  readonly rules: PartitionRules;
  readonly cluster: Cluster;
  readonly order: readonly OperatorId[];
  readonly latency: LatencyModel;
  /** Latency of a valid plan, if one is known: boxes that cannot hold a better one are dropped. */
  readonly incumbentNs?: Nanoseconds;
  readonly limits?: RefineLimits;
}

export interface LatencyBound {
  readonly ns: Nanoseconds;
  /** For people. */
  readonly method: string;
  readonly certificate: BoundCertificate;
}

export const DEFAULT_LIMITS: RefineLimits = {
  rounds: 150,
  work: 2_000_000_000,
  tableLimit: 2_000_000,
  gap: 0.001,
};

/** @param isStopped a safety stop; the bound then holds as well, but may differ from run to run */
export function latencyBound(request: BoundRequest, isStopped: () => boolean): LatencyBound {
  const { graph, rules, cluster, latency, order } = request;
  const scene = new BoundScene(graph, rules, cluster);
  if (latency === 'overlapped') {
    const { ns, shares } = overlappedBound(scene);
    return {
      ns,
      method: 'work over speed',
      certificate: { model: 'overlapped', method: 'work over speed', shares },
    };
  }
  const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
  const prices = memoryPrices(workload, request.incumbentNs);
  return boxBound(scene, prices, request.incumbentNs, request.limits ?? DEFAULT_LIMITS, isStopped);
}

export function boxBound(
  scene: BoundScene,
  prices: readonly number[] | undefined,
  incumbentNs: Nanoseconds | undefined,
  limits: RefineLimits,
  isStopped: () => boolean,
): LatencyBound {
  const problem = new SynchronousProblem(scene, prices === undefined ? undefined : Float64Array.from(prices));
  // A valid plan keeps within the rooms, so its priced cost is at most its latency plus their price.
  const credit = (prices ?? []).reduce((sum, price, device) => {
    const { memory, baseMemory } = scene.cluster.devices[device];
    return sum + price * Math.max(0, memory - baseMemory);
  }, 0);
  const { bound, rounds, isExact } = refine(problem, (incumbentNs ?? Infinity) + credit, limits, isStopped);
  const method = `box refinement${prices === undefined ? '' : ' with memory prices'}`;
  return {
    // Room for the noise that rounding up to whole nanoseconds forgives.
    ns: Math.max(0, Math.floor((bound - credit) * (1 - 1e-12) - 1)),
    method,
    certificate: {
      model: 'synchronous',
      method,
      ...(incumbentNs === undefined ? {} : { incumbentNs }),
      rounds,
      tableLimit: limits.tableLimit,
      gap: limits.gap,
      isExact,
      ...(prices === undefined ? {} : { prices }),
      boxes: boxesHash(problem),
    },
  };
}
