import type { FuseRule } from '../graph/graph';
import { capturedNames } from '../onnx/scopes';
import type { ModelNode } from '../onnx/model';
import type { Folding } from './folding';
import { isActivationType, isFusableType, isInferenceBatchNormalization } from './operatorKinds';
import type { GraphSource } from './source';

/**
 * The nodes that become one operator each, in execution order: single nodes, or with `conv` a convolution or
 * product, then a BatchNormalization with constant parameters where that is its only consumer, then an
 * activation where that is the only consumer.
 */
export function groupNodes(source: GraphSource, folding: Folding, fuse: FuseRule): (readonly ModelNode[])[] {
  const kept = source.inferred.order
    .filter((index) => !folding.isFolded[index])
    .map((index) => source.nodes[index]);
  if (fuse === 'none') return kept.map((node) => [node]);
  const onlyReader = findOnlyReaders(source, kept);
  const taken = new Set<ModelNode>();
  const groups: ModelNode[][] = [];
  for (const node of kept) {
    if (taken.has(node)) continue;
    const group = isFusableType(node) ? chainFrom(node, onlyReader, source, folding) : [node];
    for (const member of group.slice(1)) taken.add(member);
    groups.push(group);
  }
  return groups;
}

/** Tensor -> the one node that reads it, where there is exactly one reading and it is no output of the graph. */
function findOnlyReaders(
  source: GraphSource,
  nodes: readonly ModelNode[],
): ReadonlyMap<string, ModelNode | null> {
  const readers = new Map<string, ModelNode | null>();
  const read = (name: string, node: ModelNode | null): void => {
    readers.set(name, readers.has(name) ? null : node);
  };
  for (const node of nodes) {
    for (const name of node.inputs) read(name, node);
    for (const name of capturedNames(node)) read(name, null);
  }
  for (const name of source.outputs) read(name, null);
  return readers;
}

function chainFrom(
  first: ModelNode,
  onlyReader: ReadonlyMap<string, ModelNode | null>,
  source: GraphSource,
  folding: Folding,
): ModelNode[] {
  const chain = [first];
  const next = (): ModelNode | undefined => {
    const output = chain[chain.length - 1].outputs[0];
    const reader = output ? onlyReader.get(output) : undefined;
    const others = reader?.inputs.slice(1) ?? [];
    const isMain =
      reader?.inputs[0] === output && others.every((name) => name === '' || folding.isConstant(name));
    return isMain ? reader! : undefined;
  };
  const normalization = next();
  if (normalization && isInferenceBatchNormalization(normalization, source.opsets.get('') ?? 1)) {
    chain.push(normalization);
  }
  const activation = next();
  if (activation && isActivationType(activation)) chain.push(activation);
  return chain;
}
