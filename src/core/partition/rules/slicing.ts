import { intsAttribute, stringAttribute } from '../../graph/attributes';
import type { AttributeOverrides, ConstantOverrides, NodeFacts, NodeSplit } from './node';
import { along, axisSplit, firstInput, intsValue, normalizeAxis, ranged } from './node';

/** One axis that a `Slice` takes a part of: output `i` is input `first + i * step`. */
interface SlicedAxis {
  /** Position in the lists of starts and ends. */
  readonly entry: number;
  readonly first: number;
  readonly step: number;
}

/** `Slice` with constant bounds: axes it leaves alone follow; a shard of a sliced axis slices its own input range. */
export function slice(facts: NodeFacts): NodeSplit[] {
  const input = facts.inputs[0]!.shape;
  const starts = parameter(facts, 1, 'starts');
  const ends = parameter(facts, 2, 'ends');
  const axes =
    facts.inputs[3] === undefined ? intsAttribute(facts.node.attributes, 'axes') : facts.inputs[3].values;
  const steps = facts.inputs[4] === undefined ? undefined : facts.inputs[4].values;
  if (starts === undefined || ends === undefined || (facts.inputs[3] !== undefined && axes === undefined))
    return [];
  if (facts.inputs[4] !== undefined && steps === undefined) return [];
  const sliced = new Map<number, SlicedAxis>();
  starts.forEach((start, entry) => {
    const axis = normalizeAxis(axes?.[entry] ?? entry, input.length);
    const step = steps?.[entry] ?? 1;
    sliced.set(axis, { entry, first: firstElement(start, step, input[axis]), step });
  });
  return input.map((_length, axis) => {
    const own = sliced.get(axis);
    return own === undefined
      ? axisSplit(facts, axis, firstInput(facts, along(axis)))
      : slicedSplit(facts, axis, own, starts, ends);
  });
}

function parameter(facts: NodeFacts, index: number, attribute: string): readonly number[] | undefined {
  return facts.inputs[index] === undefined
    ? intsAttribute(facts.node.attributes, attribute)
    : facts.inputs[index].values;
}

function firstElement(start: number, step: number, length: number): number {
  const counted = start < 0 ? start + length : start;
  return Math.max(0, Math.min(counted, step > 0 ? length : length - 1));
}

function slicedSplit(
  facts: NodeFacts,
  axis: number,
  own: SlicedAxis,
  starts: readonly number[],
  ends: readonly number[],
): NodeSplit {
  const { entry, first, step } = own;
  const from = (start: number, end: number) => first + (step > 0 ? start : end - 1) * step;
  const to = (start: number, end: number) => first + (step > 0 ? end - 1 : start) * step + 1;
  const bounds = (start: number, end: number): readonly [readonly number[], readonly number[]] => {
    const length = to(start, end) - from(start, end);
    return [
      replaced(starts, entry, step > 0 ? 0 : length - 1),
      replaced(ends, entry, step > 0 ? length : -length - 1),
    ];
  };
  const constants = (start: number, end: number): ConstantOverrides => {
    const [newStarts, newEnds] = bounds(start, end);
    return new Map([
      [1, newStarts],
      [2, newEnds],
    ]);
  };
  const attributes = (start: number, end: number): AttributeOverrides => {
    const [newStarts, newEnds] = bounds(start, end);
    return new Map([
      ['starts', intsValue(newStarts)],
      ['ends', intsValue(newEnds)],
    ]);
  };
  const overrides = facts.inputs[1] === undefined ? { attributes } : { constants };
  return axisSplit(facts, axis, firstInput(facts, ranged(axis, from, to)), overrides);
}

function replaced(list: readonly number[], index: number, value: number): number[] {
  const copy = list.slice();
  copy[index] = value;
  return copy;
}

/** `Pad`: unpadded axes follow in every mode; with a constant, padded axes too, each shard with its own pads. */
export function pad(facts: NodeFacts): NodeSplit[] {
  const input = facts.inputs[0]!.shape;
  const attributes = facts.node.attributes;
  const isInput = facts.inputs[1] !== undefined;
  const name = attributes.has('paddings') ? 'paddings' : 'pads';
  const pads = isInput ? facts.inputs[1]!.values : intsAttribute(attributes, name);
  const axes = facts.inputs[3] === undefined ? input.map((_length, axis) => axis) : facts.inputs[3].values;
  if (pads === undefined || axes === undefined) return [];
  const isConstant = stringAttribute(attributes, 'mode', 'constant') === 'constant';
  const splits: NodeSplit[] = [];
  input.forEach((length, axis) => {
    const entry = axes.findIndex((given) => normalizeAxis(given, input.length) === axis);
    const begin = pads[entry] ?? 0;
    const finish = pads[entry + axes.length] ?? 0;
    if (entry < 0 || (begin === 0 && finish === 0)) {
      splits.push(axisSplit(facts, axis, firstInput(facts, along(axis))));
    } else if (isConstant && length > 0) {
      const padded = { pads, entry, begin, length, axes: axes.length };
      splits.push(paddedSplit(facts, axis, padded, isInput ? undefined : name));
    }
  });
  return splits;
}

interface PaddedAxis {
  readonly pads: readonly number[];
  readonly entry: number;
  readonly begin: number;
  readonly length: number;
  readonly axes: number;
}

/** A shard that lies wholly in the padding reads one element and crops it, for no operator runs on nothing. */
function paddedSplit(
  facts: NodeFacts,
  axis: number,
  padded: PaddedAxis,
  attribute: string | undefined,
): NodeSplit {
  const { begin, length } = padded;
  const from = (start: number) => Math.min(Math.max(start - begin, 0), length - 1);
  const to = (start: number, end: number) => Math.max(Math.min(end - begin, length), from(start) + 1);
  const shardPads = (start: number, end: number): number[] => {
    const isOutside = end <= begin || start >= begin + length;
    const own = padded.pads.slice();
    own[padded.entry] = isOutside ? -1 : Math.max(0, begin - start);
    own[padded.entry + padded.axes] = isOutside ? end - start : Math.max(0, end - begin - length);
    return own;
  };
  return axisSplit(facts, axis, firstInput(facts, ranged(axis, from, to)), {
    ...(attribute === undefined
      ? { constants: (start, end) => new Map([[1, shardPads(start, end)]]) }
      : { attributes: (start, end) => new Map([[attribute, intsValue(shardPads(start, end))]]) }),
  });
}
