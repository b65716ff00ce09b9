import type { DeviceId } from '../graph/units';
import type { Partition, Shard, Split } from '../partition/partition';
import { NONE } from '../graph/units';

/**
 * The partition decision of one operator in the form that the search changes: device `d` takes
 * `[cuts[d], cuts[d + 1])` of the axis, devices in the cluster file's order. A whole operator is cut along an
 * axis of length 1 whose one position belongs to its device.
 */
export interface Gene {
  /** Position in `PartitionRules.splits(operator)`, or `NONE` for the whole operator on one device. */
  readonly split: number;
  /** Ascending, one more than there are devices, from 0 to the split's length. */
  readonly cuts: readonly number[];
  /** The device that adds partial sums; `NONE` unless the split is a `K`. */
  readonly reduceOn: DeviceId;
  /**
   * `[before0, after0, before1, after1, ...]`: how far beyond its own part each device computes as well, instead
   * of receiving it (fused tiles recompute halos). Clipped to the axis; absent where nobody does.
   */
  readonly halos?: readonly number[];
}

/** What a device computes of the axis: its own part and its halos. */
export function computedRange(
  { cuts, halos }: Gene,
  device: DeviceId,
): readonly [start: number, end: number] {
  const start = cuts[device];
  const end = cuts[device + 1];
  if (halos === undefined || start === end) return [start, end];
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
    isSameList(a.cuts, b.cuts) &&
    (a.halos === b.halos || (a.halos !== undefined && b.halos !== undefined && isSameList(a.halos, b.halos)))
  );
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Equal for equal genes; a small integer. */
export function geneHash({ split, cuts, reduceOn, halos }: Gene): number {
  let hash = Math.imul(split + 2, 31) + reduceOn;
  for (let i = 0; i < cuts.length; i++) hash = Math.imul(hash, 0x01000193) ^ cuts[i];
  if (halos !== undefined)
    for (let i = 0; i < halos.length; i++) hash = Math.imul(hash, 0x01000193) ^ (halos[i] + 7);
  return hash & 0x3fffffff;
}

/** Devices with a part, ascending. */
export function geneDevices({ cuts }: Gene): DeviceId[] {
  const devices: DeviceId[] = [];
  for (let d = 0; d + 1 < cuts.length; d++) if (cuts[d] < cuts[d + 1]) devices.push(d);
  return devices;
}

/** One device with everything is the whole operator there, without a split. */
export function normalizeGene(gene: Gene, splits: readonly Split[]): Gene {
  if (gene.split === NONE) return gene;
  const { cuts } = gene;
  let count = 0;
  let first = NONE;
  for (let d = 0; d + 1 < cuts.length; d++) {
    if (cuts[d] === cuts[d + 1]) continue;
    if (count++ === 0) first = d;
  }
  if (count === 1) return wholeGene(first, cuts.length - 1);
  const isReduced = splits[gene.split].dimension === 'K';
  const clipped = gene.halos === undefined ? gene : withClippedHalos(gene, isReduced);
  if (!isReduced && gene.reduceOn !== NONE) return { ...clipped, reduceOn: NONE };
  if (isReduced && gene.reduceOn === NONE) return { ...clipped, reduceOn: first };
  return clipped;
}

/** Without halos where they add nothing. */
function withClippedHalos(gene: Gene, isReduced: boolean): Gene {
  const { split, cuts, reduceOn } = gene;
  const halos = gene.halos!.map((_, side) => {
    const [start, end] = computedRange(gene, side >> 1);
    return side % 2 === 0 ? cuts[side >> 1] - start : end - cuts[(side >> 1) + 1];
  });
  return isReduced || halos.every((halo) => halo === 0)
    ? { split, cuts, reduceOn }
    : { split, cuts, reduceOn, halos };
}

export function genePartition(gene: Gene, splits: readonly Split[]): Partition {
  const shards: Shard[] = geneDevices(gene).map((device) => ({
    device,
    start: gene.cuts[device],
    end: gene.cuts[device + 1],
    ...computedBeyond(gene, device),
  }));
  if (gene.split === NONE) return { dimension: 'none', axis: NONE, shards };
  const { dimension, axis } = splits[gene.split];
  return dimension === 'K'
    ? { dimension, axis, shards, reduceOn: gene.reduceOn }
    : { dimension, axis, shards };
}

function computedBeyond(gene: Gene, device: DeviceId): { computeStart?: number; computeEnd?: number } {
  const [computeStart, computeEnd] = computedRange(gene, device);
  const isWider = computeStart < gene.cuts[device] || computeEnd > gene.cuts[device + 1];
  return isWider ? { computeStart, computeEnd } : {};
}

/**
 * The gene of a partition whose shards lie in device order, `undefined` where they do not or follow a split that
 * the operator does not have.
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
  const cuts = [0];
  const halos: number[] = [];
  const byDevice = new Map(shards.map((shard) => [shard.device, shard]));
  for (let device = 0; device < devices; device++) {
    const { start, end, computeStart, computeEnd } = byDevice.get(device) ?? emptyShard(device, cuts[device]);
    if (start !== cuts[device]) return undefined;
    halos.push(start - (computeStart ?? start), (computeEnd ?? end) - end);
    cuts.push(end);
  }
  if (cuts[devices] !== splits[split].length) return undefined;
  return normalizeGene({ split, cuts, reduceOn: reduceOn ?? NONE, halos }, splits);
}

function emptyShard(device: DeviceId, at: number): Shard {
  return { device, start: at, end: at };
}
