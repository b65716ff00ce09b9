import type { Graph } from '../graph/graph';
import type { Initializer, Model, ModelGraph, ModelNode } from '../onnx/model';
import { subgraphsOf } from '../onnx/scopes';
import type { ShapeResult } from '../shape/types';
import { assemble, type Context } from './assemble';
import { fold } from './folding';
import { functionOf, functionSource, functionTable, graphSource, type GraphSource } from './source';

/** One step into a body: the node (index in its graph) and the attribute that holds the graph, or `body`. */
export interface BodyStep {
  readonly node: number;
  readonly body: string;
}

/** The name under which the body of a model-local function is asked for. */
export const FUNCTION_BODY = 'body';

/**
 * The graph of a subgraph or function body, reached from the main graph by `trail`. `undefined` where there is
 * none, or nothing was inferred inside.
 */
export function bodyGraph(model: Model, shapes: ShapeResult, trail: readonly BodyStep[]): Graph | undefined {
  const functions = functionTable(model);
  let source = graphSource(model.graph, model.opsets, shapes.main);
  let isConstant: Context['isConstant'] = () => false;
  for (const step of trail) {
    const entered = enter(source, step, functions, isConstant);
    if (entered === undefined) return undefined;
    ({ source, isConstant } = entered);
  }
  const bindings = new Map<string, number>();
  for (const [name, value] of shapes.symbols) if (value !== undefined) bindings.set(name, value);
  return assemble(source, { functions, bindings, isConstant, functionCosts: new Map() }, 'none').graph;
}

function enter(
  around: GraphSource,
  { node: index, body }: BodyStep,
  functions: Context['functions'],
  isOuterConstant: Context['isConstant'],
): { source: GraphSource; isConstant: Context['isConstant'] } | undefined {
  const node = around.nodes.find((candidate) => candidate.index === index);
  const inferred = around.inferred.bodies.get(index)?.get(body);
  if (node === undefined || inferred === undefined) return undefined;
  const folding = fold(around, functions);
  const isConstant = (name: string): boolean => folding.isConstant(name) || isOuterConstant(name);
  const called = functionOf(node, functions);
  if (called !== undefined) return { source: functionSource(called, inferred), isConstant };
  const graph = subgraphsOf(node).find(([name]) => name === body)?.[1];
  return graph && { source: graphSource(graph, around.opsets, inferred, isConstant), isConstant };
}

/** Names of a node's bodies, as `bodyGraph` takes them. */
export function bodyNames(node: ModelNode, functions: Context['functions']): readonly string[] {
  if (functionOf(node, functions) !== undefined) return [FUNCTION_BODY];
  return subgraphsOf(node).map(([name]) => name);
}

/** The nodes of the graph at the end of `trail`, by their index in it; empty where there is none. */
export function nodesInside(model: Model, trail: readonly BodyStep[]): readonly ModelNode[] {
  return inside(model, trail).nodes;
}

/** The initializers of the graph at the end of `trail`; a function has none. */
export function initializersInside(model: Model, trail: readonly BodyStep[]): readonly Initializer[] {
  return inside(model, trail).initializers;
}

type Contents = Pick<ModelGraph, 'nodes' | 'initializers'>;

function inside(model: Model, trail: readonly BodyStep[]): Contents {
  const functions = functionTable(model);
  let contents: Contents = model.graph;
  for (const { node: index, body } of trail) {
    const node = contents.nodes[index];
    const called = node && functionOf(node, functions);
    const graph = node && subgraphsOf(node).find(([name]) => name === body)?.[1];
    contents = called
      ? { nodes: called.nodes, initializers: [] }
      : (graph ?? { nodes: [], initializers: [] });
  }
  return contents;
}
