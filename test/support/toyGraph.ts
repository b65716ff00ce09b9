import type { Graph, Operator, OperatorNode, Storage, Tensor } from '../../src/core/graph/graph';
import { NONE } from '../../src/core/graph/units';

/** An operator of a toy graph: tensors by name; every output as `name: bytes` (`undefined`: unknown). */
export interface ToyOperator {
  readonly inputs: readonly string[];
  readonly outputs: Readonly<Record<string, number | undefined>>;
  readonly isView?: boolean;
  readonly isElementwise?: boolean;
  readonly bodyPeak?: number;
}

export interface ToyGraph {
  readonly inputs: Readonly<Record<string, number | undefined>>;
  readonly weights?: Readonly<Record<string, number>>;
  readonly operators: readonly ToyOperator[];
  readonly outputs: readonly string[];
}

/** A `Graph` of one-dimensional int8 tensors: enough for order, memory and arena. */
export function toyGraph(toy: ToyGraph): Graph {
  const tensors: Mutable<Tensor>[] = [];
  const storages: Mutable<Storage>[] = [];
  const byName = new Map<string, Mutable<Tensor>>();
  const addTensor = (
    name: string,
    bytes: number | undefined,
    producer: number,
    isWeight = false,
  ): Mutable<Tensor> => {
    const tensor: Mutable<Tensor> = {
      id: tensors.length,
      name,
      type: 'int8',
      shape: [bytes],
      shapeText: `[${bytes ?? '?'}]`,
      bytes,
      isWeight,
      storage: NONE,
      producer,
      consumers: [],
    };
    tensors.push(tensor);
    byName.set(name, tensor);
    return tensor;
  };
  const addStorage = (tensor: Mutable<Tensor>, isInput: boolean): void => {
    tensor.storage = storages.length;
    storages.push({
      id: storages.length,
      tensors: [tensor.id],
      bytes: tensor.bytes,
      producer: tensor.producer,
      consumers: [],
      isInput,
      isOutput: false,
    });
  };
  const known = (name: string): Mutable<Tensor> => {
    const tensor = byName.get(name);
    if (!tensor) throw new Error(`toy graph has no tensor ${name}`);
    return tensor;
  };
  for (const [name, bytes] of Object.entries(toy.weights ?? {})) addTensor(name, bytes, NONE, true);
  for (const [name, bytes] of Object.entries(toy.inputs)) addStorage(addTensor(name, bytes, NONE), true);
  const operators = toy.operators.map((operator, id): Operator => {
    const inputs = operator.inputs.map((name) => known(name));
    for (const input of new Set(inputs)) {
      input.consumers = [...input.consumers, id];
      if (input.storage === NONE) continue;
      const storage = storages[input.storage];
      if (!storage.consumers.includes(id)) storage.consumers = [...storage.consumers, id];
    }
    const outputs = Object.entries(operator.outputs).map(([name, bytes], position) => {
      const tensor = addTensor(name, bytes, id);
      if (operator.isView && position === 0) {
        tensor.storage = inputs[0].storage;
        storages[tensor.storage].tensors = [...storages[tensor.storage].tensors, tensor.id];
      } else {
        addStorage(tensor, false);
      }
      return tensor;
    });
    const node: OperatorNode = {
      index: id,
      name: `op${id}`,
      type: 'Toy',
      domain: '',
      opset: 1,
      attributes: new Map(),
      inputs: inputs.map((tensor) => tensor.id),
      outputs: outputs.map((tensor) => tensor.id),
    };
    return {
      ...node,
      id,
      members: [node],
      isView: operator.isView ?? false,
      isElementwise: operator.isElementwise ?? false,
      bodyPeak: { bytes: operator.bodyPeak ?? 0, known: true },
      flops: 0,
    };
  });
  for (const name of toy.outputs) storages[known(name).storage].isOutput = true;
  return {
    operators,
    tensors,
    storages,
    inputs: Object.keys(toy.inputs).map((name) => known(name).id),
    outputs: toy.outputs.map((name) => known(name).id),
    weightBytes: {
      bytes: Object.values(toy.weights ?? {}).reduce((sum, bytes) => sum + bytes, 0),
      known: true,
    },
    fuse: 'none',
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
