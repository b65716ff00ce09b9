import type { OperatorNode } from '../graph/graph';
import { NONE } from '../graph/units';
import { intAttribute, intsAttribute } from '../graph/attributes';
import { type NodeSizes, plus, times } from './flopFormulas';
import { FLOP_TABLE } from './flopTable';
import type { DraftTensor } from './tensorTable';

/**
 * FLOPs of one node by the table, or of its bodies where it has some; `undefined` where a size that counts is not
 * known, the operator is not in the table, or the count is no exact integer. `body` is one pass of what it runs:
 * a function, the larger branch, the body of a loop.
 */
export function operatorFlops(
  node: OperatorNode,
  tensors: readonly DraftTensor[],
  body?: { readonly flops: number | undefined },
): number | undefined {
  const sizes = new SizesOfNode(node, tensors);
  const own = FLOP_TABLE.get(node.domain)?.get(node.type);
  if (body === undefined) return exactFlops(own?.count(sizes));
  if (node.type === 'FlexAttention') return exactFlops(plus(own?.count(sizes), body.flops));
  return exactFlops(times(passes(node, sizes), body.flops));
}

/** How often a body runs, as far as shapes and constants tell. */
function passes(node: OperatorNode, sizes: NodeSizes): number | undefined {
  if (node.domain !== '') return 1;
  if (node.type === 'Loop') return sizes.output(node.inputs.length - 2)?.[0] ?? sizes.values(0)?.[0];
  if (node.type === 'SequenceMap') return undefined;
  if (node.type !== 'Scan') return 1;
  const first = node.inputs.length - intAttribute(node.attributes, 'num_scan_inputs', 1);
  const scanned = sizes.input(first);
  if (node.opset < SCAN_WITHOUT_BATCH) return times(scanned?.[0], scanned?.[1]);
  return scanned?.at(intsAttribute(node.attributes, 'scan_input_axes')?.[0] ?? 0);
}

/** Before, a batch axis came first and was gone through as well. */
const SCAN_WITHOUT_BATCH = 9;

/** Counts beyond exact integers are unknown. */
export function exactFlops(count: number | undefined): number | undefined {
  return count !== undefined && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

class SizesOfNode implements NodeSizes {
  constructor(
    private readonly node: OperatorNode,
    private readonly tensors: readonly DraftTensor[],
  ) {}

  get attributes(): OperatorNode['attributes'] {
    return this.node.attributes;
  }

  get opset(): number {
    return this.node.opset;
  }

  get inputCount(): number {
    return this.node.inputs.length;
  }

  input(at: number): readonly number[] | undefined {
    return this.sizes(this.node.inputs[at]);
  }

  output(at: number): readonly number[] | undefined {
    return this.sizes(this.node.outputs[at]);
  }

  values(at: number): readonly number[] | undefined {
    const id = this.node.inputs[at];
    return id === undefined || id === NONE ? undefined : this.tensors[id].values;
  }

  private sizes(id: number | undefined): readonly number[] | undefined {
    const shape = id === undefined || id === NONE ? undefined : this.tensors[id].shape;
    return shape?.includes(undefined) ? undefined : (shape as readonly number[] | undefined);
  }
}
