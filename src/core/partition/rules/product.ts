import { intAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit, Part, TensorFacts } from './node';
import { ABSENT, along, broadcast, each, WHOLE } from './node';

/** `Gemm`: `alpha * A' * B' + beta * C`, rows `H`, columns `C`, partial sums `K`. */
export function gemm(facts: NodeFacts): NodeSplit[] {
  const [a, b, c] = facts.inputs;
  const shape = facts.outputs[0]?.shape;
  if (a === undefined || b === undefined || shape === undefined) return [];
  const transA = intAttribute(facts.node.attributes, 'transA', 0) !== 0;
  const transB = intAttribute(facts.node.attributes, 'transB', 0) !== 0;
  const cut = (axis: 0 | 1, partA: Part, partB: Part): NodeSplit => ({
    dimension: facts.letter(axis),
    axis,
    length: shape[axis],
    unit: 1,
    inputs: each(facts.inputs, (tensor, index) =>
      index === 0 ? partA : index === 1 ? partB : broadcast(tensor.shape, 2, axis, shape[axis]),
    ),
    outputs: [along(axis)],
  });
  const splits = [cut(0, along(transA ? 1 : 0), WHOLE), cut(1, WHOLE, along(transB ? 0 : 1))];
  if (c === undefined || (c.isWeight && facts.node.opset >= 7)) {
    const axis = transA ? 0 : 1;
    splits.push({
      dimension: 'K',
      axis,
      length: a.shape[axis],
      unit: 1,
      inputs: each(facts.inputs, (_tensor, index) =>
        index === 0 ? along(axis) : index === 1 ? along(transB ? 1 : 0) : ABSENT,
      ),
      outputs: [WHOLE],
      ...(c === undefined ? {} : { bias: 2 }),
    });
  }
  return splits;
}

/** `MatMul` of any ranks: `[..., M, K] x [..., K, N]`; a vector has neither batch axes nor its own output axis. */
export function matMul(facts: NodeFacts): NodeSplit[] {
  return productSplits(facts, 0, 1, () => WHOLE, true);
}

/** Cuts of a matrix product whose factors stand at inputs `left` and `right`; `others` says what the rest need. */
export function productSplits(
  facts: NodeFacts,
  left: number,
  right: number,
  others: (tensor: TensorFacts, index: number, role: 'row' | 'column' | 'batch' | 'K') => Part,
  isAdditive: boolean,
): NodeSplit[] {
  const a = facts.inputs[left]?.shape;
  const b = facts.inputs[right]?.shape;
  const shape = facts.outputs[0]?.shape;
  if (a === undefined || b === undefined || shape === undefined || a.length === 0 || b.length === 0)
    return [];
  const rowAxis = a.length > 1 ? shape.length - (b.length > 1 ? 2 : 1) : -1;
  const columnAxis = b.length > 1 ? shape.length - 1 : -1;
  const batch = shape.length - Number(rowAxis >= 0) - Number(columnAxis >= 0);
  const parts = (partA: Part, partB: Part, role: 'row' | 'column' | 'batch' | 'K'): Part[] =>
    each(facts.inputs, (tensor, index) =>
      index === left ? partA : index === right ? partB : others(tensor, index, role),
    );
  const splits: NodeSplit[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis];
    const cut = { dimension: facts.letter(axis), axis, length, unit: 1, outputs: [along(axis)] };
    if (axis === rowAxis) splits.push({ ...cut, inputs: parts(along(a.length - 2), WHOLE, 'row') });
    else if (axis === columnAxis)
      splits.push({ ...cut, inputs: parts(WHOLE, along(b.length - 1), 'column') });
    else
      splits.push({
        ...cut,
        inputs: parts(batchPart(a, shape, batch, axis), batchPart(b, shape, batch, axis), 'batch'),
      });
  }
  if (isAdditive) {
    const inputs = parts(along(a.length - 1), along(Math.max(0, b.length - 2)), 'K');
    splits.push({
      dimension: 'K',
      axis: a.length - 1,
      length: a[a.length - 1],
      unit: 1,
      inputs,
      outputs: [WHOLE],
    });
  }
  return splits;
}

/** Batch axes broadcast from the end of those of the output, of which there are `batchAxes`. */
function batchPart(
  factor: readonly number[],
  output: readonly number[],
  batchAxes: number,
  axis: number,
): Part {
  const own = axis - (batchAxes - (factor.length - 2));
  return factor.length > 2 && own >= 0 && factor[own] === output[axis] ? along(own) : WHOLE;
}
