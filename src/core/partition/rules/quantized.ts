import { intAttribute } from '../../graph/attributes';
import { convolutionSplits } from './convolution';
import type { NodeFacts, NodeSplit, Part, TensorFacts } from './node';
import { along, axisSplit, blocks, each, normalizeAxis, WHOLE } from './node';
import { productSplits } from './product';

/** `QuantizeLinear`, `DequantizeLinear`: scales per tensor, per position of one axis, or per block of it. */
export function linearQuantization(facts: NodeFacts): NodeSplit[] {
  const shape = facts.outputs[0]!.shape;
  const quantized = normalizeAxis(intAttribute(facts.node.attributes, 'axis', 1), shape.length);
  const block = intAttribute(facts.node.attributes, 'block_size', 0);
  const scaleShape = facts.inputs[1]!.shape;
  const isPerTensor = scaleShape.length === 0 || (scaleShape.length === 1 && scaleShape[0] === 1);
  return shape.map((_length, axis) => {
    const isOwn = axis === quantized;
    const scale: Part = isPerTensor
      ? WHOLE
      : block > 0
        ? blocks(axis, isOwn ? block : 1, 1)
        : isOwn
          ? along(0)
          : WHOLE;
    const inputs = each(facts.inputs, (_tensor, index) => (index === 0 ? along(axis) : scale));
    return axisSplit(facts, axis, inputs, { unit: block > 0 && isOwn ? block : 1 });
  });
}

/** `QLinearConv`: `x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, B`; its sums are rounded, so no `K`. */
export function qLinearConvolution(facts: NodeFacts): NodeSplit[] {
  return convolutionSplits(facts, { data: 0, weights: 3, bias: 8, perChannel: [4, 5], isAdditive: false });
}

/** `ConvInteger`: `x, w, x_zero, w_zero`; sums of 32-bit integers. */
export function convolutionInteger(facts: NodeFacts): NodeSplit[] {
  return convolutionSplits(facts, { data: 0, weights: 1, bias: -1, perChannel: [3], isAdditive: true });
}

/** `MatMulInteger`: `a, b, a_zero, b_zero`. */
export function matMulInteger(facts: NodeFacts): NodeSplit[] {
  return productSplits(
    facts,
    0,
    1,
    (tensor, index, role) => perLine(facts, tensor, index === 2 ? 'row' : 'column', role),
    true,
  );
}

/** `QLinearMatMul`: `a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero`. */
export function qLinearMatMul(facts: NodeFacts): NodeSplit[] {
  const others = (tensor: TensorFacts, index: number, role: string): Part =>
    index > 5 ? WHOLE : perLine(facts, tensor, index < 3 ? 'row' : 'column', role);
  return productSplits(facts, 0, 3, others, false);
}

/** A scale or zero point: one element, or one per row of `a` or column of `b`, with or without batch axes. */
function perLine(facts: NodeFacts, tensor: TensorFacts, owner: 'row' | 'column', role: string): Part {
  const rank = tensor.shape.length;
  const isSingle = tensor.shape.every((dim) => dim === 1);
  if (isSingle) return WHOLE;
  // Those with batch axes of their own follow no cut that this rule could name: the whole is not wrong, but
  // the shard's rows would no longer match it, so only vectors and cuts of the other role are let through.
  if (rank === 1) return role === owner ? along(0) : WHOLE;
  const line = owner === 'row' ? rank - 2 : rank - 1;
  if (role === owner) return along(line);
  return role === 'batch' && rank === facts.outputs[0]!.shape.length ? along(0) : WHOLE;
}

/** Inputs of `QLinearAdd` and its kin: `a, a_scale, a_zero, b, b_scale, b_zero, c_scale, c_zero`. */
export function qLinearElementwise(facts: NodeFacts): NodeSplit[] {
  const shape = facts.outputs[0]!.shape;
  return shape.map((length, axis) => {
    const inputs = each(facts.inputs, (tensor) => {
      const own = axis - (shape.length - tensor.shape.length);
      return own >= 0 && tensor.shape[own] === length ? along(own) : WHOLE;
    });
    return axisSplit(facts, axis, inputs);
  });
}
