import type { FuseRule, Graph } from '../graph/graph';
import type { Model } from '../onnx/model';
import type { ShapeResult } from '../shape/types';
import { assemble, type Context } from './assemble';
import { functionTable, graphSource } from './source';
import { whyUnknown } from './unknownSizes';

/**
 * The operator graph of a model's main graph: constants folded, views sharing storage, operators with bodies
 * counted as one with the peak inside them, and with `fuse: 'conv'` activations and normalisations inside the
 * operator before them. Sizes are those of `shapes` under its bindings.
 */
export function buildGraph(model: Model, shapes: ShapeResult, options: { readonly fuse: FuseRule }): Graph {
  const bindings = new Map<string, number>();
  for (const [name, value] of shapes.symbols) if (value !== undefined) bindings.set(name, value);
  const context: Context = {
    functions: functionTable(model),
    bindings,
    isConstant: () => false,
    functionCosts: new Map(),
  };
  const { graph } = assemble(graphSource(model.graph, model.opsets, shapes.main), context, options.fuse);
  const unknownSizes = whyUnknown(graph, shapes);
  return unknownSizes === undefined ? graph : { ...graph, unknownSizes };
}
