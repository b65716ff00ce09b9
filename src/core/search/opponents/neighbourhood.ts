/**
 * Fast plans for the synchronous model: the exact optimum over a few genes per operator, again and again around
 * the last one (very large neighbourhood search, each neighbourhood solved by variable elimination). Every round
 * includes the plan at hand, so it never gets worse; it ends where no neighbourhood holds a better plan.
 */
import { seededRandom, type Random } from '../../graph/random';
import { NONE, type OperatorId } from '../../graph/units';
import { cutsAlong, reorderedGenes, wholeGene, type Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import type { FastestPlan, GeneCost, GeneProblem } from './geneProblem';
import { balancedCuts, cutsByShares, fastestSets } from './shares';

/** Combinations that one bucket of the elimination may range over. */
const TABLE_LIMIT = 400_000;
/**
 * Neighbours of a gene that are looked at. There are about five times the square of the devices, and a link is priced
 * between any two: with eight devices a third of all is drawn anew in every round, with four none.
 */
const MOST_AROUND = 100;
/** Random changes of a gene among its neighbours. */
const DRAWS = 16;
const SEED = 1;
/** Rounds without a better plan before it ends. */
const PATIENCE = 3;
/** Rounds among the genes of nearly as fast plans for each around the fastest alone, and their patience. */
const RANKED_ROUNDS = 8;
const RANKED_PATIENCE = 12;
/** How much slower such plans may be. */
const RANKED_WITHIN = 1.03;
/** Genes of them that are kept, of all operators together and of each at least and at most. */
const RANKED_KEPT = 800;
const LEAST_KEPT = 12;
const MOST_KEPT = 40;
/** Neighbours drawn of the fastest plan's gene, and as many of one that was kept, for each gene that is kept. */
const DRAWN_PER_KEPT = 2 / 3;

/**
 * @param rounds at most so many neighbourhoods, and none any more from when `isLate` on
 * @param found hears of the plan that neighbourhoods of the fastest alone lead to
 */
export function neighbourhoodOptimum(
  problem: GeneProblem,
  start: readonly Gene[] | undefined,
  rounds: number,
  isLate: () => boolean = () => false,
  found: (plan: FastestPlan) => void = () => undefined,
): FastestPlan {
  const { workload } = problem;
  const common = workload.flow.steps.map((operator) => commonGenes(workload, operator));
  let best = problem.fastest(
    common.map((genes, step) => (start === undefined ? genes : [start[step], ...genes])),
    TABLE_LIMIT,
  );
  const random = seededRandom(SEED);
  for (let round = 0, idle = 0; round < rounds && idle < PATIENCE && !isLate(); round++) {
    const candidates = best.genes.map((gene, step) =>
      limited(around(workload, best.genes, step, gene, round, random), random),
    );
    const next = problem.fastest(candidates, TABLE_LIMIT);
    idle = next.cost < best.cost ? 0 : idle + 1;
    if (next.cost < best.cost) best = next;
  }
  found(best);
  // Where buckets are cut, marginals say little.
  return best.isExact ? amongRanked(problem, best, rounds * RANKED_ROUNDS, random, isLate) : best;
}

/**
 * Goes on among the genes of all plans that are nearly as fast: operators that must change together get there one
 * after the other, since a gene that is good beside changed neighbours is kept until they have changed.
 */
function amongRanked(
  problem: GeneProblem,
  start: FastestPlan,
  rounds: number,
  random: Random,
  isLate: () => boolean,
): FastestPlan {
  const steps = start.genes.length;
  const most = Math.min(MOST_KEPT, Math.max(LEAST_KEPT, Math.round(RANKED_KEPT / steps)));
  const nearby = new RankedGenes(problem, steps, most, Math.round(DRAWN_PER_KEPT * most), random);
  let best = start;
  for (let round = 0, idle = 0; round < rounds && idle < RANKED_PATIENCE && !isLate(); round++) {
    const next = nearby.fastest([best.genes], best.cost);
    idle = next.cost < best.cost ? 0 : idle + 1;
    if (next.cost < best.cost) best = next;
  }
  return best;
}

/** The genes of plans that were nearly the fastest of one neighbourhood, from which the next one is drawn. */
export class RankedGenes {
  private kept: readonly (readonly Gene[])[];
  private round = 0;

  /** @param most kept of each operator. @param draws neighbours drawn of every gene that is looked around */
  constructor(
    private readonly problem: GeneProblem,
    steps: number,
    private readonly most: number,
    private readonly draws: number,
    private readonly random: Random,
  ) {
    this.kept = Array.from({ length: steps }, () => []);
  }

  /**
   * The fastest plan among the kept genes, `more`, and the given plans with what is drawn around them.
   * @param plans in step order; the first one's genes are the neighbours
   * @param cost of one of the given plans, extra costs included
   */
  fastest(
    plans: readonly (readonly Gene[])[],
    cost: number,
    extra?: GeneCost,
    more: (step: number) => readonly Gene[] = () => [],
  ): FastestPlan {
    const { problem, random, draws, most } = this;
    const [first] = plans;
    const candidates = this.kept.map((kept, step) => {
      const given = plans.map((genes) => genes[step]);
      const other = kept.length === 0 ? given[0] : kept[random.below(kept.length)];
      const near = [...given, other].flatMap((center) =>
        sampled(around(problem.workload, first, step, center, this.round, random), draws, random),
      );
      return [...given, ...more(step), ...kept, ...near];
    });
    const next = problem.ranked(candidates, TABLE_LIMIT, cost * RANKED_WITHIN, extra);
    this.kept = next.ranked.map((genes) => genes.slice(0, most));
    this.round++;
    return next;
  }
}

/** The first, around which they are, and of too many others as many as there is room for. */
function limited(genes: readonly Gene[], random: Random): readonly Gene[] {
  if (genes.length <= MOST_AROUND) return genes;
  const [center, ...others] = genes;
  return [center, ...sampled(others, MOST_AROUND - 1, random)];
}

function sampled(genes: Gene[], count: number, random: Random): Gene[] {
  const wanted = Math.min(count, genes.length);
  for (let i = 0; i < wanted; i++) {
    const j = i + random.below(genes.length - i);
    [genes[i], genes[j]] = [genes[j], genes[i]];
  }
  return genes.slice(0, wanted);
}

/** Whole on each device, and each split balanced and by speed over the fastest devices. */
export function commonGenes(workload: Workload, operator: OperatorId): Gene[] {
  const { cluster, genes: table } = workload;
  const count = cluster.devices.length;
  const speeds = cluster.devices.map(({ compute }) => compute);
  const genes = cluster.devices.map((_, device) => wholeGene(device, count));
  table.splits(operator).forEach((split, position) => {
    const reduceOn = split.dimension === 'K' ? cluster.sink : NONE;
    const shardNs = (device: number, units: number): number =>
      table.shardNs(operator, position, device, 0, units * split.unit);
    for (const set of fastestSets(speeds)) {
      const shares = speeds.map((speed, device) => (set.includes(device) ? speed : 0));
      genes.push({ split: position, cuts: cutsByShares(split, shares), reduceOn });
      genes.push({ split: position, cuts: balancedCuts(split, set, count, shardNs), reduceOn });
    }
    // Where memory is short, weights are better spread evenly or by room than by speed.
    const rooms = cluster.devices.map(({ memory, baseMemory }) => Math.max(0, memory - baseMemory));
    for (const shares of [speeds.map(() => 1), rooms]) {
      genes.push({ split: position, cuts: cutsByShares(split, shares), reduceOn });
    }
  });
  return genes;
}

/** The gene, each of its cuts moved by one unit or more, and the neighbours' shares along its own axes. */
function around(
  workload: Workload,
  genes: readonly Gene[],
  step: number,
  gene: Gene,
  round: number,
  random: Random,
): Gene[] {
  const { flow, genes: table, cluster } = workload;
  const operator = flow.steps[step];
  const splits = table.splits(operator);
  const found: Gene[] = [gene];
  const adjacent = neighbours(workload, step);
  for (const other of adjacent) {
    const theirs = genes[other];
    if (theirs.split === NONE) {
      found.push(theirs);
      continue;
    }
    const theirSplit = table.splits(flow.steps[other])[theirs.split];
    splits.forEach((split, position) => {
      const { dimension } = split;
      if (dimension !== theirSplit.dimension) return;
      found.push({
        split: position,
        cuts: cutsAlong(theirs.cuts, theirSplit, split),
        order: theirs.order,
        reduceOn: dimension === 'K' ? cluster.sink : NONE,
      });
    });
  }
  if (gene.split !== NONE) {
    const { unit, length } = splits[gene.split];
    const steps = round % 2 === 0 ? [1, 2] : [1, Math.max(2, Math.round(length / unit / 16))];
    for (let from = 1; from < gene.cuts.length - 1; from++) {
      for (let to = from; to < gene.cuts.length - 1; to++) {
        for (const by of steps) {
          for (const sign of [-1, 1]) found.push(moved(gene, from, to, sign * by * unit, length));
        }
      }
    }
    if (gene.reduceOn === NONE) {
      found.push(...recomputing(gene, unit), ...reorderedGenes(gene));
      for (let i = 0; i < DRAWS; i++) found.push(drawn(gene, unit, random));
    }
    if (gene.reduceOn !== NONE)
      cluster.devices.forEach((_, device) => found.push({ ...gene, reduceOn: device }));
  }
  return found;
}

/** Several small changes at once. */
function drawn(gene: Gene, unit: number, random: Random): Gene {
  const length = gene.cuts[gene.cuts.length - 1];
  let changed = gene;
  for (let cut = 1; cut + 1 < gene.cuts.length; cut++) {
    const by = random.below(5) - 2;
    if (Math.abs(by) === 1) changed = moved(changed, cut, cut, by * unit, length);
  }
  const halos = gene.halos ?? new Array<number>(2 * (gene.cuts.length - 1)).fill(0);
  return { ...changed, halos: halos.map((halo) => (random.below(3) > 0 ? halo : random.below(2) * unit)) };
}

/** Halos of one unit more or less: on one side of one cut, of all cuts, on both sides. */
function recomputing(gene: Gene, unit: number): Gene[] {
  const sides = 2 * (gene.cuts.length - 1);
  const halos = gene.halos ?? new Array<number>(sides).fill(0);
  const changed = (pick: (side: number) => boolean, by: number): Gene => ({
    ...gene,
    halos: halos.map((halo, side) => (pick(side) ? Math.max(0, halo + by) : halo)),
  });
  const found: Gene[] = [{ ...gene, halos: undefined }];
  for (const by of [unit, -unit]) {
    if (by < 0 && gene.halos === undefined) continue;
    for (let side = 0; side < sides; side++) found.push(changed((s) => s === side, by));
    found.push(changed(() => true, by));
    for (const parity of [0, 1]) found.push(changed((s) => s % 2 === parity, by));
  }
  return found;
}

/** Cuts `[from, to]` moved together, kept in order. */
function moved(gene: Gene, from: number, to: number, by: number, length: number): Gene {
  const cuts = [...gene.cuts];
  for (let c = from; c <= to; c++) cuts[c] = Math.min(length, Math.max(0, cuts[c] + by));
  for (let c = from - 1; c > 0; c--) cuts[c] = Math.min(cuts[c], cuts[c + 1]);
  for (let c = to + 1; c < cuts.length; c++) cuts[c] = Math.max(cuts[c], cuts[c - 1]);
  return { ...gene, cuts };
}

function neighbours({ flow }: Workload, step: number): number[] {
  const { reads, makes } = flow.operators[flow.steps[step]];
  const found = new Set<number>();
  for (const { storage } of reads) {
    if (flow.storages[storage].producer !== NONE) found.add(flow.stepOf[flow.storages[storage].producer]);
  }
  for (const storage of makes)
    for (const reader of flow.storages[storage].readers) if (reader >= 0) found.add(flow.stepOf[reader]);
  return [...found];
}
