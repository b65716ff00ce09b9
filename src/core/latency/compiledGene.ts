import type { Cluster } from '../cluster/cluster';
import type { Graph, Operator } from '../graph/graph';
import {
  NONE,
  type Bytes,
  type DeviceId,
  type Flops,
  type Nanoseconds,
  type OperatorId,
  type TensorId,
} from '../graph/units';
import { boxesBytes } from '../partition/boxBytes';
import type { Box, PartitionRules, ShardWork, Split } from '../partition/partition';
import { EMPTY_REGION, type Region, type Regions } from '../partition/regions';
import type { CostModel } from './costModel';
import type { Flow } from './flow';
import { computedRange, geneDevices, geneHash, isSameGene, normalizeGene, ownRange, type Gene } from './gene';

/** What one shard reads, makes and costs, whichever device runs it. */
interface ShardFacts {
  readonly flops: Flops;
  readonly bytesTouched: Bytes;
  /** Per storage that the operator reads, in the order of `OperatorFlow.reads`. */
  readonly needs: readonly Region[];
  /** Per storage that it makes, in the order of `OperatorFlow.makes`; for a `K` split a partial sum of it. */
  readonly makes: readonly Region[];
  /** Per weight of `OperatorFlow.weights`. */
  readonly weights: readonly Region[];
}

/** A gene with everything about it that does not depend on other operators' genes. */
export interface CompiledGene {
  /** Unique among the genes of one `GeneTable`. */
  readonly serial: number;
  readonly operator: OperatorId;
  readonly gene: Gene;
  /** Devices with a part, ascending. */
  readonly devices: readonly DeviceId[];
  /** The same as a flag per device. */
  readonly hasPart: readonly number[];
  /** Per device; 0 where it has no part. */
  readonly computeNs: readonly number[];
  /** `needs[read][device]`. */
  readonly needs: readonly (readonly Region[])[];
  /** `makes[made][device]`: held there afterwards; with a `K` split the whole on `reduceOn`. */
  readonly makes: readonly (readonly Region[])[];
  /** As `makes`, but each element on one device only (the first), which is the one that sends it. */
  readonly owns: readonly (readonly Region[])[];
  /** Per device: bytes held by what the shard (for a `K` split: the reduction) makes. */
  readonly madeBytes: readonly number[];
  /** Weights that no other operator uses, bytes per device. */
  readonly ownWeightBytes: readonly number[];
  /** Of `GeneTable.sharedWeights(operator)`: `sharedWeights[weight][device]`. */
  readonly sharedWeights: readonly (readonly Region[])[];
  /** `undefined` unless partial sums are added. */
  readonly reduction: Reduction | undefined;
}

export interface Reduction {
  readonly device: DeviceId;
  readonly ns: Nanoseconds;
  /** Bytes of one device's partial sums. */
  readonly partialBytes: Bytes;
  readonly messages: readonly PartialMessage[];
  /** Length of their phase in the synchronous model. */
  readonly phaseNs: Nanoseconds;
}

export interface PartialMessage {
  /** Position in `OperatorFlow.makes`. */
  readonly made: number;
  readonly from: DeviceId;
  readonly bytes: Bytes;
  readonly ns: Nanoseconds;
}

/** Compiled genes kept at most before the table starts afresh; those in use stay with their users. */
const MOST_KEPT = 60_000;

/** Compiles genes, each once, and shards, each once. */
export class GeneTable {
  /** Per operator, by hash. */
  private genes: Map<number, CompiledGene[]>[];
  /** Whole operators, by operator and then device. */
  private readonly wholes: (CompiledGene | undefined)[];
  /** Per operator and split (whole first), by range. */
  private shards: Map<number, ShardFacts>[][];
  private kept = 0;
  private nextSerial = 0;
  private readonly weightUsers = new Map<TensorId, number>();
  readonly devices: number;

  constructor(
    readonly graph: Graph,
    readonly rules: PartitionRules,
    readonly cluster: Cluster,
    readonly costs: CostModel,
    readonly regions: Regions,
    private readonly flow: Flow,
  ) {
    this.devices = cluster.devices.length;
    this.genes = graph.operators.map(() => new Map());
    this.wholes = new Array<CompiledGene | undefined>(graph.operators.length * this.devices).fill(undefined);
    this.shards = graph.operators.map(() => []);
    for (const { weights } of flow.operators) {
      for (const weight of weights) this.weightUsers.set(weight, (this.weightUsers.get(weight) ?? 0) + 1);
    }
  }

  splits(operator: OperatorId): readonly Split[] {
    return this.rules.splits(operator);
  }

  /** Weights of the operator that another operator uses too. */
  sharedWeights(operator: OperatorId): readonly TensorId[] {
    return this.flow.operators[operator].weights.filter((weight) => this.weightUsers.get(weight)! > 1);
  }

  /** @param given cuts must be multiples of the split's unit */
  compile(operator: OperatorId, given: Gene): CompiledGene {
    const gene = normalizeGene(given, this.splits(operator));
    if (gene.split === NONE)
      return (this.wholes[operator * this.devices + gene.cuts.lastIndexOf(0)] ??= this.build(operator, gene));
    const hash = geneHash(gene);
    const alike = this.genes[operator].get(hash);
    if (alike !== undefined) {
      for (let index = 0; index < alike.length; index++)
        if (isSameGene(alike[index].gene, gene)) return alike[index];
    }
    if (++this.kept > MOST_KEPT) this.forget();
    const compiled = this.build(operator, gene);
    const known = this.genes[operator].get(hash);
    if (known === undefined) this.genes[operator].set(hash, [compiled]);
    else known.push(compiled);
    return compiled;
  }

  /** Time of one shard `[start, end)` of a split, by its position in the operator's splits, on a device. */
  shardNs(id: OperatorId, position: number, device: DeviceId, start: number, end: number): Nanoseconds {
    const operator = this.graph.operators[id];
    const { flops, bytesTouched } = this.shard(operator, position, this.splits(id)[position], start, end);
    return this.costs.computeNs(device, operator.type, flops, bytesTouched);
  }

  private forget(): void {
    this.kept = 0;
    this.genes = this.genes.map(() => new Map());
    this.shards = this.shards.map(() => []);
  }

  private build(id: OperatorId, gene: Gene): CompiledGene {
    const operator = this.graph.operators[id];
    const flow = this.flow.operators[id];
    const devices = geneDevices(gene);
    const split = gene.split === NONE ? undefined : this.splits(id)[gene.split];
    const isReduced = split?.dimension === 'K';
    const facts = Array.from({ length: this.devices }, (_, device) =>
      devices.includes(device)
        ? this.shard(operator, gene.split, split, ...computedRange(gene, device))
        : undefined,
    );
    const perDevice = (pick: (shard: ShardFacts) => Region): Region[] =>
      facts.map((shard) => (shard === undefined ? EMPTY_REGION : pick(shard)));
    const makes = flow.makes.map((storage, made) =>
      isReduced ? this.wholeOn(gene.reduceOn, storage) : perDevice((shard) => shard.makes[made]),
    );
    const shared = this.sharedWeights(id);
    return {
      serial: this.nextSerial++,
      operator: id,
      gene,
      devices,
      hasPart: facts.map((shard) => (shard === undefined ? 0 : 1)),
      computeNs: facts.map((shard, device) =>
        shard === undefined
          ? 0
          : this.costs.computeNs(device, operator.type, shard.flops, shard.bytesTouched),
      ),
      needs: flow.reads.map((_, read) => perDevice((shard) => shard.needs[read])),
      makes,
      owns: this.ownedParts(operator, gene, split, makes),
      madeBytes: this.bytesPerDevice(flow.makes, makes),
      ownWeightBytes: this.ownWeights(flow.weights, facts),
      sharedWeights: shared.map((weight) =>
        perDevice((shard) => shard.weights[flow.weights.indexOf(weight)]),
      ),
      reduction: isReduced ? this.reduction(operator, flow.makes, devices, gene.reduceOn) : undefined,
    };
  }

  private wholeOn(device: DeviceId, storage: number): Region[] {
    const { whole } = this.regions.space(this.graph.storages[storage].tensors[0]);
    return Array.from({ length: this.devices }, (_, d) => (d === device ? whole : EMPTY_REGION));
  }

  private bytesPerDevice(storages: readonly number[], makes: readonly (readonly Region[])[]): number[] {
    const bytes = new Array<number>(this.devices).fill(0);
    storages.forEach((storage, made) => {
      makes[made].forEach((region, device) => (bytes[device] += this.storageBytes(storage, region.elements)));
    });
    return bytes;
  }

  storageBytes(storage: number, elements: number): Bytes {
    return this.regions.bytes(this.graph.storages[storage].tensors[0], elements);
  }

  private ownWeights(weights: readonly TensorId[], facts: readonly (ShardFacts | undefined)[]): number[] {
    return facts.map((shard) => {
      if (shard === undefined) return 0;
      let bytes = 0;
      weights.forEach((weight, index) => {
        if (this.weightUsers.get(weight) === 1)
          bytes += this.regions.bytes(weight, shard.weights[index].elements);
      });
      return bytes;
    });
  }

  /** Per made storage what each device owns: of its own range, whatever halos it computes beside it. */
  private ownedParts(
    operator: Operator,
    gene: Gene,
    split: Split | undefined,
    makes: readonly (readonly Region[])[],
  ): readonly (readonly Region[])[] {
    const own = makes.map((regions, made) =>
      gene.halos === undefined
        ? regions
        : regions.map((region, device) =>
            region.elements === 0
              ? region
              : this.shard(operator, gene.split, split, ...ownRange(gene, device)).makes[made],
          ),
    );
    // Shards divide the first output; what they make beside it they may make several times.
    return own.map((regions, made) =>
      made === 0 ? regions : this.owned(this.flow.operators[operator.id].makes[made], regions),
    );
  }

  private owned(storage: number, regions: readonly Region[]): readonly Region[] {
    const space = this.regions.space(this.graph.storages[storage].tensors[0]);
    let all = EMPTY_REGION;
    let isDisjoint = true;
    const owned = regions.map((region) => {
      const own = space.difference(region, all);
      if (own.elements !== region.elements) isDisjoint = false;
      all = space.union(all, region);
      return own;
    });
    return isDisjoint ? regions : owned;
  }

  private reduction(
    operator: Operator,
    storages: readonly number[],
    devices: readonly DeviceId[],
    device: DeviceId,
  ): Reduction {
    const wholes = storages.map(
      (storage) => this.regions.space(this.graph.storages[storage].tensors[0]).size,
    );
    const bytes = storages.map((storage, made) => this.storageBytes(storage, wholes[made]));
    const messages = devices
      .filter((from) => from !== device)
      .flatMap((from) =>
        storages.map((_, made): PartialMessage => ({
          made,
          from,
          bytes: bytes[made],
          ns: this.costs.messageNs(from, device, bytes[made]),
        })),
      );
    return {
      device,
      ns: this.costs.reduceNs(device, operator.type, devices.length, wholes[0], bytes[0]),
      partialBytes: bytes.reduce((sum, size) => sum + size, 0),
      messages,
      // All meet on one downlink (or the medium), whose load no sender's uplink exceeds.
      phaseNs: messages.reduce((sum, message) => sum + message.ns, 0),
    };
  }

  private shard(
    operator: Operator,
    position: number,
    split: Split | undefined,
    start: number,
    end: number,
  ): ShardFacts {
    const ofSplit = (this.shards[operator.id][position + 1] ??= new Map());
    const key = start * ((split?.length ?? 1) + 1) + end;
    let facts = ofSplit.get(key);
    if (facts === undefined) {
      facts = this.shardFacts(operator, this.rules.work(operator.id, split, start, end));
      ofSplit.set(key, facts);
    }
    return facts;
  }

  private shardFacts(operator: Operator, work: ShardWork): ShardFacts {
    const flow = this.flow.operators[operator.id];
    const storageOf = (tensor: TensorId): number => this.graph.tensors[tensor].storage;
    return {
      flops: work.flops,
      bytesTouched:
        boxesBytes(this.graph, operator.inputs, work.inputs) +
        boxesBytes(this.graph, operator.outputs, work.outputs),
      needs: flow.reads.map(({ storage }) =>
        this.regionOf(operator.inputs, work.inputs, (tensor) => storageOf(tensor) === storage),
      ),
      makes: flow.makes.map((storage) =>
        this.regionOf(operator.outputs, work.outputs, (tensor) => storageOf(tensor) === storage),
      ),
      weights: flow.weights.map((weight) =>
        this.regionOf(operator.inputs, work.inputs, (tensor) => tensor === weight),
      ),
    };
  }

  /** Union of the boxes of those tensors that `isWanted` picks (all of one storage, or one weight). */
  private regionOf(
    tensors: readonly TensorId[],
    boxes: readonly (Box | undefined)[],
    isWanted: (tensor: TensorId) => boolean,
  ): Region {
    let all = EMPTY_REGION;
    tensors.forEach((tensor, position) => {
      const box = boxes[position];
      if (tensor === NONE || box === undefined || !isWanted(tensor)) return;
      all = this.regions.space(tensor).union(all, this.regions.region(tensor, box));
    });
    return all;
  }
}
