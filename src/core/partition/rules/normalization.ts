import { intAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit, Part } from './node';
import { along, each, WHOLE } from './node';

/** `BatchNormalization` with constant statistics: any axis; the parameters follow the channels. */
export function batchNormalization(facts: NodeFacts): NodeSplit[] {
  const attributes = facts.node.attributes;
  const shape = facts.outputs[0]?.shape ?? [];
  const isInference = facts.outputs.filter((output) => output !== undefined).length === 1;
  if (!isInference || intAttribute(attributes, 'training_mode', 0) !== 0 || intAttribute(attributes, 'spatial', 1) === 0)
    return [];
  return shape.map((length, axis) => {
    const parameters: Part = axis === 1 ? along(0) : WHOLE;
    return {
      dimension: facts.letter(axis),
      axis,
      length,
      unit: 1,
      inputs: each(facts.inputs, (_tensor, index) => (index === 0 ? along(axis) : parameters)),
      outputs: [along(axis)],
    };
  });
}
