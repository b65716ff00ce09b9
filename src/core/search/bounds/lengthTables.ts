/**
 * What a tensor has to do with a range of the cut axis whose place is not known: tables by length, the least that a
 * shard needs and the most that it makes, over every place along the axis.
 */
import type { Bytes, TensorId } from '../../graph/units';
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
  /** For a shard that touches neither end. */
  readonly inside: PlaceTable;
  /** For a shard with `margin` units at least before it and behind it. */
  readonly deep: PlaceTable;
  readonly margin: number;
  /** Needed at most, anywhere. */
  readonly mostNeeded: Float64Array;
  /** Needed by all units together. */
  readonly together: number;
  readonly axis: number;
  /** Elements of one place along the axis. */
  readonly slab: number;
  /** Any part is a run of the storage's elements in row-major order. */
  readonly isRun: boolean;
  /** What two neighbours along the axis both need at least, and at most; infinite where the needs do not rise. */
  readonly overlap: number;
  readonly mostOverlap: number;
  /** By how much more that is, at most, for a unit that both compute. */
  readonly perShared: number;
  /** Where each unit's part lies; absent where that is not known, or does not rise with the units. */
  readonly spans?: Spans;
  /** By length, rising: bytes that have to arrive at least for an element that is lacked (`lineage.ts`). */
  readonly elementBytes: Float64Array;
}

export interface PlaceTable {
  /** Elements needed at least for a length. */
  readonly needed: Float64Array;
  /** Lengths that leave room for such a place, at most. */
  readonly longest: number;
  /** `perUnit * n + least <= needed[n]` for lengths up to that. */
  readonly perUnit: number;
  readonly least: number;
  /** `least` for every length. */
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
  readonly isRun: boolean;
  /** Where each unit's part lies; absent unless these follow each other and are the whole. */
  readonly spans?: Spans;
}

/** A tensor's part along the cut axis: `[from[i], to[i])` for unit `i`, times `slab` elements. */
export interface Follow extends Spans {
  readonly least: LeastNeeds;
  readonly axis: number;
  /** Any part is a run of the storage's elements in row-major order. */
  readonly isRun: boolean;
}

/** Unit `i` of the cut axis has places `[from[i], to[i])` along the tensor's axis, of `slab` elements each. */
export interface Spans {
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly slab: number;
}

export function followTensor(
  scene: BoundScene,
  tensor: TensorId,
  boxes: readonly (Box | undefined)[],
): Follow {
  const n = boxes.length;
  const some = boxes.find((box) => box !== undefined);
  if (some === undefined)
    return follow({ from: new Float64Array(n), to: new Float64Array(n), slab: 0 }, MIXED_AXIS, false);
  const axis = cutAxis(boxes);
  const whole = scene.regions.space(tensor).size;
  if (axis < 0) {
    // The same box for every unit that needs anything at all.
    const { elements } = scene.regions.region(tensor, some);
    const isWhole = elements === whole;
    const first = boxes.indexOf(some);
    const isBehind = (box: Box | undefined, i: number): boolean => box === undefined && i > first;
    const spans = {
      from: Float64Array.from(boxes, (box, i) => Number(isBehind(box, i))),
      to: Float64Array.from(boxes, (_, i) => Number(i >= first)),
      slab: elements,
    };
    return follow(spans, isWhole ? WHOLE_AXIS : MIXED_AXIS, isWhole);
  }
  const { from, to } = followAxis(boxes, axis);
  let slab = 1;
  for (let c = 0; c < some.length; c += 2) if (c !== 2 * axis) slab *= some[c + 1] - some[c];
  const shape = scene.graph.tensors[tensor].shape as readonly number[];
  const factor = factorOf(scene.regions.region(tensor, some), scene.regions.space(tensor).factors, {
    range: [some[2 * axis], some[2 * axis + 1]],
    size: shape[axis],
    ends: [...from, ...to],
  });
  return follow({ from, to, slab }, factor, slab === product(shape.slice(axis + 1)));
}

function follow(spans: Spans, axis: number, isRun: boolean): Follow {
  return { ...spans, axis, isRun, least: leastNeeds(spans) };
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

/**
 * The factored axis that alone is cut: the tensor's axis, or whole groups of its places (channels of a grouped
 * convolution that are shuffled behind it).
 */
function factorOf(
  region: Region,
  factors: readonly number[],
  cut: { readonly range: readonly [number, number]; readonly size: number; readonly ends: readonly number[] },
): number {
  if (region.boxes.length !== 2 * factors.length) return MIXED_AXIS;
  let found = MIXED_AXIS;
  for (let f = 0; f < factors.length; f++) {
    const [start, end] = [region.boxes[2 * f], region.boxes[2 * f + 1]];
    if (start === 0 && end === factors[f]) continue;
    const group = cut.size / factors[f];
    const isSame = start * group === cut.range[0] && end * group === cut.range[1];
    if (found !== MIXED_AXIS || !isSame || cut.ends.some((place) => place % group !== 0)) return MIXED_AXIS;
    found = f;
  }
  return found;
}

export function wholeMade(size: number, length: number): MakeTable {
  return { most: new Float64Array(length + 1).fill(size), perUnit: size, axis: WHOLE_AXIS, isRun: true };
}

/** Where several inputs are views of one storage, the one that needs most stands for all. */
export function largestNeed(parts: readonly Follow[], length: number, bytes: Bytes): NeedTable {
  const nothing = new Float64Array(length + 1);
  const elementBytes = nothing.map(() => bytes);
  let largest: NeedTable = {
    ...placed({ atEnd: nothing, inside: nothing, deep: nothing, margin: 0 }),
    mostNeeded: nothing,
    together: 0,
    axis: MIXED_AXIS,
    slab: 0,
    isRun: false,
    ...NO_OVERLAP,
    elementBytes,
  };
  for (const part of parts) {
    if (part.least.atEnd[length] > largest.atEnd[length]) largest = tableOf(part, elementBytes);
  }
  return largest;
}

export function needTable(spans: Spans, axis: number, isRun: boolean, elementBytes: Float64Array): NeedTable {
  return tableOf(follow(spans, axis, isRun), elementBytes);
}

function tableOf(part: Follow, elementBytes: Float64Array): NeedTable {
  const { axis, slab, isRun, least } = part;
  return {
    ...placed(least),
    mostNeeded: makeTable(part).most,
    together: neededByAny(part),
    axis,
    slab,
    isRun,
    ...overlaps(part),
    spans: axis !== MIXED_AXIS && isRising(part) ? part : undefined,
    elementBytes,
  };
}

/** The same wherever it is: all of a storage, by a whole operator. */
export function wholeNeed(elements: number, bytes: Bytes): NeedTable {
  const needed = Float64Array.of(0, elements);
  return {
    ...placed({ atEnd: needed, inside: needed, deep: needed, margin: 0 }),
    mostNeeded: needed,
    together: elements,
    axis: WHOLE_AXIS,
    slab: elements,
    isRun: true,
    ...NO_OVERLAP,
    elementBytes: Float64Array.of(bytes, bytes),
  };
}

/** No more than either needs, at the places of the first. */
export function leastNeed(a: NeedTable, b: NeedTable): NeedTable {
  const least = {
    atEnd: leastTable(a.atEnd, b.atEnd),
    inside: leastTable(a.inside.needed, b.inside.needed),
    deep: leastTable(a.deep.needed, b.deep.needed),
    // Further inside there are fewer places, so that either needs as much there.
    margin: Math.max(a.margin, b.margin),
  };
  return {
    ...placed(least),
    mostNeeded: a.mostNeeded.map((needed, n) => Math.max(needed, b.mostNeeded[n])),
    together: Math.min(a.together, b.together),
    axis: a.axis,
    slab: a.slab,
    isRun: a.isRun && b.isRun,
    overlap: Math.min(a.overlap, b.overlap),
    mostOverlap: Math.max(a.mostOverlap, b.mostOverlap),
    perShared: Math.max(a.perShared, b.perShared),
    spans: innerSpans(a.spans, b.spans),
    elementBytes: leastTable(a.elementBytes, b.elementBytes),
  };
}

/** Those that lie within the others for every unit; `undefined` where neither do. */
function innerSpans(a: Spans | undefined, b: Spans | undefined): Spans | undefined {
  if (a === undefined || b === undefined) return undefined;
  const isWithin = (inner: Spans, outer: Spans): boolean =>
    inner.from.every((from, i) => from >= outer.from[i] && inner.to[i] <= outer.to[i]);
  if (isWithin(a, b)) return a;
  return isWithin(b, a) ? b : undefined;
}

export function leastTable(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, n) => Math.min(value, b[n]));
}

function placed({
  atEnd,
  inside,
  deep,
  margin,
}: LeastNeeds): Pick<NeedTable, 'atEnd' | 'inside' | 'deep' | 'margin'> {
  return { atEnd, inside: placeTable(inside, atEnd, 1), deep: placeTable(deep, atEnd, margin), margin };
}

type Overlaps = Pick<NeedTable, 'overlap' | 'mostOverlap' | 'perShared'>;

const NO_OVERLAP: Overlaps = { overlap: 0, mostOverlap: 0, perShared: 0 };

function overlaps({ from, to, slab }: Spans): Overlaps {
  if (from.length < 2) return NO_OVERLAP;
  let least = Infinity;
  let most = 0;
  let step = 0;
  for (let i = 1; i < from.length; i++) {
    if (from[i] < from[i - 1] || to[i] < to[i - 1])
      return { overlap: 0, mostOverlap: Infinity, perShared: 0 };
    least = Math.min(least, to[i - 1] - from[i]);
    most = Math.max(most, to[i - 1] - from[i]);
    step = Math.max(step, to[i] - to[i - 1]);
  }
  return { overlap: slab * Math.max(0, least), mostOverlap: slab * most, perShared: slab * step };
}

/** Elements that all units together need. */
export function neededByAny({ from, to, slab }: Spans): number {
  const units = [...from.keys()].sort((i, j) => from[i] - from[j]);
  let places = 0;
  let end = -Infinity;
  for (const i of units) {
    places += Math.max(0, to[i] - Math.max(end, from[i]));
    end = Math.max(end, to[i]);
  }
  return slab * places;
}

/** With the line that the needs follow, and what lies between. */
function placeTable(needed: Float64Array, atEnd: Float64Array, margin: number): PlaceTable {
  const length = needed.length - 1;
  const middle = Math.max(1, length >> 1);
  const perUnit =
    length < 3 ? needed[length] / length : (needed[middle] - needed[1]) / Math.max(1, middle - 1);
  const longest = length - 2 * margin;
  let least = Infinity;
  let leastWhole = Infinity;
  let saved = 0;
  for (let n = 1; n <= length; n++) {
    const beside = needed[n] - perUnit * n;
    leastWhole = Math.min(leastWhole, beside);
    saved = Math.max(saved, needed[n] - atEnd[n]);
    if (n <= longest) least = Math.min(least, beside);
  }
  return {
    needed,
    longest,
    perUnit,
    least: longest < 1 ? leastWhole : least,
    leastWhole,
    saved,
  };
}

/** Least elements by length. */
export interface LeastNeeds {
  readonly atEnd: Float64Array;
  readonly inside: Float64Array;
  readonly deep: Float64Array;
  /** Of `deep`. */
  readonly margin: number;
}

/** A shard of the whole length touches both ends. */
function leastNeeds(part: Spans): LeastNeeds {
  const length = part.from.length;
  const [atEnd, inside, deep] = [0, 1, 2].map(() => new Float64Array(length + 1));
  const starts = turningPoints(part.from);
  const ends = turningPoints(part.to);
  const half = length >> 1;
  const margin = Math.max(
    1,
    ...starts.filter((s) => s < half),
    ...ends.filter((e) => e >= half).map((e) => length - 1 - e),
  );
  for (let n = 1; n <= length; n++) {
    atEnd[n] = leastBetween(part, starts, ends, n, 0);
    inside[n] = leastBetween(part, starts, ends, n, 1);
    deep[n] = leastBetween(part, starts, ends, n, margin);
  }
  return { atEnd, inside, deep, margin };
}

/** Of a length with so many units at least before and behind it; anywhere where there are not so many. */
function leastBetween(
  { from, to, slab }: Spans,
  starts: readonly number[],
  ends: readonly number[],
  n: number,
  margin: number,
): number {
  const last = from.length - n;
  const [low, high] = last < 2 * margin ? [0, last] : [margin, last - margin];
  const span = (s: number): number => Math.max(0, to[s + n - 1] - from[s]);
  let least = Math.min(span(low), span(high));
  for (const s of starts) if (s > low && s < high) least = Math.min(least, span(s));
  for (const e of ends) {
    const s = e - n + 1;
    if (s > low && s < high) least = Math.min(least, span(s));
  }
  return slab * least;
}

export function makeTable(part: Follow): MakeTable {
  const { from, to, slab, axis, isRun } = part;
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
  return { most, perUnit, axis, isRun, spans: axis >= 0 && isTiling(part) ? part : undefined };
}

function isRising({ from, to }: Spans): boolean {
  return from.every((place, i) => i === 0 || (place >= from[i - 1] && to[i] >= to[i - 1]));
}

function isTiling({ from, to }: Spans): boolean {
  return from.every((place, i) => place === (i === 0 ? 0 : to[i - 1]));
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
