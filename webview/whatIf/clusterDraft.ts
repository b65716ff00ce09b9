import type { ViewPlan } from '../../src/protocol/webview';

type PlanCluster = ViewPlan['plan']['cluster'];
type PlanDevice = PlanCluster['devices'][number];

/** A cluster as a form holds it: quantities as texts, devices that can be switched off, none of it checked. */
export interface ClusterDraft {
  readonly origin: PlanCluster;
  readonly devices: DraftDevice[];
  bandwidth: string;
  latency: string;
  readonly links: DraftLink[];
}

export interface DraftDevice {
  name: string;
  isOn: boolean;
  memory: string;
  compute: string;
  /** The device of the plan that it was; `null`: added. */
  readonly origin: PlanDevice | null;
}

export interface DraftLink {
  from: string;
  to: string;
  /** Empty: as the network's. */
  bandwidth: string;
  latency: string;
  readonly origin: PlanCluster['network']['links'][number] | null;
}

const UNITS = {
  bytes: [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
    ['B', 1],
  ],
  compute: [
    ['TFLOP/s', 1e12],
    ['GFLOP/s', 1e9],
    ['MFLOP/s', 1e6],
    ['FLOP/s', 1],
  ],
  bandwidth: [
    ['Gbit/s', 1e9 / 8],
    ['Mbit/s', 1e6 / 8],
    ['kbit/s', 1e3 / 8],
    ['bit/s', 1 / 8],
  ],
  time: [
    ['s', 1],
    ['ms', 1e-3],
    ['us', 1e-6],
    ['ns', 1e-9],
  ],
} as const;

/** A quantity as a cluster file writes it: `2 GiB`, `12 GFLOP/s`, `100 Mbit/s`, `0.2 ms`. */
export function quantityText(value: number, kind: keyof typeof UNITS): string {
  const units = UNITS[kind];
  const [name, size] = units.find(([, size]) => value >= size) ?? units[units.length - 1];
  return `${Number((value / size).toPrecision(6))} ${name}`;
}

export function draftOf(origin: PlanCluster): ClusterDraft {
  return {
    origin,
    devices: origin.devices.map((device) => ({
      name: device.name,
      isOn: true,
      memory: quantityText(device.memory, 'bytes'),
      compute: quantityText(device.compute, 'compute'),
      origin: device,
    })),
    bandwidth: quantityText(origin.network.bandwidth, 'bandwidth'),
    latency: quantityText(origin.network.latency, 'time'),
    links: origin.network.links.map((link) => ({
      ...{ from: link.from, to: link.to, origin: link },
      bandwidth: link.bandwidth === undefined ? '' : quantityText(link.bandwidth, 'bandwidth'),
      latency: link.latency === undefined ? '' : quantityText(link.latency, 'time'),
    })),
  };
}

/** One device more, as the plan's last one, under a name that is free. */
export function addDevice({ devices, origin }: ClusterDraft): void {
  const like = origin.devices[origin.devices.length - 1];
  let number = devices.length + 1;
  while (devices.some(({ name }) => name === `device ${number}`)) number++;
  devices.push({
    ...{ name: `device ${number}`, isOn: true, origin: null },
    memory: quantityText(like.memory, 'bytes'),
    compute: quantityText(like.compute, 'compute'),
  });
}

/** The source of the inputs and the sink of the outputs cannot be switched off. */
export function roleOf({ origin }: ClusterDraft, name: string): 'source' | 'sink' | 'source and sink' | null {
  const isSource = origin.source === name;
  const isSink = origin.sink === name;
  return isSource && isSink ? 'source and sink' : isSource ? 'source' : isSink ? 'sink' : null;
}

/** The cluster as a cluster file would have it. What nobody touched keeps its exact number. */
export function clusterOfDraft(draft: ClusterDraft): object {
  const { origin, devices, links } = draft;
  const last = origin.devices[origin.devices.length - 1];
  const on = devices.filter(({ isOn }) => isOn);
  const names = new Set(on.map(({ name }) => name));
  return {
    ...origin,
    devices: on.map(({ name, memory, compute, origin: before }) => ({
      ...(before ?? { operatorOverhead: last.operatorOverhead }),
      name,
      memory: unlessSame(memory, before?.memory, 'bytes'),
      compute: unlessSame(compute, before?.compute, 'compute'),
    })),
    network: {
      kind: origin.network.kind,
      bandwidth: unlessSame(draft.bandwidth, origin.network.bandwidth, 'bandwidth'),
      latency: unlessSame(draft.latency, origin.network.latency, 'time'),
      links: links
        .filter(({ from, to }) => names.has(from) && names.has(to))
        .map(({ from, to, bandwidth, latency, origin: before }) => ({
          ...{ from, to },
          ...(bandwidth === '' ? {} : { bandwidth: unlessSame(bandwidth, before?.bandwidth, 'bandwidth') }),
          ...(latency === '' ? {} : { latency: unlessSame(latency, before?.latency, 'time') }),
        })),
    },
  };
}

function unlessSame(text: string, before: number | undefined, kind: keyof typeof UNITS): string | number {
  return before !== undefined && text === quantityText(before, kind) ? before : text;
}

/** 1 and 3 times powers of ten of bits a second, from a hundredth of the bandwidth to three times it, in B/s. */
export function bandwidthsAround(bandwidth: number): number[] {
  const values: number[] = [];
  const least = Math.floor(Math.log10((bandwidth * 8) / 100));
  for (let power = least; power <= least + 4; power++) {
    for (const first of [1, 3]) {
      const value = (first * 10 ** power) / 8;
      if (value >= bandwidth / 101 && value <= bandwidth * 3.1) values.push(value);
    }
  }
  return values;
}

/** Factors on every memory that a sweep tries. */
export const MEMORY_FACTORS: readonly number[] = [0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.5];
