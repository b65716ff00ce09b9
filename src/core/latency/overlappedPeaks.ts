import { NONE, type StorageId } from '../graph/units';
import type { Loaded } from './evaluator';
import { GATHER } from './flow';
import type { OverlappedKernel } from './overlappedKernel';
import type { Workload } from './workload';

/**
 * Peak activations per device of an overlapped timeline.
 *
 * On a device everything is made at the start of a shard, a reduction or an incoming message, and dropped at the
 * end of a shard, a reduction or an outgoing message. Each of these four comes in order of time already, so bytes
 * are booked on events and the events merged: linear, without sorting.
 */
export class OverlappedPeaks {
  private readonly devices: number;
  /** `step * devices + device`: bytes dropped at the end of the shard. */
  private readonly computeDrop: Float64Array;
  private readonly reduceDrop: Float64Array;
  /** Per message in the log: bytes that the sender drops at its end. */
  private messageDrop = new Float64Array(0);
  /** `storage * devices + device`: last message of the storage that the device sends. */
  private readonly lastSent: Int32Array;
  private readonly incoming: Int32Array[];
  private readonly outgoing: Int32Array[];
  private readonly incomingCount: Int32Array;
  private readonly outgoingCount: Int32Array;
  /** Held on the source from the beginning. */
  private readonly inputs: readonly StorageId[];
  private readonly inputBytes: number;
  private readonly bodyBytes: Float64Array;
  /** Storages that somebody makes or that are there from the beginning. */
  private readonly present: readonly StorageId[];
  private readonly producerStep: Int32Array;
  /** Per storage and reader; `NONE` for the gathering of outputs. */
  private readonly readerSteps: readonly Int32Array[];
  private readonly isOutput: Uint8Array;

  constructor(
    private readonly workload: Workload,
    private readonly loaded: Loaded,
    private readonly kernel: OverlappedKernel,
  ) {
    const { flow, graph, cluster, genes } = workload;
    this.devices = cluster.devices.length;
    this.computeDrop = new Float64Array(flow.steps.length * this.devices);
    this.reduceDrop = new Float64Array(flow.steps.length);
    this.lastSent = new Int32Array(graph.storages.length * this.devices);
    this.incoming = cluster.devices.map(() => new Int32Array(0));
    this.outgoing = cluster.devices.map(() => new Int32Array(0));
    this.incomingCount = new Int32Array(this.devices);
    this.outgoingCount = new Int32Array(this.devices);
    const isHeld = (storage: StorageId): boolean => flow.storages[storage].readers.length > 0;
    this.inputs = graph.storages
      .filter(({ producer, id }) => producer === NONE && isHeld(id))
      .map(({ id }) => id);
    this.inputBytes = this.inputs.reduce(
      (sum, storage) =>
        sum + genes.storageBytes(storage, genes.regions.space(graph.storages[storage].tensors[0]).size),
      0,
    );
    this.bodyBytes = Float64Array.from(flow.steps, (operator) => graph.operators[operator].bodyPeak.bytes);
    const made = flow.steps.flatMap((operator) => flow.operators[operator].makes);
    this.present = [...this.inputs, ...made];
    this.isOutput = Uint8Array.from(flow.storages, ({ isOutput }) => (isOutput ? 1 : 0));
    this.producerStep = Int32Array.from(flow.storages, ({ producer }) =>
      producer === NONE ? NONE : flow.stepOf[producer],
    );
    this.readerSteps = flow.storages.map(({ readers }) =>
      Int32Array.from(readers, (reader) => (reader === GATHER ? NONE : flow.stepOf[reader])),
    );
  }

  find(result: Float64Array): void {
    this.computeDrop.fill(0);
    this.reduceDrop.fill(0);
    this.lastSent.fill(NONE);
    this.bookMessages();
    for (let index = 0; index < this.present.length; index++) this.bookMade(this.present[index]);
    this.bookPassing();
    for (let device = 0; device < this.devices; device++) result[device] = this.merge(device);
  }

  /** Lists each device's messages and books the drop of what they bring. */
  private bookMessages(): void {
    const { log } = this.kernel;
    const { devices, incomingCount, outgoingCount } = this;
    if (this.messageDrop.length < log.count) {
      this.messageDrop = new Float64Array(log.storage.length);
      for (let device = 0; device < devices; device++) {
        this.incoming[device] = new Int32Array(log.storage.length);
        this.outgoing[device] = new Int32Array(log.storage.length);
      }
    }
    incomingCount.fill(0);
    outgoingCount.fill(0);
    for (let m = 0; m < log.count; m++) {
      const from = log.from[m];
      const to = log.to[m];
      this.messageDrop[m] = 0;
      this.incoming[to][incomingCount[to]++] = m;
      this.outgoing[from][outgoingCount[from]++] = m;
      if (log.index[m] === NONE) {
        this.messageDrop[m] = log.bytes[m];
        this.reduceDrop[log.step[m]] += log.bytes[m];
      } else {
        this.lastSent[log.storage[m] * devices + from] = m;
        this.bookReceived(m);
      }
    }
  }

  private bookReceived(message: number): void {
    const { log } = this.kernel;
    const to = log.to[message];
    const storage = log.storage[message];
    if (this.isOutput[storage] === 1 && to === this.workload.cluster.sink) return;
    const reader = this.loaded.traffic[storage].lastReader[log.index[message]];
    this.computeDrop[this.readerSteps[storage][reader] * this.devices + to] += log.bytes[message];
  }

  /** Books the drop of what each device made of `storage`, or had from the beginning. */
  private bookMade(storage: StorageId): void {
    const { devices, kernel, lastSent, computeDrop, isOutput } = this;
    const { sink } = this.workload.cluster;
    const { madeBytes, lastLocalReader } = this.loaded.traffic[storage];
    for (let device = 0; device < devices; device++) {
      const bytes = madeBytes[device];
      if (bytes === 0 || (device === sink && isOutput[storage] === 1)) continue;
      const local = lastLocalReader[device];
      const sent = lastSent[storage * devices + device];
      const readerStep = local === NONE ? NONE : this.readerSteps[storage][local];
      const localEnd = readerStep === NONE ? NONE : kernel.computeEnd[readerStep * devices + device];
      if (sent !== NONE && kernel.log.end[sent] > localEnd) this.messageDrop[sent] += bytes;
      else if (readerStep !== NONE) computeDrop[readerStep * devices + device] += bytes;
      else this.bookUnread(storage, device, bytes);
    }
  }

  /** What nobody reads goes with the event that made it. */
  private bookUnread(storage: StorageId, device: number, bytes: number): void {
    const step = this.producerStep[storage];
    const isReduced = this.loaded.genome[this.kernel.steps[step]].reduction !== undefined;
    if (isReduced) this.reduceDrop[step] += bytes;
    else this.computeDrop[step * this.devices + device] += bytes;
  }

  /** Own partial sums go with the reduction, what a body holds inside with the shard. */
  private bookPassing(): void {
    const { devices, bodyBytes } = this;
    const { steps } = this.kernel;
    for (let step = 0; step < steps.length; step++) {
      const gene = this.loaded.genome[steps[step]];
      const { reduction } = gene;
      if (reduction !== undefined && gene.hasPart[reduction.device] === 1) {
        this.reduceDrop[step] += reduction.partialBytes;
      }
      if (bodyBytes[step] === 0) continue;
      for (const device of gene.devices) this.computeDrop[step * devices + device] += bodyBytes[step];
    }
  }

  /**
   * Walks through one device's events in order of time; what is dropped at an instant goes before what is made
   * then comes.
   */
  private merge(device: number): number {
    const { kernel, devices, loaded, messageDrop, bodyBytes, computeDrop, reduceDrop } = this;
    const { log, computeStart, computeEnd, reduceStart, reduceEnd, steps } = kernel;
    const { start: messageStart, end: messageEnd, bytes: messageBytes } = log;
    const incoming = this.incoming[device];
    const outgoing = this.outgoing[device];
    const lastIncoming = this.incomingCount[device];
    const lastOutgoing = this.outgoingCount[device];
    let held = device === this.workload.cluster.source ? this.inputBytes : 0;
    let peak = held;
    let nextIn = 0;
    let nextOut = 0;
    for (let step = 0; step <= steps.length; step++) {
      const gene = step < steps.length ? loaded.genome[steps[step]] : undefined;
      const hasShard = gene !== undefined && gene.hasPart[device] === 1;
      const hasReduction = gene?.reduction !== undefined && gene.reduction.device === device;
      if (!hasShard && !hasReduction && gene !== undefined) continue;
      const row = step * devices + device;
      // Up to the shard's start and end, the reduction's start and end; after the last step to the end of time.
      for (let bound = hasShard || gene === undefined ? 0 : 2; bound < (hasReduction ? 4 : 2); bound++) {
        let time = Infinity;
        if (gene !== undefined) {
          if (bound < 2) time = bound === 0 ? computeStart[row] : computeEnd[row];
          else time = bound === 2 ? reduceStart[step] : reduceEnd[step];
        }
        while (nextIn < lastIncoming && messageStart[incoming[nextIn]] < time) {
          const message = incoming[nextIn++];
          const now = messageStart[message];
          while (nextOut < lastOutgoing && messageEnd[outgoing[nextOut]] <= now) {
            held -= messageDrop[outgoing[nextOut++]];
          }
          held += messageBytes[message];
          if (held > peak) peak = held;
        }
        if (gene === undefined) break;
        if (bound === 1) held -= computeDrop[row];
        else if (bound === 3) held -= reduceDrop[step];
        else {
          while (nextOut < lastOutgoing && messageEnd[outgoing[nextOut]] <= time) {
            held -= messageDrop[outgoing[nextOut++]];
          }
          const isPartial = bound === 0 && gene.reduction !== undefined;
          held += isPartial ? gene.reduction!.partialBytes : gene.madeBytes[device];
          if (bound === 0) held += bodyBytes[step];
          if (held > peak) peak = held;
        }
      }
    }
    return peak;
  }
}
