import { seededRandom, type Random } from '../../graph/random';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import { isSameGene, type Gene } from '../../latency/gene';
import { isBetter, type Individual } from './individual';
import { movesAround } from './localSearch';
import { Mutator } from './mutations';
import type { SearchSpace } from './space';

/** One child in so many is mutated once more before it is tried. */
const ONE_MORE = 6;
/** Mutations drawn until one changes something. */
const MOST_DRAWS = 8;

/** Tries after which an island looks whether it should stop: some milliseconds. */
export const TRIES_PER_LOOK = 16;

/** Anything that ends an epoch early. Asked often. */
export type Stop = () => boolean;

/** What every way to search plans does with them: try, keep the best, change a little. */
export class Explorer {
  readonly random: Random;
  readonly evaluator: Evaluator;
  readonly mutator: Mutator;
  /** The genome of the plan being tried. */
  private readonly scratch: (CompiledGene | undefined)[];
  /** Where the local search goes on: position in the steps. */
  private localStep = 0;
  private elite: Individual | undefined;

  constructor(
    readonly space: SearchSpace,
    seed: number,
  ) {
    this.random = seededRandom(seed);
    this.evaluator = new Evaluator(space.workload);
    this.mutator = new Mutator(space, this.random);
    this.scratch = new Array<CompiledGene | undefined>(space.workload.graph.operators.length).fill(undefined);
  }

  /** By the feasibility rules, of all that were taken. */
  get best(): Individual {
    return this.elite!;
  }

  individual(genome: (CompiledGene | undefined)[]): Individual {
    this.evaluator.evaluate(genome);
    this.evaluator.keep();
    return this.taken(genome);
  }

  individualOf(genes: readonly (Gene | undefined)[]): Individual {
    const { space } = this;
    return this.individual(
      genes.map((gene, operator) =>
        space.workload.flow.stepOf[operator] < 0 || gene === undefined
          ? undefined
          : space.compile(operator, gene),
      ),
    );
  }

  /** The plan that was evaluated last, which others are worked out from now. */
  taken(genome: (CompiledGene | undefined)[]): Individual {
    const { latencyNs, violation } = this.evaluator;
    const plan = { genome, latencyNs, violation };
    if (this.elite === undefined || isBetter(plan, this.elite)) this.elite = plan;
    return plan;
  }

  /** A mutated genome, to be copied where it is kept. */
  mutation(plan: Individual, critical: readonly number[]): (CompiledGene | undefined)[] {
    const { mutator, scratch: genome } = this;
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      for (let operator = 0; operator < genome.length; operator++) genome[operator] = plan.genome[operator];
      do mutator.mutate(genome, critical);
      while (this.random.below(ONE_MORE) === 0);
      if (!isSameGenome(genome, plan.genome)) break;
    }
    return genome;
  }

  /** A copy of the genome as a plan, `undefined` where it is worse than `than`; equally good ones are taken, to drift along plateaus. */
  tried(genome: (CompiledGene | undefined)[], than: Individual): Individual | undefined {
    const { evaluator } = this;
    // Above it a plan cannot beat `than`: only where that is valid does latency alone decide.
    evaluator.evaluate(genome, than.violation === 0 ? than.latencyNs : Infinity);
    if (evaluator.latencyNs === Infinity || isBetter(than, evaluator)) return undefined;
    evaluator.keep();
    return this.taken([...genome]);
  }

  /** Tries all small changes around one operator after another, and keeps those that help. */
  improved(plan: Individual, end: number, stop: Stop): Individual {
    const { steps } = this.space;
    let best = plan;
    let quiet = 0;
    while (this.evaluator.evaluations < end && quiet < steps.length && !stop()) {
      const improved = this.improvedAround(best, steps[this.localStep], end, stop);
      quiet = improved === best ? quiet + 1 : 0;
      best = improved;
      this.localStep = (this.localStep + 1) % steps.length;
    }
    return best;
  }

  private improvedAround(plan: Individual, operator: number, end: number, stop: Stop): Individual {
    const { scratch: genome, evaluator } = this;
    let best = plan;
    for (const move of movesAround(this.space, plan.genome, operator)) {
      if (evaluator.evaluations >= end || (evaluator.evaluations % TRIES_PER_LOOK === 0 && stop())) break;
      for (let id = 0; id < genome.length; id++) genome[id] = best.genome[id];
      let isChange = false;
      for (const gene of move) {
        if (!isSameGene(genome[gene.operator]!.gene, gene.gene)) isChange = true;
        genome[gene.operator] = gene;
      }
      if (!isChange) continue;
      const found = this.tried(genome, best);
      if (found !== undefined && isBetter(found, best)) best = found;
    }
    return best;
  }
}

function isSameGenome(
  a: readonly (CompiledGene | undefined)[],
  b: readonly (CompiledGene | undefined)[],
): boolean {
  for (let operator = 0; operator < a.length; operator++) if (a[operator] !== b[operator]) return false;
  return true;
}
