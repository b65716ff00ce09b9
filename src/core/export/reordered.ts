import type { Graph } from '../graph/graph';
import { InputError } from '../graph/problem';
import type { Chunk } from './chunk';
import { GRAPH } from './fields';
import { modelAround } from './exposed';
import type { ModelLayout } from './modelLayout';
import { topologicalNodes } from './modelLayout';

/**
 * The model with its nodes in another order and every other byte as it was, unknown fields too: the records of
 * the nodes change places among themselves. `steps`: operators in execution order. Constant nodes come first,
 * in an order in which each finds what it reads.
 */
export function reorderedModel(layout: ModelLayout, graph: Graph, steps: readonly number[]): Chunk[] {
  const order = nodeOrder(layout, graph, steps);
  let next = 0;
  const body = layout.graphRecords.map((record): Chunk => {
    const source = record.field === GRAPH.node ? layout.nodes[order[next++]].record : record;
    return { kind: 'copy', file: undefined, offset: source.start, length: source.end - source.start };
  });
  return modelAround(layout, body);
}

/** All nodes of the file: those that are no operators, then the operators' members step by step. */
function nodeOrder(layout: ModelLayout, graph: Graph, steps: readonly number[]): number[] {
  const placed = steps.flatMap((step) => graph.operators[step].members.map((member) => member.index));
  const isPlaced = new Set(placed);
  if (isPlaced.size !== placed.length || steps.length !== graph.operators.length)
    throw new InputError(
      `The order has ${steps.length} steps, but the model has ${graph.operators.length} operators.`,
    );
  const others = layout.nodes.map((_node, index) => index).filter((index) => !isPlaced.has(index));
  return [...topologicalNodes(layout, others), ...placed];
}
