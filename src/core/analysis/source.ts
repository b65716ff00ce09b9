import type { Initializer, Model, ModelFunction, ModelGraph, ModelNode } from '../onnx/model';
import { functionKey } from '../onnx/scopes';
import type { InferredGraph } from '../shape/types';

/** A graph to be built: the main graph, a subgraph or the body of a function, in one form. */
export interface GraphSource {
  readonly name: string;
  readonly nodes: readonly ModelNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly initializers: ReadonlyMap<string, Initializer>;
  readonly opsets: ReadonlyMap<string, number>;
  readonly inferred: InferredGraph;
  /** Tensors of the graphs around it that are constant: weights here too, counted there. */
  isOuterConstant(name: string): boolean;
}

const nothingOuter = (): boolean => false;

export function graphSource(
  graph: ModelGraph,
  opsets: ReadonlyMap<string, number>,
  inferred: InferredGraph,
  isOuterConstant: (name: string) => boolean = nothingOuter,
): GraphSource {
  return {
    name: graph.name,
    nodes: graph.nodes,
    inputs: graph.inputs.map((value) => value.name),
    outputs: graph.outputs.map((value) => value.name),
    initializers: new Map(graph.initializers.map((initializer) => [initializer.name, initializer])),
    opsets,
    inferred,
    isOuterConstant,
  };
}

export function functionSource(body: ModelFunction, inferred: InferredGraph): GraphSource {
  return {
    name: body.name,
    nodes: body.nodes,
    inputs: body.inputs,
    outputs: body.outputs,
    initializers: new Map(),
    opsets: body.opsets,
    inferred,
    isOuterConstant: nothingOuter,
  };
}

/** Model-local functions by the key of the nodes that call them. */
export function functionTable(model: Model): ReadonlyMap<string, ModelFunction> {
  return new Map(model.functions.map((body) => [functionKey(body.domain, body.name, body.overload), body]));
}

export function functionOf(
  node: ModelNode,
  functions: ReadonlyMap<string, ModelFunction>,
): ModelFunction | undefined {
  return functions.size === 0 ? undefined : functions.get(functionKey(node.domain, node.type, node.overload));
}
