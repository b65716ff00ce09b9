import type { Theme } from './theme';
import { shortType } from './scene/sizes';

/** Families of operators, for colouring by type. */
export const CATEGORIES = [
  'Convolution and product',
  'Activation',
  'Normalisation',
  'Pooling and reduction',
  'Elementwise',
  'Shape and data movement',
  'Control flow and functions',
  'Other',
] as const;

const MEMBERS: readonly string[] = [
  'Conv ConvTranspose ConvInteger QLinearConv DeformConv Gemm MatMul MatMulInteger QLinearMatMul Einsum LSTM GRU RNN Attention MultiHeadAttention FusedConv FusedMatMul',
  'Relu LeakyRelu PRelu Sigmoid Tanh Softmax LogSoftmax Elu Selu Celu Gelu Mish HardSigmoid HardSwish Softplus Softsign ThresholdedRelu Swish QuickGelu FastGelu BiasGelu Hardmax Clip Erf',
  'BatchNormalization LayerNormalization InstanceNormalization GroupNormalization RMSNormalization LRN LpNormalization MeanVarianceNormalization SkipLayerNormalization SimplifiedLayerNormalization',
  'MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool GlobalLpPool MaxUnpool ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare ArgMax ArgMin TopK CumSum',
  'Add Sub Mul Div Pow Sqrt Exp Log Abs Neg Reciprocal Max Min Mean Sum Where Equal Greater Less GreaterOrEqual LessOrEqual And Or Not Xor Mod Floor Ceil Round Sign Sin Cos Tan BitShift IsNaN IsInf QuantizeLinear DequantizeLinear DynamicQuantizeLinear Cast CastLike',
  'Reshape Transpose Concat Split Slice Gather GatherElements GatherND Scatter ScatterElements ScatterND Squeeze Unsqueeze Flatten Identity Expand Tile Pad Resize Upsample Shape Size Range ConstantOfShape Constant DepthToSpace SpaceToDepth Dropout OneHot NonZero EyeLike Compress Unique ReverseSequence Trilu NonMaxSuppression RoiAlign',
  'If Loop Scan SequenceMap Optional OptionalGetElement OptionalHasElement SequenceConstruct SequenceAt SequenceInsert SequenceEmpty SplitToSequence ConcatFromSequence',
];

const CATEGORY = new Map(MEMBERS.flatMap((list, i) => list.split(' ').map((type) => [type, i] as const)));

/** Position in `CATEGORIES`. */
export function categoryOf(typeName: string): number {
  return CATEGORY.get(shortType(typeName)) ?? CATEGORIES.length - 1;
}

export function categoryColors(theme: Theme): readonly string[] {
  const { blue, red, green, purple, orange, yellow, foreground, dim } = theme;
  return [blue, red, green, purple, orange, dim, yellow, foreground];
}
