import type { Cluster } from '../../src/core/cluster/cluster';
import { parseCluster } from '../../src/core/cluster/parse';
import type { Bytes } from '../../src/core/graph/units';

export type Network = '1g' | '100m';
export const NETWORKS: Readonly<Record<Network, string>> = { '1g': '1 Gbit/s', '100m': '100 Mbit/s' };

/** Four unequal devices, one of them the hub that has the input and wants the output. */
export function fourDevices(network: Network, memory: Bytes): Cluster {
  const device = (name: string, compute: string): unknown => ({
    name,
    memory,
    compute,
    operatorOverhead: '50 us',
  });
  return parseCluster({
    name: `four-${network}`,
    devices: [
      device('hub', '12 GFLOP/s'),
      device('tv', '6 GFLOP/s'),
      device('camera', '6 GFLOP/s'),
      device('speaker', '3 GFLOP/s'),
    ],
    network: { kind: 'switched', bandwidth: NETWORKS[network], latency: '0.2 ms' },
  });
}
