import { seededRandom } from '../../src/core/graph/random';
import type { ToyGraph, ToyOperator } from './toyGraph';

/**
 * A Watts-Strogatz cell as in randomly wired networks: a ring of `operatorCount` operators, each joined to its two
 * neighbours on either side, every edge rewired with chance 0.75 and directed from the lower number to the higher.
 * `sizes`: equal outputs of 1,024 bytes, or each 1 to 8 times that.
 */
export function wattsStrogatz(operatorCount: number, seed: number, sizes: 'equal' | 'distinct'): ToyGraph {
  const random = seededRandom(seed);
  const edges = new Set<string>();
  const edge = (a: number, b: number): string => `${Math.min(a, b)},${Math.max(a, b)}`;
  for (let step = 1; step <= 2; step++) {
    for (let at = 0; at < operatorCount; at++) {
      let to = (at + step) % operatorCount;
      for (let tries = 0; random.below(4) < 3 && tries < operatorCount; tries++) {
        const other = random.below(operatorCount);
        if (other === at || edges.has(edge(at, other))) continue;
        to = other;
        break;
      }
      edges.add(edge(at, to));
    }
  }
  const reads: string[][] = Array.from({ length: operatorCount }, () => []);
  const loose = new Set(reads.keys());
  for (const pair of edges) {
    const [from, to] = pair.split(',').map(Number);
    reads[to].push(`t${from}`);
    loose.delete(from);
  }
  const operators = reads.map((inputs, at): ToyOperator => {
    const bytes = 1024 * (sizes === 'equal' ? 1 : 1 + random.below(8));
    return { inputs: inputs.length > 0 ? inputs : ['in'], outputs: { [`t${at}`]: bytes } };
  });
  operators.push({ inputs: Array.from(loose, (at) => `t${at}`), outputs: { out: 1024 } });
  return { inputs: { in: 1024 }, operators, outputs: ['out'] };
}
