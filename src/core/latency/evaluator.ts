import { NONE, type Bytes, type Nanoseconds, type OperatorId, type StorageId } from '../graph/units';
import type { CompiledGene } from './compiledGene';
import { OverlappedKernel } from './overlappedKernel';
import { SynchronousKernel } from './synchronousKernel';
import type { Traffic } from './traffic';
import { SharedWeights } from './weights';
import type { Genome, Workload } from './workload';

/**
 * One latency model's arithmetic over flat arrays. It holds a plan at hand and a plan being tried, which differs
 * from it by what was exchanged since the last `keep` or `undo`.
 */
export interface Kernel {
  /** The gene of a step is another now. @param before `undefined` where there was none yet */
  exchangeGene(step: number, before: CompiledGene | undefined, after: CompiledGene): void;
  /**
   * After all genes are exchanged: a bound on the latency, whatever the messages of the given storages (the first
   * `count`) will be.
   */
  bound(storages: Int32Array, count: number): Nanoseconds;
  /** Called after all genes are exchanged. */
  exchangeTraffic(storage: StorageId, before: Traffic | undefined, after: Traffic): void;
  /** Latency of the plan being tried. Gives up with `Infinity` once it is sure to exceed `limit`. */
  latency(limit: Nanoseconds): Nanoseconds;
  /** After `latency` did not give up: most bytes of activations held at once, per device. */
  peaks(result: Float64Array): void;
  /** Steps (some twice) that the latency of the plan at hand waits for. */
  criticalSteps(): readonly number[];
  /** The plan being tried, whose latency is known, is the plan at hand from now on. */
  keep(): void;
  /** All exchanges were taken back, in the same way. */
  undo(): void;
}

/**
 * Latency and memory of whole plans, fast: each is worked out from what it changes in the plan kept last.
 * Agrees exactly with `simulate`.
 */
export class Evaluator {
  /** Of the last genome; `Infinity` where it exceeds the limit given. */
  latencyNs: Nanoseconds = Infinity;
  /** Bytes by which the devices' memories are exceeded, summed; 0 for a valid plan. Unknown while `latencyNs` is infinite. */
  violation: Bytes = Infinity;
  evaluations = 0;
  /** Per device: base memory, weights and activations at the peak, where they were worked out. */
  readonly peakBytes: Float64Array;
  private readonly kernel: Kernel;
  private readonly genes: (CompiledGene | undefined)[];
  /** By operator, as `TrafficTable` wants them. */
  private readonly genome: (CompiledGene | undefined)[];
  private readonly traffic: (Traffic | undefined)[];
  private readonly ownWeights: Float64Array;
  private readonly weights: Float64Array;
  private readonly shared: SharedWeights;
  private readonly limits: Float64Array;
  private readonly allActivations: Bytes;
  private isEmpty = true;
  private isPending = false;
  /** What the plan being tried changes: steps and storages with what they had before. */
  private changedSteps = 0;
  private readonly stepList: Int32Array;
  private readonly geneList: (CompiledGene | undefined)[];
  private changedStorages = 0;
  /** The first so many of them have their new messages. */
  private loadedStorages = 0;
  private readonly storageList: Int32Array;
  private readonly trafficList: (Traffic | undefined)[];
  private readonly isListed: Uint8Array;

  constructor(readonly workload: Workload) {
    const { graph, cluster, latencyModel, flow } = workload;
    this.kernel =
      latencyModel === 'overlapped' ? new OverlappedKernel(workload) : new SynchronousKernel(workload);
    this.limits = Float64Array.from(cluster.devices, ({ memory, baseMemory }) => memory - baseMemory);
    this.peakBytes = new Float64Array(cluster.devices.length);
    this.ownWeights = new Float64Array(cluster.devices.length);
    this.weights = new Float64Array(cluster.devices.length);
    this.shared = new SharedWeights(workload);
    this.allActivations = mostActivations(workload);
    const nothing = <Item>(length: number): (Item | undefined)[] =>
      new Array<Item | undefined>(length).fill(undefined);
    this.genes = nothing(flow.steps.length);
    this.genome = nothing(graph.operators.length);
    this.traffic = nothing(graph.storages.length);
    this.stepList = new Int32Array(flow.steps.length);
    this.geneList = nothing(flow.steps.length);
    this.storageList = new Int32Array(graph.storages.length);
    this.trafficList = nothing(graph.storages.length);
    this.isListed = new Uint8Array(graph.storages.length);
  }

  /**
   * @param limit above it the exact latency does not matter: `latencyNs` may then be `Infinity`
   * @param needsPeaks work the exact peaks out even where no limit can be exceeded
   */
  evaluate(genome: Genome, limit: Nanoseconds = Infinity, needsPeaks = false): void {
    this.evaluations++;
    if (this.isPending) this.undo();
    this.loadGenes(genome);
    this.latencyNs = this.violation = Infinity;
    if (!this.isEmpty && this.kernel.bound(this.storageList, this.changedStorages) > limit) return;
    this.loadTraffic();
    this.latencyNs = this.kernel.latency(this.isEmpty ? Infinity : limit);
    if (this.latencyNs === Infinity) return;
    this.countMemory(needsPeaks);
    // The first plan is one to start from in any case.
    if (this.isEmpty) this.keep();
  }

  /**
   * Further plans are worked out from the last one, whose latency is finite. Plans that are not kept cost nothing
   * but their own changes.
   */
  keep(): void {
    this.isEmpty = false;
    this.kernel.keep();
    this.close();
  }

  /** Positions in the order (some twice) of the operators that the latency of the plan kept last waits for. */
  criticalSteps(): readonly number[] {
    if (this.isPending) this.undo();
    return this.kernel.criticalSteps();
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

  /** Takes over the genes that differ, and lists the storages whose messages may then. */
  private loadGenes(genome: Genome): void {
    const { steps } = this.workload.flow;
    const { genes } = this;
    this.isPending = true;
    for (let step = 0; step < steps.length; step++) {
      const gene = genome[steps[step]]!;
      if (gene === genes[step]) continue;
      this.geneList[this.changedSteps] = genes[step];
      this.stepList[this.changedSteps++] = step;
      this.exchangeGene(step, gene);
      this.listStorages(steps[step]);
    }
    if (this.isEmpty) this.listAll();
    for (let index = 0; index < this.changedStorages; index++) this.isListed[this.storageList[index]] = 0;
  }

  private loadTraffic(): void {
    for (; this.loadedStorages < this.changedStorages; this.loadedStorages++) {
      const storage = this.storageList[this.loadedStorages];
      const before = this.traffic[storage];
      const after = this.workload.traffic.traffic(storage, this.genome);
      this.trafficList[this.loadedStorages] = before;
      if (after === before) continue;
      this.traffic[storage] = after;
      this.kernel.exchangeTraffic(storage, before, after);
    }
    this.addSharedWeights();
  }

  private undo(): void {
    for (let index = 0; index < this.changedSteps; index++) {
      this.exchangeGene(this.stepList[index], this.geneList[index]!);
    }
    for (let index = 0; index < this.loadedStorages; index++) {
      const storage = this.storageList[index];
      const after = this.traffic[storage]!;
      const before = this.trafficList[index]!;
      if (after === before) continue;
      this.traffic[storage] = before;
      this.kernel.exchangeTraffic(storage, after, before);
    }
    this.kernel.undo();
    this.close();
  }

  private close(): void {
    this.changedSteps = this.changedStorages = this.loadedStorages = 0;
    this.isPending = false;
  }

  private exchangeGene(step: number, after: CompiledGene): void {
    const before = this.genes[step];
    const { ownWeights } = this;
    this.genes[step] = this.genome[after.operator] = after;
    for (let d = 0; d < ownWeights.length; d++) {
      ownWeights[d] += after.ownWeightBytes[d] - (before === undefined ? 0 : before.ownWeightBytes[d]);
    }
    this.kernel.exchangeGene(step, before, after);
  }

  private addSharedWeights(): void {
    this.weights.set(this.ownWeights);
    if (!this.shared.isEmpty) this.shared.addTo(this.weights, this.genome);
  }

  private listAll(): void {
    const { storages, stepOf } = this.workload.flow;
    storages.forEach(({ producer, readers }, storage) => {
      if (producer === NONE ? readers.length > 0 : stepOf[producer] !== NONE) this.listStorage(storage);
    });
  }

  private listStorages(operator: OperatorId): void {
    const { reads, makes } = this.workload.flow.operators[operator];
    for (let read = 0; read < reads.length; read++) this.listStorage(reads[read].storage);
    for (let made = 0; made < makes.length; made++) this.listStorage(makes[made]);
  }

  private listStorage(storage: StorageId): void {
    if (this.isListed[storage] === 1) return;
    this.isListed[storage] = 1;
    this.storageList[this.changedStorages++] = storage;
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
