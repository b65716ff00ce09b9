import { intAttribute, intsAttribute } from '../../graph/attributes';
import type { Family, NodeFacts, NodeSplit } from './node';
import { along, axisSplit, firstInput, normalizeAxis } from './node';

/**
 * Operators that mix elements along some axes and treat every other axis position alone: softmax, sorting,
 * cumulation. All outputs have the input's axes; further inputs are small parameters that every shard needs.
 */
export function freeAxes(facts: NodeFacts, isCoupled: (axis: number) => boolean): NodeSplit[] {
  const shape = facts.outputs[0]!.shape;
  const splits: NodeSplit[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    if (!isCoupled(axis)) splits.push(axisSplit(facts, axis, firstInput(facts, along(axis))));
  }
  return splits;
}

const SINGLE_AXIS_SOFTMAX = 13;

/** `Softmax`, `LogSoftmax`, `Hardmax`: before operator set 13 all axes from `axis` on form one vector. */
export function softmax(facts: NodeFacts): NodeSplit[] {
  const isSingle = facts.node.opset >= SINGLE_AXIS_SOFTMAX;
  const rank = facts.outputs[0]!.shape.length;
  const axis = normalizeAxis(intAttribute(facts.node.attributes, 'axis', isSingle ? -1 : 1), rank);
  return freeAxes(facts, isSingle ? (other) => other === axis : (other) => other >= axis);
}

/** The coupled axis is attribute `axis`. */
export function coupledAxis(otherwise: number): Family {
  return (facts) => {
    const axis = normalizeAxis(
      intAttribute(facts.node.attributes, 'axis', otherwise),
      facts.outputs[0]!.shape.length,
    );
    return freeAxes(facts, (other) => other === axis);
  };
}

/** `CumSum`, `CumProd`: the coupled axis is a constant input. */
export function cumulation(facts: NodeFacts): NodeSplit[] {
  const given = facts.inputs[1]?.values?.[0];
  if (given === undefined) return [];
  const axis = normalizeAxis(given, facts.outputs[0]!.shape.length);
  return freeAxes(facts, (other) => other === axis);
}

/** `LRN`: windows over the channels. */
export function localResponse(facts: NodeFacts): NodeSplit[] {
  return freeAxes(facts, (axis) => axis === 1);
}

/** `MeanVarianceNormalization`: statistics over the axes given. */
export function meanVariance(facts: NodeFacts): NodeSplit[] {
  const rank = facts.outputs[0]!.shape.length;
  const given = intsAttribute(facts.node.attributes, 'axes') ?? [0, 2, 3];
  const coupled = new Set(given.map((axis) => normalizeAxis(axis, rank)));
  return freeAxes(facts, (axis) => coupled.has(axis));
}

/** `ReverseSequence`: lengths belong to the batch axis, time stays whole. */
export function reverseSequence(facts: NodeFacts): NodeSplit[] {
  const batch = intAttribute(facts.node.attributes, 'batch_axis', 1);
  const time = intAttribute(facts.node.attributes, 'time_axis', 0);
  const shape = facts.outputs[0]!.shape;
  return shape.flatMap((_length, axis) => {
    if (axis === time) return [];
    return [axisSplit(facts, axis, [along(axis), axis === batch ? along(0) : 'whole'])];
  });
}

/** `Trilu`: the last two axes are one matrix. */
export function triangle(facts: NodeFacts): NodeSplit[] {
  const rank = facts.outputs[0]!.shape.length;
  return freeAxes(facts, (axis) => axis >= rank - 2);
}

/** `Split`: every axis but the one that is taken apart; all outputs follow. */
export const splitting: Family = coupledAxis(0);
