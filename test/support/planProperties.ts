import assert from 'node:assert/strict';
import type { Cluster } from '../../src/core/cluster/cluster';
import type { Graph } from '../../src/core/graph/graph';
import { seededRandom, type Random } from '../../src/core/graph/random';
import { createWorkload, type LatencyModel } from '../../src/core/latency/workload';
import { orderProblem } from '../../src/core/memory/problem';
import { peakOf } from '../../src/core/order/baselines';
import { partitionRules } from '../../src/core/partition/rules';
import { planBaselines } from '../../src/core/plan/baselines';
import { checkPlan } from '../../src/core/plan/check';
import { checkBaselines } from '../../src/core/plan/check/baselines';
import type { Plan } from '../../src/core/plan/plan';
import { latencyBound } from '../../src/core/search/bounds/lowerBound';
import type { PartitionResult, Strategy } from '../../src/core/search/geneflow/problem';
import { searchPartition } from '../../src/core/search/geneflow/searchPartition';
import { freeControl } from './control';
import { randomNet } from './netGraph';
import { planOf } from './planOf';
import { randomCluster, shuffledOrder } from './randomPlan';

const STRATEGIES: readonly Strategy[] = ['hybrid', 'hybrid', 'horizontal', 'vertical'];
const LIMITS = { rounds: 8, work: 1_000_000, tableLimit: 50_000, gap: 0 };

interface Case {
  readonly graph: Graph;
  readonly cluster: Cluster;
  readonly latency: LatencyModel;
  readonly strategy: Strategy;
  readonly order: readonly number[];
}

function caseOf(random: Random): Case {
  const graph = randomNet(random, 2 + random.below(12));
  const memory = [2 ** 30, 60_000, 25_000, 8000][random.below(4)];
  return {
    graph,
    cluster: randomCluster(random, memory),
    latency: random.below(2) === 0 ? 'overlapped' : 'synchronous',
    strategy: STRATEGIES[random.below(STRATEGIES.length)],
    order: shuffledOrder(random, graph),
  };
}

/**
 * A random network on a random cluster, searched: what is found, and what is said where nothing is.
 * @returns whether a valid plan was found. @throws AssertionError with the seed where a promise is broken
 */
export async function holdsPromises(seed: number): Promise<boolean> {
  const { graph, cluster, latency, strategy, order } = caseOf(seededRandom(seed));
  const rules = partitionRules(graph);
  const options = { seed, latency, strategy, evaluations: 600, freeOrder: false } as const;
  const result = await searchPartition({ graph, rules, cluster, order, options }, freeControl());
  const plan = planned({ graph, cluster, latency, strategy, order }, result);
  const { violations } = checkPlan(graph, rules, plan);
  const broken = violations.filter(({ rule }) => result.valid || rule !== 'memory');
  assert.deepEqual(broken, [], `seed ${seed}`);
  assert.deepEqual(checkBaselines(graph, rules, plan), [], `seed ${seed}`);
  if (!result.valid) return false;
  const { latencyNs, devices } = result.timeline;
  const request = { graph, rules, cluster, latency, incumbentNs: latencyNs, limits: LIMITS };
  const { ns } = latencyBound(request, () => false);
  assert.ok(ns <= latencyNs, `seed ${seed}: a plan of ${latencyNs} ns below its bound of ${ns} ns`);
  for (const opponent of result.seeds) {
    if (strategy === 'hybrid' && opponent.valid)
      assert.ok(latencyNs <= opponent.latencyNs, `seed ${seed}: behind ${opponent.name}`);
  }
  if (cluster.devices.length === 1) {
    const peak = peakOf(orderProblem(graph, { inPlace: 'none' }), order);
    const [{ baseMemory }] = cluster.devices;
    // A weight that nobody reads is never loaded.
    const weights = graph.tensors.filter(({ isWeight, consumers }) => isWeight && consumers.length > 0);
    const weightBytes = weights.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
    assert.equal(devices[0].peakBytes, baseMemory + weightBytes + peak, `seed ${seed}`);
    assert.equal(latencyNs, result.seeds[0].latencyNs, `seed ${seed}`);
  }
  return true;
}

function planned({ graph, cluster, latency, strategy, order }: Case, result: PartitionResult): Plan {
  const workload = createWorkload(graph, partitionRules(graph), cluster, order, latency);
  const genome = result.genes.map((gene, id) => gene && workload.genes.compile(id, gene));
  const plan = planOf(workload, genome, result.timeline);
  const opponents = result.seeds.map((seed) => ({ ...seed, seconds: seed.latencyNs / 1e9 }));
  return {
    ...plan,
    options: { ...plan.options, strategy },
    latency: { ...plan.latency, ...planBaselines(opponents, cluster) },
  };
}

/** With more memory or bandwidth an optimum can only fall, and so must what is proven of it. */
export function boundFollowsResources(seed: number): void {
  const { graph, cluster, latency } = caseOf(seededRandom(seed));
  const rules = partitionRules(graph);
  const bound = (of: Cluster): number =>
    latencyBound({ graph, rules, cluster: of, latency, limits: LIMITS }, () => false).ns;
  const { network, devices } = cluster;
  const faster = {
    ...cluster,
    network: {
      ...network,
      bandwidth: network.bandwidth * 4,
      links: network.links.map((link) => ({ ...link, bandwidth: link.bandwidth && link.bandwidth * 4 })),
    },
  };
  const roomier = {
    ...cluster,
    devices: devices.map((device) => ({ ...device, memory: 4 * device.memory })),
  };
  const own = bound(cluster);
  assert.ok(bound(faster) <= own, `seed ${seed}: ${bound(faster)} with more bandwidth, ${own} with less`);
  assert.ok(bound(roomier) <= own, `seed ${seed}: ${bound(roomier)} with more memory, ${own} with less`);
}
