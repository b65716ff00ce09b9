import { intAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit, Part, TensorFacts } from './node';
import { along, broadcast, broadcastSplits, each, WHOLE } from './node';

/** One output element from the elements at its own position, inputs broadcasting: any axis. */
export function elementwise(facts: NodeFacts): NodeSplit[] {
  const offset = legacyOffset(facts);
  if (offset === undefined) return broadcastSplits(facts, () => true);
  const shape = facts.outputs[0]!.shape;
  return shape.map((length, axis) => ({
    dimension: facts.letter(axis),
    axis,
    length,
    unit: 1,
    inputs: each(facts.inputs, (tensor, index) =>
      index === 0
        ? broadcast(tensor.shape, shape.length, axis, length)
        : aligned(tensor, axis - offset, length),
    ),
    outputs: [along(axis)],
  }));
}

/**
 * Before operator set 7 the second input's axes could stand anywhere under the first's, as attribute `axis`
 * says; a `PRelu` slope stood under the channels. `undefined`: they align at the end, as they do today.
 */
function legacyOffset(facts: NodeFacts): number | undefined {
  const { node, inputs } = facts;
  if (node.opset >= 7) return undefined;
  const rank = inputs[1]?.shape.length ?? 0;
  if (node.type === 'PRelu') return rank === 1 ? 1 : undefined;
  if (intAttribute(node.attributes, 'broadcast', 0) === 0 || !node.attributes.has('axis')) return undefined;
  return intAttribute(node.attributes, 'axis', 0);
}

function aligned(tensor: TensorFacts, own: number, length: number): Part {
  return own >= 0 && own < tensor.shape.length && tensor.shape[own] === length ? along(own) : WHOLE;
}
