/**
 * What the elements that an operator makes depend on of a storage that it reads, whatever split it runs in: along every
 * axis on the places that their unit of that axis needs, and on all places of the axes that no split of it cuts. A
 * device that needs some of what is made and lacks some of what these depend on must receive the latter, or all
 * of the former that depend on it.
 */
import { NONE, type Bytes, type OperatorId, type StorageId } from '../../graph/units';
import { isElementByElement } from './alikeTensors';
import { MIXED_AXIS, needTable, WHOLE_AXIS, type NeedTable } from './lengthTables';
import type { Option } from './options';
import type { BoundScene } from './scene';

export interface Lineage {
  readonly read: Elements;
  readonly made: Elements;
  /** Where every element depends on one of its own: per axis of what is made the axis of what is read. */
  readonly order?: readonly number[];
  /** Otherwise per axis of what is made; absent where its places depend on all of what is read. */
  readonly axes: readonly (AxisLineage | undefined)[];
}

interface Elements {
  readonly size: number;
  readonly factors: readonly number[];
  readonly elementBytes: Bytes;
}

/** Of the places along one axis of what is made. */
interface AxisLineage {
  /** Of what is read; `WHOLE_AXIS` where a place depends on all of that, as place 0 of one, or on nothing. */
  readonly axis: number;
  /** Per place those along it that it depends on, `[from, to)`. */
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** How many these are at most, and by how much they move on from one place to the next. */
  readonly reach: number;
  readonly stride: number;
}

/** @param options of the operator, which makes one storage; `undefined` where it is not as simple as that */
export function lineageOf(
  scene: BoundScene,
  operator: OperatorId,
  options: readonly Option[],
  position: number,
): Lineage | undefined {
  const { reads, makes } = scene.flow.operators[operator];
  const read = elementsOf(scene, reads[position].storage);
  const made = elementsOf(scene, makes[0]);
  if (isElementByElement(scene.graph, operator) && isSameShape(read, made))
    return { read, made, order: made.factors.map((_, axis) => axis), axes: [] };
  const axes = made.factors.map((): AxisLineage | undefined => undefined);
  const seen = new Set<number>();
  const taken = new Set<number>();
  for (const option of options) {
    if (option.split === NONE) continue;
    const need = option.needs[position];
    const [make] = option.makes;
    // Partial sums travel within the step.
    if (option.isReduced || make.spans === undefined || seen.has(make.axis)) return undefined;
    seen.add(make.axis);
    if (need.axis === WHOLE_AXIS && need.atEnd[1] === read.size) continue;
    // Of places that no unit needs, a split along another axis might need some.
    if (need.axis === MIXED_AXIS || taken.has(need.axis) || need.together !== read.size) return undefined;
    if (need.axis !== WHOLE_AXIS) taken.add(need.axis);
    const own = need.spans && axisLineage(need.axis, option.length, need.spans, make.spans);
    if (own === undefined) return undefined;
    axes[make.axis] = own;
  }
  if (scene.graph.operators[operator].type !== 'Transpose') return { read, made, axes };
  const order = axes.flatMap((own) => own?.axis ?? []);
  return order.length === axes.length ? { read, made, order, axes } : undefined;
}

/** Every element is handed on as it is, and where it is. */
export function isUnchanged({ read, made, order }: Lineage): boolean {
  return read.elementBytes === made.elementBytes && (order?.every((from, axis) => from === axis) ?? false);
}

/** Of the bytes of what is read, all of it, those that have to arrive at least where all that is made is needed. */
export function leastShare(lineage: Lineage): number {
  const { read, made } = lineage;
  if (read.elementBytes === 0) return 1;
  return Math.min(1, (received(lineage, NONE, 0) * made.elementBytes) / read.elementBytes);
}

function elementsOf(scene: BoundScene, storage: StorageId): Elements {
  const { size, factors } = scene.space(storage);
  return { size, factors, elementBytes: scene.elementBytes(storage) };
}

function isSameShape(a: Elements, b: Elements): boolean {
  return (
    a.size === b.size &&
    a.factors.length === b.factors.length &&
    a.factors.every((factor, axis) => factor === b.factors[axis])
  );
}

type Ranges = Pick<AxisLineage, 'from' | 'to'>;

/** @param needed by the units of a split, @param made by them: one behind the other */
function axisLineage(axis: number, units: number, needed: Ranges, made: Ranges): AxisLineage | undefined {
  const places = made.to[units - 1];
  const from = new Float64Array(places);
  const to = new Float64Array(places);
  for (let unit = 0; unit < units; unit++) {
    from.fill(needed.from[unit], made.from[unit], made.to[unit]);
    to.fill(needed.to[unit], made.from[unit], made.to[unit]);
  }
  // `received` counts on every place to depend on something, unless each depends on one at most (a concatenation).
  if (from.some((start, i) => start === to[i]) && from.some((start, i) => to[i] - start > 1))
    return undefined;
  let stride = 1;
  let reach = 1;
  for (let i = 0; i < places; i++) {
    reach = Math.max(reach, to[i] - from[i]);
    if (i > 0) stride = Math.max(stride, from[i] - from[i - 1], to[i] - to[i - 1]);
  }
  return { axis, from, to, reach, stride };
}

/** What a reader needs of what is read, given what it needs of what is made; `undefined` where that is not known. */
export function needBehind(need: NeedTable, lineage: Lineage): NeedTable | undefined {
  const { read, made, order, axes } = lineage;
  if (order !== undefined) {
    if (isUnchanged(lineage)) return need;
    const axis = need.axis < 0 ? need.axis : order[need.axis];
    return {
      ...need,
      axis,
      elementBytes: need.elementBytes.map((bytes) => Math.min(bytes, read.elementBytes)),
    };
  }
  const length = need.atEnd.length - 1;
  const own = axes[need.axis];
  if (need.axis === WHOLE_AXIS || (need.axis >= 0 && own === undefined)) {
    const spans = { from: new Float64Array(length), to: new Float64Array(length).fill(1), slab: read.size };
    const all = needTable(spans, WHOLE_AXIS, true, need.elementBytes);
    return need.axis === WHOLE_AXIS && need.atEnd[1] < made.size ? undefined : arriving(need, all, lineage);
  }
  if (own === undefined || need.spans === undefined) return undefined;
  const { from, to } = need.spans;
  const last = made.factors[need.axis] - 1;
  // What needs nothing lies between others.
  const startOf = (place: number): number => (place > last ? own.to[last] : own.from[place]);
  const spans = {
    from: from.map(startOf),
    to: to.map((end, unit) => (end === from[unit] ? startOf(end) : own.to[end - 1])),
    slab: own.axis === WHOLE_AXIS ? read.size : read.size / read.factors[own.axis],
  };
  const isRun = read.factors.slice(0, Math.max(0, own.axis)).every((factor) => factor === 1);
  return arriving(need, needTable(spans, own.axis, isRun, need.elementBytes), lineage);
}

/** With the bytes that have to arrive for an element. @param need of what is made, @param behind of what is read */
function arriving(need: NeedTable, behind: NeedTable, lineage: Lineage): NeedTable {
  const bytes = need.elementBytes.map((each, n) => {
    if (n === 0) return 0;
    // Who needs nothing lacks nothing.
    const places = Math.max(1, Math.min(need.atEnd[n], need.inside.needed[n]) / need.slab);
    return Math.min(lineage.read.elementBytes, each * received(lineage, need.axis, places));
  });
  // Of the lengths that a box leaves open the shortest stands for all.
  for (let n = bytes.length - 2; n > 0; n--) bytes[n] = Math.min(bytes[n], bytes[n + 1]);
  return { ...behind, elementBytes: bytes };
}

/**
 * Elements made that depend on any set of elements read that somebody needs, at least, for each of these. Along an axis
 * where dependencies move on by `c` places at most from one place to the next, any `q` places on which `r` places
 * depend are depended on by at least `min(q / c, r)` of these: all `r`, or there is a place of its own for every
 * `c` of them. And `r` places depend on `c * (r - 1) + k` at most, `k` of them each.
 *
 * @param cut axis of what is made of which a part is needed, or none, @param places of that part at least
 */
function received({ read, made, order, axes }: Lineage, cut: number, places: number): number {
  if (order !== undefined) return 1;
  let ratio = 1;
  const others = new Set(read.factors.keys());
  axes.forEach((own, axis) => {
    const needed = axis === cut ? places : made.factors[axis];
    if (own === undefined) ratio *= needed;
    else if (own.axis !== WHOLE_AXIS) {
      others.delete(own.axis);
      const cone = axis === cut ? own.stride * (places - 1) + own.reach : read.factors[own.axis];
      ratio *= Math.min(1 / own.stride, needed / cone);
    }
  });
  for (const axis of others) ratio /= read.factors[axis];
  return ratio;
}
