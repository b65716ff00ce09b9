import { NONE, type Bytes, type Nanoseconds, type OperatorId, type StorageId } from '../graph/units';
import type { CompiledGene } from './compiledGene';
import { OverlappedKernel } from './overlappedKernel';
import { SynchronousKernel } from './synchronousKernel';
import type { Traffic } from './traffic';
import { SharedWeights } from './weights';
import type { Genome, Workload } from './workload';

/** What the kernels compute with: the genes at hand and what follows from them alone. */
export interface Loaded {
  readonly genome: CompiledGene[];
  /** Per storage. */
  readonly traffic: Traffic[];
}

/** One latency model's arithmetic over flat arrays. */
export interface Kernel {
  /**
   * Latency of the loaded genes; steps before `firstStep` are as they were at the last call. Gives up with
   * `Infinity` once the latency is sure to exceed `limit`.
   */
  latency(firstStep: number, limit: Nanoseconds): Nanoseconds;
  /** After `latency` did not give up: most bytes of activations held at once, per device. */
  peaks(result: Float64Array): void;
}

/**
 * Latency and memory of whole plans, fast: it remembers the last genome and works out again only what the new
 * one changes. Agrees exactly with `simulate`.
 */
export class Evaluator {
  /** Of the last genome; `Infinity` where it exceeds the limit given. */
  latencyNs: Nanoseconds = Infinity;
  /** Bytes by which the devices' memories are exceeded, summed; 0 for a valid plan. Unknown while `latencyNs` is infinite. */
  violation: Bytes = Infinity;
  evaluations = 0;
  /** Per device: base memory, weights and activations at the peak, where they were worked out. */
  readonly peakBytes: Float64Array;
  private readonly loaded: Loaded;
  private readonly kernel: Kernel;
  private readonly ownWeights: Float64Array;
  private readonly weights: Float64Array;
  private readonly shared: SharedWeights;
  private readonly limits: Float64Array;
  private readonly allActivations: Bytes;
  private readonly touched: Uint8Array;
  private readonly touchedList: Int32Array;
  /** Steps before it are valid in the kernel. */
  private validSteps: number = NONE;

  constructor(readonly workload: Workload) {
    const { graph, cluster, latencyModel } = workload;
    this.loaded = {
      genome: new Array<CompiledGene>(graph.operators.length),
      traffic: new Array<Traffic>(graph.storages.length),
    };
    this.kernel =
      latencyModel === 'overlapped'
        ? new OverlappedKernel(workload, this.loaded)
        : new SynchronousKernel(workload, this.loaded);
    this.limits = Float64Array.from(cluster.devices, ({ memory, baseMemory }) => memory - baseMemory);
    this.peakBytes = new Float64Array(cluster.devices.length);
    this.ownWeights = new Float64Array(cluster.devices.length);
    this.weights = new Float64Array(cluster.devices.length);
    this.shared = new SharedWeights(workload);
    this.allActivations = mostActivations(workload);
    this.touched = new Uint8Array(graph.storages.length);
    this.touchedList = new Int32Array(graph.storages.length);
  }

  /**
   * @param limit above it the exact latency does not matter: `latencyNs` may then be `Infinity`
   * @param needsPeaks work the exact peaks out even where no limit can be exceeded
   */
  evaluate(genome: Genome, limit: Nanoseconds = Infinity, needsPeaks = false): void {
    this.evaluations++;
    const firstStep = Math.min(this.load(genome), Math.max(this.validSteps, 0));
    this.latencyNs = this.kernel.latency(firstStep, limit);
    this.validSteps = this.latencyNs === Infinity ? firstStep : this.workload.flow.steps.length;
    this.violation = Infinity;
    if (this.latencyNs === Infinity) return;
    this.countMemory(needsPeaks);
  }

  private countMemory(needsPeaks: boolean): void {
    const { weights, limits, peakBytes } = this;
    let isClose = needsPeaks;
    for (let d = 0; d < limits.length; d++) if (weights[d] + this.allActivations > limits[d]) isClose = true;
    this.violation = 0;
    if (!isClose) return;
    this.kernel.peaks(peakBytes);
    for (let d = 0; d < limits.length; d++) {
      const held = peakBytes[d] + weights[d];
      if (held > limits[d]) this.violation += held - limits[d];
      peakBytes[d] = held + this.workload.cluster.devices[d].baseMemory;
    }
  }

  /** Takes over the genes that differ. Returns the first step that this changes. */
  private load(genome: Genome): number {
    const { steps } = this.workload.flow;
    const { genome: own, traffic } = this.loaded;
    let firstStep = steps.length;
    let changedStorages = 0;
    for (let step = steps.length - 1; step >= 0; step--) {
      const operator = steps[step];
      const gene = genome[operator]!;
      const before = own[operator];
      if (gene === before) continue;
      firstStep = step;
      own[operator] = gene;
      this.exchangeWeights(before, gene);
      changedStorages = this.touch(operator, changedStorages);
    }
    if (this.validSteps === NONE) changedStorages = this.touchAll(changedStorages);
    else if (firstStep === steps.length) return firstStep;
    for (let index = 0; index < changedStorages; index++) {
      const storage = this.touchedList[index];
      this.touched[storage] = 0;
      traffic[storage] = this.workload.traffic.traffic(storage, own);
    }
    if (!this.shared.isEmpty) {
      this.weights.set(this.ownWeights);
      this.shared.addTo(this.weights, own);
    }
    return firstStep;
  }

  private touchAll(count: number): number {
    const { storages, stepOf } = this.workload.flow;
    storages.forEach(({ producer, readers }, storage) => {
      if (producer === NONE ? readers.length > 0 : stepOf[producer] !== NONE)
        count = this.touchStorage(storage, count);
    });
    return count;
  }

  private touch(operator: OperatorId, count: number): number {
    const { reads, makes } = this.workload.flow.operators[operator];
    for (const { storage } of reads) count = this.touchStorage(storage, count);
    for (const storage of makes) count = this.touchStorage(storage, count);
    return count;
  }

  private touchStorage(storage: StorageId, count: number): number {
    if (this.touched[storage] === 1) return count;
    this.touched[storage] = 1;
    this.touchedList[count] = storage;
    return count + 1;
  }

  private exchangeWeights(before: CompiledGene | undefined, after: CompiledGene): void {
    const { ownWeights } = this;
    for (let d = 0; d < ownWeights.length; d++) {
      ownWeights[d] += after.ownWeightBytes[d] - (before === undefined ? 0 : before.ownWeightBytes[d]);
    }
    if (this.shared.isEmpty) this.weights.set(ownWeights);
  }
}

/** More than the activations that any plan holds on one device: all storages, all partial sums, all bodies. */
function mostActivations({ graph, genes, cluster }: Workload): Bytes {
  const isReducible = (operator: OperatorId): boolean =>
    operator !== NONE && genes.splits(operator).some(({ dimension }) => dimension === 'K');
  const storages = graph.storages.reduce((sum, { bytes, producer }) => {
    const copies = 1 + (isReducible(producer) ? cluster.devices.length : 0);
    return sum + copies * ((bytes ?? 0) + cluster.devices.length ** 2);
  }, 0);
  return graph.operators.reduce((sum, { bodyPeak }) => sum + bodyPeak.bytes, storages);
}
