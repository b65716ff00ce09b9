import type { Graph, Operator } from '../graph/graph';
import type { TensorId } from '../graph/units';
import { NONE } from '../graph/units';
import type { Chunk } from './chunk';
import type { ModelLayout } from './modelLayout';
import type { ExternalStore } from './tensorBytes';
import { emitConstantsFor, GraphWriter } from './writer';

/** A model of one operator alone, weights among its inputs. Equal operators give equal bytes. */
export interface OperatorModel {
  readonly chunks: readonly Chunk[];
  /** Name of each input in this model, and the tensor to feed. */
  readonly inputs: ReadonlyMap<string, TensorId>;
  readonly outputs: ReadonlyMap<string, TensorId>;
}

export function operatorModel(
  layout: ModelLayout,
  graph: Graph,
  operator: Operator,
  store: ExternalStore,
): OperatorModel {
  const writer = new GraphWriter(layout, store);
  const names = new Map<TensorId, string>();
  const inputs = new Map<string, TensorId>();
  const read = (tensor: TensorId, name: string): void => {
    if (tensor === NONE || names.has(tensor) || graph.tensors[tensor].isBodyWeights === true) return;
    names.set(tensor, name);
    inputs.set(name, tensor);
    writer.addInput(name, graph.tensors[tensor].type, graph.tensors[tensor].shape);
  };
  // Subgraphs know what they read by its own name.
  const captured = new Set(operator.members.flatMap((member) => layout.nodes[member.index].captured));
  if (captured.size > 0) for (const { id, name } of graph.tensors) if (captured.has(name)) read(id, name);
  operator.inputs.forEach((tensor, index) => read(tensor, `in${index}`));
  for (const [position, member] of operator.members.entries()) {
    member.outputs.forEach(
      (tensor, index) => tensor !== NONE && names.set(tensor, `out${position}.${index}`),
    );
    const ends = {
      name: `node${position}`,
      inputs: member.inputs.map((tensor) => names.get(tensor) ?? ''),
      outputs: member.outputs.map((tensor) => names.get(tensor) ?? ''),
    };
    writer.rewriteNode(member.index, ends, new Map(), {});
  }
  const outputs = new Map<string, TensorId>();
  for (const tensor of operator.outputs) {
    if (tensor === NONE) continue;
    outputs.set(names.get(tensor)!, tensor);
    writer.addOutput(names.get(tensor)!, graph.tensors[tensor].type, undefined);
  }
  return { chunks: writer.finish(undefined, new Map()), inputs, outputs };
}

/** A model without inputs whose outputs are all weights that some operator uses. */
export function weightsModel(
  layout: ModelLayout,
  graph: Graph,
  store: ExternalStore,
): { readonly chunks: readonly Chunk[]; readonly weights: ReadonlyMap<string, TensorId> } {
  const writer = new GraphWriter(layout, store);
  const weights = new Map<string, TensorId>();
  for (const id of usedWeights(layout, graph)) {
    const { name, type } = graph.tensors[id];
    emitConstantsFor(writer, name);
    weights.set(name, id);
    // A graph's outputs are made by nodes: an initializer passes through one.
    const output = `weight/${id}`;
    writer.addNode('Identity', { name: output, inputs: [name], outputs: [output] }, new Map());
    writer.addOutput(output, type, undefined);
  }
  return { chunks: writer.finish(undefined, new Map()), weights };
}

/** Weights that some operator reads, or a subgraph in it, or that are outputs of the model. */
function usedWeights(layout: ModelLayout, graph: Graph): Set<TensorId> {
  const used = new Set<TensorId>(graph.outputs);
  const captured = new Set<string>();
  for (const operator of graph.operators) {
    for (const input of operator.inputs) if (input !== NONE) used.add(input);
    for (const member of operator.members)
      for (const name of layout.nodes[member.index].captured) captured.add(name);
  }
  for (const { id, name } of graph.tensors) if (captured.has(name)) used.add(id);
  return new Set(
    [...used].filter((id) => graph.tensors[id].isWeight && graph.tensors[id].isBodyWeights !== true),
  );
}
