import { NONE, type OperatorId } from '../../graph/units';
import { wholeGene, type Gene } from '../../latency/gene';
import type { Dimension } from '../../partition/partition';
import type { Seed } from './problem';
import type { SearchSpace } from './space';

/** What is shared along, and whose way that is when it is shared equally and by speed. */
const DIMENSIONS = [
  ['H', 'rows', ' (MoDNN)', ' (CoEdge)'],
  ['W', 'columns', '', ''],
  ['C', 'channels', '', ''],
] as const;

/**
 * Simple plans that every search starts from: each device alone; rows, columns and channels shared equally and
 * by speed, among all devices and among the fastest two, three, ...
 */
export function simpleSeeds(space: SearchSpace): Seed[] {
  const { cluster } = space.workload;
  const bySpeed = cluster.devices
    .map((_, device) => device)
    .sort((a, b) => cluster.devices[b].compute - cluster.devices[a].compute);
  const seeds: Seed[] = cluster.devices.map(({ name }, device) => ({
    name: `single ${name}`,
    genes: everyOperator(space, () => wholeGene(device, space.devices)),
  }));
  if (space.devices === 1) return seeds;
  for (const [dimension, what, equal, proportional] of DIMENSIONS) {
    seeds.push({
      name: `equal ${what}${equal}`,
      genes: sharedAlong(
        space,
        dimension,
        cluster.devices.map(() => 1),
      ),
    });
    for (let count = 2; count <= space.devices; count++) {
      const among = bySpeed.slice(0, count);
      const weights = cluster.devices.map(({ compute }, device) => (among.includes(device) ? compute : 0));
      const suffix = count === space.devices ? proportional : ` on ${count} devices`;
      seeds.push({ name: `proportional ${what}${suffix}`, genes: sharedAlong(space, dimension, weights) });
    }
  }
  return seeds;
}

/** Operators without such a split run whole on the device with the largest share. */
function sharedAlong(
  space: SearchSpace,
  dimension: Dimension,
  weights: readonly number[],
): (Gene | undefined)[] {
  const fastest = weights.indexOf(Math.max(...weights));
  return everyOperator(space, (operator) => {
    const split = space.splits[operator].findIndex((candidate) => candidate.dimension === dimension);
    return split === NONE ? wholeGene(fastest, space.devices) : space.shared(operator, split, weights);
  });
}

function everyOperator(space: SearchSpace, gene: (operator: OperatorId) => Gene): (Gene | undefined)[] {
  const genes = new Array<Gene | undefined>(space.workload.graph.operators.length).fill(undefined);
  for (const operator of space.steps) genes[operator] = gene(operator);
  return genes;
}
