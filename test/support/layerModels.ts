import { ModelBuilder } from '../../src/engine/example/modelBuilder';

/** One small model of one layer, for everything about convolutions and their kin that conformance cases leave out. */
export interface LayerModel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

type Attributes = Record<string, number | readonly number[] | string>;

/** A layer of one data input with float weights of the shapes given. */
function layer(
  name: string,
  type: string,
  input: readonly number[],
  output: readonly number[],
  weights: readonly (readonly number[])[],
  attributes: Attributes = {},
  opset = 17,
): LayerModel {
  const builder = new ModelBuilder(name, opset);
  const inputs = [
    builder.input('x', input),
    ...weights.map((shape, index) => builder.weight(`w${index}`, shape, 0.5)),
  ];
  builder.node(type, inputs, attributes, name, ['y']);
  builder.output('y', output);
  return { name, bytes: builder.build() };
}

export const LAYERS: readonly LayerModel[] = [
  layer('conv 1-D', 'Conv', [1, 4, 19], [1, 6, 19], [[6, 4, 3], [6]], { kernel_shape: [3], pads: [1, 1] }),
  layer('conv 2-D, stride 2, pads 3', 'Conv', [1, 3, 23, 17], [1, 8, 12, 9], [[8, 3, 7, 7], [8]], {
    kernel_shape: [7, 7],
    strides: [2, 2],
    pads: [3, 3, 3, 3],
  }),
  layer('conv 3-D', 'Conv', [1, 2, 7, 8, 9], [1, 4, 7, 8, 9], [[4, 2, 3, 3, 3]], {
    kernel_shape: [3, 3, 3],
    pads: [1, 1, 1, 1, 1, 1],
  }),
  layer('conv grouped', 'Conv', [2, 8, 9, 9], [2, 12, 9, 9], [[12, 2, 3, 3], [12]], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
    group: 4,
  }),
  layer('conv depthwise', 'Conv', [1, 6, 11, 11], [1, 6, 6, 6], [[6, 1, 3, 3], [6]], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    group: 6,
  }),
  layer('conv depthwise with multiplier', 'Conv', [1, 5, 8, 8], [1, 10, 8, 8], [[10, 1, 3, 3]], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
    group: 5,
  }),
  layer('conv dilated', 'Conv', [1, 3, 16, 15], [1, 4, 16, 15], [[4, 3, 3, 3], [4]], {
    kernel_shape: [3, 3],
    dilations: [2, 3],
    pads: [2, 3, 2, 3],
  }),
  layer('conv same upper, even kernel', 'Conv', [1, 3, 13, 14], [1, 4, 7, 7], [[4, 3, 4, 4], [4]], {
    kernel_shape: [4, 4],
    strides: [2, 2],
    auto_pad: 'SAME_UPPER',
  }),
  layer('conv same lower', 'Conv', [1, 3, 13, 14], [1, 4, 7, 7], [[4, 3, 4, 4]], {
    kernel_shape: [4, 4],
    strides: [2, 2],
    auto_pad: 'SAME_LOWER',
  }),
  layer('conv stride over kernel', 'Conv', [1, 3, 17, 17], [1, 4, 6, 6], [[4, 3, 1, 1]], {
    kernel_shape: [1, 1],
    strides: [3, 3],
  }),
  layer('conv uneven pads', 'Conv', [1, 2, 9, 9], [1, 3, 10, 8], [[3, 2, 3, 3]], {
    kernel_shape: [3, 3],
    pads: [2, 0, 1, 1],
  }),
  layer('deconv stride 2', 'ConvTranspose', [1, 4, 7, 6], [1, 5, 14, 12], [[4, 5, 4, 4], [5]], {
    kernel_shape: [4, 4],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  layer('deconv grouped', 'ConvTranspose', [1, 4, 6, 6], [1, 6, 8, 8], [[4, 3, 3, 3], [6]], {
    kernel_shape: [3, 3],
    group: 2,
  }),
  layer('deconv dilated', 'ConvTranspose', [1, 3, 6, 6], [1, 4, 15, 10], [[3, 4, 3, 3]], {
    kernel_shape: [3, 3],
    strides: [2, 1],
    dilations: [2, 2],
  }),
  layer('deconv same', 'ConvTranspose', [1, 3, 6, 5], [1, 4, 12, 10], [[3, 4, 3, 3]], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    auto_pad: 'SAME_UPPER',
  }),
  layer('max pool, ceil', 'MaxPool', [1, 5, 14, 13], [1, 5, 7, 7], [], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [0, 1, 0, 0],
    ceil_mode: 1,
  }),
  layer('average pool, pads counted', 'AveragePool', [1, 4, 12, 12], [1, 4, 6, 6], [], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    count_include_pad: 1,
  }),
  layer('average pool, pads not counted', 'AveragePool', [1, 4, 13, 13], [1, 4, 7, 7], [], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  layer('gemm, opset 9', 'Gemm', [5, 12], [5, 9], [[9, 12], [9]], { transB: 1, alpha: 0.5, beta: 1.5 }, 9),
  layer(
    'gemm, both transposed',
    'Gemm',
    [12, 5],
    [5, 9],
    [
      [9, 12],
      [5, 1],
    ],
    { transA: 1, transB: 1 },
    13,
  ),
  layer('matmul, batched and broadcast', 'MatMul', [3, 1, 6, 8], [3, 4, 6, 7], [[4, 8, 7]]),
  layer('layer normalization', 'LayerNormalization', [2, 9, 16], [2, 9, 16], [[16], [16]]),
  layer('instance normalization', 'InstanceNormalization', [2, 6, 7, 7], [2, 6, 7, 7], [[6], [6]]),
  layer('softmax, opset 11', 'Softmax', [3, 4, 5, 6], [3, 4, 5, 6], [], { axis: 2 }, 11),
  layer('prelu per channel', 'PRelu', [1, 6, 7, 8], [1, 6, 7, 8], [[6, 1, 1]]),
  resized('resize linear by 2', 'linear', 'half_pixel', [2, 2]),
  resized('resize linear by 3/2 and 1/2', 'linear', 'asymmetric', [1.5, 0.5]),
  resized('resize cubic by 2', 'cubic', 'half_pixel', [2, 2]),
  resized('resize nearest by 2', 'nearest', 'half_pixel', [2, 2]),
  resized('resize nearest by 3/2', 'nearest', 'asymmetric', [1.5, 2]),
];

function resized(name: string, mode: string, coordinates: string, scales: readonly number[]): LayerModel {
  const builder = new ModelBuilder(name, 13);
  const input = [1, 3, 16, 12];
  builder.input('x', input);
  const region = builder.constant('roi', [0], new Float32Array(0));
  const factors = builder.constant('scales', [4], Float32Array.from([1, 1, ...scales]));
  const attributes = { mode, coordinate_transformation_mode: coordinates };
  builder.node('Resize', ['x', region, factors], attributes, name, ['y']);
  builder.output('y', [1, 3, 16 * scales[0], 12 * scales[1]]);
  return { name, bytes: builder.build() };
}

/** Convolution, normalization and activation, which `fuse: conv` makes one operator. */
export function fusedLayers(): LayerModel {
  const builder = new ModelBuilder('fused', 13);
  builder.input('x', [1, 4, 12, 10]);
  const first = builder.convolution('x', [4, 8], 3);
  const scale = Array.from({ length: 4 }, (_unused, index) =>
    builder.constant(
      `bn${index}`,
      [8],
      Float32Array.from({ length: 8 }, (_none, at) => 0.5 + ((at + index) % 3)),
    ),
  );
  const normalized = builder.node('BatchNormalization', [first, ...scale]);
  const activated = builder.node('LeakyRelu', [normalized], { alpha: 0.1 });
  const depthwise = builder.convolution(activated, [8, 8], 3, { group: 8, stride: 2 });
  const slope = builder.weight('slope', [8, 1, 1], 0.3);
  builder.node('PRelu', [depthwise, slope], {}, 'last', ['y']);
  builder.output('y', [1, 8, 6, 5]);
  return { name: 'fused convolutions', bytes: builder.build() };
}

/** A classifier with branches, a view, a product and partial sums. */
export function network(): Uint8Array {
  const builder = new ModelBuilder('network', 13);
  builder.input('x', [1, 3, 16, 12]);
  const stem = builder.node('Relu', [builder.convolution('x', [3, 8], 3)]);
  const left = builder.convolution(stem, [8, 8], 1);
  const right = builder.convolution(stem, [8, 6], 3);
  const joined = builder.node('Concat', [left, right], { axis: 1 });
  const pooled = builder.node('MaxPool', [joined], { kernel_shape: [2, 2], strides: [2, 2] });
  const flat = builder.node('Flatten', [pooled]);
  const weight = builder.weight('fc.weight', [14 * 8 * 6, 10], 0.05);
  const bias = builder.weight('fc.bias', [10], 0.05);
  const score = builder.node('Gemm', [flat, weight, bias]);
  builder.node('Softmax', [score], { axis: 1 }, 'probability', ['y']);
  builder.output('y', [1, 10]);
  return builder.build();
}
