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
}

export function wholeGene(device: DeviceId, devices: number): Gene {
  const cuts = Array.from({ length: devices + 1 }, (_, position) => (position > device ? 1 : 0));
  return { split: NONE, cuts, reduceOn: NONE };
}

export function isSameGene(a: Gene, b: Gene): boolean {
  return (
    a === b ||
    (a.split === b.split &&
      a.reduceOn === b.reduceOn &&
      a.cuts.every((cut, position) => cut === b.cuts[position]))
  );
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
  const devices = geneDevices(gene);
  if (devices.length === 1) return wholeGene(devices[0], gene.cuts.length - 1);
  const isReduced = splits[gene.split].dimension === 'K';
  if (!isReduced && gene.reduceOn !== NONE) return { ...gene, reduceOn: NONE };
  if (isReduced && gene.reduceOn === NONE) return { ...gene, reduceOn: devices[0] };
  return gene;
}

export function genePartition(gene: Gene, splits: readonly Split[]): Partition {
  const shards: Shard[] = geneDevices(gene).map((device) => ({
    device,
    start: gene.cuts[device],
    end: gene.cuts[device + 1],
  }));
  if (gene.split === NONE) return { dimension: 'none', axis: NONE, shards };
  const { dimension, axis } = splits[gene.split];
  return dimension === 'K'
    ? { dimension, axis, shards, reduceOn: gene.reduceOn }
    : { dimension, axis, shards };
}

/**
 * The gene of a partition whose shards lie in device order, `undefined` where they do not, recompute halos, or
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
  const cuts = [0];
  const byDevice = new Map(shards.map((shard) => [shard.device, shard]));
  for (let device = 0; device < devices; device++) {
    const { start, end, computeStart, computeEnd } = byDevice.get(device) ?? {
      start: cuts[device],
      end: cuts[device],
    };
    if (start !== cuts[device] || (computeStart ?? start) !== start || (computeEnd ?? end) !== end)
      return undefined;
    cuts.push(end);
  }
  if (cuts[devices] !== splits[split].length) return undefined;
  return normalizeGene({ split, cuts, reduceOn: reduceOn ?? NONE }, splits);
}
