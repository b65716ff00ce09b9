/** What would become of a plan if the cluster were another: changes of devices and links, and sweeps. */
import type { Cluster, Device, Link } from '../cluster/cluster';
import type { Control, Stopped } from '../graph/control';
import { InputError } from '../graph/problem';
import { NONE, type Bytes, type DeviceId, type Nanoseconds, type Seconds } from '../graph/units';
import { devicesAlong, geneOfParts, ownRange, wholeGene, type Gene } from '../latency/gene';
import type { PartitionProblem, PartitionProgress, PartitionResult, Seed } from './geneflow/problem';
import { searchPartition, type MakePool } from './geneflow/searchPartition';

/** One change of a cluster; devices by name. */
export type ClusterChange =
  | { readonly kind: 'device'; readonly name: string; readonly change: Partial<Omit<Device, 'name'>> }
  | {
      readonly kind: 'link';
      readonly from: string;
      readonly to: string;
      readonly bandwidth?: number;
      readonly latency?: Seconds;
    }
  | { readonly kind: 'network'; readonly bandwidth?: number; readonly latency?: Seconds }
  | { readonly kind: 'drop'; readonly name: string }
  | { readonly kind: 'add'; readonly device: Device };

/** @throws InputError where it names a device that is not there, or one that must stay */
export function changeCluster(cluster: Cluster, change: ClusterChange): Cluster {
  const { devices, network } = cluster;
  switch (change.kind) {
    case 'device': {
      const id = deviceNamed(cluster, change.name);
      return {
        ...cluster,
        devices: devices.map((device, at) => (at === id ? { ...device, ...change.change } : device)),
      };
    }
    case 'link': {
      const from = deviceNamed(cluster, change.from);
      const to = deviceNamed(cluster, change.to);
      const isSame = (link: Link): boolean => link.from === from && link.to === to;
      const before = network.links.find(isSame);
      const bandwidth = change.bandwidth ?? before?.bandwidth;
      const link = { from, to, bandwidth, latency: change.latency ?? before?.latency };
      return {
        ...cluster,
        network: { ...network, links: [...network.links.filter((other) => !isSame(other)), link] },
      };
    }
    case 'network': {
      const { bandwidth = network.bandwidth, latency = network.latency } = change;
      return { ...cluster, network: { ...network, bandwidth, latency } };
    }
    case 'add':
      if (devices.some(({ name }) => name === change.device.name)) {
        throw new InputError(`The cluster has a device "${change.device.name}" already.`);
      }
      return { ...cluster, devices: [...devices, change.device] };
    case 'drop':
      return withoutDevice(cluster, deviceNamed(cluster, change.name));
  }
}

function deviceNamed({ devices }: Cluster, name: string): DeviceId {
  const id = devices.findIndex((device) => device.name === name);
  if (id === NONE) throw new InputError(`The cluster has no device "${name}".`);
  return id;
}

/** The source and the sink cannot go: the input comes from the one, the output must reach the other. */
function withoutDevice(cluster: Cluster, dropped: DeviceId): Cluster {
  const { devices, network, source, sink } = cluster;
  if (dropped === source || dropped === sink) {
    const role = dropped === source ? 'source of the inputs' : 'sink of the outputs';
    throw new InputError(`"${devices[dropped].name}" is the ${role}: choose another one before dropping it.`);
  }
  const renumbered = (id: DeviceId): DeviceId => (id > dropped ? id - 1 : id);
  const links = network.links
    .filter(({ from, to }) => from !== dropped && to !== dropped)
    .map((link) => ({ ...link, from: renumbered(link.from), to: renumbered(link.to) }));
  return {
    ...cluster,
    devices: devices.filter((_, id) => id !== dropped),
    network: { ...network, links },
    source: renumbered(source),
    sink: renumbered(sink),
  };
}

/**
 * A plan of one cluster as a plan of another, device by name: a part whose device is gone falls to its neighbour
 * along the axis, whole operators of such a device go to the fastest.
 */
export function carryOver(
  genes: readonly (Gene | undefined)[],
  from: Cluster,
  to: Cluster,
): (Gene | undefined)[] {
  const target = from.devices.map(({ name }) => to.devices.findIndex((device) => device.name === name));
  const fastest = to.devices.reduce(
    (best, { compute }, id) => (compute > to.devices[best].compute ? id : best),
    0,
  );
  return genes.map((gene) => gene && carriedGene(gene, target, to.devices.length, fastest));
}

function carriedGene(gene: Gene, target: readonly DeviceId[], devices: number, fastest: DeviceId): Gene {
  const kept = devicesAlong(gene).filter((device) => target[device] !== NONE);
  if (kept.length === 0) return wholeGene(fastest, devices);
  if (gene.split === NONE) return wholeGene(target[kept[0]], devices);
  // What lies between two kept parts belongs to the first of them, what lies before all to the first of all.
  const starts = [
    0,
    ...kept.slice(1).map((device) => ownRange(gene, device)[0]),
    gene.cuts[gene.cuts.length - 1],
  ];
  const parts = kept.map((device, at) => ({ device: target[device], length: starts[at + 1] - starts[at] }));
  const reduceOn =
    gene.reduceOn === NONE ? NONE : target[gene.reduceOn] === NONE ? target[kept[0]] : target[gene.reduceOn];
  return geneOfParts({ split: gene.split, reduceOn }, parts, devices);
}

/** Searches again on another cluster, starting from the plan at hand. */
export function searchFrom(
  problem: PartitionProblem,
  plan: readonly (Gene | undefined)[],
  cluster: Cluster,
  control: Control<PartitionProgress>,
  makePool?: MakePool,
): Promise<PartitionResult> {
  const seeds: Seed[] = [
    ...(problem.seeds ?? []),
    { name: 'plan at hand', genes: carryOver(plan, problem.cluster, cluster) },
  ];
  return searchPartition({ ...problem, cluster, seeds }, control, makePool);
}

export interface SweepPoint {
  /** Bandwidth in B/s, or the factor on every device's memory. */
  readonly value: number;
  readonly valid: boolean;
  readonly latencyNs: Nanoseconds;
  /** Of the best single device with enough memory; `undefined` where there is none. */
  readonly singleDeviceNs: Nanoseconds | undefined;
  readonly totalMemory: Bytes;
}

export interface Sweep {
  /** Ascending; fewer than the values where it was cancelled. */
  readonly points: readonly SweepPoint[];
  /**
   * The least value tried from which on the plan takes less than the best single device, by `LEAST_GAIN` of it, at every
   * larger one too.
   */
  readonly splittingPaysFrom: number | undefined;
  /** Why some search ended early, and may have missed a better plan. */
  readonly stopped?: Stopped;
}

/** Of the best single device's latency: who saves less does not notice. */
export const LEAST_GAIN = 0.01;

/** The cluster at one value of what is swept. */
export type SweptCluster = (cluster: Cluster, value: number) => Cluster;

/** Every link at this bandwidth (overrides keep their ratio to the network's). */
export const atBandwidth: SweptCluster = (cluster, bandwidth) => {
  const ratio = bandwidth / cluster.network.bandwidth;
  const scaled = (own: number | undefined): number | undefined =>
    own === undefined ? undefined : own * ratio;
  const links = cluster.network.links.map((link) => ({ ...link, bandwidth: scaled(link.bandwidth) }));
  return { ...cluster, network: { ...cluster.network, bandwidth, links } };
};

/** Every device with this factor of its memory. */
export const atMemory: SweptCluster = (cluster, factor) => ({
  ...cluster,
  devices: cluster.devices.map((device) => ({ ...device, memory: Math.floor(device.memory * factor) })),
});

const SINGLE_DEVICE = /^single /;

/**
 * Searches at every value, ascending and then descending, each time from the plans found so far: a plan that is
 * good at one value is a start at the next. A cancel keeps the points that are done. A time limit is shared by all
 * searches, each having its part of what is left.
 */
export async function sweep(
  problem: PartitionProblem,
  swept: SweptCluster,
  values: readonly number[],
  control: Control<PartitionProgress>,
  makePool?: MakePool,
): Promise<Sweep> {
  const end = control.now() + (problem.options.timeLimit ?? Infinity);
  const ascending = [...values].sort((a, b) => a - b);
  const searches = [...ascending, ...ascending.slice(0, -1).reverse()];
  const found = new Map<number, PartitionResult>();
  let stopped: Stopped | undefined;
  for (const [at, value] of searches.entries()) {
    const seeds = [...found].map(([other, { genes }]) => ({ name: `plan at ${other}`, genes }));
    const timeLimit = Math.max(0, end - control.now()) / (searches.length - at);
    const result = await searchPartition(
      {
        ...problem,
        cluster: swept(problem.cluster, value),
        seeds: [...(problem.seeds ?? []), ...seeds],
        options: { ...problem.options, timeLimit },
      },
      control,
      makePool,
    );
    stopped ??= result.stopped;
    // It may not know its seeds' worth, nor be as good as what was found at this value before.
    if (result.stopped === 'cancel') break;
    const before = found.get(value);
    if (before === undefined || isFaster(result, before)) found.set(value, result);
  }
  const points = ascending
    .filter((value) => found.has(value))
    .map((value) => sweepPoint(value, found.get(value)!, swept(problem.cluster, value)));
  return {
    points,
    splittingPaysFrom: splittingPaysFrom(points),
    ...(stopped === undefined ? {} : { stopped }),
  };
}

function isFaster(a: PartitionResult, b: PartitionResult): boolean {
  return a.valid === b.valid ? a.timeline.latencyNs < b.timeline.latencyNs : a.valid;
}

function sweepPoint(
  value: number,
  { valid, timeline, seeds }: PartitionResult,
  cluster: Cluster,
): SweepPoint {
  const singles = seeds
    .filter((seed) => seed.valid && SINGLE_DEVICE.test(seed.name))
    .map(({ latencyNs }) => latencyNs);
  return {
    value,
    valid,
    latencyNs: timeline.latencyNs,
    singleDeviceNs: singles.length === 0 ? undefined : Math.min(...singles),
    totalMemory: cluster.devices.reduce((sum, { memory }) => sum + memory, 0),
  };
}

function splittingPaysFrom(points: readonly SweepPoint[]): number | undefined {
  let from: number | undefined;
  for (const { value, valid, latencyNs, singleDeviceNs } of [...points].reverse()) {
    const pays = valid && (singleDeviceNs === undefined || latencyNs <= (1 - LEAST_GAIN) * singleDeviceNs);
    if (!pays) break;
    from = value;
  }
  return from;
}
