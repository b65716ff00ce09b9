import { intAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit } from './node';
import { along, each, normalizeAxis, ranged } from './node';

/** `Concat`: other axes follow through; along its own axis a shard takes the inputs that its range meets. */
export function concat(facts: NodeFacts): NodeSplit[] {
  const shape = facts.outputs[0]?.shape ?? [];
  // Axis 1 was the default of the first operator set.
  const joined = normalizeAxis(intAttribute(facts.node.attributes, 'axis', 1), shape.length);
  return shape.map((length, axis) => ({
    dimension: facts.letter(axis),
    axis,
    length,
    unit: 1,
    inputs: axis === joined ? joinedParts(facts, axis) : each(facts.inputs, () => along(axis)),
    outputs: [along(axis)],
  }));
}

function joinedParts(facts: NodeFacts, axis: number) {
  let next = 0;
  return each(facts.inputs, (tensor) => {
    const offset = next;
    const length = tensor.shape[axis];
    next += length;
    return ranged(
      axis,
      (start) => Math.max(0, start - offset),
      (_start, end) => Math.min(length, end - offset),
    );
  });
}
