import type { DeviceId } from '../graph/units';
import type { Partition, Shard, Split } from '../partition/partition';
import { NONE } from '../graph/units';

/**
 * The partition decision of one operator in the form that the search changes: the axis is cut into as many parts as
 * there are devices, and part `p` is `[cuts[p], cuts[p + 1])`, empty where its device does not take part. A whole
 * operator is cut along an axis of length 1 whose one position belongs to its device.
 */
export interface Gene {
  /** Position in `PartitionRules.splits(operator)`, or `NONE` for the whole operator on one device. */
  readonly split: number;
  /** Ascending, one more than there are devices, from 0 to the split's length. */
  readonly cuts: readonly number[];
  /** The device that adds partial sums; `NONE` unless the split is a `K`. */
  readonly reduceOn: DeviceId;
  /**
   * `[before0, after0, before1, after1, ...]` by device: how far beyond its own part, towards the start and the end
   * of the axis, each device computes as well, instead of receiving it (fused tiles recompute halos). Clipped to the
   * axis; absent where nobody does.
   */
  readonly halos?: readonly number[];
  /** The device of each part along the axis, each device once; absent: the cluster file's order, part `d` for device `d`. */
  readonly order?: readonly DeviceId[];
}

/** The device of a part. */
export function deviceAt({ order }: Gene, part: number): DeviceId {
  return order === undefined ? part : order[part];
}

/** The part of a device, empty or not. */
export function partOf({ order }: Gene, device: DeviceId): number {
  return order === undefined ? device : order.indexOf(device);
}

/** What a device owns of the axis. */
export function ownRange(gene: Gene, device: DeviceId): readonly [start: number, end: number] {
  const part = partOf(gene, device);
  return [gene.cuts[part], gene.cuts[part + 1]];
}

/** What a device computes of the axis: its own part and its halos. */
export function computedRange(gene: Gene, device: DeviceId): readonly [start: number, end: number] {
  const { cuts, halos } = gene;
  const own = ownRange(gene, device);
  const [start, end] = own;
  if (halos === undefined || start === end) return own;
  return [
    Math.max(0, start - halos[2 * device]),
    Math.min(cuts[cuts.length - 1], end + halos[2 * device + 1]),
  ];
}

export function wholeGene(device: DeviceId, devices: number): Gene {
  const cuts = Array.from({ length: devices + 1 }, (_, position) => (position > device ? 1 : 0));
  return { split: NONE, cuts, reduceOn: NONE };
}

export function isSameGene(a: Gene, b: Gene): boolean {
  if (a === b) return true;
  return (
    a.split === b.split &&
    a.reduceOn === b.reduceOn &&
    isCutAlike(a, b) &&
    (a.halos === b.halos || isSameOptional(a.halos, b.halos))
  );
}

/** The same devices in the same order from the same cuts on, whatever the axis. */
export function isCutAlike(a: Gene, b: Gene): boolean {
  return isSameList(a.cuts, b.cuts) && (a.order === b.order || isSameOptional(a.order, b.order));
}

function isSameOptional(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a !== undefined && b !== undefined && isSameList(a, b);
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Equal for equal genes; a small integer. */
export function geneHash({ split, cuts, reduceOn, halos, order }: Gene): number {
  let hash = Math.imul(split + 2, 31) + reduceOn;
  for (let i = 0; i < cuts.length; i++) hash = Math.imul(hash, 0x01000193) ^ cuts[i];
  if (halos !== undefined)
    for (let i = 0; i < halos.length; i++) hash = Math.imul(hash, 0x01000193) ^ (halos[i] + 7);
  if (order !== undefined)
    for (let i = 0; i < order.length; i++) hash = Math.imul(hash, 0x01000193) ^ (order[i] + 3);
  return hash & 0x3fffffff;
}

/** Where the same shares of another axis are cut, in whole units. */
export function cutsAlong(
  cuts: readonly number[],
  from: Pick<Split, 'length'>,
  to: Pick<Split, 'length' | 'unit'>,
): number[] {
  return cuts.map((cut) => Math.round((cut * to.length) / from.length / to.unit) * to.unit);
}

/** Devices with a part, ascending. */
export function geneDevices(gene: Gene): DeviceId[] {
  const devices = devicesAlong(gene);
  return gene.order === undefined ? devices : devices.sort((a, b) => a - b);
}

/** Devices with a part, along the axis. */
export function devicesAlong(gene: Gene): DeviceId[] {
  const { cuts } = gene;
  const devices: DeviceId[] = [];
  for (let part = 0; part + 1 < cuts.length; part++)
    if (cuts[part] < cuts[part + 1]) devices.push(deviceAt(gene, part));
  return devices;
}

/**
 * The one form of all genes that mean the same. One device with everything is the whole operator there, without a
 * split; halos that add nothing and an order that only moves devices without a part are left out.
 */
export function normalizeGene(gene: Gene, splits: readonly Split[]): Gene {
  if (gene.split === NONE) return gene;
  const { cuts } = gene;
  const last = cuts.length - 1;
  let first = 0;
  while (cuts[first + 1] === 0) first++;
  if (cuts[first + 1] === cuts[last]) return wholeGene(deviceAt(gene, first), last);
  const isReduced = splits[gene.split].dimension === 'K';
  const ordered = gene.order === undefined ? gene : withDevicesAlong(gene, devicesAlong(gene));
  const clipped = gene.halos === undefined ? ordered : withClippedHalos(ordered, isReduced);
  if (!isReduced && gene.reduceOn !== NONE) return { ...clipped, reduceOn: NONE };
  if (isReduced && gene.reduceOn === NONE) return { ...clipped, reduceOn: deviceAt(gene, first) };
  return clipped;
}

/**
 * The gene of these parts, none of them empty, one behind the other along the axis. Devices without a part stand each
 * behind the device with the number before it, device 0 in front: so where those that have one follow each other as in
 * the cluster file, all do, and the order is left out.
 */
export function geneOfParts(
  { split, reduceOn, halos }: Omit<Gene, 'cuts' | 'order'>,
  parts: readonly { readonly device: DeviceId; readonly length: number }[],
  devices: number,
): Gene {
  const lengths = new Array<number>(devices).fill(0);
  for (const { device, length } of parts) lengths[device] = length;
  const order = parts.map(({ device }) => device);
  for (let device = 0; device < devices; device++)
    if (lengths[device] === 0) order.splice(order.indexOf(device - 1) + 1, 0, device);
  const cuts = [0];
  for (const device of order) cuts.push(cuts[cuts.length - 1] + lengths[device]);
  const isPlain = order.every((device, part) => device === part);
  return {
    split,
    cuts,
    reduceOn,
    ...(halos === undefined ? {} : { halos }),
    ...(isPlain ? {} : { order }),
  };
}

/** Without halos where they add nothing. */
function withClippedHalos(gene: Gene, isReduced: boolean): Gene {
  const { split, cuts, reduceOn, halos, order } = gene;
  const last = cuts.length - 1;
  const clipped = new Array<number>(2 * last);
  let most = 0;
  for (let part = 0; part < last; part++) {
    const device = deviceAt(gene, part);
    const isIdle = isReduced || cuts[part] === cuts[part + 1];
    const before = isIdle ? 0 : Math.min(cuts[part], halos![2 * device]);
    const after = isIdle ? 0 : Math.min(cuts[last] - cuts[part + 1], halos![2 * device + 1]);
    clipped[2 * device] = before;
    clipped[2 * device + 1] = after;
    most = Math.max(most, before, after);
  }
  if (most === 0) return order === undefined ? { split, cuts, reduceOn } : { split, cuts, reduceOn, order };
  return order === undefined
    ? { split, cuts, reduceOn, halos: clipped }
    : { split, cuts, reduceOn, halos: clipped, order };
}

/** Its shards lie in the partition as along the axis. */
export function genePartition(gene: Gene, splits: readonly Split[]): Partition {
  const shards = devicesAlong(gene).map((device): Shard => {
    const [start, end] = ownRange(gene, device);
    const [computeStart, computeEnd] = computedRange(gene, device);
    const isWider = computeStart < start || computeEnd > end;
    return { device, start, end, ...(isWider ? { computeStart, computeEnd } : {}) };
  });
  if (gene.split === NONE) return { dimension: 'none', axis: NONE, shards };
  const { dimension, axis } = splits[gene.split];
  return dimension === 'K'
    ? { dimension, axis, shards, reduceOn: gene.reduceOn }
    : { dimension, axis, shards };
}

/**
 * The gene of a partition, `undefined` where its shards do not cover the axis once, a device has two of them, or they
 * follow a split that the operator does not have.
 */
export function partitionGene(
  partition: Partition,
  splits: readonly Split[],
  devices: number,
): Gene | undefined {
  const { dimension, axis, shards, reduceOn } = partition;
  if (dimension === 'none') return shards.length === 1 ? wholeGene(shards[0].device, devices) : undefined;
  const split = splits.findIndex((candidate) => candidate.dimension === dimension && candidate.axis === axis);
  if (split === NONE) return undefined;
  const halos = new Array<number>(2 * devices).fill(0);
  const parts = new Map<DeviceId, { readonly device: DeviceId; readonly length: number }>();
  let covered = 0;
  for (const shard of [...shards].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const { device, start, end, computeStart = start, computeEnd = end } = shard;
    if (start === end) continue;
    if (start !== covered || parts.has(device)) return undefined;
    halos[2 * device] = start - computeStart;
    halos[2 * device + 1] = computeEnd - end;
    parts.set(device, { device, length: end - start });
    covered = end;
  }
  if (covered !== splits[split].length) return undefined;
  const gene = { split, reduceOn: reduceOn ?? NONE, halos };
  return normalizeGene(geneOfParts(gene, [...parts.values()], devices), splits);
}

/**
 * The gene with its devices in other orders that are worth trying: all moved on by one place along the axis, either
 * way, and two that follow each other exchanged. Every device keeps the length of its part. Genes that mean the same
 * come once, the gene itself not at all; those with halos keep them by device and side.
 */
export function reorderedGenes(gene: Gene): Gene[] {
  const along = devicesAlong(gene);
  const { length } = along;
  if (length < 2) return [];
  const orders = [rotated(along, 1)];
  if (length > 2) {
    orders.push(rotated(along, length - 1));
    for (let place = 0; place + 1 < length; place++) orders.push(swapped(along, place));
  }
  return orders.map((order) => withDevicesAlong(gene, order));
}

/** The last `by` devices move to the front. */
export function rotated(devices: readonly DeviceId[], by: number): DeviceId[] {
  return [...devices.slice(devices.length - by), ...devices.slice(0, devices.length - by)];
}

/** Those at `place` and behind it change places. */
export function swapped(devices: readonly DeviceId[], place: number): DeviceId[] {
  const changed = [...devices];
  [changed[place], changed[place + 1]] = [devices[place + 1], devices[place]];
  return changed;
}

/** @param along the devices with a part, in the order wanted; each keeps the length of its part and its halos */
export function withDevicesAlong(gene: Gene, along: readonly DeviceId[]): Gene {
  const parts = along.map((device) => {
    const [start, end] = ownRange(gene, device);
    return { device, length: end - start };
  });
  return geneOfParts(gene, parts, gene.cuts.length - 1);
}
