import { onnx } from 'onnx-proto';

type AttributeInput = number | readonly number[] | string;

/**
 * Builds small, valid `.onnx` files in code: real networks for the example folder and for tests. Weights are
 * seeded, so the same calls give the same bytes.
 */
export class ModelBuilder {
  private readonly nodes: onnx.INodeProto[] = [];
  private readonly initializers: onnx.ITensorProto[] = [];
  private readonly inputs: onnx.IValueInfoProto[] = [];
  private readonly outputs: onnx.IValueInfoProto[] = [];
  private state: number;

  constructor(
    private readonly name: string,
    private readonly opset = 17,
    seed = 1,
  ) {
    this.state = seed >>> 0;
  }

  /** A graph input; dimensions are sizes or names. */
  input(name: string, shape: readonly (number | string)[], type = onnx.TensorProto.DataType.FLOAT): string {
    this.inputs.push(valueInfo(name, shape, type));
    return name;
  }

  output(name: string, shape: readonly (number | string)[], type = onnx.TensorProto.DataType.FLOAT): void {
    this.outputs.push(valueInfo(name, shape, type));
  }

  /** Adds a node; answers its first output's name. Integers become `INT`, other numbers `FLOAT` attributes. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    name = `${type.toLowerCase()}_${this.nodes.length}`,
    outputs: readonly string[] = [`${name}_out`],
  ): string {
    this.nodes.push({
      opType: type,
      name,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return outputs[0];
  }

  /** A float weight, uniform in `[-scale, scale)`. */
  weight(name: string, shape: readonly number[], scale: number): string {
    const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
    for (let i = 0; i < data.length; i++) data[i] = (2 * this.uniform() - 1) * scale;
    return this.constant(name, shape, data);
  }

  constant(name: string, shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const type =
      data instanceof Float32Array ? onnx.TensorProto.DataType.FLOAT : onnx.TensorProto.DataType.INT64;
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ name, dims: [...shape], dataType: type, rawData });
    return name;
  }

  /** Convolution with bias, weights scaled so that activations keep their size. */
  convolution(
    input: string,
    channels: readonly [from: number, to: number],
    kernel: number,
    { stride = 1, group = 1 }: { stride?: number; group?: number } = {},
  ): string {
    const name = `conv_${this.nodes.length}`;
    const fanIn = (channels[0] / group) * kernel * kernel;
    const weight = this.weight(
      `${name}.weight`,
      [channels[1], channels[0] / group, kernel, kernel],
      Math.sqrt(6 / fanIn),
    );
    const bias = this.weight(`${name}.bias`, [channels[1]], 0.05);
    const pad = Math.floor(kernel / 2);
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group,
    };
    return this.node('Conv', [input, weight, bias], attributes, name);
  }

  build(): Uint8Array {
    const model = onnx.ModelProto.create({
      irVersion: 8,
      producerName: 'memorianova',
      opsetImport: [{ domain: '', version: this.opset }],
      graph: {
        name: this.name,
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: this.outputs,
      },
    });
    return onnx.ModelProto.encode(model).finish();
  }

  /** Linear congruential: weights need no better randomness than this. */
  private uniform(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 32;
  }
}

function valueInfo(
  name: string,
  shape: readonly (number | string)[],
  elemType: number,
): onnx.IValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function attribute(name: string, value: AttributeInput): onnx.IAttributeProto {
  const kind = onnx.AttributeProto.AttributeType;
  if (typeof value === 'string') return { name, type: kind.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? { name, type: kind.INT, i: value }
      : { name, type: kind.FLOAT, f: value };
  }
  return { name, type: kind.INTS, ints: [...value] };
}
