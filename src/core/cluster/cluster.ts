import type { Bytes, DeviceId, Seconds } from '../graph/units';

/** The devices and the network that a model is partitioned over (`*.cluster.json`), quantities as numbers. */
export interface Cluster {
  readonly name: string;
  readonly devices: readonly Device[];
  readonly network: Network;
  readonly source: DeviceId;
  readonly sink: DeviceId;
}

export interface Device {
  readonly name: string;
  /** Bytes that a plan may use, `baseMemory` included. */
  readonly memory: Bytes;
  /** What the runtime itself takes. */
  readonly baseMemory: Bytes;
  /** FLOP/s. */
  readonly compute: number;
  /** B/s; `undefined`: memory traffic is not modelled. */
  readonly memoryBandwidth: number | undefined;
  readonly operatorOverhead: Seconds;
  /** Operator type -> fraction of `compute` in (0, 1]; 1 where absent. */
  readonly efficiency: ReadonlyMap<string, number>;
}

export interface Network {
  /** `switched`: one uplink and one downlink per device; `shared`: one medium, one message at a time. */
  readonly kind: 'switched' | 'shared';
  /** B/s. */
  readonly bandwidth: number;
  readonly latency: Seconds;
  readonly links: readonly Link[];
}

/** Overrides one direction of one pair. */
export interface Link {
  readonly from: DeviceId;
  readonly to: DeviceId;
  readonly bandwidth: number | undefined;
  readonly latency: Seconds | undefined;
}
