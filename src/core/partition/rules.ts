import type { ElementType } from '../graph/elementType';
import { ELEMENT_BITS } from '../graph/elementType';
import type { Graph, Operator, OperatorNode } from '../graph/graph';
import type { OperatorId, TensorId } from '../graph/units';
import { NONE } from '../graph/units';
import type { Box, PartitionRules, ShardWork, Split } from './partition';
import type { OperatorSplit } from './rules/compose';
import { composeMembers } from './rules/compose';
import { familyOf } from './rules/families';
import type { Layout } from './rules/letters';
import { layouts, letterOf } from './rules/letters';
import type { NodeFacts, NodeSplit, Part, TensorFacts } from './rules/node';
import { ABSENT, NO_ATTRIBUTES, NO_CONSTANTS, WHOLE } from './rules/node';

const NO_SPLITS: readonly OperatorSplit[] = [];

/**
 * The partition rules of every operator of `graph`. Splits are found when first asked for and kept; within one
 * operator `dimension` and `axis` together name a split. An operator with an unknown size, a view, and one of a
 * type without rules have none. `work` costs time in the number of inputs and outputs alone.
 */
export function partitionRules(graph: Graph): PartitionRules {
  const known: (readonly OperatorSplit[] | undefined)[] = new Array<undefined>(graph.operators.length);
  const wholeBoxes: (Box | undefined)[] = new Array<undefined>(graph.tensors.length);
  const layout = layouts(graph);

  const splits = (id: OperatorId): readonly OperatorSplit[] =>
    (known[id] ??= operatorSplits(graph, graph.operators[id], layout[id]));
  const wholeBox = (tensor: TensorId): Box | undefined =>
    tensor === NONE ? undefined : (wholeBoxes[tensor] ??= boxOf(graph.tensors[tensor].shape));
  const partBox = (tensor: TensorId, part: Part, start: number, end: number): Box | undefined => {
    if (part === ABSENT) return undefined;
    const whole = wholeBox(tensor);
    return part === WHOLE || whole === undefined
      ? whole
      : cutBox(whole, part.axis, part.from(start, end), part.to(start, end));
  };

  const work = (id: OperatorId, split: Split | undefined, start: number, end: number): ShardWork => {
    const operator = graph.operators[id];
    if (split === undefined) return wholeWork(operator, wholeBox);
    const own = findSplit(splits(id), split);
    const made = own.members[0].made?.(start, end);
    const computed = made === undefined ? end - start : made[1] - made[0];
    return {
      inputs: operator.inputs.map((tensor, index) => partBox(tensor, own.inputs[index], start, end)),
      outputs: operator.outputs.map((tensor, index) =>
        partBox(tensor, own.outputs[index] ?? ABSENT, start, end),
      ),
      flops: ((operator.flops ?? 0) * computed) / own.length,
      attributes: own.members.map((member) => member.attributes?.(start, end) ?? NO_ATTRIBUTES),
      constants: own.members[0].constants?.(start, end) ?? NO_CONSTANTS,
      ...(own.members[0].scale === undefined ? {} : { scale: own.members[0].scale(start, end) }),
      ...(made === undefined
        ? {}
        : { made: cutBox(wholeBox(operator.outputs[0])!, own.axis, made[0], made[1]) }),
    };
  };
  return { splits, work };
}

function wholeWork(operator: Operator, wholeBox: (tensor: TensorId) => Box | undefined): ShardWork {
  return {
    inputs: operator.inputs.map(wholeBox),
    outputs: operator.outputs.map(wholeBox),
    flops: operator.flops ?? 0,
    attributes: operator.members.map(() => NO_ATTRIBUTES),
    constants: NO_CONSTANTS,
  };
}

function findSplit(splits: readonly OperatorSplit[], wanted: Split): OperatorSplit {
  for (const split of splits) {
    if (split === wanted || (split.axis === wanted.axis && split.dimension === wanted.dimension))
      return split;
  }
  throw new Error(`operator has no split ${wanted.dimension} along axis ${wanted.axis}`);
}

/** Half-open box of a whole tensor; `undefined` where a size is unknown. */
function boxOf(shape: readonly (number | undefined)[] | undefined): Box | undefined {
  if (shape === undefined) return undefined;
  const box: number[] = [];
  for (const dim of shape) {
    if (dim === undefined) return undefined;
    box.push(0, dim);
  }
  return box;
}

function cutBox(whole: Box, axis: number, from: number, to: number): Box | undefined {
  if (to <= from) return undefined;
  const box = whole.slice();
  box[2 * axis] = from;
  box[2 * axis + 1] = to;
  return box;
}

function operatorSplits(graph: Graph, operator: Operator, layout: Layout): readonly OperatorSplit[] {
  if (operator.isView || operator.opaqueReason !== undefined) return NO_SPLITS;
  if (!canJoin(graph, operator)) return NO_SPLITS;
  const members: NodeSplit[][] = [];
  for (const member of operator.members) {
    const facts = nodeFacts(graph, member, layout);
    const family = familyOf(member.domain, member.type);
    if (facts === undefined || facts.inputs[0] === undefined || family === undefined) return NO_SPLITS;
    members.push(family(facts));
  }
  return composeMembers(operator, members).filter((split) => fits(graph, operator, split));
}

/** `Slice` and `Concat` take no types below a byte and none of eight floating bits; weights of whole bytes are cut in the file. */
function canSlice(type: ElementType, isWeight: boolean): boolean {
  const bits = ELEMENT_BITS[type] ?? 8;
  return isWeight ? bits >= 8 : bits >= 8 && !type.startsWith('float8');
}

/** The first `Concat` took floating-point tensors alone, so in such models others cannot be put together. */
function canJoin(graph: Graph, operator: Operator): boolean {
  return (
    operator.opset >= 4 ||
    operator.outputs.every((id) => id === NONE || graph.tensors[id].type?.startsWith('float'))
  );
}

/** Whether there is something to cut, and every part lies in its tensor: malformed models run whole. */
function fits(graph: Graph, operator: Operator, split: OperatorSplit): boolean {
  const { length, unit } = split;
  const inside = (tensor: TensorId, part: Part | undefined): boolean => {
    if (typeof part !== 'object' || tensor === NONE) return part !== undefined;
    const { shape, type, isWeight } = graph.tensors[tensor];
    const dim = shape?.[part.axis];
    if (type === undefined || !canSlice(type, isWeight)) return false;
    const isOrdered = part.from(0, length) >= 0 && part.from(length - unit, length) >= 0;
    return dim !== undefined && isOrdered && part.to(0, length) <= dim && part.to(0, unit) <= dim;
  };
  return (
    length >= 2 * unit &&
    Number.isInteger(unit) &&
    length % unit === 0 &&
    operator.inputs.every((tensor, index) => inside(tensor, split.inputs[index])) &&
    operator.outputs.every((tensor, index) => inside(tensor, split.outputs[index] ?? ABSENT))
  );
}

/** `undefined` where a size is unknown. */
function nodeFacts(graph: Graph, node: OperatorNode, layout: Layout): NodeFacts | undefined {
  const inputs = node.inputs.map((tensor) => tensorFacts(graph, tensor));
  const outputs = node.outputs.map((tensor) => tensorFacts(graph, tensor));
  if (outputs[0] === undefined || inputs.includes(null) || outputs.includes(null)) return undefined;
  const rank = outputs[0]!.shape.length;
  return {
    node,
    inputs: inputs as (TensorFacts | undefined)[],
    outputs: outputs as (TensorFacts | undefined)[],
    letter: (axis) => letterOf(layout, rank, axis),
  };
}

/** `undefined`: omitted; `null`: its shape is not known. */
function tensorFacts(graph: Graph, id: TensorId): TensorFacts | undefined | null {
  if (id === NONE) return undefined;
  const tensor = graph.tensors[id];
  if (tensor.shape === undefined || tensor.shape.includes(undefined)) return null;
  const { type, isWeight, values } = tensor;
  return { shape: tensor.shape as readonly number[], type, isWeight, values };
}
