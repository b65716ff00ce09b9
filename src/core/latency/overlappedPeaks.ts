import { NONE, type Bytes, type DeviceId, type StorageId } from '../graph/units';
import type { CompiledGene } from './compiledGene';
import { GATHER } from './flow';
import type { OverlappedKernel } from './overlappedKernel';
import type { Traffic } from './traffic';

/**
 * Peak activations per device of an overlapped timeline.
 *
 * On a device everything is made at the start of a shard, a reduction or an incoming message, and dropped at the
 * end of a shard, a reduction or an outgoing message. Each of these four comes in order of time already, so bytes
 * are booked on events and the events merged: linear, without sorting.
 */
export class OverlappedPeaks {
  private readonly devices: number;
  /** `step * devices + device`: bytes that come with the start of the shard, and those that go with its end. */
  private readonly shardBytes: Float64Array;
  private readonly shardDrop: Float64Array;
  /** Per step: bytes that come and go with the reduction. */
  private readonly reduceBytes: Float64Array;
  private readonly reduceDrop: Float64Array;
  /** Per message: its times, and bytes that the sender drops at its end. */
  private messageStart = new Float64Array(0);
  private messageEnd = new Float64Array(0);
  private messageDrop = new Float64Array(0);
  /** `storage * devices + device`: made there, the step of its last reader there, its last message. */
  private readonly madeBytes: Float64Array;
  private readonly lastLocalStep: Int32Array;
  private readonly lastSent: Int32Array;
  /** Per device its messages one after another in the order in which they take the link. */
  private incoming = new Int32Array(0);
  private outgoing = new Int32Array(0);
  private capacity = 0;
  private readonly incomingCount: Int32Array;
  private readonly outgoingCount: Int32Array;
  private readonly nextIncoming: Int32Array;
  private readonly nextOutgoing: Int32Array;
  private readonly held: Float64Array;
  private readonly bodyBytes: Float64Array;
  /** Storages that somebody makes or that are there from the beginning, with the step that makes them. */
  private readonly present: Int32Array;
  private readonly madeAt: Int32Array;
  private readonly isOutput: Uint8Array;

  constructor(private readonly kernel: OverlappedKernel) {
    const { steps, devices, workload } = kernel;
    const { flow, graph } = workload;
    this.devices = devices;
    this.shardBytes = new Float64Array(steps * devices);
    this.shardDrop = new Float64Array(steps * devices);
    this.reduceBytes = new Float64Array(steps);
    this.reduceDrop = new Float64Array(steps);
    this.madeBytes = new Float64Array(graph.storages.length * devices);
    this.lastLocalStep = new Int32Array(graph.storages.length * devices);
    this.lastSent = new Int32Array(graph.storages.length * devices);
    this.incomingCount = new Int32Array(devices);
    this.outgoingCount = new Int32Array(devices);
    this.nextIncoming = new Int32Array(devices);
    this.nextOutgoing = new Int32Array(devices);
    this.held = new Float64Array(devices);
    this.bodyBytes = Float64Array.from(flow.steps, (operator) => graph.operators[operator].bodyPeak.bytes);
    const inputs = graph.storages
      .filter(({ producer, id }) => producer === NONE && flow.storages[id].readers.length > 0)
      .map(({ id }) => id);
    this.present = Int32Array.from([
      ...inputs,
      ...flow.steps.flatMap((operator) => flow.operators[operator].makes),
    ]);
    this.madeAt = Int32Array.from(flow.storages, ({ producer }) =>
      producer === NONE ? NONE : flow.stepOf[producer],
    );
    this.isOutput = Uint8Array.from(flow.storages, ({ isOutput }) => (isOutput ? 1 : 0));
  }

  exchangeGene(step: number, { madeBytes, reduction }: CompiledGene): void {
    const row = step * this.devices;
    for (let d = 0; d < this.devices; d++) {
      this.shardBytes[row + d] =
        this.bodyBytes[step] + (reduction === undefined ? madeBytes[d] : reduction.partialBytes);
    }
    this.reduceBytes[step] = reduction === undefined ? 0 : madeBytes[reduction.device];
  }

  exchangeTraffic(storage: StorageId, { madeBytes, lastLocalReader }: Traffic): void {
    const { flow } = this.kernel.workload;
    const { readers } = flow.storages[storage];
    const row = storage * this.devices;
    for (let d = 0; d < this.devices; d++) {
      this.madeBytes[row + d] = madeBytes[d];
      const last = lastLocalReader[d];
      this.lastLocalStep[row + d] =
        last === NONE || readers[last] === GATHER ? NONE : flow.stepOf[readers[last]];
    }
  }

  find(result: Float64Array): void {
    const { present } = this;
    this.shardDrop.fill(0);
    this.reduceDrop.fill(0);
    this.lastSent.fill(NONE);
    this.held.fill(0);
    this.bookMessages();
    for (let index = 0; index < present.length; index++) this.bookMade(present[index]);
    this.bookPassing();
    this.merge(result);
  }

  /** Lists each device's messages and books the drop of what they bring. */
  private bookMessages(): void {
    const { kernel, devices, incomingCount, outgoingCount, lastSent, shardDrop } = this;
    const { slots, steps } = kernel;
    const { from, to, bytes, lastStep, source } = slots;
    if (this.messageDrop.length < bytes.length) this.grow(bytes.length);
    const { incoming, outgoing, messageStart, messageEnd, messageDrop, capacity } = this;
    incomingCount.fill(0);
    outgoingCount.fill(0);
    for (let step = 0; step <= steps; step++) {
      const isTried = step >= kernel.firstStep && step < kernel.endStep;
      const order = isTried ? slots.order : slots.keptOrder;
      const starts = isTried ? slots.start : slots.keptStart;
      const ends = isTried ? slots.finish : slots.keptFinish;
      for (let index = slots.first[step]; index < slots.end[step]; index++) {
        const m = order[index];
        const target = to[m];
        const sender = from[m];
        incoming[target * capacity + incomingCount[target]++] = m;
        outgoing[sender * capacity + outgoingCount[sender]++] = m;
        messageStart[m] = starts[m];
        messageEnd[m] = ends[m];
        messageDrop[m] = 0;
        if (source[m] === NONE) {
          messageDrop[m] = bytes[m];
          this.reduceDrop[step] += bytes[m];
        } else {
          lastSent[source[m]] = m;
          if (lastStep[m] !== NONE) shardDrop[lastStep[m] * devices + target] += bytes[m];
        }
      }
    }
  }

  private grow(capacity: number): void {
    this.capacity = capacity;
    this.messageStart = new Float64Array(capacity);
    this.messageEnd = new Float64Array(capacity);
    this.messageDrop = new Float64Array(capacity);
    this.incoming = new Int32Array(capacity * this.devices);
    this.outgoing = new Int32Array(capacity * this.devices);
  }

  /** Books the drop of what each device made of `storage`, or had from the beginning. */
  private bookMade(storage: StorageId): void {
    const { devices, kernel, lastSent, lastLocalStep, madeBytes, shardDrop, isOutput } = this;
    const row = storage * devices;
    for (let device = 0; device < devices; device++) {
      const bytes = madeBytes[row + device];
      if (bytes === 0) continue;
      // What is there from the beginning comes with no event; unread, it is never held.
      if (this.madeAt[storage] === NONE) this.held[device] += bytes;
      if (device === kernel.sink && isOutput[storage] === 1) continue;
      const step = lastLocalStep[row + device];
      const sent = lastSent[row + device];
      const localEnd = step === NONE ? NONE : this.shardEnd(step, device);
      if (sent !== NONE && this.messageEnd[sent] > localEnd) this.messageDrop[sent] += bytes;
      else if (step !== NONE) shardDrop[step * devices + device] += bytes;
      else this.bookUnread(storage, device, bytes);
    }
  }

  private shardEnd(step: number, device: DeviceId): number {
    const { events, eventSize, devices } = this.kernel;
    return events[this.line(step) * eventSize + devices + device];
  }

  /** Of the tried half where the plan being tried has its own. */
  private line(step: number): number {
    const { firstStep, endStep, steps } = this.kernel;
    return step < firstStep || step >= endStep ? step : step + steps + 1;
  }

  /** What nobody reads goes with the event that made it. */
  private bookUnread(storage: StorageId, device: DeviceId, bytes: Bytes): void {
    const step = this.madeAt[storage];
    if (step === NONE) this.held[device] -= bytes;
    else if (this.kernel.reduceOn[step] !== NONE) this.reduceDrop[step] += bytes;
    else this.shardDrop[step * this.devices + device] += bytes;
  }

  /** Own partial sums go with the reduction, what a body holds inside with the shard. */
  private bookPassing(): void {
    const { devices, bodyBytes, kernel } = this;
    for (let step = 0; step < kernel.steps; step++) {
      const reducer = kernel.reduceOn[step];
      if (reducer !== NONE && kernel.genes[step].hasPart[reducer] === 1)
        this.reduceDrop[step] += kernel.genes[step].reduction!.partialBytes;
      if (bodyBytes[step] === 0) continue;
      const row = step * devices;
      for (let index = row; index < row + kernel.partCount[step]; index++)
        this.shardDrop[row + kernel.parts[index]] += bodyBytes[step];
    }
  }

  /**
   * Walks through the events of every device in order of time; what is dropped at an instant goes before what is
   * made then comes.
   */
  private merge(peak: Float64Array): void {
    const { kernel, devices, held, shardBytes, shardDrop } = this;
    const { events, eventSize, parts, partCount, reduceOn, steps } = kernel;
    this.nextIncoming.fill(0);
    this.nextOutgoing.fill(0);
    for (let d = 0; d < devices; d++) peak[d] = held[d];
    for (let step = 0; step < steps; step++) {
      const row = step * devices;
      const line = this.line(step) * eventSize;
      for (let index = row; index < row + partCount[step]; index++) {
        const device = parts[index];
        this.take(device, events[line + device], peak);
        this.drop(device, events[line + device]);
        held[device] += shardBytes[row + device];
        if (held[device] > peak[device]) peak[device] = held[device];
        this.take(device, events[line + devices + device], peak);
        held[device] -= shardDrop[row + device];
      }
      const reducer = reduceOn[step];
      if (reducer === NONE) continue;
      const start = events[line + 3 * devices];
      this.take(reducer, start, peak);
      this.drop(reducer, start);
      held[reducer] += this.reduceBytes[step];
      if (held[reducer] > peak[reducer]) peak[reducer] = held[reducer];
      this.take(reducer, events[line + 3 * devices + 1], peak);
      held[reducer] -= this.reduceDrop[step];
    }
    for (let d = 0; d < devices; d++) this.take(d, Infinity, peak);
  }

  /** The messages that begin to come before `time`. */
  private take(device: DeviceId, time: number, peak: Float64Array): void {
    const { incoming, held, messageStart, kernel } = this;
    const { bytes } = kernel.slots;
    const end = device * this.capacity + this.incomingCount[device];
    let next = device * this.capacity + this.nextIncoming[device];
    while (next < end && messageStart[incoming[next]] < time) {
      const message = incoming[next++];
      this.drop(device, messageStart[message]);
      held[device] += bytes[message];
      if (held[device] > peak[device]) peak[device] = held[device];
    }
    this.nextIncoming[device] = next - device * this.capacity;
  }

  /** What goes with messages that have ended by `time`. */
  private drop(device: DeviceId, time: number): void {
    const { outgoing, held, messageEnd, messageDrop } = this;
    const end = device * this.capacity + this.outgoingCount[device];
    let next = device * this.capacity + this.nextOutgoing[device];
    while (next < end && messageEnd[outgoing[next]] <= time) held[device] -= messageDrop[outgoing[next++]];
    this.nextOutgoing[device] = next - device * this.capacity;
  }
}
