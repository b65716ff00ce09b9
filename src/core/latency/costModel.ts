import type { Cluster } from '../cluster/cluster';
import type { Bytes, DeviceId, Flops, Nanoseconds, Seconds } from '../graph/units';

const NANOSECONDS_PER_SECOND = 1e9;
/** What floating point may add to a whole number of nanoseconds before it is rounded up. */
const ROUNDING_NOISE = 1e-4;

/** Seconds as whole nanoseconds, rounded up. */
export function nanoseconds(seconds: Seconds): Nanoseconds {
  return Math.ceil(seconds * NANOSECONDS_PER_SECOND - ROUNDING_NOISE);
}

/**
 * How long one shard, one reduction and one message take on a cluster:
 *
 *     shard      operatorOverhead + max(FLOPs / (compute * efficiency), bytes touched / memoryBandwidth)
 *     reduction  the same, with 1 FLOP per element of each partial sum, touching them and the result
 *     message    latency + bytes / bandwidth
 *
 * Each duration is rounded up to whole nanoseconds, so that sums are exact.
 */
export class CostModel {
  private readonly latency: Float64Array;
  private readonly bandwidth: Float64Array;

  constructor(private readonly cluster: Cluster) {
    const { devices, network } = cluster;
    this.latency = new Float64Array(devices.length ** 2).fill(network.latency);
    this.bandwidth = new Float64Array(devices.length ** 2).fill(network.bandwidth);
    for (const link of network.links) {
      const pair = link.from * devices.length + link.to;
      if (link.latency !== undefined) this.latency[pair] = link.latency;
      if (link.bandwidth !== undefined) this.bandwidth[pair] = link.bandwidth;
    }
  }

  computeNs(device: DeviceId, operatorType: string, flops: Flops, bytesTouched: Bytes): Nanoseconds {
    const { compute, efficiency, memoryBandwidth, operatorOverhead } = this.cluster.devices[device];
    const computing = flops / (compute * (efficiency.get(operatorType) ?? 1));
    const moving = memoryBandwidth === undefined ? 0 : bytesTouched / memoryBandwidth;
    return nanoseconds(operatorOverhead + Math.max(computing, moving));
  }

  /** Adding `parts` partial sums of `elements` elements and `bytes` bytes each into one result. */
  reduceNs(
    device: DeviceId,
    operatorType: string,
    parts: number,
    elements: number,
    bytes: Bytes,
  ): Nanoseconds {
    return this.computeNs(device, operatorType, parts * elements, (parts + 1) * bytes);
  }

  messageNs(from: DeviceId, to: DeviceId, bytes: Bytes): Nanoseconds {
    const pair = from * this.cluster.devices.length + to;
    return nanoseconds(this.latency[pair] + bytes / this.bandwidth[pair]);
  }
}
