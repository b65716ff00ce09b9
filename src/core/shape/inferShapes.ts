import { InputError } from '../graph/problem';
import type { DeclaredType, Model } from '../onnx/model';
import { topologicalOrder } from '../onnx/topology';
import type { InferredValue, ShapeResult } from './types';

/** Types that the file declares; named dimensions take their binding, `batch`-like ones 1. */
export function inferShapes(model: Model, options: { readonly bindings: ReadonlyMap<string, number> }): ShapeResult {
  const { graph } = model;
  const values = new Map<string, InferredValue>();
  for (const { name, type } of [...graph.inputs, ...graph.valueInfo, ...graph.outputs]) {
    values.set(name, { type: bound(type, options.bindings) as InferredValue['type'], isConstant: false });
  }
  for (const { name, type, dims } of graph.initializers) {
    values.set(name, { type: { kind: 'tensor', type, shape: dims }, isConstant: true });
  }
  const topology = topologicalOrder(graph.nodes);
  if (topology.kind === 'cycle') throw new InputError('The graph has a cycle.');
  return { main: { values, order: topology.order, bodies: new Map() }, symbols: new Map(), problems: [] };
}

function bound(type: DeclaredType, bindings: ReadonlyMap<string, number>): DeclaredType {
  if (type.kind !== 'tensor') return type;
  const shape = type.shape?.map((dim) => (typeof dim === 'string' ? (bindings.get(dim) ?? (/^(n|batch)/i.test(dim) ? 1 : undefined)) : dim));
  return { ...type, shape };
}
