import { intAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit, Part } from './node';
import { along, axisSplit, blocks, broadcast, each, intValue, normalizeAxis, WHOLE } from './node';

/** `BatchNormalization` with constant statistics: any axis; the parameters follow the channels. */
export function batchNormalization(facts: NodeFacts): NodeSplit[] {
  const attributes = facts.node.attributes;
  const shape = facts.outputs[0]?.shape ?? [];
  const isInference = facts.outputs.filter((output) => output !== undefined).length === 1;
  if (
    !isInference ||
    intAttribute(attributes, 'training_mode', 0) !== 0 ||
    intAttribute(attributes, 'spatial', 1) === 0
  )
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

/** `LayerNormalization`, `RMSNormalization`: the axes before `axis`; scale and bias broadcast, statistics follow. */
export function layerNormalization(facts: NodeFacts): NodeSplit[] {
  const shape = facts.outputs[0]!.shape;
  const first = normalizeAxis(intAttribute(facts.node.attributes, 'axis', -1), shape.length);
  return shape.slice(0, first).map((length, axis) => {
    const inputs = each(facts.inputs, (tensor) => broadcast(tensor.shape, shape.length, axis, length));
    return axisSplit(facts, axis, inputs);
  });
}

/** `InstanceNormalization`: statistics of each channel alone. */
export function instanceNormalization(facts: NodeFacts): NodeSplit[] {
  return [0, 1].map((axis) => {
    const parameters: Part = axis === 1 ? along(0) : WHOLE;
    return axisSplit(
      facts,
      axis,
      each(facts.inputs, (_tensor, index) => (index === 0 ? along(axis) : parameters)),
    );
  });
}

/** `GroupNormalization`: batch, and channels in whole groups; scale and bias per group or (since 21) per channel. */
export function groupNormalization(facts: NodeFacts): NodeSplit[] {
  const channels = facts.outputs[0]!.shape[1];
  const unit = channels / intAttribute(facts.node.attributes, 'num_groups', 1);
  const batch = axisSplit(
    facts,
    0,
    each(facts.inputs, (_tensor, index) => (index === 0 ? along(0) : WHOLE)),
  );
  const inputs = each(facts.inputs, (tensor, index) => {
    if (index === 0) return along(1);
    return tensor.shape[0] === channels ? along(0) : blocks(0, unit, 1);
  });
  const attributes = (start: number, end: number) =>
    new Map([['num_groups', intValue((end - start) / unit)]]);
  return [batch, axisSplit(facts, 1, inputs, { unit, attributes })];
}
