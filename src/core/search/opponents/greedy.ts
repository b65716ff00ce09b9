/**
 * Operator by operator (EdgeFlow's way): each takes the partition that ends its step first, given what was
 * decided for the operators before it. Local by design: what comes after does not count.
 */
import type { CompiledGene } from '../../latency/compiledGene';
import type { Gene } from '../../latency/gene';
import type { GeneProblem } from './geneProblem';
import { commonGenes } from './neighbourhood';

/** Genes in step order. */
export function greedy(problem: GeneProblem): Gene[] {
  const { workload } = problem;
  const chosen: CompiledGene[] = [];
  workload.flow.steps.forEach((operator, step) => {
    let best: CompiledGene | undefined;
    let bestNs = Infinity;
    for (const gene of commonGenes(workload, operator)) {
      const compiled = workload.genes.compile(operator, gene);
      const ns = problem.stepAfter(compiled, step, chosen);
      if (ns < bestNs) [best, bestNs] = [compiled, ns];
    }
    chosen.push(best!);
  });
  return chosen.map(({ gene }) => gene);
}
