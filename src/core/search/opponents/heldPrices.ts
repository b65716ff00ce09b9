import { NONE, type Nanoseconds, type Step } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { GATHER, type StorageFlow } from '../../latency/flow';
import type { Workload } from '../../latency/workload';

/** How far the steps that a device's price is spread over follow its last peak. */
const FOLLOW = 0.25;

/**
 * Prices of the bytes that devices hold (Lagrange multipliers of their memories in time): each device has one, spread
 * over the steps at which its memory has peaked lately. A weight pays all of it, a region that is made, needed or kept
 * the part of the steps at which it is there.
 */
export class HeldPrices {
  /** Nanoseconds per byte, by device. */
  readonly perByte: Float64Array;
  /** `shares[device][step]` of the device's price; they sum to one. */
  private readonly shares: readonly Float64Array[];
  /** `keeping[storage][device]`: shares of the steps from its making to its last reader that do not read it. */
  private readonly keeping: readonly Float64Array[];

  constructor(private readonly workload: Workload) {
    const { cluster, flow } = workload;
    this.perByte = new Float64Array(cluster.devices.length);
    this.shares = cluster.devices.map(() => new Float64Array(flow.steps.length));
    this.keeping = flow.storages.map(() => new Float64Array(cluster.devices.length));
  }

  /** What a gene's weights, needs and results cost. */
  readonly of = (gene: CompiledGene): Nanoseconds => {
    let ns = 0;
    this.perByte.forEach((price, device) => {
      if (price > 0) ns += price * this.sharedBytes(gene, device);
    });
    return ns;
  };

  /** Bytes on a device, each times the share of the price that it pays. */
  private sharedBytes(gene: CompiledGene, device: number): number {
    const { flow, genes } = this.workload;
    const { reads, makes } = flow.operators[gene.operator];
    const share = this.shares[device][flow.stepOf[gene.operator]];
    let bytes = gene.ownWeightBytes[device];
    if (share > 0) {
      reads.forEach(({ storage }, read) => {
        bytes += share * genes.storageBytes(storage, gene.needs[read][device].elements);
      });
    }
    makes.forEach((storage, make) => {
      const kept = this.keeping[storage][device];
      if (kept > 0) bytes += kept * genes.storageBytes(storage, gene.makes[make][device].elements);
    });
    return bytes;
  }

  /** What all memory costs. */
  ofRooms(): Nanoseconds {
    const { devices } = this.workload.cluster;
    return devices.reduce(
      (sum, { memory, baseMemory }, d) => sum + this.perByte[d] * (memory - baseMemory),
      0,
    );
  }

  /** @param by nanoseconds per byte, by device; no price falls below zero */
  move(by: readonly number[]): void {
    by.forEach((ns, d) => (this.perByte[d] = Math.max(0, this.perByte[d] + ns)));
  }

  /** @param peaks per device the step (views counted) of the event that brings its memory to the peak */
  follow(peaks: readonly Step[]): void {
    const { flow, order } = this.workload;
    const sums = peaks.map((peak, device) => {
      const shares = this.shares[device];
      const step = flow.stepOf[order[peak]];
      if (step !== NONE) {
        const by = shares.every((share) => share === 0) ? 1 : FOLLOW;
        for (let t = 0; t < shares.length; t++) shares[t] *= 1 - by;
        shares[step] += by;
      }
      return runningSums(shares);
    });
    flow.storages.forEach((storage, id) => {
      const span = this.spanOf(storage);
      if (span === undefined) return;
      const { first, last, read } = span;
      sums.forEach((sum, device) => {
        let kept = sum[last + 1] - sum[first];
        for (const step of read) kept -= this.shares[device][step];
        this.keeping[id][device] = Math.max(0, kept);
      });
    });
  }

  /** Steps from which to which a storage is there, and those of them that read it; `undefined` for what views make. */
  private spanOf({
    producer,
    readers,
  }: StorageFlow): { first: Step; last: Step; read: Set<Step> } | undefined {
    const { flow } = this.workload;
    const first = producer === NONE ? 0 : flow.stepOf[producer];
    if (first === NONE) return undefined;
    const read = new Set(readers.filter((reader) => reader !== GATHER).map((reader) => flow.stepOf[reader]));
    const last = readers.includes(GATHER) ? flow.steps.length - 1 : Math.max(first, ...read);
    return { first, last, read };
  }
}

function runningSums(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, i) => (sums[i + 1] = sums[i] + value));
  return sums;
}
