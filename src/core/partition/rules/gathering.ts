import { intAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit, Part } from './node';
import { along, axisSplit, each, normalizeAxis, WHOLE } from './node';

/** `Gather`: axes of the data around the gathered one, and the axes of the indices, each alone. */
export function gather(facts: NodeFacts): NodeSplit[] {
  const data = facts.inputs[0]!.shape;
  const indices = facts.inputs[1]!.shape;
  const gathered = normalizeAxis(intAttribute(facts.node.attributes, 'axis', 0), data.length);
  return facts.outputs[0]!.shape.map((_length, axis) => {
    const isIndex = axis >= gathered && axis < gathered + indices.length;
    if (isIndex) return axisSplit(facts, axis, [WHOLE, along(axis - gathered)]);
    return axisSplit(facts, axis, [along(axis < gathered ? axis : axis - indices.length + 1), WHOLE]);
  });
}

/** `GatherElements`: indices have the output's axes; the data is needed whole along the gathered one only. */
export function gatherElements(facts: NodeFacts): NodeSplit[] {
  const shape = facts.outputs[0]!.shape;
  const gathered = normalizeAxis(intAttribute(facts.node.attributes, 'axis', 0), shape.length);
  return shape.map((_length, axis) =>
    axisSplit(facts, axis, [axis === gathered ? WHOLE : along(axis), along(axis)]),
  );
}

/** `GatherND`: batch axes of both, axes of the indices, axes of the data behind the gathered ones. */
export function gatherND(facts: NodeFacts): NodeSplit[] {
  const batch = intAttribute(facts.node.attributes, 'batch_dims', 0);
  const indices = facts.inputs[1]!.shape;
  const gathered = indices[indices.length - 1];
  const indexAxes = indices.length - 1;
  return facts.outputs[0]!.shape.map((_length, axis) => {
    if (axis < batch) return axisSplit(facts, axis, [along(axis), along(axis)]);
    if (axis < indexAxes) return axisSplit(facts, axis, [WHOLE, along(axis)]);
    return axisSplit(facts, axis, [along(axis - indexAxes + batch + gathered), WHOLE]);
  });
}

/** `ScatterElements`, `Scatter`: axes other than the scattered one along which the indices cover the data. */
export function scatterElements(facts: NodeFacts): NodeSplit[] {
  const shape = facts.outputs[0]!.shape;
  const indices = facts.inputs[1]!.shape;
  const scattered = normalizeAxis(intAttribute(facts.node.attributes, 'axis', 0), shape.length);
  const splits: NodeSplit[] = [];
  shape.forEach((length, axis) => {
    if (axis !== scattered && indices[axis] === length)
      splits.push(
        axisSplit(
          facts,
          axis,
          each(facts.inputs, () => along(axis)),
        ),
      );
  });
  return splits;
}

/** `ScatterND`: axes of the data behind the indexed ones. */
export function scatterND(facts: NodeFacts): NodeSplit[] {
  const indices = facts.inputs[1]!.shape;
  const indexed = indices[indices.length - 1];
  const splits: NodeSplit[] = [];
  facts.outputs[0]!.shape.forEach((_length, axis) => {
    if (axis < indexed) return;
    const updates: Part = along(indices.length - 1 + axis - indexed);
    splits.push(axisSplit(facts, axis, [along(axis), WHOLE, updates]));
  });
  return splits;
}

/** `RoiAlign`, `MaxRoiPool`: regions alone, or channels. */
export function regionPooling(facts: NodeFacts): NodeSplit[] {
  return [
    axisSplit(
      facts,
      0,
      each(facts.inputs, (_tensor, index) => (index === 0 ? WHOLE : along(0))),
    ),
    axisSplit(
      facts,
      1,
      each(facts.inputs, (_tensor, index) => (index === 0 ? along(1) : WHOLE)),
    ),
  ];
}

/** `GridSample`: batch, channels of the data, and every axis of the grid. */
export function gridSample(facts: NodeFacts): NodeSplit[] {
  return facts.outputs[0]!.shape.map((_length, axis) => {
    if (axis === 0) return axisSplit(facts, 0, [along(0), along(0)]);
    return axis === 1
      ? axisSplit(facts, 1, [along(1), WHOLE])
      : axisSplit(facts, axis, [WHOLE, along(axis - 1)]);
  });
}
