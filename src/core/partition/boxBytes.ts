import { tensorBytes } from '../graph/elementType';
import type { Graph } from '../graph/graph';
import { type Bytes, NONE, type TensorId } from '../graph/units';
import type { Box } from './partition';

/** Bytes of one box of each tensor, 0 where a tensor or its box is absent or its type has no fixed size. */
export function boxesBytes(
  graph: Graph,
  tensors: readonly TensorId[],
  boxes: readonly (Box | undefined)[],
): Bytes {
  let total = 0;
  tensors.forEach((tensor, position) => {
    const box = boxes[position];
    if (tensor === NONE || box === undefined) return;
    const { type } = graph.tensors[tensor];
    let elements = 1;
    for (let end = 1; end < box.length; end += 2) elements *= box[end] - box[end - 1];
    total += type === undefined ? 0 : (tensorBytes(type, elements) ?? 0);
  });
  return total;
}
