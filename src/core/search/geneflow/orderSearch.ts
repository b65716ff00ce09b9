import { seededRandom, type Random } from '../../graph/random';
import type { Graph } from '../../graph/graph';
import { NONE, type OperatorId } from '../../graph/units';
import { Evaluator } from '../../latency/evaluator';
import type { Gene } from '../../latency/gene';
import { reordered } from '../../latency/workload';
import { isBetter, type Fitness } from './individual';
import type { Stop } from './explorer';
import type { SearchSpace } from './space';

export interface OrderedPlan extends Fitness {
  readonly order: readonly OperatorId[];
  /** Orders tried. */
  readonly tried: number;
}

/**
 * Improves the order of a plan whose partitions stay: one operator at a time moves to another place between its
 * producers and its consumers, and stays where the plan is not worse (memory first, as everywhere).
 */
export function searchOrder(
  space: SearchSpace,
  genes: readonly (Gene | undefined)[],
  budget: number,
  stop: Stop,
): OrderedPlan {
  const { graph } = space.workload;
  const random = seededRandom(space.options.seed);
  const genome = genes.map((gene, operator) =>
    gene === undefined ? undefined : space.compile(operator, gene),
  );
  const worth = (order: readonly OperatorId[]): Fitness => {
    const evaluator = new Evaluator(reordered(space.workload, order));
    evaluator.evaluate(genome);
    return { latencyNs: evaluator.latencyNs, violation: evaluator.violation };
  };
  let order = space.workload.order;
  let found = worth(order);
  let tried = 1;
  while (tried < budget && !stop()) {
    const changed = movedOperator(graph, random, order);
    if (changed === undefined) break;
    tried++;
    const other = worth(changed);
    if (isBetter(found, other)) continue;
    order = changed;
    found = other;
  }
  return { order, tried, ...found };
}

/** Draws until an operator is found that can move; `undefined` where hardly any can (a chain). */
function movedOperator(graph: Graph, random: Random, order: readonly OperatorId[]): OperatorId[] | undefined {
  const position = new Array<number>(order.length);
  order.forEach((id, at) => (position[id] = at));
  for (let draw = 0; draw < 4 * order.length; draw++) {
    const from = random.below(order.length);
    const { inputs, outputs } = graph.operators[order[from]];
    const producers = inputs.map((id) => (id === NONE ? NONE : graph.tensors[id].producer));
    const first = Math.max(NONE, ...producers.map((id) => (id === NONE ? NONE : position[id]))) + 1;
    const consumers = outputs.flatMap((id) => (id === NONE ? [] : graph.tensors[id].consumers));
    const last = Math.min(order.length, ...consumers.map((id) => position[id])) - 1;
    if (first === last) continue;
    const to = first + random.below(last - first + 1);
    if (to === from) continue;
    const changed = order.filter((_, at) => at !== from);
    changed.splice(to, 0, order[from]);
    return changed;
  }
  return undefined;
}
