import { ModelBuilder } from './modelBuilder';

/**
 * The example's network, in the style of those that recognise a visitor at a door: a strided stem, two blocks
 * of parallel branches (whose order decides the peak), depthwise separable and residual blocks, a classifier.
 * 160 x 160 pixels, 10 classes, about 0.1 million seeded weights.
 */
export function doorbellModel(): Uint8Array {
  const model = new ModelBuilder('doorbell');
  const relu = (value: string): string => model.node('Relu', [value]);
  const conv = (value: string, from: number, to: number, kernel: number, options = {}): string =>
    relu(model.convolution(value, [from, to], kernel, options));

  let value = model.input('image', [1, 3, 160, 160]);
  value = conv(value, 3, 24, 3, { stride: 2 });
  value = branches(model, conv, value, 24);
  value = model.node('MaxPool', [value], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  value = branches(model, conv, value, 64);
  value = separable(conv, value, 64, 96, 2);
  for (let block = 0; block < 2; block++) {
    const inner = model.convolution(conv(value, 96, 96, 3, { group: 4 }), [96, 96], 1);
    value = relu(model.node('Add', [value, inner]));
  }
  value = separable(conv, value, 96, 192, 2);
  value = model.node('GlobalAveragePool', [value]);
  value = model.node('Flatten', [value], { axis: 1 });
  const weight = model.weight('classifier.weight', [192, 10], 0.15);
  const bias = model.weight('classifier.bias', [10], 0.05);
  value = model.node('Gemm', [value, weight, bias]);
  model.node('Softmax', [value], { axis: 1 }, 'softmax', ['visitor']);
  model.output('visitor', [1, 10]);
  return model.build();
}

type Convolution = (value: string, from: number, to: number, kernel: number, options?: object) => string;

/**
 * Four parallel branches of unequal width, concatenated to 64 channels. The last one is wide inside: an order that
 * runs it first, before the other branches' results wait in memory, has a lower peak than the model's own.
 */
function branches(model: ModelBuilder, conv: Convolution, value: string, channels: number): string {
  const one = conv(value, channels, 16, 1);
  const three = conv(conv(value, channels, 24, 1), 24, 24, 3);
  const pooled = model.node('MaxPool', [value], {
    kernel_shape: [3, 3],
    strides: [1, 1],
    pads: [1, 1, 1, 1],
  });
  const pool = conv(pooled, channels, 8, 1);
  const wide = conv(conv(value, channels, 56, 1), 56, 16, 3);
  return model.node('Concat', [one, three, pool, wide], { axis: 1 });
}

function separable(conv: Convolution, value: string, from: number, to: number, stride: number): string {
  return conv(conv(value, from, from, 3, { stride, group: from }), from, to, 1);
}
