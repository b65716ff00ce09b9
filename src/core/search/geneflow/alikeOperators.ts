import { NONE, type OperatorId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { isCutAlike } from '../../latency/gene';
import type { SearchSpace } from './space';

type Genes = readonly (CompiledGene | undefined)[];

/** Up to `most` operators that hang together with `start` and are split alike on the same devices. */
export function alike(space: SearchSpace, genome: Genes, start: OperatorId, most: number): OperatorId[] {
  const { devices, gene } = genome[start]!;
  return together(space, start, most, (other) => {
    const own = genome[other]!;
    return (
      (own.gene.split === NONE) === (gene.split === NONE) &&
      own.devices.length === devices.length &&
      own.devices.every((device, position) => device === devices[position])
    );
  });
}

/** Up to `most` operators that hang together with `start` and are cut at the same places along axes of the same kind. */
export function aligned(space: SearchSpace, genome: Genes, start: OperatorId, most: number): OperatorId[] {
  const { gene } = genome[start]!;
  const { dimension, length, unit } = space.splits[start][gene.split];
  return together(space, start, most, (other) => {
    const own = genome[other]!.gene;
    if (own.split === NONE || !isCutAlike(own, gene)) return false;
    const split = space.splits[other][own.split];
    return split.dimension === dimension && split.length === length && split.unit === unit;
  });
}

/** Up to `most` operators from `start` on that are linked by such operators alone. */
function together(
  space: SearchSpace,
  start: OperatorId,
  most: number,
  isOne: (operator: OperatorId) => boolean,
): OperatorId[] {
  const found = [start];
  for (let index = 0; index < found.length && found.length < most; index++) {
    for (const other of space.neighbours[found[index]]) {
      if (found.length < most && !found.includes(other) && isOne(other)) found.push(other);
    }
  }
  return found;
}
