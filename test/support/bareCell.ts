import { seededRandom } from '../../src/core/graph/random';
import type { ToyGraph, ToyOperator } from './toyGraph';

/** One random cell of equal tensors, each read from anywhere: the hardest family for exact ordering. */
export function bareCell(operatorCount: number, seed: number): ToyGraph {
  const random = seededRandom(seed);
  const operators: ToyOperator[] = [];
  const loose = new Set<string>();
  for (let at = 0; at + 1 < operatorCount; at++) {
    const inputs = Array.from({ length: 1 + random.below(3) }, () => {
      const from = random.below(at + 4) - 4;
      return from < 0 ? 'in' : `t${from}`;
    });
    for (const input of inputs) loose.delete(input);
    loose.add(`t${at}`);
    operators.push({ inputs, outputs: { [`t${at}`]: 1024 } });
  }
  operators.push({ inputs: [...loose], outputs: { out: 1024 } });
  return { inputs: { in: 1024 }, operators, outputs: ['out'] };
}
