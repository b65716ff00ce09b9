/**
 * Activations and normalisations hand on elements where they are, but what they make may be known under other shapes
 * than what they read (channels in groups). So that the same axes are told apart all along such a chain, its storages are
 * factored together, unless that would cut an axis apart along which the maker before it is split.
 */
import type { Graph } from '../../graph/graph';
import { NONE, type OperatorId, type TensorId } from '../../graph/units';
import type { Flow } from '../../latency/flow';
import type { PartitionRules } from '../../partition/partition';
import { product, RegionSpace } from '../../partition/regions';

interface Chain {
  /** By shape. */
  tensors: ReadonlyMap<string, TensorId>;
  readonly maker: OperatorId;
}

export function isElementByElement(graph: Graph, operator: OperatorId): boolean {
  const { isElementwise, type } = graph.operators[operator];
  return isElementwise || type === 'BatchNormalization';
}

/** Per storage the tensors whose axes are to be told apart in it. */
export function tensorsAlike(
  graph: Graph,
  flow: Flow,
  rules: PartitionRules,
): readonly (readonly TensorId[])[] {
  const shapeOf = (tensor: TensorId): string => String(graph.tensors[tensor].shape);
  const chains = graph.storages.map(({ tensors }, storage): Chain => ({
    tensors: new Map(tensors.map((id) => [shapeOf(id), id])),
    maker: flow.storages[storage].producer,
  }));
  for (const operator of flow.steps) {
    const { reads, makes } = flow.operators[operator];
    if (!isElementByElement(graph, operator) || makes.length !== 1 || reads.length !== 1) continue;
    const { inputs, outputs } = graph.operators[operator];
    const [{ storage }] = reads;
    const input = inputs.find((tensor) => tensor !== NONE && graph.tensors[tensor].storage === storage)!;
    if (shapeOf(input) !== shapeOf(outputs[0])) continue;
    const chain = chains[storage];
    const tensors = new Map([...chains[makes[0]].tensors, ...chain.tensors]);
    if (tensors.size > chain.tensors.size && !keepsAxes(graph, rules, chain.maker, [...tensors.values()]))
      continue;
    chain.tensors = tensors;
    chains[makes[0]] = chain;
  }
  return chains.map(({ tensors }) => [...tensors.values()]);
}

/** Every part of what the maker's splits make is cut along one axis only. */
function keepsAxes(
  graph: Graph,
  rules: PartitionRules,
  maker: OperatorId,
  tensors: readonly TensorId[],
): boolean {
  const shapes = tensors.map((tensor) => graph.tensors[tensor].shape as readonly number[]);
  if (tensors.some((tensor) => graph.tensors[tensor].bytes === undefined)) return false;
  if (maker === NONE) return true;
  const { factors, size } = new RegionSpace(shapes);
  const strides = factors.map((_, axis) => product(factors.slice(axis + 1)));
  const made = graph.tensors[graph.operators[maker].outputs[0]].shape as readonly number[];
  return rules.splits(maker).every(({ dimension, axis, unit }) => {
    if (dimension === 'K') return true;
    const inner = product(made.slice(axis + 1));
    const outer = inner * made[axis];
    // The axis consists of whole factored axes, and of these the outermost alone is cut.
    const isWhole = [inner, outer].every((stride) => stride === size || strides.includes(stride));
    const outermost = strides.find((stride) => stride < outer) ?? 1;
    return size === 0 || (isWhole && (unit * inner) % outermost === 0);
  });
}
