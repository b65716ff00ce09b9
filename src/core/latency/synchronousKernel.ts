import { NONE, type Nanoseconds, type StorageId } from '../graph/units';
import type { CompiledGene } from './compiledGene';
import type { Kernel, Loaded } from './evaluator';
import { GATHER } from './flow';
import type { Workload } from './workload';

/**
 * The synchronous model over flat arrays: a sum over steps, of which row `s` keeps what came before step `s`.
 * Memory is counted per step, in which all that an operator receives, reads and makes is there together.
 */
export class SynchronousKernel implements Kernel {
  private readonly devices: number;
  private readonly before: Float64Array;
  /** `step * devices + device`: bytes that come to stay with the step, and those gone after it. */
  private readonly made: Float64Array;
  private readonly dropped: Float64Array;
  /** There during the step only. */
  private readonly passing: Float64Array;
  private readonly bodyBytes: Float64Array;
  private readonly inputs: readonly StorageId[];

  constructor(
    private readonly workload: Workload,
    private readonly loaded: Loaded,
  ) {
    const { flow, graph, cluster } = workload;
    this.devices = cluster.devices.length;
    this.before = new Float64Array(flow.steps.length + 1);
    const rows = (flow.steps.length + 1) * this.devices;
    this.made = new Float64Array(rows);
    this.dropped = new Float64Array(rows);
    this.passing = new Float64Array(rows);
    this.bodyBytes = Float64Array.from(flow.steps, (operator) => graph.operators[operator].bodyPeak.bytes);
    const isHeld = (storage: StorageId): boolean => flow.storages[storage].readers.length > 0;
    this.inputs = graph.storages
      .filter(({ producer, id }) => producer === NONE && isHeld(id))
      .map(({ id }) => id);
  }

  latency(firstStep: number, limit: Nanoseconds): Nanoseconds {
    const { before, loaded } = this;
    const { steps, outputs, storages } = this.workload.flow;
    let now = before[firstStep];
    for (let step = firstStep; step < steps.length; step++) {
      now += this.stepNs(loaded.genome[steps[step]]);
      before[step + 1] = now;
      if (now > limit) return Infinity;
    }
    for (const storage of outputs)
      now += loaded.traffic[storage].phaseNs[storages[storage].readers.length - 1];
    return now;
  }

  private stepNs(gene: CompiledGene): Nanoseconds {
    const { reads } = this.workload.flow.operators[gene.operator];
    let ns = 0;
    for (let read = 0; read < reads.length; read++) {
      ns += this.loaded.traffic[reads[read].storage].phaseNs[reads[read].reader];
    }
    let slowest = 0;
    for (let index = 0; index < gene.devices.length; index++) {
      const own = gene.computeNs[gene.devices[index]];
      if (own > slowest) slowest = own;
    }
    return ns + slowest + (gene.reduction === undefined ? 0 : gene.reduction.phaseNs + gene.reduction.ns);
  }

  peaks(result: Float64Array): void {
    const { devices, made, dropped, passing } = this;
    made.fill(0);
    dropped.fill(0);
    passing.fill(0);
    for (const storage of this.inputs) this.bookMade(storage, 0, this.workload.cluster.source);
    this.bookSteps();
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

  private bookSteps(): void {
    const { steps, operators, storages, outputs } = this.workload.flow;
    for (let step = 0; step < steps.length; step++) {
      const gene = this.loaded.genome[steps[step]];
      const { reads, makes } = operators[gene.operator];
      for (const { storage, reader } of reads) this.bookPhase(storage, reader, step, false);
      for (const storage of makes) {
        for (let device = 0; device < this.devices; device++) this.bookMade(storage, step, device);
      }
      const row = step * this.devices;
      for (const device of gene.devices) {
        this.passing[row + device] +=
          this.bodyBytes[step] + (gene.reduction === undefined ? 0 : gene.reduction.partialBytes);
      }
      if (gene.reduction === undefined) continue;
      for (const { bytes } of gene.reduction.messages) this.passing[row + gene.reduction.device] += bytes;
    }
    for (const storage of outputs)
      this.bookPhase(storage, storages[storage].readers.length - 1, steps.length, true);
  }

  /** What a message phase brings is there for its step; on the sink, gathered outputs stay. */
  private bookPhase(storage: StorageId, reader: number, step: number, isGathering: boolean): void {
    const traffic = this.loaded.traffic[storage];
    for (let m = traffic.first[reader]; m < traffic.first[reader + 1]; m++) {
      const row = step * this.devices + traffic.to[m];
      if (isGathering) this.made[row] += traffic.bytes[m];
      else this.passing[row] += traffic.bytes[m];
    }
  }

  /** What `device` makes of `storage` at `step` stays until the last step that reads or sends it. */
  private bookMade(storage: StorageId, step: number, device: number): void {
    const { flow, cluster } = this.workload;
    const traffic = this.loaded.traffic[storage];
    const bytes = traffic.madeBytes[device];
    if (bytes === 0) return;
    this.made[step * this.devices + device] += bytes;
    const { readers, isOutput } = flow.storages[storage];
    if (isOutput && device === cluster.sink) return;
    let last = traffic.lastLocalReader[device];
    for (let reader = readers.length - 1; reader > last; reader--) {
      for (let m = traffic.first[reader]; m < traffic.first[reader + 1]; m++) {
        if (traffic.from[m] === device) last = reader;
      }
      if (last === reader) break;
    }
    const lastStep =
      last === NONE ? step : readers[last] === GATHER ? flow.steps.length : flow.stepOf[readers[last]];
    this.dropped[lastStep * this.devices + device] += bytes;
  }
}
