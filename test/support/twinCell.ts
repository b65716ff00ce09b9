import type { Random } from '../../src/core/graph/random';
import type { ToyGraph, ToyOperator } from './toyGraph';

/** A cell whose branches are copies of one another, some of them off by one size, joined in one operator. */
export function twinCell(random: Random): ToyGraph {
  const length = 1 + random.below(3);
  const sizes = Array.from({ length }, () => 64 * (1 + random.below(4)));
  const operators: ToyOperator[] = [];
  const ends: string[] = [];
  const isElementwise = random.below(2) === 0;
  for (let branch = 0; branch < (length === 3 ? 3 : 4); branch++) {
    const isOdd = random.below(3) === 0;
    let from = 'in';
    sizes.forEach((size, stage) => {
      const name = `b${branch}_${stage}`;
      const inputs = stage > 0 && random.below(8) === 0 ? [from, 'in'] : [from];
      operators.push({ inputs, outputs: { [name]: isOdd && stage === 0 ? size + 64 : size }, isElementwise });
      from = name;
    });
    ends.push(from);
  }
  operators.push({ inputs: ends, outputs: { out: 64 * (1 + random.below(4)) }, isElementwise });
  return { inputs: { in: 64 * (1 + random.below(4)) }, operators, outputs: ['out'] };
}
