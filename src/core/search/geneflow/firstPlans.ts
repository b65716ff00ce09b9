import type { Bytes, Nanoseconds } from '../../graph/units';
import { Evaluator } from '../../latency/evaluator';
import type { Gene } from '../../latency/gene';
import { isBetter, type Fitness } from './individual';
import type { Seed, SeedResult } from './problem';
import type { SearchSpace } from './space';

export interface FirstPlan extends Fitness {
  readonly genes: readonly (Gene | undefined)[];
  readonly latencyNs: Nanoseconds;
  readonly violation: Bytes;
}

/** Known plans that were tried one by one, and the best of them: what a search that is stopped before its islands stand can keep. */
export class FirstPlans {
  readonly tried: Seed[] = [];
  readonly results: SeedResult[] = [];
  private readonly evaluator: Evaluator;
  private first: FirstPlan | undefined;

  /** @param found hears of every better valid plan */
  constructor(
    private readonly space: SearchSpace,
    private readonly found: (latencyNs: Nanoseconds) => void = () => undefined,
  ) {
    this.evaluator = new Evaluator(space.workload);
  }

  /** Of those tried, at least one. */
  get best(): FirstPlan {
    return this.first!;
  }

  /** Up to the first valid one in any case, the others until `stop`. */
  tryAll(seeds: Iterable<Seed>, stop: () => boolean = () => false): void {
    for (const seed of seeds) {
      if (this.first?.violation === 0 && stop()) break;
      this.try(seed);
    }
  }

  try(seed: Seed): void {
    const { space, evaluator, first } = this;
    const { name, genes } = seed;
    const genome = genes.map((gene, operator) =>
      gene === undefined || space.workload.flow.stepOf[operator] < 0
        ? undefined
        : space.compile(operator, gene),
    );
    evaluator.evaluate(genome);
    evaluator.keep();
    const { latencyNs, violation } = evaluator;
    this.tried.push(seed);
    this.results.push({ name, latencyNs, valid: violation === 0 });
    if (first !== undefined && !isBetter({ latencyNs, violation }, first)) return;
    this.first = { genes: genome.map((gene) => gene?.gene), latencyNs, violation };
    if (violation === 0) this.found(latencyNs);
  }
}
