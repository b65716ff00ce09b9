import { NONE, type Nanoseconds, type StorageId } from '../graph/units';
import type { CompiledGene } from './compiledGene';
import type { Kernel } from './evaluator';
import { GATHER } from './flow';
import { MessageSlots } from './messageSlots';
import { OverlappedCritical } from './overlappedCritical';
import { OverlappedPeaks } from './overlappedPeaks';
import { OverlappedTails } from './overlappedTails';
import { isSameMessages, type Traffic } from './traffic';
import type { Workload } from './workload';

/**
 * The overlapped timeline over flat arrays. Row `s` of `state` is how things stand before step `s`: when each
 * device, uplink and downlink is free, and when the last part so far of an output came to the sink. Row `s` of
 * `events` is what the step does: when each device starts and ends its shard, when what it made is there, when a
 * reduction starts and ends. Both arrays have two halves: the plan at hand, and the plan being tried, of which
 * only the rows from its first changed step on count.
 */
export class OverlappedKernel implements Kernel {
  readonly devices: number;
  readonly steps: number;
  readonly slots: MessageSlots;
  readonly stateSize: number;
  readonly eventSize: number;
  readonly state: Float64Array;
  readonly events: Float64Array;
  /** Where the second half begins. */
  readonly triedState: number;
  readonly triedEvents: number;
  /** Per step: devices with a part (`step * devices + i`), and their number. */
  readonly parts: Int32Array;
  readonly partCount: Int32Array;
  readonly computeNs: Float64Array;
  /** `NONE` where no partial sums are added. */
  readonly reduceOn: Int32Array;
  readonly reduceNs: Float64Array;
  /** Per step and storage: the loaded genes and traffic. */
  readonly genes: CompiledGene[];
  readonly traffic: Traffic[];
  /** Per step: it makes an output of the model. */
  readonly makesOutput: Uint8Array;
  readonly isShared: boolean;
  readonly sink: number;
  /** Of the plan being tried: rows `[firstStep, endStep)` are its own, all others the plan's at hand. */
  firstStep: number;
  endStep: number;
  private lastChange = NONE;
  private keptLatency: Nanoseconds = 0;
  private latencyNs: Nanoseconds = 0;
  private readonly arrived: Float64Array;
  /** Per device: all that it computes and an output depends on. */
  private readonly busyNs: Float64Array;
  private readonly isNeeded: Uint8Array;
  private readonly isOutput: Uint8Array;
  private readonly packed: Int32Array;
  private packedCount = 0;
  private readonly isPacked: Uint8Array;
  private isPackedAnew = false;
  private readonly memory: OverlappedPeaks;
  private readonly tails: OverlappedTails;
  private readonly critical: OverlappedCritical;

  constructor(readonly workload: Workload) {
    const { flow, cluster, graph } = workload;
    const devices = cluster.devices.length;
    this.devices = devices;
    this.steps = flow.steps.length;
    this.slots = new MessageSlots(this.steps + 1);
    this.stateSize = 3 * devices + 1;
    this.eventSize = 3 * devices + 2;
    this.triedState = (this.steps + 2) * this.stateSize;
    this.triedEvents = (this.steps + 1) * this.eventSize;
    this.state = new Float64Array(2 * this.triedState);
    this.events = new Float64Array(2 * this.triedEvents);
    this.parts = new Int32Array(this.steps * devices);
    this.partCount = new Int32Array(this.steps + 1);
    this.computeNs = new Float64Array((this.steps + 1) * devices);
    this.reduceOn = new Int32Array(this.steps + 1).fill(NONE);
    this.reduceNs = new Float64Array(this.steps + 1);
    this.genes = new Array<CompiledGene>(this.steps);
    this.traffic = new Array<Traffic>(graph.storages.length);
    this.isShared = cluster.network.kind === 'shared';
    this.sink = cluster.sink;
    // The gathering of outputs has no gene that would tell that it is not worked out yet.
    this.firstStep = this.steps;
    this.endStep = this.steps + 1;
    this.arrived = new Float64Array(devices);
    this.busyNs = new Float64Array(devices);
    this.isOutput = Uint8Array.from(flow.storages, ({ isOutput }) => (isOutput ? 1 : 0));
    this.makesOutput = Uint8Array.from(flow.steps, (operator) =>
      flow.operators[operator].makes.some((storage) => flow.storages[storage].isOutput) ? 1 : 0,
    );
    this.isNeeded = leadsToOutput(workload);
    this.packed = new Int32Array(this.steps + 1);
    this.isPacked = new Uint8Array(this.steps + 1);
    this.memory = new OverlappedPeaks(this);
    this.tails = new OverlappedTails(this);
    this.critical = new OverlappedCritical(this);
  }

  exchangeGene(step: number, before: CompiledGene | undefined, after: CompiledGene): void {
    const { devices, parts, computeNs } = this;
    if (this.isNeeded[step] === 1) {
      if (before !== undefined) this.addBusy(before, -1);
      this.addBusy(after, 1);
    }
    const row = step * devices;
    this.genes[step] = after;
    for (let index = 0; index < after.devices.length; index++) parts[row + index] = after.devices[index];
    this.partCount[step] = after.devices.length;
    for (let d = 0; d < devices; d++) computeNs[row + d] = after.computeNs[d];
    const { reduction } = after;
    this.reduceOn[step] = reduction === undefined ? NONE : reduction.device;
    this.reduceNs[step] = reduction === undefined ? 0 : reduction.ns;
    this.memory.exchangeGene(step, after);
    this.markPacked(step);
    if (step < this.firstStep) this.firstStep = step;
    if (step > this.lastChange) this.lastChange = step;
  }

  private addBusy({ computeNs, reduction }: CompiledGene, sign: number): void {
    for (let d = 0; d < this.devices; d++) this.busyNs[d] += sign * computeNs[d];
    if (reduction !== undefined) this.busyNs[reduction.device] += sign * reduction.ns;
  }

  /** What the busiest device computes, one shard at a time. */
  bound(): Nanoseconds {
    let busiest = 0;
    for (let d = 0; d < this.devices; d++) if (this.busyNs[d] > busiest) busiest = this.busyNs[d];
    return busiest;
  }

  exchangeTraffic(storage: StorageId, before: Traffic | undefined, after: Traffic): void {
    const { flow } = this.workload;
    const { readers } = flow.storages[storage];
    this.traffic[storage] = after;
    this.memory.exchangeTraffic(storage, after);
    for (let reader = 0; reader < readers.length; reader++) {
      if (before !== undefined && isSameMessages(before, after, reader)) continue;
      const step = readers[reader] === GATHER ? this.steps : flow.stepOf[readers[reader]];
      this.markPacked(step);
      // Messages of earlier steps differ in who uses them last, not in time.
      if (step > this.lastChange) this.lastChange = step;
    }
  }

  private markPacked(step: number): void {
    if (this.isPacked[step] === 1) return;
    this.isPacked[step] = 1;
    this.packed[this.packedCount++] = step;
  }

  latency(limit: Nanoseconds): Nanoseconds {
    this.isPackedAnew = true;
    for (let index = 0; index < this.packedCount; index++) {
      this.pack(this.packed[index]);
      if (this.packed[index] < this.firstStep) this.slots.carryTimes(this.packed[index]);
    }
    this.latencyNs = this.firstStep > this.steps ? this.keptLatency : this.run(limit);
    return this.latencyNs;
  }

  peaks(result: Float64Array): void {
    this.memory.find(result);
  }

  criticalSteps(): readonly number[] {
    return this.critical.steps();
  }

  keep(): void {
    const { firstStep: first, endStep: end, stateSize, eventSize } = this;
    if (first < end) {
      const rows = this.triedState;
      this.state.copyWithin(first * stateSize, rows + first * stateSize, rows + (end + 1) * stateSize);
      const lines = this.triedEvents;
      this.events.copyWithin(first * eventSize, lines + first * eventSize, lines + end * eventSize);
      this.slots.keep(first, end);
    }
    this.keptLatency = this.latencyNs;
    this.tails.forget(this.lastChange);
    this.close();
  }

  undo(): void {
    // Given up for its genes alone, the plan has packed nothing yet.
    for (let index = 0; this.isPackedAnew && index < this.packedCount; index++)
      this.slots.exchange(this.packed[index]);
    this.close();
  }

  private close(): void {
    for (let index = 0; index < this.packedCount; index++) this.isPacked[this.packed[index]] = 0;
    this.packedCount = 0;
    this.isPackedAnew = false;
    this.lastChange = NONE;
    this.firstStep = this.endStep = this.steps + 1;
  }

  /** Lists the step's messages anew. */
  private pack(step: number): void {
    const { slots, steps } = this;
    const { flow } = this.workload;
    if (step === steps) {
      let count = 0;
      for (const storage of flow.outputs)
        count += this.countOf(storage, flow.storages[storage].readers.length - 1);
      slots.open(step, count);
      for (const storage of flow.outputs)
        this.packReader(step, storage, flow.storages[storage].readers.length - 1);
      slots.inboxEnd[step] = slots.end[step];
      return;
    }
    const { reads } = flow.operators[flow.steps[step]];
    const { reduction } = this.genes[step];
    let count = reduction === undefined ? 0 : reduction.messages.length;
    for (let read = 0; read < reads.length; read++)
      count += this.countOf(reads[read].storage, reads[read].reader);
    slots.open(step, count);
    for (let read = 0; read < reads.length; read++)
      this.packReader(step, reads[read].storage, reads[read].reader);
    slots.inboxEnd[step] = slots.end[step];
    if (reduction === undefined) return;
    const line = step * this.eventSize + this.devices;
    // A partial sum is sent when its shard has ended.
    for (const { from, ns, bytes } of reduction.messages)
      slots.add(step, from, reduction.device, line + from, ns, bytes, step, NONE, 0);
  }

  private countOf(storage: StorageId, reader: number): number {
    const { first } = this.traffic[storage];
    return first[reader + 1] - first[reader];
  }

  private packReader(step: number, storage: StorageId, reader: number): void {
    const { slots, devices, sink, steps } = this;
    const { flow } = this.workload;
    const { producer, readers } = flow.storages[storage];
    const { first, messages } = this.traffic[storage];
    // The line behind the last step's stands for what is there from the beginning.
    const line = (producer === NONE ? steps : flow.stepOf[producer]) * this.eventSize + 2 * devices;
    for (let m = first[reader]; m < first[reader + 1]; m++) {
      const { from, to, ns, bytes, lastReader } = messages[m];
      const comesToStay = this.isOutput[storage] === 1 && to === sink;
      const last = comesToStay ? NONE : flow.stepOf[readers[lastReader]];
      const source = storage * devices + from;
      slots.add(step, from, to, line + from, ns, bytes, last, source, comesToStay ? 1 : 0);
    }
  }

  /** Runs the plan being tried from its first changed step on. */
  private run(limit: Nanoseconds): Nanoseconds {
    const { state, stateSize, triedState, steps, firstStep } = this;
    const first = firstStep * stateSize;
    state.copyWithin(triedState + first, first, first + stateSize);
    let nextLook = limit === Infinity ? Infinity : this.lastChange + 1;
    let gap = 1;
    for (let step = firstStep; step <= steps; step++) {
      if (step === nextLook) {
        const bound = this.tails.bound(step);
        if (bound > limit) return Infinity;
        if (bound < 0) return this.rejoin(step, limit);
        nextLook += gap;
        gap *= 2;
      }
      const end = this.runStep(step);
      if (end > limit && this.isNeeded[step] === 1) return Infinity;
    }
    this.endStep = steps + 1;
    return state[triedState + (steps + 2) * stateSize - 1];
  }

  /** From `step` on all is as in the plan at hand. */
  private rejoin(step: number, limit: Nanoseconds): Nanoseconds {
    this.endStep = step;
    return this.keptLatency > limit ? Infinity : this.keptLatency;
  }

  /** Returns when the last of its shards ends. */
  private runStep(step: number): Nanoseconds {
    const { devices, state, events, arrived, slots, parts, computeNs } = this;
    const row = this.triedState + step * this.stateSize;
    const next = row + this.stateSize;
    for (let i = 0; i < this.stateSize; i++) state[next + i] = state[row + i];
    const inbox = slots.first[step];
    const inboxEnd = slots.inboxEnd[step];
    if (inbox < inboxEnd) this.send(step, inbox, inboxEnd, next);
    else for (let d = 0; d < devices; d++) arrived[d] = 0;
    if (step === this.steps) return 0;
    const line = this.triedEvents + step * this.eventSize;
    const own = step * devices;
    let last = 0;
    for (let index = own; index < own + this.partCount[step]; index++) {
      const device = parts[index];
      const free = state[next + device];
      const start = arrived[device] > free ? arrived[device] : free;
      const end = start + computeNs[own + device];
      events[line + device] = start;
      events[line + devices + device] = end;
      events[line + 2 * devices + device] = end;
      state[next + device] = end;
      if (end > last) last = end;
    }
    const reduceOn = this.reduceOn[step];
    if (reduceOn !== NONE) last = this.reduce(step, reduceOn, next, line);
    if (this.makesOutput[step] === 1) this.markOutput(step, next, line);
    return last;
  }

  private reduce(step: number, device: number, next: number, line: number): Nanoseconds {
    const { slots, state, events, arrived, devices } = this;
    arrived[device] = 0;
    if (slots.inboxEnd[step] < slots.end[step]) this.send(step, slots.inboxEnd[step], slots.end[step], next);
    const start = Math.max(state[next + device], arrived[device]);
    const end = start + this.reduceNs[step];
    events[line + 3 * devices] = start;
    events[line + 3 * devices + 1] = end;
    events[line + 2 * devices + device] = end;
    state[next + device] = end;
    return end;
  }

  private markOutput(step: number, next: number, line: number): void {
    const { state, sink, devices } = this;
    const reduceOn = this.reduceOn[step];
    if (reduceOn === NONE ? this.genes[step].hasPart[sink] === 0 : reduceOn !== sink) return;
    const end = this.events[line + 2 * devices + sink];
    if (end > state[next + 3 * devices]) state[next + 3 * devices] = end;
  }

  /**
   * Sends the messages `[begin, end)` in the order in which they are ready (together: the receiver that computes
   * longest first), each as soon as both of its links are free.
   */
  private send(step: number, begin: number, end: number, next: number): void {
    const { devices, state, events, arrived, isShared, computeNs } = this;
    const { readyAt, to, from, ns, order, start: starts, finish, isOutput, inboxEnd } = this.slots;
    const firstTried = this.firstStep * this.eventSize;
    const own = step * devices;
    for (let d = 0; d < devices; d++) arrived[d] = 0;
    // Partial sums have no urgency.
    const isInbox = begin < inboxEnd[step];
    for (let m = begin; m < end; m++) {
      // The line for what is there from the beginning is never run, so that it is always 0.
      const at = readyAt[m];
      const ready =
        events[at >= firstTried && at < this.triedEvents - this.eventSize ? at + this.triedEvents : at];
      starts[m] = ready;
      let place = m;
      while (place > begin) {
        const before = order[place - 1];
        const isLater =
          starts[before] > ready ||
          (isInbox && starts[before] === ready && computeNs[own + to[before]] < computeNs[own + to[m]]);
        if (!isLater) break;
        order[place] = before;
        place--;
      }
      order[place] = m;
    }
    const ups = next + devices;
    const downs = ups + devices;
    for (let index = begin; index < end; index++) {
      const m = order[index];
      const target = to[m];
      const up = isShared ? ups : ups + from[m];
      const down = isShared ? downs : downs + target;
      let start = starts[m];
      if (state[up] > start) start = state[up];
      if (state[down] > start) start = state[down];
      const done = start + ns[m];
      starts[m] = start;
      finish[m] = done;
      state[up] = done;
      state[down] = done;
      if (done > arrived[target]) arrived[target] = done;
      if (isOutput[m] === 1 && done > state[downs + devices]) state[downs + devices] = done;
    }
  }
}

/** Per step: whether an output of the model depends on its operator. */
function leadsToOutput({ flow }: Workload): Uint8Array {
  const isNeeded = new Uint8Array(flow.steps.length + 1);
  for (let step = flow.steps.length - 1; step >= 0; step--) {
    const isRead = flow.operators[flow.steps[step]].makes.some((storage) => {
      const { isOutput, readers } = flow.storages[storage];
      return isOutput || readers.some((reader) => isNeeded[flow.stepOf[reader]] === 1);
    });
    if (isRead) isNeeded[step] = 1;
  }
  return isNeeded;
}
