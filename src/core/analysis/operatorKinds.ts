import { intAttribute } from '../graph/attributes';
import type { ModelNode } from '../onnx/model';

/** What an operator's type alone says about it. All sets are of the `ai.onnx` domain. */

/** Unary operators and activations that map each element by itself. */
const UNARY = `Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast CastLike Ceil Celu Clip Cos Cosh Elu Erf Exp
  Floor Gelu HardSigmoid HardSwish IsInf IsNaN LeakyRelu Log Mish Neg Not PRelu Reciprocal Relu Round Selu Shrink
  Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu`;

/** Operators on several tensors, element by element, after broadcasting. */
const VARIADIC = `Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual
  Max Mean Min Mod Mul Or Pow Sub Sum Where Xor`;

/** Quantization of each element by itself. */
const QUANTIZE = 'QuantizeLinear DequantizeLinear';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const ELEMENTWISE = words(`${UNARY} ${VARIADIC} ${QUANTIZE}`);

/** Activations that runtimes run inside the operator before them. */
const ACTIVATIONS =
  words(`Celu Clip Elu Gelu HardSigmoid HardSwish LeakyRelu Mish PRelu Relu Selu Sigmoid Softplus
  Softsign Swish Tanh ThresholdedRelu`);

const FUSABLE = words('Conv ConvTranspose Gemm MatMul');
const RANDOM = words('RandomNormal RandomNormalLike RandomUniform RandomUniformLike Multinomial Bernoulli');
const VIEWS = words('Identity Reshape Flatten Squeeze Unsqueeze');

type Kind = Pick<ModelNode, 'type' | 'domain'>;

export const isElementwiseType = ({ type, domain }: Kind): boolean => domain === '' && ELEMENTWISE.has(type);
export const isActivationType = ({ type, domain }: Kind): boolean => domain === '' && ACTIVATIONS.has(type);
export const isFusableType = ({ type, domain }: Kind): boolean => domain === '' && FUSABLE.has(type);
export const isConstantNode = ({ type, domain }: Kind): boolean => domain === '' && type === 'Constant';

/** What is known about the values of a node's inputs when the graph is built. */
export interface ValueKnowledge {
  isConstant(name: string): boolean;
  values(name: string): readonly number[] | undefined;
}

/** Gives other values each time it runs, so it is never folded. */
export function isRandom(node: ModelNode, opset: number, known: ValueKnowledge): boolean {
  if (node.domain !== '') return false;
  return RANDOM.has(node.type) || (node.type === 'Dropout' && !isInferenceDropout(node, opset, known));
}

/** Its output shares its first input's storage. */
export function isViewNode(node: ModelNode, opset: number, known: ValueKnowledge): boolean {
  if (node.domain !== '') return false;
  return VIEWS.has(node.type) || (node.type === 'Dropout' && isInferenceDropout(node, opset, known));
}

/** Before opset 7 an attribute says so, from 12 on an input, in between Dropout exists for inference only. */
function isInferenceDropout(node: ModelNode, opset: number, known: ValueKnowledge): boolean {
  if (opset < 7) return intAttribute(node.attributes, 'is_test', 0) !== 0;
  const training = node.inputs[2] ?? '';
  if (opset < 12 || training === '') return true;
  const values = known.values(training);
  return values?.length === 1 && values[0] === 0;
}

/** BatchNormalization with fixed statistics, which is an affine map per channel. */
export function isInferenceBatchNormalization(node: ModelNode, opset: number): boolean {
  if (node.domain !== '' || node.type !== 'BatchNormalization') return false;
  if (node.outputs.slice(1).some((name) => name !== '')) return false;
  if (opset < 7) return intAttribute(node.attributes, 'is_test', 0) !== 0;
  return intAttribute(node.attributes, 'training_mode', 0) === 0;
}
