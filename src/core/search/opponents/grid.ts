/**
 * The grid optimum: the exact synchronous optimum where every operator runs whole on a device or is split by rows
 * or channels with shares that are multiples of one part of the axis, by variable elimination. It is no bound:
 * plans between the points of the grid can be faster.
 */
import { NONE, type OperatorId } from '../../graph/units';
import { wholeGene, type Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import type { FastestPlan, GeneProblem } from './geneProblem';

import { waysToShare } from '../waysToShare';
import { cutsByShares } from './shares';

const TABLE_LIMIT = 30_000_000;

/** @param parts of an axis, 9 for shares on ninths */
export function gridOptimum(problem: GeneProblem, parts: number): FastestPlan {
  const { workload } = problem;
  return problem.fastest(
    workload.flow.steps.map((operator) => gridGenes(workload, operator, parts)),
    TABLE_LIMIT,
  );
}

function gridGenes(workload: Workload, operator: OperatorId, parts: number): Gene[] {
  const count = workload.cluster.devices.length;
  const genes = workload.cluster.devices.map((_, device) => wholeGene(device, count));
  workload.genes.splits(operator).forEach((split, position) => {
    if (split.dimension !== 'H' && split.dimension !== 'C') return;
    for (const shares of waysToShare(parts, count)) {
      genes.push({ split: position, cuts: cutsByShares(split, shares), reduceOn: NONE });
    }
  });
  return genes;
}
