import type { Random } from '../../graph/random';
import type { CompiledGene } from '../../latency/compiledGene';
import type { SearchSpace } from './space';

type Genes = (CompiledGene | undefined)[];

/**
 * Places in the order where a plan can be cut in two, each with the chance of being taken: every prefix of an
 * order is a cut of the graph, and one that few bytes cross makes children whose halves fit together.
 */
export class GraphCuts {
  private readonly cumulated: Float64Array;

  constructor({ crossing, steps }: SearchSpace) {
    this.cumulated = new Float64Array(steps.length + 1);
    for (let step = 1; step < steps.length; step++) {
      this.cumulated[step] = this.cumulated[step - 1] + 1 / (1 + crossing[step]);
    }
    this.cumulated[steps.length] = Infinity;
  }

  /** Steps before it are on one side. */
  pick(random: Random): number {
    const { cumulated } = this;
    const draw = random.next() * cumulated[Math.max(0, cumulated.length - 2)];
    let low = 0;
    let high = cumulated.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulated[middle] > draw) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** A child that has the operators between two cuts of the graph from `b` and the rest from `a`. */
export function crossAtCuts(space: SearchSpace, cuts: GraphCuts, random: Random, a: Genes, b: Genes): Genes {
  const first = cuts.pick(random);
  const second = random.below(2) === 0 ? space.steps.length : cuts.pick(random);
  const child = [...a];
  for (let step = Math.min(first, second); step < Math.max(first, second); step++) {
    child[space.steps[step]] = b[space.steps[step]];
  }
  return child;
}

/** A child that has each operator from either parent at random: what crossing at cuts is compared with. */
export function crossAnywhere(space: SearchSpace, random: Random, a: Genes, b: Genes): Genes {
  const child = [...a];
  for (const operator of space.steps) if (random.below(2) === 0) child[operator] = b[operator];
  return child;
}
