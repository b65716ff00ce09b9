/**
 * GenEFlow (reconstruction: the paper does not publish its operators): a genetic algorithm whose chromosome is the
 * partition decision of every operator. A fixed number of islands evolve from the same seeds with randomness of
 * their own; after each of a fixed number of epochs every island passes its best plan on to the next. So the
 * result depends on the problem and the seed alone, not on how many workers the islands live in.
 *
 * MemoriaNova, ACM TACO 22(1), doi 10.1145/3701997.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Control, Stopped } from '../../graph/control';
import type { Graph } from '../../graph/graph';
import { InputError } from '../../graph/problem';
import type { Nanoseconds } from '../../graph/units';
import { Evaluator } from '../../latency/evaluator';
import { requireCountable } from '../../latency/countable';
import { genePartition, normalizeGene, type Gene } from '../../latency/gene';
import { simulate } from '../../latency/simulate';
import type { Genome } from '../../latency/workload';
import type { Partition } from '../../partition/partition';
import { isMemoryShort } from '../bounds/memoryPrices';
import { ELIMINATION } from '../opponents/opponents';
import { FirstPlans, type FirstPlan } from './firstPlans';
import { foreignStarts, type ForeignStart } from './foreignStarts';
import { isBetter, type Fitness } from './individual';
import {
  ISLANDS,
  LocalIslandPool,
  searchSpace,
  type FoundSeed,
  type IslandPool,
  type IslandReport,
} from './islandPool';
import {
  EPOCHS,
  type JudgedPlan,
  type PartitionProblem,
  type PartitionProgress,
  type PartitionResult,
  type Seed,
  type SeedResult,
  type Shortfall,
} from './problem';
import { searchOrder } from './orderSearch';
import { simpleSeeds } from './seeds';
import type { SearchSpace } from './space';
import { searchVertical } from './vertical';

/** Makes the pool that the islands live in; `stop` tells them to come to an end. */
export type MakePool = (problem: PartitionProblem, stop: () => boolean) => IslandPool;

const onThisThread: MakePool = (problem, stop) => new LocalIslandPool(problem, stop);

/** Operators from which on fewer plans are tried, by the square of how many more there are. */
const LARGE_GRAPH = 1000;
/** Of the evaluations of a search with a free order, those for the given order, and orders tried after it. */
const GIVEN_ORDER_SHARE = 0.6;
const ORDERS_SHARE = 0.005;
const GIVEN_ORDER = 'plan in the given order';
/** Of a time limit, after which opponents make do with what they have: the islands need time as well. */
const OPPONENTS_SHARE = 0.3;
/** Epoch before which the late plan joins: time enough to better it, too late to keep the islands from others. */
const LATE_EPOCH = 8;
/**
 * Measured on eleven models: such a search has nothing from less memory, unless it sees as little as in the smallest
 * models, where another beginning helps and takes no time.
 */
const FEW_OPERATORS = 50;
/** A search that began with a settled plan has so much of its evaluations, and ends with the first epoch that brings nothing. */
const SETTLED_SHARE = 0.25;

/**
 * Searches a plan of least latency within every device's memory. Where none is found the result says so
 * (`valid: false`) and is the plan that exceeds the memories least.
 * @throws InputError where a tensor's size is not known (no memory could be promised then), or where something takes
 * longer than can be counted
 */
export async function searchPartition(
  problem: PartitionProblem,
  control: Control<PartitionProgress>,
  makePool: MakePool = onThisThread,
): Promise<PartitionResult> {
  requireKnownSizes(problem.graph);
  const started = control.now();
  const { timeLimit = Infinity, freeOrder } = problem.options;
  const stopped = (): Stopped | undefined =>
    control.cancelled() ? 'cancel' : control.now() - started > timeLimit ? 'time' : undefined;
  const timeLeft = (): number => timeLimit - (control.now() - started);
  const search = new PartitionSearch(control, makePool, stopped, timeLeft);
  return freeOrder ? search.runInAnyOrder(problem) : search.run(problem, true);
}

/** @throws InputError where the graph has a tensor of unknown size */
export function requireKnownSizes({ unknownSizes }: Graph): void {
  if (unknownSizes !== undefined) throw new InputError(unknownSizes);
}

class PartitionSearch {
  private readonly stop = (): boolean => this.stopped() !== undefined;

  constructor(
    private readonly control: Control<PartitionProgress>,
    private readonly makePool: MakePool,
    private readonly stopped: () => Stopped | undefined,
    /** Seconds. */
    private readonly timeLeft: () => number,
  ) {}

  /** Whether a share of the time that is left now has passed. */
  private isOver(share: number): () => boolean {
    const end = (1 - share) * this.timeLeft();
    return () => this.timeLeft() < end;
  }

  /** In the given order; then the order follows the plan, and the plan once more the order. */
  async runInAnyOrder(problem: PartitionProblem): Promise<PartitionResult> {
    const { evaluations } = problem.options;
    const forGiven = Math.ceil(evaluations * GIVEN_ORDER_SHARE);
    const given = await this.run(
      { ...problem, options: { ...problem.options, evaluations: forGiven } },
      true,
    );
    const givenOrder = {
      name: GIVEN_ORDER,
      latencyNs: given.timeline.latencyNs,
      valid: given.valid,
      partitions: given.partitions,
    };
    const space = searchSpace(problem);
    const { order, tried } = searchOrder(
      space,
      given.genes,
      Math.ceil(evaluations * ORDERS_SHARE),
      this.stop,
    );
    const isSame = order.every((operator, step) => operator === problem.order[step]);
    if (isSame || this.stop()) return { ...given, givenOrder };
    const seeds = [...(problem.seeds ?? []), { name: GIVEN_ORDER, genes: given.genes }];
    const options = { ...problem.options, evaluations: Math.max(1, evaluations - forGiven - tried) };
    // The plan in the given order has what opponents and other scenes bring.
    const free = await this.run({ ...problem, order, seeds, options }, false);
    const best = isBetter(worth(free), worth(given)) ? free : given;
    return {
      ...best,
      seeds: given.seeds,
      evaluations: given.evaluations + tried + free.evaluations,
      givenOrder,
    };
  }

  /** What the seeds alone reach. */
  private reportSeeds(seeds: readonly SeedResult[], evaluations: number): void {
    const latencies = seeds.filter(({ valid }) => valid).map(({ latencyNs }) => latencyNs);
    if (latencies.length > 0) this.reportPlan(Math.min(...latencies), evaluations);
  }

  private reportPlan(latencyNs: Nanoseconds, evaluations = 0): void {
    this.control.report({ evaluations, latencyNs, violation: 0 });
  }

  /** @param isFirst of this search: asks for opponents' plans, and searches the other latency model and less memory */
  async run(problem: PartitionProblem, isFirst: boolean): Promise<PartitionResult> {
    const space = searchSpace(problem);
    requireCountable(space.workload);
    const pool = this.makePool(problem, this.stop);
    try {
      const starts = isFirst ? foreignStarts(problem, space) : [];
      // Plans that need no search: from here on one that is stopped has something to keep.
      const simple = simpleSeeds(space);
      const first = new FirstPlans(space, (latencyNs) => this.reportPlan(latencyNs));
      first.tryAll([...(problem.seeds ?? []), ...simple], this.stop);
      const isLate = this.isOver(OPPONENTS_SHARE);
      const found = (elimination: Seed): void => {
        first.try(elimination);
        if (isNearBest(problem)) this.control.report({ ...progress(first.best, 0), isNearBest: true });
      };
      const startsElsewhere = starts.filter((start) => start.problem.cluster !== problem.cluster);
      const others = startsElsewhere.map((start) => start.problem.cluster);
      const atOnce = isNearBest(problem) ? [problem.cluster] : [problem.cluster, ...others];
      const opponents = isFirst ? await askOpponents(pool, atOnce, isLate, found) : NO_OPPONENTS;
      if (opponents === undefined) return this.keepFirst(space, first);
      const own = opponents.get(problem.cluster) ?? [];
      const given = unique([...simple, ...own, ...(problem.seeds ?? [])]);
      const roomy = bestOfRoomy(space, given);
      const { latency, strategy } = problem.options;
      const isRoomy = roomy !== undefined && latency === 'synchronous';
      if (isRoomy) this.control.report({ ...progress(roomy, 0), isNearBest: true });
      // Measured on eleven models: the islands bettered the elimination only where it had to leave combinations out, as
      // in the cells of NAS nets.
      const isSettled = isRoomy && given.some((seed) => seed.isExact ?? false);
      const isComplete = isSettled && problem.graph.operators.length > FEW_OPERATORS;
      const later = isComplete ? [] : others.filter((other) => !atOnce.includes(other));
      const answers = later.length === 0 ? opponents : await askOpponents(pool, later, isLate);
      const elsewhere = answers ?? NO_OPPONENTS;
      const beside = new Map(
        startsElsewhere.map((start) => [start, elsewhere.get(start.problem.cluster) ?? []]),
      );
      const foreign = isSettled
        ? { seeds: eliminated(beside), late: undefined, evaluations: 0, spent: 0 }
        : await this.runForeign(
            starts.filter((start) => roomy === undefined || start.problem.options.latency === latency),
            given,
            beside,
            first.best,
          );
      const seeds = [...given, ...foreign.seeds];
      const seedResults = await pool.start(seeds);
      this.reportSeeds(seedResults, foreign.spent);
      const evolved =
        strategy === 'vertical'
          ? this.runVertical(space, seeds)
          : await this.runEpochs(
              problem,
              pool,
              { ...foreign, isSettled, stop: this.stop },
              (best, evaluated) => this.control.report(progress(best, foreign.spent + evaluated)),
            );
      const evaluations = foreign.evaluations + evolved.evaluations;
      return resultOf(space, evolved.best, judged(space, seeds, seedResults), evaluations, this.stopped());
    } finally {
      pool.dispose();
    }
  }

  /** What there is where the search is stopped before it knows its opponents. */
  private keepFirst(space: SearchSpace, first: FirstPlans): PartitionResult {
    // The first plans may be of any strategy; of the vertical ones that search keeps the best.
    const { best, evaluations } =
      space.options.strategy === 'vertical'
        ? this.runVertical(space, first.tried)
        : { best: first.best, evaluations: first.results.length };
    return resultOf(space, best, judged(space, first.tried, first.results), evaluations, this.stopped());
  }

  private runVertical(space: SearchSpace, seeds: readonly Seed[]): Found {
    const { best, evaluations } = searchVertical(space, seeds, space.options.evaluations, this.stop);
    return { best: { ...best, genes: best.genome.map((gene) => gene?.gene) }, evaluations };
  }

  /**
   * Searches in other scenes, each from the seeds and from the plans of the scenes before it.
   * `spent`: what their evaluations cost, in evaluations of the search itself
   */
  private async runForeign(
    starts: readonly ForeignStart[],
    given: readonly Seed[],
    beside: OpponentsBeside,
    known: Fitness,
  ): Promise<{ seeds: Seed[]; late: IslandReport | undefined; evaluations: number; spent: number }> {
    const seeds: Seed[] = [];
    let late: IslandReport | undefined;
    let evaluations = 0;
    let spent = 0;
    for (const start of starts) {
      const { name, problem: foreign, share, cost, isLate } = start;
      if (this.stop()) break;
      const before = spent;
      const isOver = this.isOver(share);
      const stop = (): boolean => this.stop() || isOver();
      const pool = this.makePool(foreign, stop);
      try {
        await pool.start([...given, ...(beside.get(start) ?? []), ...seeds]);
        const found = await this.runEpochs(foreign, pool, { ...ALONE, stop }, (_, evaluated) =>
          this.control.report(progress(known, before + cost * evaluated)),
        );
        if (isLate) late = found.best;
        else seeds.push({ name, genes: found.best.genes });
        evaluations += found.evaluations;
        spent += cost * found.evaluations;
      } finally {
        pool.dispose();
      }
    }
    return { seeds, late, evaluations, spent };
  }

  /**
   * Epoch by epoch, every island's best plan moving on to the next island in between.
   */
  private async runEpochs(
    { graph, options }: PartitionProblem,
    pool: IslandPool,
    { spent, isSettled, late, stop }: Circumstances,
    report: (best: IslandReport, evaluations: number) => void,
  ): Promise<FoundByIslands> {
    const left = (budget(options.evaluations, graph) - spent) * (isSettled ? SETTLED_SHARE : 1);
    const perEpoch = Math.max(1, Math.ceil(left / ISLANDS / EPOCHS));
    let reports: readonly IslandReport[] = [];
    let best: IslandReport | undefined;
    let evaluations = 0;
    let isQuiet = false;
    for (let epoch = 0; epoch < EPOCHS && !(best !== undefined && stop()); epoch++) {
      if (isSettled && isQuiet) break;
      isQuiet = true;
      const isJoining =
        epoch === LATE_EPOCH && late !== undefined && best !== undefined && isBetter(late, best);
      const immigrants = reports.map((_, island) =>
        isJoining ? late : reports[(island + ISLANDS - 1) % ISLANDS],
      );
      reports = await pool.run(perEpoch, immigrants);
      for (const island of reports) {
        if (best !== undefined && !isBetter(island, best)) continue;
        if (best !== undefined) isQuiet = false;
        best = island;
      }
      evaluations = reports.reduce((sum, island) => sum + island.evaluations, 0);
      report(best!, evaluations);
    }
    // Where it is stopped before that one joins.
    if (late !== undefined && isBetter(late, best!)) best = late;
    return { best: best!, evaluations };
  }
}

/**
 * The elimination's first plan is within a few percent of the best one where memory is not short; a bound that drops
 * what is slower than it is as good but for some 0.1 %.
 */
function isNearBest({ graph, cluster, options }: PartitionProblem): boolean {
  return options.latency === 'synchronous' && !isMemoryShort(graph, cluster);
}

/** The plans of the methods that GenEFlow is compared with. */
type OpponentsByCluster = ReadonlyMap<Cluster, readonly Seed[]>;
/** In the scenes that have a cluster of their own. */
type OpponentsBeside = ReadonlyMap<ForeignStart, readonly Seed[]>;

const NO_OPPONENTS: OpponentsByCluster = new Map();

async function askOpponents(
  pool: IslandPool,
  clusters: readonly Cluster[],
  isLate: () => boolean,
  found: FoundSeed = () => undefined,
): Promise<OpponentsByCluster | undefined> {
  const all = await pool.opponents(clusters, isLate, found);
  return all === undefined ? undefined : new Map(clusters.map((cluster, at) => [cluster, all[at]]));
}

/** What epochs run under beside their problem. */
interface Circumstances {
  /** Of the evaluations that the options allow, already. */
  readonly spent: number;
  /** There is hardly anything left to find. */
  readonly isSettled: boolean;
  /** Joins all islands later, if it is better than their best then. */
  readonly late: IslandReport | undefined;
  readonly stop: () => boolean;
}

const ALONE = { spent: 0, isSettled: false, late: undefined };

interface FoundByIslands extends Found {
  readonly best: IslandReport;
}

/** A plan as genes with its worth, and how many were tried. */
interface Found {
  readonly best: Fitness & { readonly genes: readonly (Gene | undefined)[] };
  readonly evaluations: number;
}

/** A plan of a very large graph takes long to evaluate, and its opponents' plans are already most of the way. */
function budget(evaluations: number, { operators }: Graph): number {
  return Math.ceil(evaluations * Math.min(1, LARGE_GRAPH / operators.length) ** 2);
}

function worth({ timeline, shortfall }: PartitionResult): Fitness {
  const violation = (shortfall?.lackingBytes ?? []).reduce((sum, bytes) => sum + bytes, 0);
  return { latencyNs: timeline.latencyNs, violation };
}

/**
 * The fastest of the seeds where memory is not short: none is faster that lacks a little. Islands hardly better the
 * synchronous elimination's plan then, since it has seen far larger neighbourhoods than they do.
 */
function bestOfRoomy(space: SearchSpace, seeds: readonly Seed[]): FirstPlan | undefined {
  const { strategy, pins } = space.options;
  if (strategy !== 'hybrid' || (pins?.size ?? 0) > 0) return undefined;
  if (!seeds.some(({ name }) => name === ELIMINATION)) return undefined;
  const plans = new FirstPlans(space);
  plans.tryAll(seeds);
  const { best, results } = plans;
  return best.violation > 0 || results.some(({ latencyNs }) => latencyNs < best.latencyNs) ? undefined : best;
}

/** What the exact elimination found in other scenes, under their names. */
function eliminated(beside: OpponentsBeside): Seed[] {
  return [...beside].flatMap(([{ name }, seeds]) =>
    seeds.filter((seed) => seed.name === ELIMINATION).map(({ genes }) => ({ name, genes })),
  );
}

/** The first seed of each name. */
function unique(seeds: readonly Seed[]): Seed[] {
  return [...new Map([...seeds].reverse().map((seed) => [seed.name, seed])).values()].reverse();
}

function progress({ latencyNs, violation }: Fitness, evaluations: number): PartitionProgress {
  return { evaluations, latencyNs: violation === 0 ? latencyNs : undefined, violation };
}

function resultOf(
  space: SearchSpace,
  best: Found['best'],
  seeds: readonly JudgedPlan[],
  evaluations: number,
  stopped: Stopped | undefined,
): PartitionResult {
  const { workload } = space;
  const genome = best.genes.map((gene, operator) =>
    gene === undefined ? undefined : space.compile(operator, gene),
  );
  const timeline = simulate(workload, genome);
  return {
    order: workload.order,
    genes: best.genes,
    partitions: partitionsOf(space, best.genes),
    timeline,
    valid: best.violation === 0,
    ...(best.violation === 0 ? {} : { shortfall: shortfall(space, genome) }),
    evaluations,
    ...(stopped === undefined ? {} : { stopped }),
    seeds,
  };
}

function judged(space: SearchSpace, seeds: readonly Seed[], results: readonly SeedResult[]): JudgedPlan[] {
  return results.map((result, at) => ({ ...result, partitions: partitionsOf(space, seeds[at].genes) }));
}

/** As strategy and pins allow. */
function partitionsOf(space: SearchSpace, genes: readonly (Gene | undefined)[]): (Partition | undefined)[] {
  const partitions = new Array<Partition | undefined>(genes.length).fill(undefined);
  for (const operator of space.steps) {
    const splits = space.splits[operator];
    partitions[operator] = genePartition(
      normalizeGene(space.allowed(operator, genes[operator]!), splits),
      splits,
    );
  }
  return partitions;
}

/** By the peaks that the search goes by: on the timeline what takes no time holds nothing. */
function shortfall({ workload }: SearchSpace, genome: Genome): Shortfall {
  const { devices } = workload.cluster;
  const evaluator = new Evaluator(workload);
  evaluator.evaluate(genome, Infinity, true);
  const lackingBytes = devices.map(({ memory }, device) => Math.max(0, evaluator.peakBytes[device] - memory));
  const leastTotalBytes = devices.reduce((sum, { memory }, device) => sum + memory + lackingBytes[device], 0);
  return { lackingBytes, leastTotalBytes };
}
