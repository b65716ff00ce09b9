import { TENSOR_FLAGS, type ViewGraph } from '../../src/protocol/webview';

/** Who makes and who reads each tensor that flows between operators, in flat arrays. Weights have no edges. */
export interface Topology {
  readonly operatorCount: number;
  readonly tensorCount: number;
  /** Operator, or -1 for graph inputs and weights. */
  readonly producer: Int32Array;
  /** `firstConsumer[t]..firstConsumer[t+1]` in `consumers`: each operator once, ascending. */
  readonly firstConsumer: Uint32Array;
  readonly consumers: Int32Array;
  /** Per operator the activations that it reads, each once. */
  readonly firstInput: Uint32Array;
  readonly inputs: Int32Array;
  readonly isWeight: (tensor: number) => boolean;
}

export function topologyOf(graph: ViewGraph): Topology {
  const { operators, tensors } = graph;
  const operatorCount = operators.types.length;
  const tensorCount = tensors.types.length;
  const isWeight = (tensor: number): boolean => (tensors.flags[tensor] & TENSOR_FLAGS.weight) !== 0;
  const { firstInput, inputs } = activationInputs(graph, isWeight);
  const firstConsumer = new Uint32Array(tensorCount + 1);
  for (const tensor of inputs) firstConsumer[tensor + 1]++;
  for (let t = 0; t < tensorCount; t++) firstConsumer[t + 1] += firstConsumer[t];
  const fill = firstConsumer.slice();
  const consumers = new Int32Array(inputs.length);
  for (let op = 0; op < operatorCount; op++) {
    for (let i = firstInput[op]; i < firstInput[op + 1]; i++) consumers[fill[inputs[i]]++] = op;
  }
  const producer = tensors.producers;
  return { operatorCount, tensorCount, producer, firstConsumer, consumers, firstInput, inputs, isWeight };
}

function activationInputs(
  { operators }: ViewGraph,
  isWeight: (tensor: number) => boolean,
): { firstInput: Uint32Array; inputs: Int32Array } {
  const count = operators.types.length;
  const firstInput = new Uint32Array(count + 1);
  const inputs = new Int32Array(operators.inputs.length);
  let next = 0;
  for (let op = 0; op < count; op++) {
    const begin = next;
    for (let i = operators.firstInput[op]; i < operators.firstInput[op + 1]; i++) {
      const tensor = operators.inputs[i];
      if (tensor < 0 || isWeight(tensor) || inputs.subarray(begin, next).includes(tensor)) continue;
      inputs[next++] = tensor;
    }
    firstInput[op + 1] = next;
  }
  return { firstInput, inputs: inputs.slice(0, next) };
}
