import { NONE, type Nanoseconds, type OperatorId, type StorageId } from '../graph/units';
import type { CompiledGene, Reduction } from './compiledGene';
import type { Kernel, Loaded } from './evaluator';
import { MessageLog } from './messageLog';
import { OverlappedPeaks } from './overlappedPeaks';
import type { Workload } from './workload';

/**
 * The overlapped timeline over flat arrays. Row `s` of each state array is how things stand before step `s`, so
 * that a changed gene costs only the steps from its own on.
 */
export class OverlappedKernel implements Kernel {
  readonly devices: number;
  readonly steps: readonly OperatorId[];
  /** `step * devices + device`. */
  readonly computeStart: Float64Array;
  readonly computeEnd: Float64Array;
  /** Per step with a reduction. */
  readonly reduceStart: Float64Array;
  readonly reduceEnd: Float64Array;
  readonly log = new MessageLog();
  private readonly deviceFree: Float64Array;
  /** Per uplink and downlink; of a shared medium only the first of both. */
  private readonly upFree: Float64Array;
  private readonly downFree: Float64Array;
  /** When the last part so far of an output came to the sink. */
  private readonly outputEnd: Float64Array;
  private readonly messagesBefore: Int32Array;
  /** `storage * devices + device`: end of the event that made its region there. */
  private readonly madeEnd: Float64Array;
  private readonly arrived: Float64Array;
  private readonly isNeeded: Uint8Array;
  private readonly isOutput: Uint8Array;
  private readonly isShared: boolean;
  private readonly sink: number;
  private readonly memory: OverlappedPeaks;

  constructor(
    private readonly workload: Workload,
    private readonly loaded: Loaded,
  ) {
    const { flow, cluster, graph } = workload;
    this.devices = cluster.devices.length;
    this.steps = flow.steps;
    const rows = (flow.steps.length + 2) * this.devices;
    this.computeStart = new Float64Array(rows);
    this.computeEnd = new Float64Array(rows);
    this.reduceStart = new Float64Array(flow.steps.length);
    this.reduceEnd = new Float64Array(flow.steps.length);
    this.deviceFree = new Float64Array(rows);
    this.upFree = new Float64Array(rows);
    this.downFree = new Float64Array(rows);
    this.outputEnd = new Float64Array(flow.steps.length + 2);
    this.messagesBefore = new Int32Array(flow.steps.length + 2);
    this.madeEnd = new Float64Array(graph.storages.length * this.devices);
    this.arrived = new Float64Array(this.devices);
    this.isShared = cluster.network.kind === 'shared';
    this.sink = cluster.sink;
    this.isOutput = Uint8Array.from(flow.storages, ({ isOutput }) => (isOutput ? 1 : 0));
    this.isNeeded = leadsToOutput(workload);
    this.memory = new OverlappedPeaks(workload, loaded, this);
  }

  latency(firstStep: number, limit: Nanoseconds): Nanoseconds {
    const { log, steps } = this;
    log.count = this.messagesBefore[firstStep];
    for (let step = firstStep; step < steps.length; step++) {
      this.openRow(step);
      const end = this.runStep(step, this.loaded.genome[steps[step]]);
      this.messagesBefore[step + 1] = log.count;
      if (end > limit && this.isNeeded[step] === 1) return Infinity;
    }
    return this.gather();
  }

  peaks(result: Float64Array): void {
    this.memory.find(result);
  }

  /** State after `step` begins as the state before it. */
  private openRow(step: number): void {
    const { devices, deviceFree, upFree, downFree } = this;
    const row = step * devices;
    for (let d = row; d < row + devices; d++) {
      deviceFree[d + devices] = deviceFree[d];
      upFree[d + devices] = upFree[d];
      downFree[d + devices] = downFree[d];
    }
    this.outputEnd[step + 1] = this.outputEnd[step];
  }

  /** Returns when the last of its shards ends. */
  private runStep(step: number, gene: CompiledGene): Nanoseconds {
    const { devices, deviceFree, arrived, computeStart, computeEnd } = this;
    const { reads } = this.workload.flow.operators[gene.operator];
    const first = this.log.count;
    for (let read = 0; read < reads.length; read++) {
      this.queue(first, reads[read].storage, reads[read].reader, step, gene.computeNs);
    }
    this.send(first, step + 1);
    const row = step * devices;
    let last = 0;
    for (let index = 0; index < gene.devices.length; index++) {
      const device = gene.devices[index];
      const free = deviceFree[row + devices + device];
      const start = arrived[device] > free ? arrived[device] : free;
      const end = start + gene.computeNs[device];
      computeStart[row + device] = start;
      computeEnd[row + device] = end;
      deviceFree[row + devices + device] = end;
      if (end > last) last = end;
    }
    if (gene.reduction !== undefined) last = this.reduce(step, gene.operator, gene.reduction);
    this.markMade(step, gene);
    return last;
  }

  private reduce(step: number, operator: OperatorId, { device, ns, messages }: Reduction): Nanoseconds {
    const { log, devices, deviceFree } = this;
    const { makes } = this.workload.flow.operators[operator];
    const first = log.count;
    for (const { made, from, bytes, ns: messageNs } of messages) {
      const place = log.insert(first, this.computeEnd[step * devices + from], 0);
      log.put(place, makes[made], from, device, step, NONE, bytes, messageNs);
    }
    this.send(first, step + 1);
    const own = (step + 1) * devices + device;
    const start = Math.max(deviceFree[own], this.arrived[device]);
    this.reduceStart[step] = start;
    this.reduceEnd[step] = deviceFree[own] = start + ns;
    return start + ns;
  }

  private markMade(step: number, { operator, devices: parts, reduction }: CompiledGene): void {
    const { devices, madeEnd, sink } = this;
    const { makes } = this.workload.flow.operators[operator];
    for (let made = 0; made < makes.length; made++) {
      const row = makes[made] * devices;
      if (reduction !== undefined) {
        madeEnd[row + reduction.device] = this.reduceEnd[step];
      } else {
        for (let index = 0; index < parts.length; index++) {
          madeEnd[row + parts[index]] = this.computeEnd[step * devices + parts[index]];
        }
      }
      if (this.isOutput[makes[made]] === 0) continue;
      const isOnSink = reduction === undefined ? parts.includes(sink) : reduction.device === sink;
      if (isOnSink) this.outputCame(step + 1, madeEnd[row + sink]);
    }
  }

  private outputCame(row: number, time: Nanoseconds): void {
    if (time > this.outputEnd[row]) this.outputEnd[row] = time;
  }

  private gather(): Nanoseconds {
    const { flow } = this.workload;
    const step = this.steps.length;
    this.openRow(step);
    const first = this.log.count;
    for (const storage of flow.outputs) {
      this.queue(first, storage, flow.storages[storage].readers.length - 1, step, undefined);
    }
    this.send(first, step + 1);
    return this.outputEnd[step + 1];
  }

  /** Adds the messages that a reader waits for to those from `first` on, without their times. */
  private queue(
    first: number,
    storage: StorageId,
    reader: number,
    step: number,
    computeNs: Float64Array | undefined,
  ): void {
    const { log, madeEnd, devices } = this;
    const traffic = this.loaded.traffic[storage];
    const end = traffic.first[reader + 1];
    for (let m = traffic.first[reader]; m < end; m++) {
      const from = traffic.from[m];
      const to = traffic.to[m];
      const place = log.insert(
        first,
        madeEnd[storage * devices + from],
        computeNs === undefined ? 0 : computeNs[to],
      );
      log.put(place, storage, from, to, step, m, traffic.bytes[m], traffic.ns[m]);
    }
  }

  /** Gives times to the messages from `first` on, in their order; `stateRow` of the link states changes. */
  private send(first: number, stateRow: number): void {
    const { upFree, downFree, arrived, log, isShared, sink } = this;
    arrived.fill(0);
    const row = stateRow * this.devices;
    for (let m = first; m < log.count; m++) {
      const to = log.to[m];
      const up = isShared ? row : row + log.from[m];
      const down = isShared ? row : row + to;
      let start = log.ready[m];
      if (upFree[up] > start) start = upFree[up];
      if (downFree[down] > start) start = downFree[down];
      const end = start + log.ns[m];
      log.start[m] = start;
      log.end[m] = end;
      upFree[up] = end;
      downFree[down] = end;
      if (end > arrived[to]) arrived[to] = end;
      if (to === sink && log.index[m] !== NONE && this.isOutput[log.storage[m]] === 1)
        this.outputCame(stateRow, end);
    }
  }
}

/** Per step: whether an output of the model depends on its operator. */
function leadsToOutput({ flow }: Workload): Uint8Array {
  const isNeeded = new Uint8Array(flow.steps.length);
  for (let step = flow.steps.length - 1; step >= 0; step--) {
    const isRead = flow.operators[flow.steps[step]].makes.some((storage) => {
      const { isOutput, readers } = flow.storages[storage];
      return isOutput || readers.some((reader) => isNeeded[flow.stepOf[reader]] === 1);
    });
    if (isRead) isNeeded[step] = 1;
  }
  return isNeeded;
}
