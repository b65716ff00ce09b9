import { broadcast } from '../broadcast';
import { add, multiply, sizeOf } from '../dim';
import { frontAxis, like, type Outputs, type Rule, type Rules, tensor } from '../operation';
import { convolutionRules } from './convolution';
import { matMul, matMulRules, matMulShape } from './matmul';
import { normalisationRules } from './normalisation';
import { poolingRules, quantizedGlobalPool } from './pooling';
import { quantizationRules } from './quantization';
import { sumOfDims } from './reshaping';
import type { Dim } from '../types';

/** Contributed operators of ONNX Runtime (`com.microsoft`) as its optimizer and quantizer write them. */
const same: Rule = (op) => [like(op, 0)];

function broadcastOf(a: number, b: number): Rule {
  return (op) => [tensor(op.type(a), broadcast([op.shape(a), op.shape(b)]))];
}

/** Gradients have the shape of what they are the gradient of. */
const gradientLike =
  (input: number): Rule =>
  (op) => [like(op, input)];

/** Input, mean and inverse deviation, and the sum with the skip connection. */
const skipNormalization: Rule = (op): Outputs => {
  const statistics = op.shape(0)?.map((dim, axis, all) => (axis === all.length - 1 ? 1 : dim));
  return [like(op, 0), tensor('float32', statistics), tensor('float32', statistics), like(op, 0)];
};

/** The quantized weights are blocks along K; N and K are attributes. */
const matMulBits: Rule = (op) => {
  const a = op.shape(0);
  return [tensor(op.type(0), a && [...a.slice(0, -1), op.int('N')])];
};

const fusedMatMul: Rule = (op) => {
  const turned = (input: number, flag: string): readonly Dim[] | undefined => {
    const shape = op.shape(input);
    if (shape === undefined || shape.length < 2 || op.int(flag, 0) === 0) return shape;
    return [...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]];
  };
  return [tensor(op.type(0), matMulShape(turned(0, 'transA'), turned(1, 'transB')))];
};

/** Scale and zero point of the result, then three entries per input. */
const quantizedConcat: Rule = (op) => {
  const inputs = op.inputs.map((_, input) => input).filter((input) => input >= 2 && (input - 2) % 3 === 0);
  const shapes = inputs.map((input) => op.shape(input));
  const first = shapes[0];
  if (first === undefined || shapes.includes(undefined)) return [tensor(op.type(1), undefined)];
  const axis = frontAxis(op.int('axis', 1), first.length);
  const sum = sumOfDims(shapes.map((shape) => shape![axis]));
  return [
    tensor(
      op.type(1),
      first.map((dim, one) => (one === axis ? sum : dim)),
    ),
  ];
};

/** Batch, sequence, hidden: queries with keys and values of another width keep the width of the values. */
const multiHeadAttention: Rule = (op): Outputs => {
  const q = op.shape(0);
  const v = op.shape(2);
  const packed = q?.length === 5;
  const width = packed ? multiply(q[2], q[4]) : v?.length === 4 ? multiply(v[1], v[3]) : (v?.[2] ?? q?.[2]);
  return [tensor(op.type(0), q && [q[0], q[1], width])];
};

const groupQueryAttention: Rule = (op): Outputs => {
  const q = op.shape(0);
  const past = op.shape(3);
  const total = op.number(6);
  const heads = op.int('num_heads');
  const kvHeads = op.int('kv_num_heads');
  const wide = sizeOf(q?.[2]);
  const packed = op.has(1) ? undefined : wide;
  const size =
    packed !== undefined && heads !== undefined && kvHeads !== undefined
      ? packed / (heads + 2 * kvHeads)
      : undefined;
  const width = packed === undefined ? q?.[2] : size === undefined ? undefined : size * heads!;
  const cache = past && [past[0], past[1], sizeOf(past[2]) === 0 ? total : undefined, past[3]];
  const type = op.type(0);
  return [tensor(type, q && [q[0], q[1], width]), tensor(type, cache), tensor(type, cache)];
};

/** Packed projections of queries, keys and values in one weight; the state is (2, batch, heads, length, size). */
const packedAttention: Rule = (op): Outputs => {
  const x = op.shape(0);
  const columns = sizeOf(op.shape(1)?.[1]);
  const sizes = op.ints('qkv_hidden_sizes');
  const width = sizes?.[2] ?? (columns === undefined ? undefined : columns / 3);
  const past = op.shape(4);
  const heads = op.int('num_heads');
  const present = past
    ? [2, past[1], past[2], add(past[3], x?.[1]), past[4]]
    : [2, x?.[0], heads, x?.[1], width === undefined || heads === undefined ? undefined : width / heads];
  return [tensor(op.type(0), x && [x[0], x[1], width]), tensor(op.type(0), present)];
};

const embedLayerNormalization: Rule = (op): Outputs => {
  const ids = op.shape(0);
  const width = op.shape(2)?.[1];
  const embedded = ids && [...ids, width];
  return [tensor(op.type(2), embedded), tensor('int32', ids && [ids[0]]), tensor(op.type(2), embedded)];
};

/** Rows and columns as `Gemm`, with scales and zero points between the matrices; the last input types the result. */
const quantizedGemm: Rule = (op) => {
  const side = (input: number, flag: string) => {
    const shape = op.shape(input);
    return shape && op.int(flag, 0) !== 0 ? [shape[1], shape[0]] : shape;
  };
  const type = op.has(8) ? op.type(8) : 'float32';
  return [tensor(type, [side(0, 'transA')?.[0], side(3, 'transB')?.[1]])];
};

export const microsoftRules: Rules = {
  Attention: packedAttention,
  AveragePoolGrad: (op) => [tensor(op.type(0), undefined)],
  BiasAdd: same,
  BiasDropout: (op) => [like(op, 0), like(op, 0, 'bool')],
  BiasGelu: same,
  BiasSoftmax: same,
  DequantizeLinear: quantizationRules['DequantizeLinear'],
  DynamicQuantizeMatMul: (op) => matMul(op, 0, 1, 'float32'),
  EmbedLayerNormalization: embedLayerNormalization,
  FastGelu: same,
  FusedConv: convolutionRules['Conv'],
  FusedGemm: matMulRules['Gemm'],
  FusedMatMul: fusedMatMul,
  Gelu: same,
  GroupNorm: same,
  GroupQueryAttention: groupQueryAttention,
  Inverse: same,
  LayerNormalization: normalisationRules['LayerNormalization'],
  MatMulIntegerToFloat: (op) => matMul(op, 0, 1, 'float32'),
  MatMulNBits: matMulBits,
  MultiHeadAttention: multiHeadAttention,
  QGemm: quantizedGemm,
  QLinearAdd: broadcastOf(0, 3),
  QLinearAveragePool: poolingRules['AveragePool'],
  QLinearConcat: quantizedConcat,
  QLinearGlobalAveragePool: quantizedGlobalPool,
  QLinearLeakyRelu: same,
  QLinearMul: broadcastOf(0, 3),
  QLinearSigmoid: same,
  QLinearSoftmax: same,
  QuantizeLinear: quantizationRules['QuantizeLinear'],
  QuickGelu: same,
  ReluGrad: gradientLike(1),
  RotaryEmbedding: same,
  SimplifiedLayerNormalization: same,
  SkipLayerNormalization: skipNormalization,
  SkipSimplifiedLayerNormalization: skipNormalization,
  SoftmaxCrossEntropyLossGrad: gradientLike(1),
};

/** `Quant` of QONNX and Brevitas: fake quantization, the values stay in float. */
export const quantRules: Rules = {
  BipolarQuant: same,
  IntQuant: same,
  Quant: same,
  Trunc: same,
};
