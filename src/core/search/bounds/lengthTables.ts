/**
 * What a tensor has to do with a range of the cut axis whose place is not known: tables by length, the least that a
 * shard needs and the most that it makes, over every place along the axis.
 */
import type { TensorId } from '../../graph/units';
import type { Box } from '../../partition/partition';
import { product, type Region } from '../../partition/regions';
import type { BoundScene } from './scene';

/** The axis along which a set of elements is cut: a factored axis of its storage, or one of these. */
export const WHOLE_AXIS = -1;
/** Known by its size only: it lies across factored axes. */
export const MIXED_AXIS = -2;

export interface NeedTable {
  /** Elements needed at least for a length, at an end of the axis (padding needs nothing there). */
  readonly atEnd: Float64Array;
  /** The same for a shard that touches neither end. */
  readonly inside: Float64Array;
  /** Needed at most, anywhere. */
  readonly mostNeeded: Float64Array;
  readonly axis: number;
  /** Elements of one place along the axis. */
  readonly slab: number;
  /** Any part is a run of the storage's elements in row-major order. */
  readonly isRun: boolean;
  /** What two neighbours along the axis both need at least. */
  readonly overlap: number;
  /** `perUnit * n + least <= inside[n] <= perUnit * n + most` for lengths shorter than the axis. */
  readonly perUnit: number;
  readonly least: number;
  readonly most: number;
  /** `least` for the whole axis too. */
  readonly leastWhole: number;
  /** Most that lying at an end saves. */
  readonly saved: number;
}

export interface MakeTable {
  /** Elements made at most for a length. */
  readonly most: Float64Array;
  /** `most[n] <= perUnit * n`. */
  readonly perUnit: number;
  readonly axis: number;
}

/** A tensor's part along the cut axis: `[from[i], to[i])` for unit `i`, times `slab` elements. */
export interface Follow {
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly slab: number;
  readonly axis: number;
  /** Any part is a run of the storage's elements in row-major order. */
  readonly isRun: boolean;
}

export function followTensor(
  scene: BoundScene,
  tensor: TensorId,
  boxes: readonly (Box | undefined)[],
): Follow {
  const n = boxes.length;
  const nothing = { from: new Float64Array(n), to: new Float64Array(n), slab: 0, axis: MIXED_AXIS, isRun: false };
  const some = boxes.find((box) => box !== undefined);
  if (some === undefined) return nothing;
  const axis = cutAxis(boxes);
  const whole = scene.regions.space(tensor).size;
  if (axis < 0) {
    // The same box for every unit: all of it, as far as anything is needed at all.
    const { elements } = scene.regions.region(tensor, some);
    const isWhole = elements === whole;
    return {
      from: nothing.from,
      to: nothing.to.fill(1),
      slab: elements,
      axis: isWhole ? WHOLE_AXIS : MIXED_AXIS,
      isRun: isWhole,
    };
  }
  const { from, to } = followAxis(boxes, axis);
  let slab = 1;
  for (let c = 0; c < some.length; c += 2) if (c !== 2 * axis) slab *= some[c + 1] - some[c];
  const shape = scene.graph.tensors[tensor].shape as readonly number[];
  return {
    from,
    to,
    slab,
    isRun: slab === product(shape.slice(axis + 1)),
    axis: factorOf(scene.regions.region(tensor, some), scene.regions.space(tensor).factors, some, axis),
  };
}

/**
 * What each unit needs along the axis. Units that need nothing lie where their neighbours' parts meet, so that a
 * range of units needs what lies between its ends.
 */
function followAxis(boxes: readonly (Box | undefined)[], axis: number): Pick<Follow, 'from' | 'to'> {
  const from = Float64Array.from(boxes, (box) => box?.[2 * axis] ?? NaN);
  const to = Float64Array.from(boxes, (box) => box?.[2 * axis + 1] ?? NaN);
  const present = [...from.keys()].filter((i) => !Number.isNaN(from[i]));
  const isRising = present.every(
    (i, at) => at === 0 || (from[i] >= from[present[at - 1]] && to[i] >= to[present[at - 1]]),
  );
  let end = isRising ? from[present[0]] : 0;
  for (let i = 0; i < to.length; i++) {
    if (Number.isNaN(to[i])) to[i] = end;
    else if (isRising) end = to[i];
  }
  let start = isRising ? end : 0;
  for (let i = from.length - 1; i >= 0; i--) {
    if (Number.isNaN(from[i])) from[i] = start;
    else if (isRising) start = from[i];
  }
  return { from, to };
}

/** The one axis on which the boxes differ; -1 where they are all the same. */
function cutAxis(boxes: readonly (Box | undefined)[]): number {
  const first = boxes.find((box) => box !== undefined)!;
  for (const box of boxes) {
    if (box === undefined) continue;
    for (let c = 0; c < box.length; c++) if (box[c] !== first[c]) return c >> 1;
  }
  return -1;
}

/** The factored axis that alone is cut and counts as the tensor's axis does. */
function factorOf(region: Region, factors: readonly number[], box: Box, axis: number): number {
  if (region.boxes.length !== 2 * factors.length) return MIXED_AXIS;
  let found = MIXED_AXIS;
  for (let f = 0; f < factors.length; f++) {
    if (region.boxes[2 * f] === 0 && region.boxes[2 * f + 1] === factors[f]) continue;
    if (
      found !== MIXED_AXIS ||
      region.boxes[2 * f] !== box[2 * axis] ||
      region.boxes[2 * f + 1] !== box[2 * axis + 1]
    ) {
      return MIXED_AXIS;
    }
    found = f;
  }
  return found;
}

export function wholeMade(size: number, length: number): MakeTable {
  return { most: new Float64Array(length + 1).fill(size), perUnit: size, axis: WHOLE_AXIS };
}

/** Where several inputs are views of one storage, the one that needs most stands for all. */
export function largestNeed(parts: readonly Follow[], length: number): NeedTable {
  let largest: LengthNeeds = {
    atEnd: new Float64Array(length + 1),
    inside: new Float64Array(length + 1),
    mostNeeded: new Float64Array(length + 1),
    axis: MIXED_AXIS,
    slab: 0,
    isRun: false,
    overlap: 0,
  };
  for (const part of parts) {
    const { atEnd, inside } = needTable(part);
    if (atEnd[length] > largest.atEnd[length])
      largest = { ...part, atEnd, inside, mostNeeded: makeTable(part).most, overlap: overlapOf(part) };
  }
  return withLine(largest);
}

type LengthNeeds = Pick<
  NeedTable,
  'atEnd' | 'inside' | 'mostNeeded' | 'axis' | 'slab' | 'isRun' | 'overlap'
>;

function overlapOf({ from, to, slab }: Follow): number {
  let least = from.length < 2 ? 0 : Infinity;
  for (let i = 1; i < from.length; i++) {
    if (from[i] < from[i - 1] || to[i] < to[i - 1]) return 0;
    least = Math.min(least, to[i - 1] - from[i]);
  }
  return slab * Math.max(0, least);
}

/** The line that `inside` follows, with what lies between. */
export function withLine(table: LengthNeeds): NeedTable {
  const { atEnd, inside } = table;
  const length = inside.length - 1;
  const middle = Math.max(1, length >> 1);
  const perUnit =
    length < 3 ? inside[length] / length : (inside[middle] - inside[1]) / Math.max(1, middle - 1);
  let least = Infinity;
  let most = 0;
  let saved = 0;
  for (let n = 1; n < length; n++) {
    least = Math.min(least, inside[n] - perUnit * n);
    most = Math.max(most, inside[n] - perUnit * n);
    saved = Math.max(saved, inside[n] - atEnd[n]);
  }
  const leastWhole = Math.min(least, inside[length] - perUnit * length);
  return { ...table, perUnit, least: length === 1 ? leastWhole : least, most, leastWhole, saved };
}

/** Least elements by length. A shard of the whole length touches both ends. */
export function needTable({ from, to, slab }: Follow): { atEnd: Float64Array; inside: Float64Array } {
  const length = from.length;
  const atEnd = new Float64Array(length + 1);
  const inside = new Float64Array(length + 1);
  const starts = turningPoints(from);
  const ends = turningPoints(to);
  for (let n = 1; n <= length; n++) {
    const span = (s: number): number => Math.max(0, to[s + n - 1] - from[s]);
    const last = length - n;
    let least = Infinity;
    for (const s of starts) if (s > 0 && s < last) least = Math.min(least, span(s));
    for (const e of ends) if (e - n + 1 > 0 && e - n + 1 < last) least = Math.min(least, span(e - n + 1));
    if (last > 1) least = Math.min(least, span(1), span(last - 1));
    atEnd[n] = slab * Math.min(span(0), span(last), least);
    inside[n] = slab * (least === Infinity ? Math.min(span(0), span(last)) : least);
  }
  return { atEnd, inside };
}

export function makeTable({ from, to, slab, axis }: Follow): MakeTable {
  const length = from.length;
  const most = new Float64Array(length + 1);
  const starts = turningPoints(from);
  const ends = turningPoints(to);
  let perUnit = 0;
  for (let n = 1; n <= length; n++) {
    const span = (s: number): number => to[s + n - 1] - from[s];
    let largest = Math.max(span(0), span(length - n));
    for (const s of starts) if (s <= length - n) largest = Math.max(largest, span(s));
    for (const e of ends) if (e - n + 1 >= 0) largest = Math.max(largest, span(e - n + 1));
    most[n] = slab * largest;
    perUnit = Math.max(perUnit, most[n] / n);
  }
  return { most, perUnit, axis };
}

/** Where the table stops being a line: between these a difference of two such tables is largest or least nowhere. */
function turningPoints(table: Float64Array): number[] {
  const found: number[] = [];
  for (let i = 1; i + 1 < table.length; i++) {
    if (table[i + 1] - table[i] !== table[i] - table[i - 1]) found.push(i);
  }
  return found;
}

/** The largest rising table below the given one: more work never takes less time. */
export function rising(table: Float64Array): Float64Array {
  for (let n = table.length - 2; n > 0; n--) table[n] = Math.min(table[n], table[n + 1]);
  return table;
}
