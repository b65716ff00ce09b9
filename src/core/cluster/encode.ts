import type { Bytes, Seconds } from '../graph/units';
import type { Cluster } from './cluster';

/** A cluster as a plan keeps it: the fields of a cluster file, every quantity a number in its base unit. */
export interface EncodedCluster {
  readonly name: string;
  readonly devices: readonly {
    readonly name: string;
    readonly memory: Bytes;
    readonly baseMemory: Bytes;
    readonly compute: number;
    readonly memoryBandwidth?: number;
    readonly operatorOverhead: Seconds;
    readonly efficiency?: Readonly<Record<string, number>>;
  }[];
  readonly network: {
    readonly kind: 'switched' | 'shared';
    readonly bandwidth: number;
    readonly latency: Seconds;
    readonly links: readonly {
      readonly from: string;
      readonly to: string;
      readonly bandwidth?: number;
      readonly latency?: Seconds;
    }[];
  };
  readonly source: string;
  readonly sink: string;
}

/** `parseCluster(encodeCluster(cluster))` is the same cluster. */
export function encodeCluster({ name, devices, network, source, sink }: Cluster): EncodedCluster {
  return {
    name,
    devices: devices.map(({ memoryBandwidth, efficiency, operatorOverhead, ...device }) => ({
      name: device.name,
      memory: device.memory,
      baseMemory: device.baseMemory,
      compute: device.compute,
      ...(memoryBandwidth === undefined ? {} : { memoryBandwidth }),
      operatorOverhead,
      ...(efficiency.size === 0 ? {} : { efficiency: Object.fromEntries(efficiency) }),
    })),
    network: {
      kind: network.kind,
      bandwidth: network.bandwidth,
      latency: network.latency,
      links: network.links.map(({ from, to, bandwidth, latency }) => ({
        from: devices[from].name,
        to: devices[to].name,
        ...(bandwidth === undefined ? {} : { bandwidth }),
        ...(latency === undefined ? {} : { latency }),
      })),
    },
    source: devices[source].name,
    sink: devices[sink].name,
  };
}
