import { intsAttribute } from '../graph/attributes';
import type { OperatorNode } from '../graph/graph';
import { NONE } from '../graph/units';
import type { DraftTensor } from './tensorTable';

/** FLOPs of one node from the sizes of its tensors; `undefined` where one that counts is unknown. */
export function operatorFlops(node: OperatorNode, tensors: readonly DraftTensor[]): number | undefined {
  const shape = (id: number | undefined): readonly number[] | undefined => {
    const found = id === undefined || id === NONE ? undefined : tensors[id].shape;
    return found?.every((dim) => dim !== undefined) ? (found as number[]) : undefined;
  };
  const output = shape(node.outputs[0]);
  if (output === undefined) return undefined;
  const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  const elements = count(output);
  const input = shape(node.inputs[0]);
  const weight = shape(node.inputs[1]);
  switch (node.type) {
    case 'Conv':
      return weight && 2 * elements * count(weight.slice(1));
    case 'ConvTranspose':
      return weight && input && 2 * count(input) * count(weight.slice(1));
    case 'MatMul':
      return input && 2 * elements * (input.at(-1) ?? 1);
    case 'Gemm':
      return input && weight && 2 * elements * (count(input) / output[0]);
    case 'MaxPool':
    case 'AveragePool':
      return elements * count(intsAttribute(node.attributes, 'kernel_shape') ?? []);
    case 'GlobalAveragePool':
      return input && count(input);
    case 'Concat':
    case 'Reshape':
    case 'Transpose':
    case 'Flatten':
      return 0;
    default:
      return elements;
  }
}
