import { intsAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit } from './node';
import { allowsScaledSums, along, partialSum, ranged } from './node';
import { everyWindowReads, shardPads, spatialWindows, windowFrom, windowTo } from './window';

/** `MaxPool`, `AveragePool`, `LpPool`: a window of each channel alone. */
export function pooling(facts: NodeFacts): NodeSplit[] {
  const kernel = intsAttribute(facts.node.attributes, 'kernel_shape');
  // The indices of MaxPool count elements of the whole tensor: a shard alone cannot know them.
  if (kernel === undefined || facts.outputs[1] !== undefined) return [];
  const windows = spatialWindows(facts, kernel);
  if (windows === undefined) return [];
  const splits = leadingSplits(facts);
  windows.forEach((window, spatial) => {
    if (!everyWindowReads(window)) return;
    const axis = spatial + 2;
    const rows = ranged(
      axis,
      (start) => windowFrom(window, start),
      (_start, end) => windowTo(window, end),
    );
    splits.push({
      dimension: facts.letter(axis),
      axis,
      length: window.output,
      unit: 1,
      inputs: [rows],
      outputs: [along(axis)],
      attributes: (start, end) => shardPads(windows, spatial, start, end),
    });
  });
  return splits;
}

/** Batch and channels, which no pooling mixes. */
function leadingSplits(facts: NodeFacts): NodeSplit[] {
  return [0, 1].map((axis) => ({
    dimension: facts.letter(axis),
    axis,
    length: facts.outputs[0]!.shape[axis],
    unit: 1,
    inputs: [along(axis)],
    outputs: [along(axis)],
  }));
}

/** `GlobalMaxPool`, `GlobalLpPool`: one value per channel. */
export function globalPooling(facts: NodeFacts): NodeSplit[] {
  return leadingSplits(facts);
}

/** `GlobalAveragePool`: also by partial sums over any spatial axis, each shard's mean weighed with its share. */
export function globalAverage(facts: NodeFacts): NodeSplit[] {
  const splits = leadingSplits(facts);
  const shape = facts.inputs[0]!.shape;
  if (!allowsScaledSums(facts)) return splits;
  for (let axis = 2; axis < shape.length; axis++) {
    const scale = (start: number, end: number) => (end - start) / shape[axis];
    splits.push(partialSum(facts, axis, [along(axis)], { scale }));
  }
  return splits;
}
