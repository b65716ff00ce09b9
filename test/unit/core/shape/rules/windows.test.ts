import { shapeCases } from '../../../../support/shapeCases';

describe('shapes of convolution and pooling', () => {
  shapeCases([
    { op: 'Conv', inputs: ['float32[1, 3, 8, 8]', 'float32[16, 3, 3, 3]'], gives: ['float32[1, 16, 6, 6]'] },
    {
      op: 'Conv',
      inputs: ['float32[batch, 3, h, w]', 'float32[16, 3, 3, 3]'],
      attributes: { strides: [2, 2], pads: [1, 1, 1, 1] },
      gives: ['float32[batch, 16, floor((h + 1)/2), floor((w + 1)/2)]'],
    },
    {
      op: 'Conv',
      inputs: ['float32[1, 3, h, w]', 'float32[16, 3, 3, 3]'],
      attributes: { strides: [2, 3], auto_pad: 'SAME_UPPER' },
      gives: ['float32[1, 16, floor((h + 1)/2), floor((w + 2)/3)]'],
    },
    {
      op: 'Conv',
      inputs: ['float32[1, 3, 9]', 'float32[4, 3, 3]'],
      attributes: { auto_pad: 'VALID', strides: [2], dilations: [2] },
      gives: ['float32[1, 4, 3]'],
    },
    {
      op: 'Conv',
      inputs: ['float32[1, 6, 5, 5, 5]', 'float32[6, 1, 3, 3, 3]'],
      attributes: { group: 6 },
      gives: ['float32[1, 6, 3, 3, 3]'],
    },
    { op: 'Conv', inputs: ['float32', 'float32[4, 3, 3]'], gives: ['float32[?, 4, ?]'] },
    {
      op: 'Conv',
      inputs: ['float32[1, 4, 8]', 'float32[4, 3, 3]'],
      fails: /its input has 4 channels where its weights want 3/,
    },
    { op: 'Conv', inputs: ['float32[1, 3, 2]', 'float32[4, 3, 3]'], fails: /window is wider/ },
    {
      op: 'Conv',
      inputs: ['float32[1, 3, 8]', 'float32[4, 3, 3]'],
      attributes: { strides: [0] },
      fails: /should be positive/,
    },
    {
      op: 'ConvTranspose',
      inputs: ['float32[1, 3, h, 3]', 'float32[3, 2, 3, 3]'],
      attributes: { strides: [3, 2], output_padding: [1, 1], group: 1 },
      gives: ['float32[1, 2, 3*h + 1, 8]'],
    },
    {
      op: 'ConvTranspose',
      inputs: ['float32[1, 4, 3, 3]', 'float32[4, 2, 3, 3]'],
      attributes: { strides: [2, 2], auto_pad: 'SAME_LOWER', group: 2 },
      gives: ['float32[1, 4, 6, 6]'],
    },
    {
      op: 'ConvTranspose',
      inputs: ['float32[1, 1, 3, 3]', 'float32[1, 2, 3, 3]'],
      attributes: { strides: [3, 2], output_shape: [10, 8] },
      gives: ['float32[1, 2, 10, 8]'],
    },
    {
      op: 'ConvInteger',
      inputs: ['uint8[1, 1, 3, 3]', 'uint8[1, 1, 2, 2]', 'uint8[]'],
      gives: ['int32[1, 1, 2, 2]'],
    },
    {
      op: 'QLinearConv',
      inputs: [
        ...['uint8[1, 3, 8, 8]', 'float32[]', 'uint8[]', 'uint8[4, 3, 1, 1]'],
        ...['float32[]', 'uint8[]', 'float32[]', 'int8[]'],
      ],
      gives: ['int8[1, 4, 8, 8]'],
    },
    {
      op: 'DeformConv',
      inputs: ['float32[1, 1, 3, 3]', 'float32[1, 1, 2, 2]', 'float32[1, 8, 2, 2]'],
      gives: ['float32[1, 1, 2, 2]'],
    },
    {
      op: 'CausalConvWithState',
      opset: 27,
      inputs: ['float32[2, 4, 8]', 'float32[4, 1, 4]'],
      gives: ['float32[2, 4, 8]', 'float32[2, 4, 3]'],
    },
    {
      op: 'MaxPool',
      inputs: ['float32[1, 3, 32, 32]'],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      gives: ['float32[1, 3, 16, 16]', 'int64[1, 3, 16, 16]'],
    },
    {
      op: 'MaxPool',
      inputs: ['float32[1, 1, 4, 4]'],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
      gives: ['float32[1, 1, 2, 2]'],
    },
    // The last window would lie in the padding alone: (3 - 1) * 2 >= 2 + 1.
    {
      op: 'MaxPool',
      inputs: ['float32[1, 1, 2, 2]'],
      attributes: { kernel_shape: [1, 1], strides: [2, 2], pads: [1, 1, 2, 2], ceil_mode: 1 },
      gives: ['float32[1, 1, 2, 2]'],
    },
    {
      op: 'AveragePool',
      inputs: ['float32[1, 1, h, 7]'],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
      gives: ['float32[1, 1, floor(h/2), 3]'],
    },
    {
      op: 'LpPool',
      inputs: ['float32[1, 3, 32]'],
      attributes: { kernel_shape: [4], strides: [3], dilations: [2] },
      gives: ['float32[1, 3, 9]'],
    },
    { op: 'AveragePool', inputs: ['float32[1, 1, 5]'], fails: /lacks its attribute 'kernel_shape'/ },
    { op: 'GlobalAveragePool', inputs: ['float32[batch, 8, h, w]'], gives: ['float32[batch, 8, 1, 1]'] },
    {
      op: 'MaxUnpool',
      inputs: ['float32[1, 1, 2, 2]', 'int64[1, 1, 2, 2]'],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      gives: ['float32[1, 1, 4, 4]'],
    },
    {
      op: 'MaxUnpool',
      inputs: ['float32[1, 1, 2, 2]', 'int64[1, 1, 2, 2]', 'int64[4] = 1 1 5 5'],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      gives: ['float32[1, 1, 5, 5]'],
    },
    {
      op: 'RoiAlign',
      inputs: ['float32[1, 8, 10, 10]', 'float32[boxes, 4]', 'int64[boxes]'],
      attributes: { output_height: 5, output_width: 7 },
      gives: ['float32[boxes, 8, 5, 7]'],
    },
    {
      op: 'MaxRoiPool',
      inputs: ['float32[1, 8, 10, 10]', 'float32[3, 5]'],
      attributes: { pooled_shape: [2, 2] },
      gives: ['float32[3, 8, 2, 2]'],
    },
  ]);
});
