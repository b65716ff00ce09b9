import { seededRandom } from '../../src/core/graph/random';
import type { ToyGraph, ToyOperator } from './toyGraph';

/**
 * A chain of equal random cells in the manner of searched architectures: a cell reads the outputs of the two
 * cells before it and joins its loose ends in one operator. Tensors shrink by `shrink` every `stage` cells.
 */
export function repeatedBlocks(
  cells: number,
  operatorsPerCell: number,
  options: {
    readonly seed?: number;
    readonly stage?: number;
    readonly shrink?: number;
    readonly mask?: boolean;
  } = {},
): ToyGraph {
  const { seed = 1, stage = Infinity, shrink = 2, mask = false } = options;
  const random = seededRandom(seed);
  const cell = Array.from({ length: operatorsPerCell - 1 }, (_, position) => ({
    reads: Array.from({ length: 1 + random.below(2) }, () => random.below(Math.min(position + 2, 6))),
    units: 1 + random.below(3),
  }));
  const operators: ToyOperator[] = [];
  let [older, newer] = ['in', 'in'];
  let unit = 1 << 20;
  for (let index = 0; index < cells; index++) {
    if (index > 0 && index % stage === 0) unit = Math.max(64, Math.floor(unit / shrink));
    const names = [older, newer];
    const read = new Set<string>();
    cell.forEach(({ reads, units }, position) => {
      const inputs = reads.map((back) => names[names.length - 1 - back]);
      inputs.forEach((name) => read.add(name));
      if (mask && position === 0) inputs.push('mask');
      names.push(`c${index}_${position}`);
      operators.push({ inputs, outputs: { [`c${index}_${position}`]: unit * units } });
    });
    const loose = names.slice(2).filter((name) => !read.has(name));
    operators.push({ inputs: loose, outputs: { [`c${index}`]: unit * 2 } });
    [older, newer] = [newer, `c${index}`];
  }
  return { inputs: mask ? { in: 1 << 20, mask: 1 << 16 } : { in: 1 << 20 }, operators, outputs: [newer] };
}
