import { node, onnxFile, value, zeros } from '../onnxFile';

/** Small networks of known shape as `.onnx` files, for pictures that a textbook would draw. */
class Net {
  private readonly nodes: ReturnType<typeof node>[] = [];
  private readonly weights: ReturnType<typeof zeros>[] = [];

  conv(input: string, from = CHANNELS): string {
    const weight = `w${this.weights.length}`;
    this.weights.push(zeros(weight, [CHANNELS, from, 1, 1]));
    return this.add('Conv', `${input} ${weight}`);
  }

  add(type: string, inputs: string, attributes: Parameters<typeof node>[3] = {}): string {
    const output = `t${this.nodes.length}`;
    this.nodes.push(node(type, inputs, output, attributes));
    return output;
  }

  file(output: string): Uint8Array {
    return onnxFile({
      node: this.nodes,
      initializer: this.weights,
      input: [value('x', [1, CHANNELS, 16, 16])],
      output: [value(output)],
    });
  }
}

const CHANNELS = 4;

/** Bottlenecks as in ResNet-50: three convolutions, and beside them nothing or, in the first, a projection. */
export function residualNet(blocks: number): Uint8Array {
  const net = new Net();
  let x = net.add('Relu', net.conv('x'));
  for (let block = 0; block < blocks; block++) {
    let inner = x;
    for (let i = 0; i < 3; i++) inner = net.conv(i === 0 ? inner : net.add('Relu', inner));
    x = net.add('Relu', net.add('Add', `${inner} ${block === 0 ? net.conv(x) : x}`));
  }
  return net.file(x);
}

/** Layers as in DenseNet: each reads everything before it, by a chain of concatenations. */
export function denseNet(layers: number): Uint8Array {
  const net = new Net();
  let x = net.conv('x');
  for (let layer = 0; layer < layers; layer++) {
    const grown = net.conv(net.add('Relu', x), CHANNELS * (layer + 1));
    x = net.add('Concat', `${x} ${grown}`, { axis: 1 });
  }
  return net.file(x);
}

/** Modules as in Inception: four branches of two convolutions each, joined. */
export function inceptionNet(modules: number): Uint8Array {
  const net = new Net();
  let x = net.conv('x');
  for (let module = 0; module < modules; module++) {
    const from = module === 0 ? CHANNELS : 4 * CHANNELS;
    const branches = Array.from({ length: 4 }, () => net.conv(net.add('Relu', net.conv(x, from))));
    x = net.add('Concat', branches.join(' '), { axis: 1 });
  }
  return net.file(x);
}

/** Down and up again, with skips from each height to its counterpart. */
export function hourglassNet(heights: number): Uint8Array {
  const net = new Net();
  const skips: string[] = [];
  let x = net.conv('x');
  for (let height = 0; height < heights; height++) {
    skips.push(x);
    x = net.add('Relu', net.conv(x));
  }
  for (const skip of skips.reverse()) x = net.conv(net.add('Add', `${net.conv(x)} ${skip}`));
  return net.file(x);
}
