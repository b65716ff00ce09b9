import {
  ATTENTION,
  attributeRows,
  BODY,
  COMBINES,
  convolution,
  DETERMINANT,
  EINSUM,
  type Formula,
  FOURIER,
  GEMM,
  GROUPED_ATTENTION,
  LINEAR_ATTENTION,
  MOVES,
  PACKED_ATTENTION,
  perInput,
  perOutput,
  POOL,
  product,
  recurrent,
  RESIZE,
  ROI_ALIGN,
  SCATTER,
  TRANSPOSED_CONVOLUTION,
  TREES,
  UNCOUNTED,
} from './flopFormulas';

type Rows = readonly (readonly [types: string, formula: Formula])[];

/**
 * FLOPs of every known operator. Convolutions, products and pools are counted by their definition (a
 * multiplication and an addition are 2); elementwise operators, activations and normalisations 1 to 5 per element
 * by what they compute, whatever a device's library makes of it; what only moves data 0. `docs/operators.md` is
 * written from this table.
 */
const ONNX: Rows = [
  ['Conv DeformConv ConvInteger CausalConvWithState', convolution(1)],
  ['QLinearConv', convolution(3)],
  ['ConvTranspose', TRANSPOSED_CONVOLUTION],
  ['MatMul MatMulInteger QLinearMatMul', product(0)],
  ['Gemm', GEMM],
  ['Einsum', EINSUM],
  ['Det', DETERMINANT],
  ['AveragePool LpPool MaxPool', POOL],
  ['GlobalAveragePool GlobalLpPool GlobalMaxPool', perInput(1)],
  ['MaxRoiPool', perInput(1)],
  ['RoiAlign', ROI_ALIGN],
  ['RNN', recurrent(1)],
  ['GRU', recurrent(3)],
  ['LSTM', recurrent(4)],
  ['Attention', ATTENTION],
  ['LinearAttention', LINEAR_ATTENTION],
  ['DFT STFT', FOURIER],
  ['Resize Upsample', RESIZE],
  ['AffineGrid GridSample', perOutput(5)],
  ['Col2Im', perInput(1)],

  ['Max Mean Min Sum', COMBINES],
  [
    'Abs Add And BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Div Equal Floor Greater ' +
      'GreaterOrEqual IsInf IsNaN Less LessOrEqual Mul Neg Not Or Reciprocal Relu Round Sign Sqrt Sub Where Xor',
    perOutput(1),
  ],
  ['Affine Clip DequantizeLinear ImageScaler LeakyRelu Mod PRelu Shrink ThresholdedRelu', perOutput(2)],
  ['HardSigmoid Pow QuantizeLinear Softsign', perOutput(3)],
  ['Celu Elu Exp HardSwish Log ParametricSoftplus Selu Sigmoid', perOutput(4)],
  [
    'Acos Acosh Asin Asinh Atan Atanh Cos Cosh Erf Gelu Mish ScaledTanh Sin Sinh Softplus SwiGLU Swish Tan Tanh',
    perOutput(5),
  ],
  ['RotaryEmbedding', perOutput(3)],

  ['BatchNormalization', perOutput(2)],
  ['LpNormalization', perOutput(3)],
  ['RMSNormalization SimplifiedLayerNormalization', perOutput(4)],
  [
    'GroupNormalization InstanceNormalization LayerNormalization LogSoftmax LRN MeanVarianceNormalization Softmax',
    perOutput(5),
  ],
  ['Hardmax', perOutput(1)],
  ['DynamicQuantizeLinear', perInput(5)],
  ['NegativeLogLikelihoodLoss', perInput(1)],
  ['SoftmaxCrossEntropyLoss', perInput(5)],

  ['ArgMax ArgMin CumProd CumSum ReduceL1 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum', perInput(1)],
  ['ReduceL2 ReduceSumSquare', perInput(2)],
  ['ReduceLogSum', perInput(1)],
  ['ReduceLogSumExp', perInput(5)],
  ['TopK Unique', perInput(5)],
  ['NonMaxSuppression', perInput(5, 1)],
  ['BlackmanWindow HammingWindow HannWindow MelWeightMatrix', perOutput(5)],
  ['Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike', perOutput(1)],
  ['Scatter ScatterElements ScatterND', SCATTER],

  ['If Loop Scan SequenceMap', BODY],
  [
    'BitCast CenterCropPad Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace Dropout Expand ' +
      'EyeLike Flatten Gather GatherElements GatherND Identity ImageDecoder MaxUnpool NonZero OneHot Optional ' +
      'OptionalGetElement OptionalHasElement Pad Range RegexFullMatch Reshape ReverseSequence SequenceAt ' +
      'SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength Shape Size Slice SpaceToDepth ' +
      'Split SplitToSequence Squeeze StringConcat StringNormalizer StringSplit TensorScatter TfIdfVectorizer Tile ' +
      'Transpose Trilu Unsqueeze',
    MOVES,
  ],
];

const CLASSICAL: Rows = [
  ['ArrayFeatureExtractor CastMap CategoryMapper DictVectorizer FeatureVectorizer', MOVES],
  ['LabelEncoder OneHotEncoder ZipMap', MOVES],
  ['Binarizer Imputer', perOutput(1)],
  ['Scaler', perOutput(2)],
  ['Normalizer', perOutput(3)],
  ['LinearClassifier LinearRegressor SVMClassifier SVMRegressor', attributeRows('coefficients')],
  ['TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor', TREES],
];

const MICROSOFT: Rows = [
  ['FusedConv', convolution(1)],
  ['DynamicQuantizeMatMul FusedMatMul MatMulIntegerToFloat MatMulNBits', product(0)],
  ['FusedGemm QGemm', GEMM],
  ['AveragePoolGrad', perOutput(1)],
  ['QLinearAveragePool', POOL],
  ['QLinearGlobalAveragePool', perInput(1)],
  ['Attention', PACKED_ATTENTION],
  ['MultiHeadAttention', ATTENTION],
  ['GroupQueryAttention', GROUPED_ATTENTION],
  ['BiasAdd BiasDropout Inverse QLinearAdd QLinearMul ReluGrad', perOutput(1)],
  ['DequantizeLinear QLinearLeakyRelu SoftmaxCrossEntropyLossGrad', perOutput(2)],
  ['QuantizeLinear RotaryEmbedding', perOutput(3)],
  ['QLinearSigmoid SimplifiedLayerNormalization SkipSimplifiedLayerNormalization', perOutput(4)],
  ['BiasGelu BiasSoftmax EmbedLayerNormalization FastGelu Gelu GroupNorm', perOutput(5)],
  ['LayerNormalization QLinearSoftmax QuickGelu SkipLayerNormalization', perOutput(5)],
  ['QLinearConcat', MOVES],
];

const TRAINING: Rows = [
  ['Adagrad Adam', perInput(5, 2)],
  ['Momentum', perInput(4, 2)],
  ['Gradient', UNCOUNTED],
];

const QUANTIZERS: Rows = [['BipolarQuant IntQuant Quant Trunc', perOutput(5)]];

function expanded(rows: Rows): ReadonlyMap<string, Formula> {
  return new Map(
    rows.flatMap(([types, formula]) => types.split(' ').map((type) => [type, formula] as const)),
  );
}

/** Domain -> operator type -> formula. */
export const FLOP_TABLE: ReadonlyMap<string, ReadonlyMap<string, Formula>> = new Map([
  ['', expanded(ONNX)],
  ['ai.onnx.ml', expanded(CLASSICAL)],
  ['ai.onnx.preview', expanded([['FlexAttention', ATTENTION]])],
  ['ai.onnx.preview.training', expanded(TRAINING)],
  ['ai.onnx.training', expanded(TRAINING)],
  ['com.microsoft', expanded(MICROSOFT)],
  ['onnx.brevitas', expanded(QUANTIZERS)],
  ['qonnx.custom_op.general', expanded(QUANTIZERS)],
]);
