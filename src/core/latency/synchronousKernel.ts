import { NONE, type Bytes, type DeviceId, type Nanoseconds, type StorageId } from '../graph/units';
import type { CompiledGene } from './compiledGene';
import type { Kernel } from './evaluator';
import { GATHER } from './flow';
import type { Traffic } from './traffic';
import type { Workload } from './workload';

/** Durations from here on are counted apart, in so many nanoseconds each (about 4 s). */
const FAR = 2 ** 32;

/**
 * The synchronous model over flat arrays. Latency is a sum over steps and phases, and memory is counted per step,
 * in which all that an operator receives, reads and makes is there together: so an exchange adds and takes away
 * its own terms, all of them whole numbers, and nothing else is worked out again.
 */
export class SynchronousKernel implements Kernel {
  private readonly devices: number;
  /** The latency is `near + FAR * far`: both stay exact where a plan on the way takes longer than 2^53 ns. */
  private near: Nanoseconds = 0;
  private far = 0;
  /** `step * devices + device`: bytes that come to stay with the step, and those gone after it. */
  private readonly made: Float64Array;
  private readonly dropped: Float64Array;
  /** There during the step only. */
  private readonly passing: Float64Array;
  private readonly bodyBytes: Float64Array;
  /** Per storage: the step that makes it, 0 for a model input. */
  private readonly madeAt: Int32Array;
  private readonly isInput: Uint8Array;
  private readonly traffic: Traffic[];

  constructor(private readonly workload: Workload) {
    const { flow, graph, cluster } = workload;
    this.devices = cluster.devices.length;
    const rows = (flow.steps.length + 1) * this.devices;
    this.made = new Float64Array(rows);
    this.dropped = new Float64Array(rows);
    this.passing = new Float64Array(rows);
    this.traffic = new Array<Traffic>(graph.storages.length);
    this.bodyBytes = Float64Array.from(flow.steps, (operator) => graph.operators[operator].bodyPeak.bytes);
    this.madeAt = Int32Array.from(flow.storages, ({ producer }) =>
      producer === NONE ? 0 : flow.stepOf[producer],
    );
    this.isInput = Uint8Array.from(flow.storages, ({ producer }) => (producer === NONE ? 1 : 0));
  }

  exchangeGene(step: number, before: CompiledGene | undefined, after: CompiledGene): void {
    if (before !== undefined) this.bookGene(step, before, -1);
    this.bookGene(step, after, 1);
  }

  /** Everything but their message phases. */
  bound(storages: Int32Array, count: number): Nanoseconds {
    let { near, far } = this;
    for (let index = 0; index < count; index++) {
      for (const ns of this.traffic[storages[index]].phaseNs) {
        const apart = farPart(ns);
        near -= ns - FAR * apart;
        far -= apart;
      }
    }
    return near + FAR * far;
  }

  exchangeTraffic(storage: StorageId, before: Traffic | undefined, after: Traffic): void {
    if (before !== undefined) this.bookTraffic(storage, before, -1);
    this.bookTraffic(storage, after, 1);
    this.traffic[storage] = after;
  }

  latency(limit: Nanoseconds): Nanoseconds {
    const total = this.near + FAR * this.far;
    return total > limit ? Infinity : total;
  }

  peaks(result: Float64Array): void {
    const { devices, made, dropped, passing } = this;
    for (let device = 0; device < devices; device++) {
      let held = 0;
      let peak = 0;
      for (let row = device; row < made.length; row += devices) {
        held += made[row];
        if (held + passing[row] > peak) peak = held + passing[row];
        held -= dropped[row];
      }
      result[device] = peak;
    }
  }

  /** Every step waits for the one before it. */
  criticalSteps(): readonly number[] {
    return this.workload.flow.steps.map((_, step) => step);
  }

  keep(): void {
    // The sums are those of the plan being tried already.
  }

  undo(): void {
    // Exchanging back has taken the terms out again.
  }

  private bookGene(step: number, gene: CompiledGene, sign: number): void {
    const { devices, computeNs, reduction } = gene;
    let slowest = 0;
    for (let index = 0; index < devices.length; index++) {
      const own = computeNs[devices[index]];
      if (own > slowest) slowest = own;
    }
    this.add(slowest, sign);
    const bytes = this.bodyBytes[step] + (reduction === undefined ? 0 : reduction.partialBytes);
    const row = step * this.devices;
    if (bytes !== 0) {
      for (let index = 0; index < devices.length; index++) this.passing[row + devices[index]] += sign * bytes;
    }
    if (reduction === undefined) return;
    this.add(reduction.phaseNs, sign);
    this.add(reduction.ns, sign);
    for (const message of reduction.messages) this.passing[row + reduction.device] += sign * message.bytes;
  }

  private add(ns: Nanoseconds, sign: number): void {
    const apart = farPart(ns);
    this.near += sign * (ns - FAR * apart);
    this.far += sign * apart;
  }

  private bookTraffic(storage: StorageId, traffic: Traffic, sign: number): void {
    const { flow, cluster } = this.workload;
    const { readers } = flow.storages[storage];
    const { first, messages, phaseNs } = traffic;
    for (let reader = 0; reader < readers.length; reader++) {
      this.add(phaseNs[reader], sign);
      if (first[reader] === first[reader + 1]) continue;
      // What a phase brings is there for its step; on the sink, gathered outputs stay.
      const isGathering = readers[reader] === GATHER;
      const target = isGathering ? this.made : this.passing;
      const row = (isGathering ? flow.steps.length : flow.stepOf[readers[reader]]) * this.devices;
      for (let m = first[reader]; m < first[reader + 1]; m++)
        target[row + messages[m].to] += sign * messages[m].bytes;
    }
    if (this.isInput[storage] === 1) return this.bookMade(storage, traffic, cluster.source, sign);
    for (let device = 0; device < this.devices; device++) this.bookMade(storage, traffic, device, sign);
  }

  /** What `device` makes of `storage` stays until the last step that reads or sends it. */
  private bookMade(storage: StorageId, traffic: Traffic, device: DeviceId, sign: number): void {
    const { flow, cluster } = this.workload;
    const bytes: Bytes = traffic.madeBytes[device];
    if (bytes === 0) return;
    const step = this.madeAt[storage];
    this.made[step * this.devices + device] += sign * bytes;
    const { readers, isOutput } = flow.storages[storage];
    if (isOutput && device === cluster.sink) return;
    const last = Math.max(traffic.lastLocalReader[device], traffic.lastSentReader[device]);
    const lastStep =
      last === NONE ? step : readers[last] === GATHER ? flow.steps.length : flow.stepOf[readers[last]];
    this.dropped[lastStep * this.devices + device] += sign * bytes;
  }
}

function farPart(ns: Nanoseconds): number {
  return ns < FAR ? 0 : Math.floor(ns / FAR);
}
