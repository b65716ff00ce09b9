import type { ElementType } from './elementType';
import type { Bytes, Flops, OperatorId, StorageId, TensorId } from './units';
import type { Attributes } from './attributes';

/**
 * The operator graph that ordering, partition, timeline and view work on: the main graph of a model after
 * shape inference, folding of constants and (optionally) fusion. Immutable; built by `analysis/`.
 *
 * Invariants: `operators` is in a valid execution order (the model's own order, made topological where the
 * file's is not); every id is the position in its array; a folded node is no operator, its outputs are weights.
 */
export interface Graph {
  readonly operators: readonly Operator[];
  readonly tensors: readonly Tensor[];
  readonly storages: readonly Storage[];
  /** Inputs that a caller feeds (initializers that are also listed as inputs are weights, not inputs). */
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  /** Sum over all weights that some operator, body or output uses, each once. `known: false`: "at least". */
  readonly weightBytes: KnownBytes;
  readonly fuse: FuseRule;
  /** Why the size of an activation that somebody needs is not known, in one sentence; absent where all are. */
  readonly unknownSizes?: string;
}

export type FuseRule = 'none' | 'conv';

/** A sum over sizes some of which may be unknown: then `bytes` is a lower bound. */
export interface KnownBytes {
  readonly bytes: Bytes;
  readonly known: boolean;
}

/** A dimension's size, or `undefined` where it is not known after binding. */
export type Shape = readonly (number | undefined)[];

export interface Tensor {
  readonly id: TensorId;
  readonly name: string;
  /** `undefined`: not a plain tensor (sequence, map, optional) or not known. */
  readonly type: ElementType | undefined;
  /** `undefined`: rank not known. */
  readonly shape: Shape | undefined;
  /** As the model writes it, symbolic dimensions under their names, for people: `[batch, 3, 2*height, ?]`. */
  readonly shapeText: string;
  /** `undefined`: unknown, never 0. */
  readonly bytes: Bytes | undefined;
  /** Initializer, `Constant`, or computed from those alone. */
  readonly isWeight: boolean;
  /** `NONE` for weights, which have no activation storage. */
  readonly storage: StorageId;
  /** `NONE` for graph inputs and weights (a weight that a view operator makes is produced by that operator). */
  readonly producer: OperatorId;
  /** Each consuming operator once, ascending. */
  readonly consumers: readonly OperatorId[];
  /**
   * Not in the model by this name: all weights inside the subgraphs of an operator or inside a function (once
   * however often it is called), as one weight of so many bytes.
   */
  readonly isBodyWeights?: boolean;
  /** For a weight that is a view of another: the one whose bytes it shares, which alone count. */
  readonly sharesWeight?: TensorId;
  /** Values of small integer or scalar constants, row-major, where they were loaded. */
  readonly values?: readonly number[];
}

/** Memory shared by a tensor and all views of it. */
export interface Storage {
  readonly id: StorageId;
  /** The first is the one that made the storage; the others are views of it. */
  readonly tensors: readonly TensorId[];
  readonly bytes: Bytes | undefined;
  /** `NONE` for graph inputs. */
  readonly producer: OperatorId;
  /** Operators that read any tensor of it (views included), ascending, each once. */
  readonly consumers: readonly OperatorId[];
  readonly isInput: boolean;
  readonly isOutput: boolean;
}

/** One ONNX node inside an operator. */
export interface OperatorNode {
  /** Index in `graph.node` of the file. */
  readonly index: number;
  readonly name: string;
  /** ONNX op type, e.g. `Conv`. */
  readonly type: string;
  /** `''` for `ai.onnx`. */
  readonly domain: string;
  /** Version of `domain` that the model imports (not the operator's own since-version). */
  readonly opset: number;
  readonly attributes: Attributes;
  /** One entry per formal input; `NONE` where an optional one is omitted. */
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
}

export interface Operator extends OperatorNode {
  readonly id: OperatorId;
  /**
   * With fusion the nodes that this operator executes, in order, the first being the operator itself and each
   * later one reading its predecessor's first output; `[itself]` otherwise. `inputs` and `outputs` of the
   * operator are those of the fused whole: the first node's inputs, then weights that later nodes add.
   * Tensors in between have no storage and appear in no other operator. An operator with subgraphs or a function
   * body reads more than `members[0].inputs`: the tensors that its subgraphs capture, then the weights inside.
   */
  readonly members: readonly OperatorNode[];
  /** Only `Identity`, `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`, inference-mode `Dropout`. */
  readonly isView: boolean;
  /** Elementwise: each output element depends on the same position of same-shaped inputs (for the in-place rule). */
  readonly isElementwise: boolean;
  /** Peak inside the largest subgraph or function body, added to this operator's step. */
  readonly bodyPeak: KnownBytes;
  /** `undefined`: unknown. */
  readonly flops: Flops | undefined;
  /** Why it is opaque (unknown operator, unknown shape), for people; `undefined` where it is understood. */
  readonly opaqueReason?: string;
}
