import { unify } from '../broadcast';
import { add, ceilDivide, compare, isSame, minimum, multiply, sizeOf, subtract } from '../dim';
import { build, elementAt, stridesOf } from '../layout';
import {
  countOf,
  frontAxis,
  MAX_VALUES,
  type Operation,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  sizesOf,
  tensor,
  unknownDims,
} from '../operation';
import type { Dim } from '../types';
import { sumOfDims } from './reshaping';

const concat: Rule = (op) => {
  const inputs = [...op.inputs.keys()];
  const type = inputs.map((input) => op.type(input)).find((one) => one !== undefined);
  const shapes = inputs.map((input) => op.shape(input));
  const rank = shapes.find((shape) => shape !== undefined)?.length;
  if (rank === undefined) return [tensor(type, undefined)];
  if (rank === 0) throw new RuleError('its inputs are scalars');
  const axis = frontAxis(op.int('axis', 1), rank);
  const out = unknownDims(rank);
  for (const shape of shapes) {
    if (shape !== undefined && shape.length !== rank)
      throw new RuleError(`its inputs have ranks ${rank} and ${shape.length}`);
    for (let one = 0; one < rank; one++) if (one !== axis) out[one] = unify(out[one], shape?.[one]);
  }
  out[axis] = sumOfDims(shapes.map((shape) => shape?.[axis]));
  return [tensor(type, out, concatValues(op, shapes, axis))];
};

function concatValues(
  op: Operation,
  shapes: readonly (readonly Dim[] | undefined)[],
  axis: number,
): Dim[] | undefined {
  const sizes = shapes.map(sizesOf);
  const known = sizes.every((one, input) => one !== undefined && op.values(input) !== undefined);
  if (!known) return undefined;
  const outer = countOf(sizes[0]!.slice(0, axis));
  const runs = sizes.map((one) => countOf(one!.slice(axis)));
  if (outer * runs.reduce((sum, run) => sum + run, 0) > MAX_VALUES) return undefined;
  const out: Dim[] = [];
  for (let row = 0; row < outer; row++)
    for (const [input, run] of runs.entries())
      out.push(...op.values(input)!.slice(row * run, (row + 1) * run));
  return out;
}

/** Sizes come from `split` (attribute before opset 13, input since), else equal parts, the last one smaller. */
const split: Rule = (op): Outputs => {
  const shape = op.shape(0);
  const type = op.type(0);
  const parts = op.outputCount;
  if (shape === undefined) return op.node.outputs.map(() => tensor(type, undefined));
  const axis = frontAxis(op.int('axis', 0), shape.length);
  const given = op.version < 13 ? op.ints('split') : op.values(1);
  const listed =
    given ?? (op.version < 13 || !op.has(1) ? equalParts(shape[axis], parts) : unknownDims(parts));
  if (listed.length !== parts)
    throw new RuleError(`it is cut into ${listed.length} parts but has ${parts} outputs`);
  if (given !== undefined) checkParts(shape[axis], given);
  let start: Dim = 0;
  return listed.map((length) => {
    const out = shape.map((dim, one) => (one === axis ? length : dim));
    const values = sliceValues(op.values(0), shape, out, axis, start);
    start = add(start, length);
    return tensor(type, out, values);
  });
};

function checkParts(dim: Dim, parts: readonly Dim[]): void {
  const order = compare(sumOfDims(parts), dim);
  if (order !== undefined && order !== 0 && sizeOf(dim) !== undefined)
    throw new RuleError(`its parts do not add up to ${sizeOf(dim)}`);
}

function equalParts(dim: Dim, parts: number): Dim[] {
  const size = sizeOf(dim);
  const each = ceilDivide(dim, parts);
  const chunk = sizeOf(each);
  if (size === undefined || chunk === undefined || size % parts === 0)
    return Array.from({ length: parts }, (_, part) =>
      part < parts - 1 ? each : subtract(dim, multiply(each, parts - 1)),
    );
  return Array.from({ length: parts }, (_, part) => Math.max(0, Math.min(chunk, size - part * chunk)));
}

function sliceValues(
  values: readonly Dim[] | undefined,
  shape: readonly Dim[],
  out: readonly Dim[],
  axis: number,
  start: Dim,
): Dim[] | undefined {
  const sizes = sizesOf(shape);
  const outSizes = sizesOf(out);
  const first = sizeOf(start);
  if (values === undefined || sizes === undefined || outSizes === undefined || first === undefined)
    return undefined;
  const strides = stridesOf(sizes);
  return build(outSizes, (index) =>
    elementAt(
      values,
      strides,
      index.map((one, at) => (at === axis ? one + first : one)),
    ),
  );
}

/** What `Slice` takes along one axis. */
interface Cut {
  readonly start: Dim;
  readonly end: Dim;
  readonly step: Dim;
}

const slice: Rule = (op) => {
  const shape = op.shape(0);
  const type = op.type(0);
  if (shape === undefined) return [tensor(type, undefined)];
  const cuts = op.version < 10 ? cutsFromAttributes(op, shape.length) : cutsFromInputs(op, shape.length);
  if (cuts === undefined) return [tensor(type, unknownDims(shape.length))];
  const out = shape.map((dim, axis) => {
    const cut = cuts.get(axis);
    return cut === undefined ? dim : cutLength(dim, cut);
  });
  return [tensor(type, out, cutValues(op.values(0), shape, out, cuts))];
};

function cutsFromAttributes(op: Operation, rank: number): Map<number, Cut> {
  const starts = op.ints('starts') ?? [];
  const ends = op.ints('ends') ?? [];
  const axes = op.ints('axes') ?? [...starts.keys()];
  return new Map(
    starts.map((start, one) => [frontAxis(axes[one], rank), { start, end: ends[one], step: 1 }]),
  );
}

/** `undefined` where the axes are not known: every dimension may change. */
function cutsFromInputs(op: Operation, rank: number): Map<number, Cut> | undefined {
  const length = [1, 2, 3]
    .map((input) => op.values(input)?.length ?? sizeOf(op.shape(input)?.[0]))
    .find((one) => one !== undefined);
  const axes = op.has(3)
    ? op.numbers(3)
    : length === undefined
      ? undefined
      : Array.from({ length }, (_, one) => one);
  if (axes === undefined || axes.length > rank) return undefined;
  return new Map(
    axes.map((axis, one) => [
      frontAxis(axis, rank),
      {
        start: op.values(1)?.[one],
        end: op.values(2)?.[one],
        step: op.has(4) ? op.values(4)?.[one] : 1,
      },
    ]),
  );
}

/** Ends from here on mean "to the end", as exporters write them. */
const TO_THE_END = 2 ** 31 - 1;

function cutLength(dim: Dim, cut: Cut): Dim {
  const range = resolvedRange(dim, cut);
  if (range !== undefined) return numericLength(dim, cut, range);
  if (sizeOf(dim) !== undefined) return undefined;
  return cut.step === 1 && dim !== undefined ? symbolicLength(dim, cut) : undefined;
}

/** First position, end position and step as numbers, clamped to the tensor. */
function resolvedRange(dim: Dim, cut: Cut): { first: number; last: number; step: number } | undefined {
  const size = sizeOf(dim);
  const step = sizeOf(cut.step);
  const start = sizeOf(cut.start);
  const end = sizeOf(cut.end);
  if (size === undefined || step === undefined || start === undefined || end === undefined) return undefined;
  if (step === 0) throw new RuleError('its step is 0');
  const clamp = (at: number, low: number, high: number) =>
    Math.min(Math.max(at < 0 ? at + size : at, low), high);
  return step > 0
    ? { first: clamp(start, 0, size), last: clamp(end, 0, size), step }
    : { first: clamp(start, 0, size - 1), last: clamp(end, -1, size - 1), step };
}

/** The length as a number, or as an expression where that has the same value. */
function numericLength(dim: Dim, cut: Cut, range: { first: number; last: number; step: number }): Dim {
  const length = Math.max(0, Math.ceil((range.last - range.first) / range.step));
  if (typeof dim !== 'object' && typeof cut.start !== 'object' && typeof cut.end !== 'object') return length;
  const expression = cut.step === 1 ? symbolicLength(dim, cut) : undefined;
  return sizeOf(expression) === length ? expression : length;
}

/** For a step of 1, as long as the positions lie inside the tensor. */
function symbolicLength(dim: Dim, { start, end }: Cut): Dim {
  const from = atFront(dim, start);
  const size = sizeOf(end);
  if (size !== undefined && size >= TO_THE_END)
    return from === 0 ? dim : isNegative(start) ? minimum(multiply(start, -1), dim) : subtract(dim, from);
  const to = isNegative(end) ? add(dim, end) : isSame(end, dim) ? dim : minimum(end, dim);
  return from === 0 ? to : subtract(to, from);
}

function atFront(dim: Dim, at: Dim): Dim {
  return isNegative(at) ? add(dim, at) : at;
}

function isNegative(at: Dim): boolean {
  return compare(at, 0) === -1;
}

function cutValues(
  values: readonly Dim[] | undefined,
  shape: readonly Dim[],
  out: readonly Dim[],
  cuts: ReadonlyMap<number, Cut>,
): Dim[] | undefined {
  const sizes = sizesOf(shape);
  const outSizes = sizesOf(out);
  if (values === undefined || sizes === undefined || outSizes === undefined) return undefined;
  const strides = stridesOf(sizes);
  const ranges = shape.map((dim, axis) => {
    const cut = cuts.get(axis);
    return cut === undefined ? { first: 0, step: 1 } : resolvedRange(dim, cut);
  });
  if (ranges.includes(undefined)) return undefined;
  return build(outSizes, (index) =>
    elementAt(
      values,
      strides,
      index.map((one, axis) => ranges[axis]!.first + one * ranges[axis]!.step),
    ),
  );
}

/** Pads are an attribute (`paddings` in opset 1) before opset 11, an input since; `axes` since 18. */
const pad: Rule = (op) => {
  const shape = op.shape(0);
  const type = op.type(0);
  const pads = op.version < 11 ? (op.ints('pads') ?? op.ints('paddings')) : op.values(1);
  const length = pads?.length ?? sizeOf(op.shape(1)?.[0]);
  if (shape === undefined)
    return [
      tensor(
        type,
        !op.has(3) && length !== undefined && length <= MAX_VALUES ? unknownDims(length / 2) : undefined,
      ),
    ];
  if (pads === undefined) return [tensor(type, unknownDims(shape.length))];
  const axes = op.has(3) ? op.numbers(3)?.map((axis) => frontAxis(axis, shape.length)) : [...shape.keys()];
  if (axes === undefined) return [tensor(type, unknownDims(shape.length))];
  if (pads.length !== 2 * axes.length)
    throw new RuleError(`it has ${pads.length} pads for ${axes.length} axes`);
  const out = [...shape];
  for (const [one, axis] of axes.entries())
    out[axis] = add(shape[axis], add(pads[one], pads[one + axes.length]));
  for (const dim of out)
    if ((sizeOf(dim) ?? 0) < 0) throw new RuleError('its pads take away more than there is');
  return [tensor(type, out)];
};

const centerCropPad: Rule = (op) => {
  const shape = op.shape(0);
  const wanted = op.values(1);
  if (shape === undefined) return [tensor(op.type(0), undefined)];
  const axes = op.ints('axes')?.map((axis) => frontAxis(axis, shape.length)) ?? [...shape.keys()];
  const out = [...shape];
  for (const [one, axis] of axes.entries()) out[axis] = wanted?.[one];
  return [tensor(op.type(0), out)];
};

export const joiningRules: Rules = {
  CenterCropPad: centerCropPad,
  Concat: concat,
  Pad: pad,
  Slice: slice,
  Split: split,
};
