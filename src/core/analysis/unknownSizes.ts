import type { Graph, Operator, Storage } from '../graph/graph';
import { NONE } from '../graph/units';
import { ruleOf } from '../shape/rules/registry';
import type { InferredGraph, ShapeResult, ValueType } from '../shape/types';
import { typeText } from './tensorTable';

/**
 * Why the size of some activation that an operator reads, or that the model gives, is not known, and what would help,
 * in one sentence; `undefined` where all are. First come dimensions that only need a size, since with it the rest may
 * be known; then what is wrong with the model; then what is known only when it runs.
 */
export function whyUnknown(graph: Graph, { main, problems }: ShapeResult): string | undefined {
  const typeOf = (storage: Storage): ValueType | undefined => main.values.get(nameOf(graph, storage))?.type;
  const unknown = graph.storages.filter(
    ({ bytes, consumers, isOutput }) => bytes === undefined && (consumers.length > 0 || isOutput),
  );
  if (unknown.length === 0) return undefined;
  const open = unknown.filter((storage) => freeNames(typeOf(storage)).length > 0);
  if (open.length > 0) {
    const free = new Set(open.flatMap((storage) => freeNames(typeOf(storage))));
    return unboundSentence(sizedText(graph, open[0]), [...free]);
  }
  const [first] = unknown;
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined)
    return `The size of tensor "${nameOf(graph, first)}" is not known: ${error.message}`;
  if (graph.tensors[first.tensors[0]].type === 'string')
    return `Tensor "${nameOf(graph, first)}" holds strings, which have no fixed size.`;
  if (first.producer !== NONE) return runtimeSentence(graph, main, first);
  return `The model does not say of which type and shape its input "${nameOf(graph, first)}" is.`;
}

function nameOf({ tensors }: Graph, storage: Storage): string {
  return tensors[storage.tensors[0]].name;
}

function sizedText({ tensors }: Graph, storage: Storage): string {
  const { name, shapeText } = tensors[storage.tensors[0]];
  return `"${name}" (${shapeText})`;
}

function freeNames(type: ValueType | undefined): readonly string[] {
  const shape = type?.kind === 'tensor' ? type.shape : undefined;
  return (shape ?? []).flatMap((dim) => (typeof dim === 'object' ? dim.free : []));
}

/** @param tensor the first in which one of them occurs */
function unboundSentence(tensor: string, names: readonly string[]): string {
  const [last, ...others] = [...names].reverse();
  const which =
    others.length === 0
      ? `dimension ${last} has no size: give it one`
      : `dimensions ${others.reverse().join(', ')} and ${last} have no sizes: give them`;
  // A shell reads brackets and blanks otherwise.
  const options = names.map((name) => `--bind ${/^[\w.]+$/.test(name) ? `${name}=SIZE` : `"${name}=SIZE"`}`);
  return (
    `The size of tensor ${tensor} is not known, since the ${which} on the command line with ` +
    `${options.join(' ')}, in the editor where it asks for sizes.`
  );
}

/** Everything that the operator reads is known: what it makes is its own doing. */
function runtimeSentence(graph: Graph, { values, bodies }: InferredGraph, storage: Storage): string {
  const operator = graph.operators[storage.producer];
  const node = nodeText(operator);
  const name = nameOf(graph, storage);
  const type = values.get(name)?.type;
  if (type !== undefined && type.kind !== 'tensor' && type.kind !== 'unknown')
    return `"${name}" is a ${typeText(type)}: ${node} makes it, and its size is known only when the model runs.`;
  if (ruleOf(operator.domain, operator.type) === undefined && !bodies.has(operator.index))
    return `The size of tensor "${name}" is not known: ${node} makes it, an operator that is not known here.`;
  return `The size of tensor ${sizedText(graph, storage)} depends on the data: ${node} decides it when the model runs.`;
}

/** `node 5 'find' (NonZero)` */
function nodeText({ index, name, type, domain }: Operator): string {
  const called = name === '' ? '' : ` '${name}'`;
  return `node ${index}${called} (${domain === '' ? '' : `${domain}.`}${type})`;
}
