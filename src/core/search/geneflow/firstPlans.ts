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

/** The plans tried so far, each once, and the best of them. */
export interface FirstPlans {
  readonly best: FirstPlan;
  readonly tried: readonly Seed[];
  readonly results: readonly SeedResult[];
}

/**
 * Tries known plans one by one, up to the first valid one in any case, the others until `stop`: what a search that
 * is stopped before its islands stand can keep. `found` hears of every better valid plan. At least one seed.
 */
export function tryFirstPlans(
  space: SearchSpace,
  seeds: Iterable<Seed>,
  stop: () => boolean,
  found: (latencyNs: Nanoseconds) => void,
): FirstPlans {
  const evaluator = new Evaluator(space.workload);
  const tried: Seed[] = [];
  const results: SeedResult[] = [];
  let best: FirstPlan | undefined;
  for (const seed of seeds) {
    if (best?.violation === 0 && stop()) break;
    const { name, genes } = seed;
    const genome = genes.map((gene, operator) =>
      gene === undefined || space.workload.flow.stepOf[operator] < 0
        ? undefined
        : space.compile(operator, gene),
    );
    evaluator.evaluate(genome);
    evaluator.keep();
    const { latencyNs, violation } = evaluator;
    tried.push(seed);
    results.push({ name, latencyNs, valid: violation === 0 });
    if (best !== undefined && !isBetter({ latencyNs, violation }, best)) continue;
    best = { genes: genome.map((gene) => gene?.gene), latencyNs, violation };
    if (violation === 0) found(latencyNs);
  }
  return { best: best!, tried, results };
}
