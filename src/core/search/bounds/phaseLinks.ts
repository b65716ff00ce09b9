/** Latencies and bandwidths of a cluster's links, as the bounds of message phases ask for them. */
import type { Cluster } from '../../cluster/cluster';

/** Up to so many devices the best link is taken over the devices that may hold something, beyond over all. */
export const MOST_DEVICES_BY_SET = 12;

export class PhaseLinks {
  readonly devices: number;
  readonly isShared: boolean;
  /** By `holders * devices + receiver`, in nanoseconds: the least over the possible senders. */
  readonly latency: Float64Array;
  readonly nsPerByte: Float64Array;
  /** By `from * devices + to`. */
  readonly pairLatency: Float64Array;
  readonly pairNsPerByte: Float64Array;
  /** Of any link. */
  readonly leastLatency: number;
  readonly leastNsPerByte: number;

  constructor(cluster: Cluster) {
    const { length } = cluster.devices;
    this.devices = length;
    this.isShared = cluster.network.kind === 'shared';
    this.pairLatency = new Float64Array(length ** 2);
    this.pairNsPerByte = new Float64Array(length ** 2);
    const sets = length <= MOST_DEVICES_BY_SET ? 1 << length : 1;
    this.latency = new Float64Array(sets * length).fill(Infinity);
    this.nsPerByte = new Float64Array(sets * length).fill(Infinity);
    let leastLatency = Infinity;
    let leastNsPerByte = Infinity;
    for (let from = 0; from < length; from++) {
      for (let to = 0; to < length; to++) {
        const link = linkOf(cluster, from, to);
        const latency = link.latency * 1e9;
        const nsPerByte = 1e9 / link.bandwidth;
        this.pairLatency[from * length + to] = latency;
        this.pairNsPerByte[from * length + to] = nsPerByte;
        if (from === to) continue;
        leastLatency = Math.min(leastLatency, latency);
        leastNsPerByte = Math.min(leastNsPerByte, nsPerByte);
        for (let holders = 0; holders < sets; holders++) {
          if (sets > 1 && (holders & (1 << from)) === 0) continue;
          const at = holders * length + to;
          this.latency[at] = Math.min(this.latency[at], latency);
          this.nsPerByte[at] = Math.min(this.nsPerByte[at], nsPerByte);
        }
      }
    }
    this.leastLatency = leastLatency;
    this.leastNsPerByte = leastNsPerByte;
  }
}

function linkOf({ network }: Cluster, from: number, to: number): { latency: number; bandwidth: number } {
  const link = network.links.find((candidate) => candidate.from === from && candidate.to === to);
  return { latency: link?.latency ?? network.latency, bandwidth: link?.bandwidth ?? network.bandwidth };
}
