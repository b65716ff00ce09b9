import type { Cluster } from './cluster';
import { parseCluster } from './parse';

/**
 * The four devices of a smart home, unequal in compute and memory: the camera sees the visitor, the television
 * shows the result. Sized so that small networks (SqueezeNet) are quicker when split, and middle ones
 * (ResNet-50, 98 MiB of weights) fit on no device alone.
 */
export const SMART_HOME_FILE = {
  name: 'smart-home',
  devices: [
    {
      name: 'camera',
      memory: '48 MiB',
      baseMemory: '4 MiB',
      compute: '4 GFLOP/s',
      operatorOverhead: '60 us',
    },
    { name: 'tv', memory: '96 MiB', baseMemory: '8 MiB', compute: '8 GFLOP/s', operatorOverhead: '40 us' },
    {
      name: 'speaker',
      memory: '32 MiB',
      baseMemory: '3 MiB',
      compute: '2 GFLOP/s',
      operatorOverhead: '80 us',
    },
    {
      name: 'door lock',
      memory: '12 MiB',
      baseMemory: '1 MiB',
      compute: '500 MFLOP/s',
      operatorOverhead: '150 us',
    },
  ],
  network: {
    kind: 'switched',
    bandwidth: '300 Mbit/s',
    latency: '0.3 ms',
    links: [
      { from: 'tv', to: 'door lock', bandwidth: '40 Mbit/s', latency: '1 ms' },
      { from: 'door lock', to: 'tv', bandwidth: '40 Mbit/s', latency: '1 ms' },
    ],
  },
  source: 'camera',
  sink: 'tv',
} as const;

/** The built-in cluster; `SMART_HOME_FILE` is the file that an example is made from. */
export function smartHome(): Cluster {
  return parseCluster(SMART_HOME_FILE);
}
