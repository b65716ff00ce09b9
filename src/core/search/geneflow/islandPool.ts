import type { Cluster } from '../../cluster/cluster';
import type { Bytes, Nanoseconds } from '../../graph/units';
import type { Gene } from '../../latency/gene';
import { createWorkload } from '../../latency/workload';
import { hiddenMessagesPlan } from '../opponents/hiddenMessages';
import { firstElimination, opponentPlans } from '../opponents/opponents';
import type { Stop } from './explorer';
import { Island } from './island';
import { ALL_PARTS, type PartitionProblem, type Seed, type SeedResult } from './problem';
import { SearchSpace } from './space';

/** How many populations evolve, whatever the number of workers. */
export const ISLANDS = 4;

/** The best plan of an island, as plain data. */
export interface IslandReport {
  readonly genes: readonly (Gene | undefined)[];
  readonly latencyNs: Nanoseconds;
  readonly violation: Bytes;
  readonly evaluations: number;
}

/** Hears of a plan to start from. */
export type FoundSeed = (seed: Seed) => void;

/** The islands, wherever they live. Calls are made one after another. */
export interface IslandPool {
  /**
   * The plans of the methods that GenEFlow is compared with, for each of the clusters, of which the problem's own gets
   * most of the effort; `undefined` where it was stopped meanwhile.
   * @param isLate from when on they make do with what they have
   * @param found hears of the first plan of the exact elimination on the problem's own, long before the others are known
   */
  opponents(
    clusters: readonly Cluster[],
    isLate: Stop,
    found: FoundSeed,
  ): Promise<readonly (readonly Seed[])[] | undefined>;
  start(seeds: readonly Seed[]): Promise<readonly SeedResult[]>;
  /** Every island runs `evaluations`, after it has received `immigrants[island]` (if any). */
  run(
    evaluations: number,
    immigrants: readonly (IslandReport | undefined)[],
  ): Promise<readonly IslandReport[]>;
  dispose(): void;
}

/** Seeds of different islands are this far apart, so that no two searches share one by accident. */
const SEED_STRIDE = 1_000_003;

/** An island, and what it is asked over the pool. */
export class IslandHost {
  private readonly island: Island;

  constructor(
    space: SearchSpace,
    index: number,
    private readonly stop: Stop,
  ) {
    const { options } = space;
    const parts = options.parts ?? ALL_PARTS;
    const isAnnealed = parts.annealing && index % 2 === 1;
    this.island = new Island(space, parts, options.seed + index * SEED_STRIDE, isAnnealed);
  }

  start(seeds: readonly Seed[]): readonly SeedResult[] {
    return this.island.start(seeds);
  }

  run(evaluations: number, immigrant: IslandReport | undefined): IslandReport {
    if (immigrant !== undefined) this.island.receive(immigrant.genes);
    this.island.run(evaluations, this.stop);
    const { best } = this.island;
    return {
      genes: best.genome.map((gene) => gene?.gene),
      latencyNs: best.latencyNs,
      violation: best.violation,
      evaluations: this.island.evaluations,
    };
  }
}

export function searchSpace({ graph, rules, cluster, order, options }: PartitionProblem): SearchSpace {
  return new SearchSpace(createWorkload(graph, rules, cluster, order, options.latency), options);
}

/** Evaluations of the search that one neighbourhood of the exact elimination is worth. */
const EVALUATIONS_PER_ROUND = 16_000;
const MOST_ROUNDS = 24;
/** Of these, for a cluster that is not the problem's own. */
const ELSEWHERE_SHARE = 1 / 3;
/** Their effort grows faster than the model; beyond this many operators only those count that take a moment. */
const MOST_OPERATORS = 2_000;

/**
 * The opponents' plans on a cluster, with an effort that fits the search's own.
 * @param found hears of the first plan of the exact elimination, where it takes no more than a moment or is asked for anyway
 */
export function opponentSeeds(
  { graph, rules, order, options }: PartitionProblem,
  cluster: Cluster,
  isOwn: boolean,
  isLate: Stop,
  found: FoundSeed,
): readonly Seed[] {
  const isSimple = options.strategy === 'vertical' || graph.operators.length > MOST_OPERATORS;
  const rounds = isSimple
    ? 0
    : Math.floor(
        Math.min(MOST_ROUNDS, options.evaluations / EVALUATIONS_PER_ROUND) * (isOwn ? 1 : ELSEWHERE_SHARE),
      );
  if (isOwn && rounds === 0) {
    const first = firstElimination(graph, rules, cluster, order);
    if (first !== undefined) found(first);
  }
  const plans = opponentPlans(graph, rules, cluster, order, rounds, isLate, isOwn ? found : undefined);
  const isHidden = options.latency === 'overlapped' && rounds > 0 && cluster.devices.length > 1;
  return isHidden ? [...plans, hiddenMessagesPlan(graph, rules, cluster, order, isLate)] : plans;
}

/** All islands on this thread, one after another; they share what they compile. */
export class LocalIslandPool implements IslandPool {
  private readonly hosts: readonly IslandHost[];

  constructor(
    private readonly problem: PartitionProblem,
    private readonly stop: Stop,
  ) {
    const space = searchSpace(problem);
    this.hosts = Array.from({ length: ISLANDS }, (_, index) => new IslandHost(space, index, stop));
  }

  opponents(
    clusters: readonly Cluster[],
    isLate: Stop,
    found: FoundSeed,
  ): Promise<readonly (readonly Seed[])[] | undefined> {
    const all: (readonly Seed[])[] = [];
    for (const cluster of clusters) {
      if (this.stop()) return Promise.resolve(undefined);
      all.push(opponentSeeds(this.problem, cluster, cluster === this.problem.cluster, isLate, found));
    }
    return Promise.resolve(all);
  }

  start(seeds: readonly Seed[]): Promise<readonly SeedResult[]> {
    const results = this.hosts.map((host) => host.start(seeds));
    return Promise.resolve(results[0]);
  }

  run(
    evaluations: number,
    immigrants: readonly (IslandReport | undefined)[],
  ): Promise<readonly IslandReport[]> {
    return Promise.resolve(this.hosts.map((host, index) => host.run(evaluations, immigrants[index])));
  }

  dispose(): void {
    // Nothing outside this object to let go of.
  }
}
