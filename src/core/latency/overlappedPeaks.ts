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
  }

  find(result: Float64Array): void {
    this.computeDrop.fill(0);
    this.reduceDrop.fill(0);
    this.lastSent.fill(NONE);
    this.bookMessages();
    for (const storage of this.inputs) this.bookMade(storage, NONE, this.workload.cluster.source);
    this.bookShards();
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
    const { flow, cluster } = this.workload;
    const to = log.to[message];
    const storage = log.storage[message];
    const { isOutput, readers } = flow.storages[storage];
    if (isOutput && to === cluster.sink) return;
    const reader = readers[this.loaded.traffic[storage].lastReader[log.index[message]]];
    this.computeDrop[flow.stepOf[reader] * this.devices + to] += log.bytes[message];
  }

  private bookShards(): void {
    const { flow } = this.workload;
    const { genome } = this.loaded;
    for (let step = 0; step < flow.steps.length; step++) {
      const gene = genome[flow.steps[step]];
      const { makes } = flow.operators[gene.operator];
      const row = step * this.devices;
      if (gene.reduction !== undefined) {
        for (let made = 0; made < makes.length; made++)
          this.bookMade(makes[made], step, gene.reduction.device);
        if (gene.computeNs[gene.reduction.device] > 0 || gene.devices.includes(gene.reduction.device)) {
          this.reduceDrop[step] += gene.reduction.partialBytes;
        }
      } else {
        for (let index = 0; index < gene.devices.length; index++) {
          const device = gene.devices[index];
          for (let made = 0; made < makes.length; made++) this.bookMade(makes[made], step, device);
        }
      }
      if (this.bodyBytes[step] > 0) {
        for (const device of gene.devices) this.computeDrop[row + device] += this.bodyBytes[step];
      }
    }
  }

  /** Books the drop of what `device` made of `storage` at `step` (`NONE`: had from the beginning). */
  private bookMade(storage: StorageId, step: number, device: number): void {
    const { flow, cluster } = this.workload;
    const { devices, kernel } = this;
    const traffic = this.loaded.traffic[storage];
    const bytes = traffic.madeBytes[device];
    const { isOutput, readers } = flow.storages[storage];
    if (bytes === 0 || (isOutput && device === cluster.sink)) return;
    const local = traffic.lastLocalReader[device];
    const sent = this.lastSent[storage * devices + device];
    const readerStep = local === NONE ? NONE : readers[local] === GATHER ? NONE : flow.stepOf[readers[local]];
    const localEnd = readerStep === NONE ? NONE : kernel.computeEnd[readerStep * devices + device];
    if (sent !== NONE && kernel.log.end[sent] > localEnd) this.messageDrop[sent] += bytes;
    else if (readerStep !== NONE) this.computeDrop[readerStep * devices + device] += bytes;
    else if (this.loaded.genome[flow.steps[step]].reduction !== undefined) this.reduceDrop[step] += bytes;
    else this.computeDrop[step * devices + device] += bytes;
  }

  /** Walks through one device's events in order of time; drops at an instant come before what is made then. */
  private merge(device: number): number {
    const { kernel, devices, workload, loaded, messageDrop } = this;
    const { log, computeStart, computeEnd } = kernel;
    const { steps } = workload.flow;
    const incoming = this.incoming[device];
    const outgoing = this.outgoing[device];
    const lastIncoming = this.incomingCount[device];
    const lastOutgoing = this.outgoingCount[device];
    let held = device === workload.cluster.source ? this.inputBytes : 0;
    let peak = held;
    let nextIncoming = 0;
    let nextOutgoing = 0;
    const dropSentUntil = (time: number): void => {
      while (nextOutgoing < lastOutgoing && log.end[outgoing[nextOutgoing]] <= time)
        held -= messageDrop[outgoing[nextOutgoing++]];
    };
    const receiveBefore = (time: number): void => {
      while (nextIncoming < lastIncoming && log.start[incoming[nextIncoming]] < time) {
        const message = incoming[nextIncoming++];
        dropSentUntil(log.start[message]);
        held += log.bytes[message];
        if (held > peak) peak = held;
      }
    };
    const occupy = (start: number, end: number, made: number, dropped: number): void => {
      receiveBefore(start);
      dropSentUntil(start);
      held += made;
      if (held > peak) peak = held;
      receiveBefore(end);
      held -= dropped;
    };
    for (let step = 0; step < steps.length; step++) {
      const gene = loaded.genome[steps[step]];
      const row = step * devices + device;
      const { reduction } = gene;
      if (gene.gene.cuts[device] < gene.gene.cuts[device + 1]) {
        const made =
          (reduction === undefined ? gene.madeBytes[device] : reduction.partialBytes) + this.bodyBytes[step];
        occupy(computeStart[row], computeEnd[row], made, this.computeDrop[row]);
      }
      if (reduction !== undefined && reduction.device === device) {
        occupy(
          kernel.reduceStart[step],
          kernel.reduceEnd[step],
          gene.madeBytes[device],
          this.reduceDrop[step],
        );
      }
    }
    receiveBefore(Infinity);
    return peak;
  }
}
