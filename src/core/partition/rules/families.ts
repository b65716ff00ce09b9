import { convolution } from './convolution';
import { elementwise } from './elementwise';
import { concat } from './joining';
import type { Family } from './node';
import { batchNormalization } from './normalization';
import { globalAverage, globalPooling, pooling } from './pooling';
import { gemm, matMul } from './product';

const ELEMENTWISE_TYPES = [
  'Abs', 'Acos', 'Acosh', 'Add', 'And', 'Asin', 'Asinh', 'Atan', 'Atanh', 'BitShift', 'BitwiseAnd', 'BitwiseNot',
  'BitwiseOr', 'BitwiseXor', 'Cast', 'CastLike', 'Ceil', 'Celu', 'Clip', 'Cos', 'Cosh', 'Div', 'Elu', 'Equal',
  'Erf', 'Exp', 'Floor', 'Gelu', 'Greater', 'GreaterOrEqual', 'HardSigmoid', 'HardSwish', 'IsInf', 'IsNaN',
  'LeakyRelu', 'Less', 'LessOrEqual', 'Log', 'Max', 'Mean', 'Min', 'Mish', 'Mod', 'Mul', 'Neg', 'Not', 'Or',
  'PRelu', 'Pow', 'Reciprocal', 'Relu', 'Round', 'Selu', 'Shrink', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus',
  'Softsign', 'Sqrt', 'Sub', 'Sum', 'Swish', 'Tan', 'Tanh', 'ThresholdedRelu', 'Where', 'Xor',
];

/** Operator type of `ai.onnx` -> its partition rules. A type that is not here runs whole. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map<string, Family>([
  ...ELEMENTWISE_TYPES.map((type) => [type, elementwise] as const),
  ['Conv', convolution],
  ['MaxPool', pooling],
  ['AveragePool', pooling],
  ['LpPool', pooling],
  ['GlobalMaxPool', globalPooling],
  ['GlobalLpPool', globalPooling],
  ['GlobalAveragePool', globalAverage],
  ['Gemm', gemm],
  ['MatMul', matMul],
  ['BatchNormalization', batchNormalization],
  ['Concat', concat],
]);
