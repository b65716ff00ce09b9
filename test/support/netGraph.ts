import type { Attributes, AttributeValue } from '../../src/core/graph/attributes';
import type { Graph, Operator, OperatorNode, Storage, Tensor } from '../../src/core/graph/graph';
import type { Random } from '../../src/core/graph/random';
import { NONE, type TensorId } from '../../src/core/graph/units';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Builds graphs of real operators (float32) by hand; every method returns the tensor that it makes. */
export class NetBuilder {
  private readonly tensors: Mutable<Tensor>[] = [];
  private readonly storages: Mutable<Storage>[] = [];
  private readonly operators: Operator[] = [];
  private readonly inputs: TensorId[] = [];

  input(shape: readonly number[]): TensorId {
    const tensor = this.tensor(shape, NONE, false);
    this.storage(tensor, NONE, true);
    this.inputs.push(tensor);
    return tensor;
  }

  shape(tensor: TensorId): readonly number[] {
    return this.tensors[tensor].shape as number[];
  }

  weight(shape: readonly number[]): TensorId {
    return this.tensor(shape, NONE, true);
  }

  conv(
    x: TensorId,
    channels: number,
    kernel: number,
    stride = 1,
    group = 1,
    weight?: TensorId,
    pad = (kernel - 1) >> 1,
  ): TensorId {
    const [n, c, h, w] = this.shape(x);
    const out = (size: number): number => Math.floor((size + 2 * pad - kernel) / stride) + 1;
    const shape = [n, channels, out(h), out(w)];
    const flops = 2 * elements(shape) * (c / group) * kernel * kernel;
    const weights = weight ?? this.weight([channels, c / group, kernel, kernel]);
    return this.add('Conv', [x, weights], shape, flops, {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
      group: { kind: 'int', value: group },
    });
  }

  /** A convolution with a kernel of unequal sides. */
  stripe(x: TensorId, channels: number, [height, width]: readonly [number, number]): TensorId {
    const [n, c, h, w] = this.shape(x);
    const shape = [n, channels, h, w];
    const pads = [(height - 1) >> 1, (width - 1) >> 1];
    return this.add(
      'Conv',
      [x, this.weight([channels, c, height, width])],
      shape,
      2 * elements(shape) * c * height * width,
      {
        kernel_shape: ints([height, width]),
        strides: ints([1, 1]),
        pads: ints([...pads, ...pads]),
        group: { kind: 'int', value: 1 },
      },
    );
  }

  convTranspose(x: TensorId, channels: number, kernel: number, stride: number): TensorId {
    const [n, c, h, w] = this.shape(x);
    const out = (size: number): number => (size - 1) * stride + kernel;
    const shape = [n, channels, out(h), out(w)];
    const flops = 2 * n * c * h * w * channels * kernel * kernel;
    return this.add('ConvTranspose', [x, this.weight([c, channels, kernel, kernel])], shape, flops, {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
    });
  }

  maxPool(x: TensorId, kernel: number, stride: number): TensorId {
    const [n, c, h, w] = this.shape(x);
    const out = (size: number): number => Math.floor((size - kernel) / stride) + 1;
    const shape = [n, c, out(h), out(w)];
    return this.add('MaxPool', [x], shape, elements(shape) * kernel * kernel, {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
    });
  }

  globalPool(x: TensorId): TensorId {
    const [n, c] = this.shape(x);
    return this.add('GlobalAveragePool', [x], [n, c, 1, 1], elements(this.shape(x)), {});
  }

  relu(x: TensorId): TensorId {
    return this.add('Relu', [x], this.shape(x), elements(this.shape(x)), {}, { isElementwise: true });
  }

  sum(a: TensorId, b: TensorId): TensorId {
    return this.add('Add', [a, b], this.shape(a), elements(this.shape(a)), {}, { isElementwise: true });
  }

  concat(parts: readonly TensorId[]): TensorId {
    const [n, , h, w] = this.shape(parts[0]);
    const channels = parts.reduce((all, part) => all + this.shape(part)[1], 0);
    return this.add('Concat', parts, [n, channels, h, w], 0, { axis: { kind: 'int', value: 1 } });
  }

  /** Channels of the groups interleaved, as ShuffleNet does. */
  shuffle(x: TensorId, groups: number): TensorId {
    const [n, c, h, w] = this.shape(x);
    const parted = this.reshape(x, [n, groups, c / groups, h, w]);
    const turned = this.add('Transpose', [parted], [n, c / groups, groups, h, w], 0, {
      perm: ints([0, 2, 1, 3, 4]),
    });
    return this.reshape(turned, [n, c, h, w]);
  }

  reshape(x: TensorId, shape: readonly number[]): TensorId {
    return this.add('Reshape', [x], shape, 0, {}, { isView: true });
  }

  /** Channels `[start, end)`. */
  sliceChannels(x: TensorId, start: number, end: number): TensorId {
    const [n, , h, w] = this.shape(x);
    return this.add('Slice', [x], [n, end - start, h, w], 0, {
      axes: ints([1]),
      starts: ints([start]),
      ends: ints([end]),
    });
  }

  flatten(x: TensorId): TensorId {
    const shape = this.shape(x);
    const flat = [shape[0], elements(shape) / shape[0]];
    return this.add('Flatten', [x], flat, 0, { axis: { kind: 'int', value: 1 } }, { isView: true });
  }

  gemm(x: TensorId, columns: number, weight?: TensorId): TensorId {
    const [rows, inner] = this.shape(x);
    const weights = [weight ?? this.weight([inner, columns]), this.weight([columns])];
    return this.add('Gemm', [x, ...weights], [rows, columns], 2 * rows * inner * columns, {});
  }

  finish(outputs: readonly TensorId[]): Graph {
    for (const output of outputs) this.storages[this.tensors[output].storage].isOutput = true;
    const weightBytes = this.tensors.reduce((sum, { isWeight, bytes }) => sum + (isWeight ? bytes! : 0), 0);
    return {
      operators: this.operators,
      tensors: this.tensors,
      storages: this.storages,
      inputs: this.inputs,
      outputs: [...outputs],
      weightBytes: { bytes: weightBytes, known: true },
      fuse: 'none',
    };
  }

  private add(
    type: string,
    inputs: readonly TensorId[],
    shape: readonly number[],
    flops: number,
    attributes: Record<string, AttributeValue>,
    flags: { isView?: boolean; isElementwise?: boolean } = {},
  ): TensorId {
    const id = this.operators.length;
    const output = this.tensor(shape, id, false);
    if (flags.isView) this.view(inputs[0], output);
    else this.storage(output, id, false);
    for (const input of new Set(inputs)) {
      const tensor = this.tensors[input];
      tensor.consumers = [...tensor.consumers, id];
      if (tensor.storage === NONE) continue;
      const storage = this.storages[tensor.storage];
      if (!storage.consumers.includes(id)) storage.consumers = [...storage.consumers, id];
    }
    const node: OperatorNode = {
      index: id,
      name: `${type.toLowerCase()}${id}`,
      type,
      domain: '',
      opset: 13,
      attributes: new Map(Object.entries(attributes)) as Attributes,
      inputs: [...inputs],
      outputs: [output],
    };
    this.operators.push({
      ...node,
      id,
      members: [node],
      isView: flags.isView ?? false,
      isElementwise: flags.isElementwise ?? false,
      bodyPeak: { bytes: 0, known: true },
      flops,
    });
    return output;
  }

  private view(of: TensorId, tensor: TensorId): void {
    const { storage } = this.tensors[of];
    this.tensors[tensor].storage = storage;
    this.storages[storage].tensors = [...this.storages[storage].tensors, tensor];
  }

  private tensor(shape: readonly number[], producer: number, isWeight: boolean): TensorId {
    const id = this.tensors.length;
    this.tensors.push({
      id,
      name: `t${id}`,
      type: 'float32',
      shape,
      shapeText: `[${shape.join(', ')}]`,
      bytes: 4 * elements(shape),
      isWeight,
      storage: NONE,
      producer,
      consumers: [],
    });
    return id;
  }

  private storage(tensor: TensorId, producer: number, isInput: boolean): void {
    const id = this.storages.length;
    this.tensors[tensor].storage = id;
    const { bytes } = this.tensors[tensor];
    this.storages.push({ id, tensors: [tensor], bytes, producer, consumers: [], isInput, isOutput: false });
  }
}

function elements(shape: readonly number[]): number {
  return shape.reduce((all, dim) => all * dim, 1);
}

function ints(value: readonly number[]): AttributeValue {
  return { kind: 'ints', value };
}

/**
 * A random small network: convolutions (also strided, grouped, with shared weights), pooling, sums, concats,
 * branches, tensors read several times; with a classifier behind a view at its end, or image outputs.
 */
export function randomNet(random: Random, size: number): Graph {
  const net = new NetBuilder();
  const side = 6 + random.below(12);
  const alive = [net.input([1, 2 + 2 * random.below(3), side, side])];
  const shared = net.weight([4, 4, 3, 3]);
  const sameShape = (a: TensorId, b: TensorId): boolean => net.shape(a).join() === net.shape(b).join();
  const sameSize = (a: TensorId, b: TensorId): boolean => net.shape(a)[2] === net.shape(b)[2];
  const unread = new Set<TensorId>();
  for (let i = 0; i < size; i++) {
    const x = alive[Math.max(0, alive.length - 1 - random.below(3))];
    const [, channels, height] = net.shape(x);
    const made = ((): TensorId => {
      const kind = random.below(8);
      const others = alive.filter((other) => other !== x);
      if (kind === 0 && height >= 4) return net.maxPool(x, 2, 2);
      if (kind === 1) return net.relu(x);
      if (kind === 2) return net.sum(x, others.find((other) => sameShape(x, other)) ?? x);
      if (kind === 3) return net.concat([x, ...others.filter((other) => sameSize(x, other)).slice(-1)]);
      if (kind === 4) return net.conv(x, channels, 3, 1, channels);
      if (kind === 5 && channels === 4) return net.conv(x, 4, 3, 1, 1, shared);
      return net.conv(
        x,
        4 + 2 * random.below(4),
        [1, 3, 5][random.below(3)],
        height >= 4 ? 1 + random.below(2) : 1,
      );
    })();
    unread.delete(x);
    unread.add(made);
    alive.push(made);
  }
  const last = alive[alive.length - 1];
  unread.delete(last);
  const classes =
    random.below(3) === 0
      ? last
      : net.gemm(net.flatten(random.below(2) === 0 ? net.globalPool(last) : last), 10);
  return net.finish([classes, ...unread]);
}
