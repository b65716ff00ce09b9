/**
 * The plans of the methods that GenEFlow is compared with, under their names in the literature, as seeds for it:
 * it can then never be behind any of them.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import { NONE, type OperatorId } from '../../graph/units';
import { Evaluator } from '../../latency/evaluator';
import { wholeGene, type Gene } from '../../latency/gene';
import { createWorkload, type Workload } from '../../latency/workload';
import type { PartitionRules } from '../../partition/partition';
import { fusedTiles } from './fusedTiles';
import { byOperator, GeneProblem } from './geneProblem';
import { greedy } from './greedy';
import { layerPipeline } from './layerPipeline';
import { neighbourhoodOptimum } from './neighbourhood';
import { pricedPlans } from './priced';
import { cutsByShares } from './shares';

/** A method's plan: a gene per operator, `undefined` for views. */
export interface OpponentPlan {
  readonly name: string;
  readonly genes: readonly (Gene | undefined)[];
  /** Of the elimination: it left out no combination of the genes that it looked at. */
  readonly isExact?: boolean;
}

export const ELIMINATION = 'synchronous elimination';

/** Group sizes tried for fused tiles. */
const FUSED_GROUPS = [2, 3, 4, 6, 10, 20, 1000];
const POLISH_ROUNDS = 24;

/**
 * Best single device, equal and proportional rows and channels, layer pipeline, fused row tiles, greedy, and the
 * synchronous optimum over neighbourhoods. All are decided in the synchronous model, whose parts add up; each
 * can be replayed in either.
 * @param rounds neighbourhoods of the last; 0 leaves out what takes more than a moment (greedy, elimination)
 * @param isLate from when on it makes do with what it has
 * @param found hears of the first plan of the elimination, long before the others are known
 */
export function opponentPlans(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  order: readonly OperatorId[],
  rounds = POLISH_ROUNDS,
  isLate: () => boolean = () => false,
  found: (first: OpponentPlan) => void = () => undefined,
): OpponentPlan[] {
  const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
  const named = (name: string, genes: readonly Gene[]): OpponentPlan => ({
    name,
    genes: spread(workload, genes),
  });
  const plans = cluster.devices.map(({ name }, device) =>
    named(
      `single ${name}`,
      workload.flow.steps.map(() => wholeGene(device, cluster.devices.length)),
    ),
  );
  if (cluster.devices.length === 1) return plans;
  const problem = rounds === 0 ? undefined : new GeneProblem(workload);
  // Before the others: `found` waits for it.
  const eliminated =
    problem === undefined
      ? []
      : pricedPlans(problem, rounds, isLate, ({ genes }) => found(named(ELIMINATION, genes)));
  const equal = cluster.devices.map(() => 1);
  const speeds = cluster.devices.map(({ compute }) => compute);
  plans.push(
    named('equal rows (MoDNN)', alongDimension(workload, 'H', equal)),
    named('proportional rows (CoEdge)', alongDimension(workload, 'H', speeds)),
    named('equal channels', alongDimension(workload, 'C', equal)),
    named('proportional channels', alongDimension(workload, 'C', speeds)),
  );
  const pipeline = layerPipeline(workload);
  if (pipeline !== undefined) plans.push(named('layer pipeline', pipeline));
  plans.push(named('fused row tiles (DeepThings)', bestFusedTiles(workload)));
  if (problem === undefined) return plans;
  plans.push(named('greedy (EdgeFlow)', greedy(problem)));
  // Behind the best one those that are faster and exceed the memories, to be combined with others.
  const [best, ...short] = eliminated;
  plans.push({ ...named(ELIMINATION, best.genes), isExact: best.isExact });
  short.forEach(({ genes }, i) => plans.push(named(`short of memory ${i + 1}`, genes)));
  return plans;
}

/** Operators times the fourth power of the devices, by which the time for the first genes grows: some seconds. */
const MOST_WORK = 200_000;

/** The plan that the elimination begins with, the fastest of a few genes for each operator; `undefined` where that takes long. */
export function firstElimination(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  order: readonly OperatorId[],
): OpponentPlan | undefined {
  if (graph.operators.length * cluster.devices.length ** 4 > MOST_WORK) return undefined;
  const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
  const { genes } = neighbourhoodOptimum(new GeneProblem(workload), undefined, 0);
  return { name: ELIMINATION, genes: spread(workload, genes) };
}

/** Every operator with such a split shared by weight, the others whole on the device with the largest weight. */
export function alongDimension(workload: Workload, dimension: 'H' | 'C', weights: readonly number[]): Gene[] {
  const fastest = weights.indexOf(Math.max(...weights));
  return workload.flow.steps.map((operator) => {
    const splits = workload.genes.splits(operator);
    const position = splits.findIndex((split) => split.dimension === dimension);
    if (position === NONE) return wholeGene(fastest, weights.length);
    return { split: position, cuts: cutsByShares(splits[position], weights), reduceOn: NONE };
  });
}

function bestFusedTiles(workload: Workload): Gene[] {
  const evaluator = new Evaluator(workload);
  let best: Gene[] = [];
  let bestNs = Infinity;
  for (const size of FUSED_GROUPS) {
    const genes = fusedTiles(workload, size);
    evaluator.evaluate(byOperator(workload, genes));
    if (evaluator.latencyNs < bestNs) [best, bestNs] = [genes, evaluator.latencyNs];
  }
  return best;
}

/** Genes in step order by operator, `undefined` for views. */
export function spread(workload: Workload, genes: readonly Gene[]): (Gene | undefined)[] {
  const byId = new Array<Gene | undefined>(workload.graph.operators.length).fill(undefined);
  genes.forEach((gene, step) => (byId[workload.flow.steps[step]] = gene));
  return byId;
}
