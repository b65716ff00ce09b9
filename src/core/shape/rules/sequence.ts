import { sizeOf } from '../dim';
import { mergeTypes } from '../merge';
import { unify } from '../broadcast';
import {
  frontAxis,
  type Operation,
  type Output,
  type Rule,
  type Rules,
  RuleError,
  scalar,
  tensor,
  UNKNOWN_TYPE,
} from '../operation';
import type { Dim, InferredValue, ValueType } from '../types';
import { elementTypeOf } from './elementwise';
import { sumOfDims } from './reshaping';

/** Sequences of known length are followed element by element up to this length. */
const MAX_ELEMENTS = 256;

function sequenceOf(elements: readonly InferredValue[]): Output {
  let element: ValueType | undefined = elements[0]?.type;
  for (const one of elements) element = mergeTypes(element, one.type);
  const followed = elements.length <= MAX_ELEMENTS ? elements : undefined;
  return { type: { kind: 'sequence', element: element ?? UNKNOWN_TYPE }, elements: followed };
}

function elementType(op: Operation, input: number): ValueType {
  const type = op.inputs[input]?.type;
  return type?.kind === 'sequence' || type?.kind === 'optional' ? type.element : UNKNOWN_TYPE;
}

/** Position in a sequence of `length`, negative ones from the end. */
function positionIn(position: number, length: number, last: number): number {
  const at = position < 0 ? position + length : position;
  if (at < 0 || at > last) throw new RuleError(`position ${position} is outside a sequence of ${length}`);
  return at;
}

const construct: Rule = (op) => [
  op.inputs.every((input) => input !== undefined) ? sequenceOf(op.inputs as InferredValue[]) : undefined,
];

const empty: Rule = (op) => {
  const element: ValueType = {
    kind: 'tensor',
    type: elementTypeOf(op.int('dtype', 1), 'dtype'),
    shape: undefined,
  };
  return [{ type: { kind: 'sequence', element }, elements: [] }];
};

const at: Rule = (op) => {
  const elements = op.inputs[0]?.elements;
  const position = op.number(1);
  if (elements === undefined || position === undefined) return [{ type: elementType(op, 0) }];
  const found = elements[positionIn(position, elements.length, elements.length - 1)];
  return [{ type: found.type, values: found.values, elements: found.elements }];
};

const insert: Rule = (op) => {
  const sequence = op.inputs[0];
  const element = op.inputs[1];
  const position = op.has(2) ? op.number(2) : sequence?.elements?.length;
  if (sequence?.elements !== undefined && element !== undefined && position !== undefined) {
    const out = [...sequence.elements];
    out.splice(positionIn(position, out.length, out.length), 0, element);
    return [sequenceOf(out)];
  }
  const bare = elementType(op, 0);
  const unshaped = bare.kind === 'tensor' && bare.shape === undefined && sequence?.elements?.length === 0;
  const merged = unshaped ? element?.type : mergeTypes(bare, element?.type);
  return [{ type: { kind: 'sequence', element: merged ?? UNKNOWN_TYPE } }];
};

const erase: Rule = (op) => {
  const elements = op.inputs[0]?.elements;
  const position = op.has(1) ? op.number(1) : elements && elements.length - 1;
  if (elements === undefined || position === undefined)
    return [{ type: { kind: 'sequence', element: elementType(op, 0) } }];
  const out = [...elements];
  out.splice(positionIn(position, out.length, out.length - 1), 1);
  return [
    out.length ? sequenceOf(out) : { type: { kind: 'sequence', element: elementType(op, 0) }, elements: out },
  ];
};

/** Equal chunks for a scalar `split`, given lengths for a vector, single slices without. */
const splitToSequence: Rule = (op) => {
  const shape = op.shape(0);
  const type = op.type(0);
  if (shape === undefined) return [{ type: { kind: 'sequence', element: tensor(type, undefined).type } }];
  const axis = frontAxis(op.int('axis', 0), shape.length);
  const lengths = chunkLengths(op, shape[axis]);
  const drop = !op.has(1) && op.int('keepdims', 1) === 0;
  const part = (length: Dim) =>
    drop ? shape.filter((_, one) => one !== axis) : shape.map((dim, one) => (one === axis ? length : dim));
  if (lengths === undefined || lengths.length > MAX_ELEMENTS) {
    const each = op.has(1) ? undefined : 1;
    return [{ type: { kind: 'sequence', element: tensor(type, part(each)).type } }];
  }
  return [sequenceOf(lengths.map((length) => ({ ...tensor(type, part(length)), isConstant: false })))];
};

function chunkLengths(op: Operation, dim: Dim): readonly Dim[] | undefined {
  if (op.has(1) && op.shape(1)?.length !== 0) return op.values(1);
  const chunk = op.has(1) ? op.number(1) : 1;
  const size = sizeOf(dim);
  if (chunk === undefined || size === undefined) return undefined;
  if (chunk <= 0) throw new RuleError(`its chunks have ${chunk} elements`);
  const count = Math.ceil(size / chunk);
  return count > MAX_ELEMENTS
    ? undefined
    : Array.from({ length: count }, (_, one) => Math.min(chunk, size - one * chunk));
}

const concatFromSequence: Rule = (op) => {
  const element = elementType(op, 0);
  const type = element.kind === 'tensor' ? element.type : undefined;
  const elements = op.inputs[0]?.elements;
  const stacked = op.int('new_axis', 0) !== 0;
  const shape = element.kind === 'tensor' ? element.shape : undefined;
  if (shape === undefined) return [tensor(type, undefined)];
  const axis = frontAxis(op.int('axis', 0), shape.length + (stacked ? 1 : 0));
  if (stacked) return [tensor(type, [...shape.slice(0, axis), elements?.length, ...shape.slice(axis)])];
  const out: Dim[] = [...shape];
  for (const one of elements ?? [])
    if (one.type.kind === 'tensor')
      one.type.shape?.forEach((dim, each) => (each === axis ? 0 : (out[each] = unify(out[each], dim))));
  out[axis] =
    elements &&
    sumOfDims(elements.map((one) => (one.type.kind === 'tensor' ? one.type.shape?.[axis] : undefined)));
  return [tensor(type, out)];
};

/** With an input the optional holds it; without, it is empty and its type is not followed further than that. */
const optional: Rule = (op) => {
  const value = op.inputs[0];
  if (value === undefined) return [{ type: { kind: 'optional', element: UNKNOWN_TYPE }, elements: [] }];
  return [{ type: { kind: 'optional', element: value.type }, elements: [value] }];
};

const optionalGet: Rule = (op) => {
  const value = op.inputs[0];
  if (value?.type.kind !== 'optional') return [value && { ...value }];
  const held = value.elements?.[0];
  if (held !== undefined) return [{ type: held.type, values: held.values, elements: held.elements }];
  return [{ type: value.type.element }];
};

/** A tensor or sequence in place of an optional is always there; a missing input never. */
const optionalHas: Rule = (op) => {
  const value = op.inputs[0];
  if (value === undefined) return [scalar('bool', op.node.inputs[0] ? undefined : 0)];
  if (value.type.kind === 'optional')
    return [scalar('bool', value.elements && Number(value.elements.length > 0))];
  return [scalar('bool', value.type.kind === 'unknown' ? undefined : 1)];
};

export const sequenceRules: Rules = {
  ConcatFromSequence: concatFromSequence,
  Optional: optional,
  OptionalGetElement: optionalGet,
  OptionalHasElement: optionalHas,
  SequenceAt: at,
  SequenceConstruct: construct,
  SequenceEmpty: empty,
  SequenceErase: erase,
  SequenceInsert: insert,
  SequenceLength: (op) => [scalar('int64', op.inputs[0]?.elements?.length)],
  SplitToSequence: splitToSequence,
};
