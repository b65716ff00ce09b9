import { capturedNames, subgraphsOf } from '../onnx/scopes';
import type { ModelFunction, ModelNode } from '../onnx/model';
import { isConstantNode, isRandom, isViewNode, type ValueKnowledge } from './operatorKinds';
import { functionOf, type GraphSource } from './source';

/** Which nodes are computed from constants alone, and what is known of values. */
export interface Folding extends ValueKnowledge {
  /** Per node index. */
  readonly isFolded: readonly boolean[];
  /** The weight whose bytes a constant shares: itself, or the first input of a chain of folded views. */
  root(name: string): string;
}

export function fold(source: GraphSource, functions: ReadonlyMap<string, ModelFunction>): Folding {
  const constants = new Set<string>(source.initializers.keys());
  const roots = new Map<string, string>();
  const isFolded: boolean[] = new Array(source.nodes.length).fill(false);
  const known: ValueKnowledge = {
    isConstant: (name) => constants.has(name) || source.isOuterConstant(name),
    values: (name) => knownValues(source, name),
  };
  for (const index of source.inferred.order) {
    const node = source.nodes[index];
    const opset = source.opsets.get(node.domain) ?? 1;
    if (!isFoldable(node, opset, known, functions)) continue;
    isFolded[index] = true;
    for (const name of node.outputs) if (name !== '') constants.add(name);
    if (node.inputs[0] && isViewNode(node, opset, known))
      roots.set(node.outputs[0], roots.get(node.inputs[0]) ?? node.inputs[0]);
  }
  return { ...known, isFolded, root: (name) => roots.get(name) ?? name };
}

function knownValues(source: GraphSource, name: string): readonly number[] | undefined {
  const values = source.initializers.get(name)?.values ?? source.inferred.values.get(name)?.values;
  return values?.every((value) => typeof value === 'number') ? (values as readonly number[]) : undefined;
}

function isFoldable(
  node: ModelNode,
  opset: number,
  known: ValueKnowledge,
  functions: ReadonlyMap<string, ModelFunction>,
): boolean {
  if (isConstantNode(node)) return true;
  if (node.inputs.every((name) => name === '') || isRandom(node, opset, known)) return false;
  if (!node.inputs.every((name) => name === '' || known.isConstant(name))) return false;
  for (const name of capturedNames(node)) if (!known.isConstant(name)) return false;
  return !isRandomInside(node, known, functions);
}

/** Whether something in the subgraphs of a node, or in the functions called, gives other values each time. */
function isRandomInside(
  node: ModelNode,
  known: ValueKnowledge,
  functions: ReadonlyMap<string, ModelFunction>,
): boolean {
  const seen = new Set<ModelFunction>();
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.type !== 'Dropout' && isRandom(next, 1, known)) return true;
    for (const [, graph] of subgraphsOf(next)) for (const inner of graph.nodes) open.push(inner);
    const body = functionOf(next, functions);
    if (body === undefined || seen.has(body)) continue;
    seen.add(body);
    for (const inner of body.nodes) open.push(inner);
  }
  return false;
}
