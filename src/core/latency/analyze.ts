/**
 * The memory-time cost analysis of one operator: what each way to split it costs, seen on its own. Its inputs are
 * taken to lie where a neighbour that is split alike would leave them (the same axis at the same fractions; with
 * `K` the slices themselves), so that what a shard needs beyond its own part is its halo, and traffic.
 */
import type { Cluster } from '../cluster/cluster';
import type { Graph } from '../graph/graph';
import {
  NONE,
  type Bytes,
  type DeviceId,
  type Nanoseconds,
  type OperatorId,
  type StorageId,
} from '../graph/units';
import type { Dimension, PartitionRules } from '../partition/partition';
import { EMPTY_REGION, type Region } from '../partition/regions';
import type { CompiledGene } from './compiledGene';
import { ownRange, wholeGene, type Gene } from './gene';
import { createWorkload, type Workload } from './workload';

export interface OperatorAnalysis {
  readonly operator: OperatorId;
  readonly alternatives: readonly Alternative[];
  /** Position of the alternative with the least `totalNs`. */
  readonly cheapest: number;
}

/** One dimension with one number of shares, on the fastest devices, by speed. */
export interface Alternative {
  readonly dimension: Dimension;
  /** `NONE` for the whole operator. */
  readonly axis: number;
  readonly shares: readonly Share[];
  /** Slowest shard, and the reduction where there is one. */
  readonly computeNs: Nanoseconds;
  /** Halos and partial sums. */
  readonly trafficBytes: Bytes;
  /** Largest sum of message times on one uplink or downlink; on a shared medium the sum of all. */
  readonly trafficNs: Nanoseconds;
  readonly totalNs: Nanoseconds;
}

export interface Share {
  readonly device: DeviceId;
  readonly start: number;
  readonly end: number;
  readonly computeNs: Nanoseconds;
  readonly weightBytes: Bytes;
  /** All that the shard reads of activations, its halo included. */
  readonly inputBytes: Bytes;
  readonly haloBytes: Bytes;
  /** With `K` a partial sum. */
  readonly outputBytes: Bytes;
}

export class OperatorAnalyzer {
  private readonly workload: Workload;
  private readonly bySpeed: readonly DeviceId[];

  constructor(graph: Graph, rules: PartitionRules, cluster: Cluster) {
    const order = graph.operators.map(({ id }) => id);
    this.workload = createWorkload(graph, rules, cluster, order, 'synchronous');
    this.bySpeed = cluster.devices
      .map((_, device) => device)
      .sort((a, b) => cluster.devices[b].compute - cluster.devices[a].compute || a - b);
  }

  /**
   * Every dimension with every number of shares; a view costs nothing and has no alternatives, nor has an operator
   * that reads or makes something of unknown size.
   */
  analyze(operator: OperatorId): OperatorAnalysis {
    const { flow, genes, cluster } = this.workload;
    if (flow.stepOf[operator] === NONE || !this.isSized(operator))
      return { operator, alternatives: [], cheapest: NONE };
    const devices = cluster.devices.length;
    const alternatives = [this.alternative(operator, wholeGene(this.bySpeed[0], devices))];
    genes.splits(operator).forEach(({ length, unit }, split) => {
      for (let shares = 2; shares <= Math.min(devices, length / unit); shares++) {
        const gene = this.bySpeedGene(operator, split, shares);
        if (gene !== undefined) alternatives.push(this.alternative(operator, gene));
      }
    });
    const least = Math.min(...alternatives.map(({ totalNs }) => totalNs));
    return { operator, alternatives, cheapest: alternatives.findIndex(({ totalNs }) => totalNs === least) };
  }

  private isSized(operator: OperatorId): boolean {
    const { flow, graph } = this.workload;
    const { reads, makes } = flow.operators[operator];
    return [...reads.map(({ storage }) => storage), ...makes].every(
      (storage) => graph.storages[storage].bytes !== undefined,
    );
  }

  /** Shares by speed among the fastest; `undefined` where rounding to units leaves one of them nothing. */
  private bySpeedGene(operator: OperatorId, split: number, shares: number): Gene | undefined {
    const { cluster, genes } = this.workload;
    const { length, unit, dimension } = genes.splits(operator)[split];
    const among = new Set(this.bySpeed.slice(0, shares));
    const speeds = cluster.devices.map(({ compute }, device) => (among.has(device) ? compute : 0));
    const total = speeds.reduce((sum, speed) => sum + speed, 0);
    const cuts = [0];
    let sum = 0;
    for (const speed of speeds) cuts.push(Math.round((((sum += speed) / total) * length) / unit) * unit);
    const isComplete = speeds.every((speed, device) => speed === 0 || cuts[device] < cuts[device + 1]);
    return isComplete ? { split, cuts, reduceOn: dimension === 'K' ? this.bySpeed[0] : NONE } : undefined;
  }

  private alternative(operator: OperatorId, gene: Gene): Alternative {
    const { genes, cluster } = this.workload;
    const compiled = genes.compile(operator, gene);
    const { devices, reduction } = compiled;
    const split = compiled.gene.split === NONE ? undefined : genes.splits(operator)[compiled.gene.split];
    const ports = new Ports(cluster);
    const halos = this.halos(operator, compiled, ports);
    const messages = reduction?.messages ?? [];
    for (const { from, ns } of messages) ports.use(from, reduction!.device, ns);
    const computeNs = Math.max(...compiled.computeNs) + (reduction?.ns ?? 0);
    const sent = messages.reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      dimension: split?.dimension ?? 'none',
      axis: split?.axis ?? NONE,
      shares: devices.map((device) => ({
        device,
        start: ownRange(compiled.gene, device)[0],
        end: ownRange(compiled.gene, device)[1],
        computeNs: compiled.computeNs[device],
        weightBytes: compiled.ownWeightBytes[device] + this.sharedBytes(compiled, device),
        inputBytes: this.needBytes(compiled, device),
        haloBytes: halos[device],
        outputBytes: reduction === undefined ? compiled.madeBytes[device] : reduction.partialBytes,
      })),
      computeNs,
      trafficBytes: halos.reduce((sum, bytes) => sum + bytes, 0) + sent,
      trafficNs: ports.busiest,
      totalNs: computeNs + ports.busiest,
    };
  }

  private sharedBytes({ operator, sharedWeights }: CompiledGene, device: DeviceId): Bytes {
    const { genes } = this.workload;
    return genes
      .sharedWeights(operator)
      .reduce(
        (sum, weight, index) => sum + genes.regions.bytes(weight, sharedWeights[index][device].elements),
        0,
      );
  }

  private needBytes({ operator, needs }: CompiledGene, device: DeviceId): Bytes {
    const { flow, genes } = this.workload;
    return flow.operators[operator].reads.reduce(
      (sum, { storage }, read) => sum + genes.storageBytes(storage, needs[read][device].elements),
      0,
    );
  }

  /** Bytes per device that a neighbour split alike would not have left there, and their messages. */
  private halos(operator: OperatorId, compiled: CompiledGene, ports: Ports): Bytes[] {
    const { flow, genes, cluster } = this.workload;
    const halos = cluster.devices.map(() => 0);
    flow.operators[operator].reads.forEach(({ storage }, read) => {
      const space = genes.regions.space(this.workload.graph.storages[storage].tensors[0]);
      const owned = this.ownedAlike(storage, compiled, compiled.needs[read]);
      for (const to of compiled.devices) {
        const missing = space.difference(compiled.needs[read][to], owned[to]);
        halos[to] += genes.storageBytes(storage, missing.elements);
        for (const from of compiled.devices) {
          const bytes = genes.storageBytes(
            storage,
            from === to ? 0 : space.commonElements(missing, owned[from]),
          );
          if (bytes > 0) ports.use(from, to, genes.costs.messageNs(from, to, bytes));
        }
      }
    });
    return halos;
  }

  /** Where a producer that is split alike leaves its result; with `K`, or on one device, where it is needed. */
  private ownedAlike(
    storage: StorageId,
    compiled: CompiledGene,
    needs: readonly Region[],
  ): readonly Region[] {
    const { graph, genes } = this.workload;
    const { gene, devices, operator, reduction } = compiled;
    if (devices.length === 1 || reduction !== undefined) return needs;
    const { axis, length } = genes.splits(operator)[gene.split];
    const tensor = graph.storages[storage].tensors[0];
    const shape = graph.tensors[tensor].shape as readonly number[];
    const wholeOnFastest = devices.reduce((best, device) =>
      this.rank(device) < this.rank(best) ? device : best,
    );
    return needs.map((_, device) => {
      if (axis >= shape.length || shape[axis] < devices.length) {
        return device === wholeOnFastest ? genes.regions.space(tensor).whole : EMPTY_REGION;
      }
      const scaled = (cut: number): number => Math.round((cut / length) * shape[axis]);
      const box = shape.flatMap((dim, at) =>
        at === axis ? ownRange(gene, device).map((cut) => scaled(cut)) : [0, dim],
      );
      return genes.regions.region(tensor, box);
    });
  }

  private rank(device: DeviceId): number {
    return this.bySpeed.indexOf(device);
  }
}

/** Time that messages take on each uplink and downlink, or on the shared medium. */
class Ports {
  private readonly up: Nanoseconds[];
  private readonly down: Nanoseconds[];
  private readonly isShared: boolean;

  constructor({ devices, network }: Cluster) {
    this.up = devices.map(() => 0);
    this.down = devices.map(() => 0);
    this.isShared = network.kind === 'shared';
  }

  use(from: DeviceId, to: DeviceId, ns: Nanoseconds): void {
    this.up[this.isShared ? 0 : from] += ns;
    this.down[this.isShared ? 0 : to] += ns;
  }

  get busiest(): Nanoseconds {
    return Math.max(...this.up, ...this.down);
  }
}
