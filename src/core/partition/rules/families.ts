import { convolution } from './convolution';
import {
  coupledAxis,
  cumulation,
  localResponse,
  meanVariance,
  reverseSequence,
  softmax,
  splitting,
  triangle,
} from './coupled';
import { elementwise } from './elementwise';
import {
  gather,
  gatherElements,
  gatherND,
  gridSample,
  regionPooling,
  scatterElements,
  scatterND,
} from './gathering';
import { concat } from './joining';
import { depthToSpace, einsum, expand, oneHot, spaceToDepth, tile, transpose } from './layout';
import type { Family } from './node';
import {
  batchNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
} from './normalization';
import { globalAverage, globalPooling, pooling } from './pooling';
import { gemm, matMul } from './product';
import {
  convolutionInteger,
  linearQuantization,
  matMulInteger,
  qLinearConvolution,
  qLinearElementwise,
  qLinearMatMul,
} from './quantized';
import { argReduction, reduction } from './reduction';
import { resize } from './resizing';
import { attention, recurrent } from './sequence';
import { pad, slice } from './slicing';
import { transposedConvolution } from './transposedConvolution';

const ELEMENTWISE_TYPES = [
  'Abs',
  'Acos',
  'Acosh',
  'Add',
  'And',
  'Asin',
  'Asinh',
  'Atan',
  'Atanh',
  'BitShift',
  'BitwiseAnd',
  'BitwiseNot',
  'BitwiseOr',
  'BitwiseXor',
  'Cast',
  'CastLike',
  'Ceil',
  'Celu',
  'Clip',
  'Cos',
  'Cosh',
  'Div',
  'Elu',
  'Equal',
  'Erf',
  'Exp',
  'Floor',
  'Gelu',
  'Greater',
  'GreaterOrEqual',
  'HardSigmoid',
  'HardSwish',
  'IsInf',
  'IsNaN',
  'LeakyRelu',
  'Less',
  'LessOrEqual',
  'Log',
  'Max',
  'Mean',
  'Min',
  'Mish',
  'Mod',
  'Mul',
  'Neg',
  'Not',
  'Or',
  'PRelu',
  'Pow',
  'Reciprocal',
  'Relu',
  'Round',
  'Selu',
  'Shrink',
  'Sigmoid',
  'Sign',
  'Sin',
  'Sinh',
  'Softplus',
  'Softsign',
  'Sqrt',
  'Sub',
  'Sum',
  'Swish',
  'Tan',
  'Tanh',
  'ThresholdedRelu',
  'Where',
  'Xor',
];

const PARTIAL_SUMS = ['ReduceSum', 'ReduceSumSquare', 'ReduceL1'];
const REDUCTIONS = ['ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp'];

/** Operator type of `ai.onnx` -> its partition rules. A type that is not here runs whole. */
const STANDARD: ReadonlyMap<string, Family> = new Map<string, Family>([
  ...ELEMENTWISE_TYPES.map((type) => [type, elementwise] as const),
  ...PARTIAL_SUMS.map((type) => [type, reduction('sum')] as const),
  ...REDUCTIONS.map((type) => [type, reduction('none')] as const),
  ['ReduceMean', reduction('mean')],
  ['ArgMax', argReduction],
  ['ArgMin', argReduction],
  ['Conv', convolution],
  ['ConvTranspose', transposedConvolution],
  ['ConvInteger', convolutionInteger],
  ['QLinearConv', qLinearConvolution],
  ['MaxPool', pooling],
  ['AveragePool', pooling],
  ['LpPool', pooling],
  ['GlobalMaxPool', globalPooling],
  ['GlobalLpPool', globalPooling],
  ['GlobalAveragePool', globalAverage],
  ['Gemm', gemm],
  ['MatMul', matMul],
  ['MatMulInteger', matMulInteger],
  ['QLinearMatMul', qLinearMatMul],
  ['Einsum', einsum],
  ['Attention', attention],
  ['QuantizeLinear', linearQuantization],
  ['DequantizeLinear', linearQuantization],
  ['BatchNormalization', batchNormalization],
  ['LayerNormalization', layerNormalization],
  ['RMSNormalization', layerNormalization],
  ['InstanceNormalization', instanceNormalization],
  ['GroupNormalization', groupNormalization],
  ['LpNormalization', coupledAxis(-1)],
  ['MeanVarianceNormalization', meanVariance],
  ['LRN', localResponse],
  ['Softmax', softmax],
  ['LogSoftmax', softmax],
  ['Hardmax', softmax],
  ['TopK', coupledAxis(-1)],
  ['CumSum', cumulation],
  ['CumProd', cumulation],
  ['ReverseSequence', reverseSequence],
  ['Trilu', triangle],
  ['Split', splitting],
  ['Concat', concat],
  ['Slice', slice],
  ['Pad', pad],
  ['Resize', resize],
  ['Upsample', resize],
  ['Transpose', transpose],
  ['Expand', expand],
  ['Tile', tile],
  ['DepthToSpace', depthToSpace],
  ['SpaceToDepth', spaceToDepth],
  ['OneHot', oneHot],
  ['Gather', gather],
  ['GatherElements', gatherElements],
  ['GatherND', gatherND],
  ['Scatter', scatterElements],
  ['ScatterElements', scatterElements],
  ['ScatterND', scatterND],
  ['RoiAlign', regionPooling],
  ['MaxRoiPool', regionPooling],
  ['GridSample', gridSample],
  ['RNN', recurrent],
  ['GRU', recurrent],
  ['LSTM', recurrent],
]);

/** The same for the operators that ONNX Runtime adds and quantizers write. */
const CONTRIBUTED: ReadonlyMap<string, Family> = new Map<string, Family>([
  ['QLinearAdd', qLinearElementwise],
  ['QLinearMul', qLinearElementwise],
  ['Gelu', elementwise],
]);

/** Rules of an operator type, or `undefined` where it runs whole. */
export function familyOf(domain: string, type: string): Family | undefined {
  if (domain === '' || domain === 'ai.onnx') return STANDARD.get(type);
  return domain === 'com.microsoft' ? CONTRIBUTED.get(type) : undefined;
}
