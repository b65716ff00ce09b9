/**
 * What an operator costs, needs, makes and keeps when all that is known of a partition is *how much* of the axis
 * each device computes: least times, needs and weights, largest holdings, over every place along the axis, every
 * order of the devices and every recomputed halo that a plan may choose. Tables by length, made once.
 */
import { boxesBytes } from '../../partition/boxBytes';
import { NONE, type DeviceId, type OperatorId, type TensorId } from '../../graph/units';
import type { Box, Split } from '../../partition/partition';
import type { Region } from '../../partition/regions';
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
  readonly axis: number;
}

export interface MakeTable {
  /** Elements made at most for a length. */
  readonly most: Float64Array;
  readonly axis: number;
}

/** One way to run an operator: whole on one device, or one of its splits (a `K` split with its `reduceOn`). */
export interface Option {
  /** Position in `PartitionRules.splits`, or `NONE`. */
  readonly split: number;
  /** The device of a whole operator or of a reduction, else `NONE`. */
  readonly device: DeviceId;
  readonly isReduced: boolean;
  /** Units of the axis; lengths count in them. */
  readonly length: number;
  /** `computeNs[device][length]`, rising; 0 for length 0. */
  readonly computeNs: readonly Float64Array[];
  /** Per storage in `OperatorFlow.reads`. */
  readonly needs: readonly NeedTable[];
  /** Per storage in `OperatorFlow.makes`; of a reduced split the whole. */
  readonly makes: readonly MakeTable[];
  /** Weight bytes that no other operator uses, at least, by length. */
  readonly weightBytes: Float64Array;
}

/** Positions from either end at which a window may still be clipped by padding. */
const CLIPPED_POSITIONS = 16;
/** Axes up to this length are scanned at every position. */
const SCANNED_LENGTH = 128;

export function operatorOptions(scene: BoundScene, operator: OperatorId): Option[] {
  const { cluster, rules } = scene;
  const options = cluster.devices.map((_, device) => wholeOption(scene, operator, device));
  if (cluster.devices.length === 1) return options;
  rules.splits(operator).forEach((split, position) => {
    const table = splitOption(scene, operator, split, position);
    if (!table.isReduced) options.push(table);
    else cluster.devices.forEach((_, device) => options.push({ ...table, device }));
  });
  return options;
}

function wholeOption(scene: BoundScene, operator: OperatorId, device: DeviceId): Option {
  const { graph, rules, flow } = scene;
  const work = rules.work(operator, undefined, 0, 1);
  const { inputs, outputs, type } = graph.operators[operator];
  const bytes = boxesBytes(scene.graph, inputs, work.inputs) + boxesBytes(scene.graph, outputs, work.outputs);
  const whole = (storage: number): Float64Array => Float64Array.of(0, scene.space(storage).size);
  return {
    split: NONE,
    device,
    isReduced: false,
    length: 1,
    computeNs: scene.cluster.devices.map((_, d) =>
      Float64Array.of(0, scene.costs.computeNs(d, type, work.flops, bytes)),
    ),
    needs: flow.operators[operator].reads.map(({ storage }) => {
      const elements = whole(storage);
      return { atEnd: elements, inside: elements, axis: WHOLE_AXIS };
    }),
    makes: flow.operators[operator].makes.map((storage) => ({ most: whole(storage), axis: WHOLE_AXIS })),
    weightBytes: Float64Array.of(0, scene.ownWeightBytes(operator, work.inputs)),
  };
}

/** A tensor's part along the cut axis: `[from[i], to[i])` for unit `i`, times `slab` elements. */
interface Follow {
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly slab: number;
  readonly axis: number;
}

function splitOption(scene: BoundScene, operator: OperatorId, split: Split, position: number): Option {
  const { graph, flow, rules, cluster, costs } = scene;
  const { inputs, outputs, type, flops = 0 } = graph.operators[operator];
  const length = split.length / split.unit;
  const probes = Array.from({ length }, (_, i) =>
    rules.work(operator, split, i * split.unit, (i + 1) * split.unit),
  );
  const follow = (tensor: TensorId, boxes: (Box | undefined)[]): Follow => followTensor(scene, tensor, boxes);
  const read = inputs.map((tensor, i) =>
    tensor === NONE
      ? undefined
      : follow(
          tensor,
          probes.map((p) => p.inputs[i]),
        ),
  );
  const made = outputs.map((tensor, i) =>
    tensor === NONE
      ? undefined
      : follow(
          tensor,
          probes.map((p) => p.outputs[i]),
        ),
  );
  const isReduced = split.dimension === 'K';
  const least = new Float64Array(length + 1);
  [...read, ...made].forEach((part, i) => {
    if (part === undefined) return;
    const tensor = i < inputs.length ? inputs[i] : outputs[i - inputs.length];
    const { atEnd, inside } = needTable(part);
    for (let n = 1; n <= length; n++) least[n] += scene.bytes(tensor, Math.min(atEnd[n], inside[n]));
  });
  const storageOf = (tensor: TensorId): number => graph.tensors[tensor].storage;
  return {
    split: position,
    device: NONE,
    isReduced,
    length,
    computeNs: cluster.devices.map((_, d) =>
      rising(least.map((bytes, n) => (n === 0 ? 0 : costs.computeNs(d, type, (flops * n) / length, bytes)))),
    ),
    needs: flow.operators[operator].reads.map(({ storage }) =>
      largestNeed(read.filter((part, i) => part && storageOf(inputs[i]) === storage) as Follow[], length),
    ),
    makes: flow.operators[operator].makes.map((storage) =>
      isReduced
        ? { most: new Float64Array(length + 1).fill(scene.space(storage).size), axis: WHOLE_AXIS }
        : makeTable(made[outputs.findIndex((tensor) => tensor !== NONE && storageOf(tensor) === storage)]!),
    ),
    weightBytes: weightTable(scene, operator, read, length),
  };
}

function weightTable(
  scene: BoundScene,
  operator: OperatorId,
  read: readonly (Follow | undefined)[],
  length: number,
): Float64Array {
  const { inputs } = scene.graph.operators[operator];
  const bytes = new Float64Array(length + 1);
  new Set(inputs).forEach((tensor) => {
    const part = tensor === NONE ? undefined : read[inputs.indexOf(tensor)];
    if (part === undefined || !scene.isOwnWeight(tensor)) return;
    const { atEnd, inside } = needTable(part);
    for (let n = 1; n <= length; n++) bytes[n] += scene.bytes(tensor, Math.min(atEnd[n], inside[n]));
  });
  return bytes;
}

function followTensor(scene: BoundScene, tensor: TensorId, boxes: readonly (Box | undefined)[]): Follow {
  const n = boxes.length;
  const nothing = { from: new Float64Array(n), to: new Float64Array(n), slab: 0, axis: MIXED_AXIS };
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
    };
  }
  const present = boxes.map((box) => box ?? [...some.slice(0, 2 * axis), 0, 0, ...some.slice(2 * axis + 2)]);
  const from = Float64Array.from(present, (box) => box[2 * axis]);
  const to = Float64Array.from(present, (box) => box[2 * axis + 1]);
  let slab = 1;
  for (let c = 0; c < some.length; c += 2) if (c !== 2 * axis) slab *= some[c + 1] - some[c];
  return {
    from,
    to,
    slab,
    axis: factorOf(scene.regions.region(tensor, some), scene.regions.space(tensor).factors, some, axis),
  };
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

/** Where several inputs are views of one storage, the one that needs most stands for all. */
function largestNeed(parts: readonly Follow[], length: number): NeedTable {
  let largest: NeedTable = {
    atEnd: new Float64Array(length + 1),
    inside: new Float64Array(length + 1),
    axis: MIXED_AXIS,
  };
  for (const part of parts) {
    const { atEnd, inside } = needTable(part);
    if (atEnd[length] > largest.atEnd[length]) largest = { atEnd, inside, axis: part.axis };
  }
  return largest;
}

/** Least elements by length. A shard of the whole length touches both ends. */
function needTable({ from, to, slab }: Follow): { atEnd: Float64Array; inside: Float64Array } {
  const length = from.length;
  const atEnd = new Float64Array(length + 1);
  const inside = new Float64Array(length + 1);
  const isRegular = length <= SCANNED_LENGTH || isWindow(from, to);
  for (let n = 1; n <= length; n++) {
    const span = (s: number): number => Math.max(0, to[s + n - 1] - from[s]);
    const last = length - n;
    let least = Infinity;
    if (isRegular) for (const s of positions(1, last - 1)) least = Math.min(least, span(s));
    else least = 0;
    atEnd[n] = slab * Math.min(span(0), span(last), isRegular ? least : 0);
    inside[n] = slab * (least === Infinity ? Math.min(span(0), span(last)) : least);
  }
  return { atEnd, inside };
}

function makeTable({ from, to, slab, axis }: Follow): MakeTable {
  const length = from.length;
  const most = new Float64Array(length + 1);
  const isRegular = length <= SCANNED_LENGTH || isWindow(from, to);
  for (let n = 1; n <= length; n++) {
    let largest = 0;
    if (isRegular)
      for (const s of positions(0, length - n)) largest = Math.max(largest, to[s + n - 1] - from[s]);
    else largest = Math.max(...to) - Math.min(...from);
    most[n] = slab * largest;
  }
  return { most, axis };
}

function* positions(first: number, last: number): Generator<number> {
  const isShort = last - first < 2 * CLIPPED_POSITIONS || last < SCANNED_LENGTH;
  for (let s = first; s <= (isShort ? last : first + CLIPPED_POSITIONS); s++) yield s;
  if (!isShort) for (let s = last - CLIPPED_POSITIONS; s <= last; s++) yield s;
}

/** A window that moves by the same step everywhere, clipped near the ends only. */
function isWindow(from: Float64Array, to: Float64Array): boolean {
  const step = from[CLIPPED_POSITIONS + 1] - from[CLIPPED_POSITIONS];
  for (let i = CLIPPED_POSITIONS; i + 1 < from.length - CLIPPED_POSITIONS; i++) {
    if (from[i + 1] - from[i] !== step || to[i + 1] - to[i] !== step) return false;
  }
  return true;
}

/** The largest rising table below the given one: more work never takes less time. */
function rising(table: Float64Array): Float64Array {
  for (let n = table.length - 2; n > 0; n--) table[n] = Math.min(table[n], table[n + 1]);
  return table;
}
