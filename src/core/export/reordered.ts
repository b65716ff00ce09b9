import type { Graph } from '../graph/graph';
import { InputError } from '../graph/problem';
import type { Chunk } from './chunk';
import { GRAPH } from './fields';
import { modelAround } from './exposed';
import type { ModelLayout } from './modelLayout';

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
    throw new InputError(`The order has ${steps.length} steps, but the model has ${graph.operators.length} operators.`);
  const others = layout.nodes.map((_node, index) => index).filter((index) => !isPlaced.has(index));
  return [...topological(layout, others), ...placed];
}

/** The file's order where it is valid; otherwise each node behind those that make what it reads. */
function topological(layout: ModelLayout, indices: readonly number[]): number[] {
  const producers = new Map<string, number>();
  for (const index of indices) for (const output of layout.nodes[index].outputs) producers.set(output, index);
  const done = new Set<number>();
  const order: number[] = [];
  for (const root of indices) {
    const stack = [root];
    const entered = new Set<number>();
    while (stack.length > 0) {
      const index = stack[stack.length - 1];
      const { inputs, captured } = layout.nodes[index];
      const waiting = entered.has(index)
        ? []
        : [...inputs, ...captured].flatMap((name) => producers.get(name) ?? []).filter((one) => !done.has(one) && one !== index);
      entered.add(index);
      if (waiting.length > 0 && !done.has(index)) stack.push(...waiting);
      else {
        stack.pop();
        if (!done.has(index)) order.push(index);
        done.add(index);
      }
    }
  }
  return order;
}
