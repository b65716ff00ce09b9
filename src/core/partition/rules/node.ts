import type { AttributeValue } from '../../graph/attributes';
import type { ElementType } from '../../graph/elementType';
import type { OperatorNode } from '../../graph/graph';
import type { Dimension } from '../partition';

/**
 * The language in which each operator family states its partition rules: for one ONNX node, along one axis of
 * its first output, how every input and output follows a range of that axis.
 */

/** A tensor as the rules see it: every dimension is known. */
export interface TensorFacts {
  readonly shape: readonly number[];
  readonly type: ElementType | undefined;
  readonly isWeight: boolean;
  /** Row-major values of a small constant. */
  readonly values: readonly number[] | undefined;
}

export interface NodeFacts {
  readonly node: OperatorNode;
  /** `undefined` where an optional input or output is omitted. */
  readonly inputs: readonly (TensorFacts | undefined)[];
  readonly outputs: readonly (TensorFacts | undefined)[];
  /** Letter of an axis of the first output, by its role. */
  letter(axis: number): SplitLetter;
}

export type SplitLetter = Exclude<Dimension, 'none'>;

/** The tensor is needed (or made) whole. */
export const WHOLE = 'whole';
/** The shard does not use the tensor at all. */
export const ABSENT = 'absent';

/** The range of one axis of a tensor that goes with output range `[start, end)`; an empty range means absent. */
export interface AxisPart {
  readonly axis: number;
  from(start: number, end: number): number;
  to(start: number, end: number): number;
  /** True where the range is the output's own. */
  readonly isIdentity: boolean;
}

export type Part = typeof WHOLE | typeof ABSENT | AxisPart;

export type AttributeOverrides = ReadonlyMap<string, AttributeValue>;
export type ConstantOverrides = ReadonlyMap<number, readonly number[]>;

export const NO_ATTRIBUTES: AttributeOverrides = new Map();
export const NO_CONSTANTS: ConstantOverrides = new Map();

/** One way to cut one node. Cuts are multiples of `unit`. */
export interface NodeSplit {
  readonly dimension: SplitLetter;
  /** Axis of the first output; for `K` of the first input. */
  readonly axis: number;
  readonly length: number;
  readonly unit: number;
  readonly inputs: readonly Part[];
  readonly outputs: readonly Part[];
  /** `K` only: input that is added once, after the reduction. */
  readonly bias?: number;
  attributes?(start: number, end: number): AttributeOverrides;
  constants?(start: number, end: number): ConstantOverrides;
  /** `K` of a mean: what a shard's own result is multiplied with to be a partial sum. */
  scale?(start: number, end: number): number;
  /** Range of the axis that the node makes, where it is wider than what the shard owns. */
  made?(start: number, end: number): readonly [from: number, to: number];
}

/** All rules of one operator family; the empty list where the node can only run whole. */
export type Family = (facts: NodeFacts) => NodeSplit[];

const identityParts: AxisPart[] = [];

/** The same range on `axis` of another tensor. */
export function along(axis: number): AxisPart {
  return (identityParts[axis] ??= {
    axis,
    from: (start) => start,
    to: (_start, end) => end,
    isIdentity: true,
  });
}

/** `[start, end)` in blocks of `outputBlock` elements, of which each stands for `inputBlock` elements here. */
export function blocks(axis: number, outputBlock: number, inputBlock: number): AxisPart {
  if (outputBlock === inputBlock) return along(axis);
  const scaled = (position: number): number => (position / outputBlock) * inputBlock;
  return { axis, from: (start) => scaled(start), to: (_start, end) => scaled(end), isIdentity: false };
}

/** Any other range. */
export function ranged(
  axis: number,
  from: (start: number, end: number) => number,
  to: (start: number, end: number) => number,
): AxisPart {
  return { axis, from, to, isIdentity: false };
}

/** `all` for every present input and output of `facts`, in the shape that `NodeSplit` wants. */
export function each(
  tensors: readonly (TensorFacts | undefined)[],
  part: (facts: TensorFacts, index: number) => Part,
): Part[] {
  return tensors.map((tensor, index) => (tensor === undefined ? ABSENT : part(tensor, index)));
}

/** The part of a tensor that broadcasts against an output of rank `rank`, cut along output axis `axis`. */
export function broadcast(shape: readonly number[], rank: number, axis: number, length: number): Part {
  const own = axis - (rank - shape.length);
  return own >= 0 && shape[own] === length ? along(own) : WHOLE;
}

/** One split of the first output's axis: `inputs` follow as given, `outputs` (default: all along the same axis). */
export function axisSplit(
  facts: NodeFacts,
  axis: number,
  inputs: readonly Part[],
  more: Partial<NodeSplit> = {},
): NodeSplit {
  return {
    dimension: facts.letter(axis),
    axis,
    length: facts.outputs[0]!.shape[axis],
    unit: 1,
    inputs,
    outputs: each(facts.outputs, () => along(axis)),
    ...more,
  };
}

/** Partial sums along `axis` of the first input; see `NodeSplit.bias` and `scale`. */
export function partialSum(
  facts: NodeFacts,
  axis: number,
  inputs: readonly Part[],
  more: Partial<NodeSplit> = {},
): NodeSplit {
  const length = facts.inputs[0]!.shape[axis];
  return { dimension: 'K', axis, length, unit: 1, inputs, outputs: [WHOLE], ...more };
}

/** All present inputs whole but the first, which gets `part`. */
export function firstInput(facts: NodeFacts, part: Part): Part[] {
  return each(facts.inputs, (_tensor, index) => (index === 0 ? part : WHOLE));
}

const FLOAT_TYPES = new Set(['float16', 'float32', 'float64']);

/** Means and biases of partial sums are written as tensors of these types, and broadcast as since operator set 7. */
export function allowsScaledSums(facts: NodeFacts): boolean {
  return facts.node.opset >= 7 && FLOAT_TYPES.has(facts.outputs[0]?.type ?? '');
}

/** A negative axis counts from the end. */
export function normalizeAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

export function intValue(value: number): AttributeValue {
  return { kind: 'int', value };
}

export function intsValue(value: readonly number[]): AttributeValue {
  return { kind: 'ints', value };
}

/** Cuts of every axis that `follows` accepts, along which all tensors broadcast to the first output. */
export function broadcastSplits(facts: NodeFacts, follows: (axis: number) => boolean): NodeSplit[] {
  const shape = facts.outputs[0]?.shape ?? [];
  const splits: NodeSplit[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis];
    if (length < 2 || !follows(axis)) continue;
    const part = (tensor: TensorFacts): Part => broadcast(tensor.shape, shape.length, axis, length);
    splits.push({
      dimension: facts.letter(axis),
      axis,
      length,
      unit: 1,
      inputs: each(facts.inputs, part),
      outputs: each(facts.outputs, part),
    });
  }
  return splits;
}
