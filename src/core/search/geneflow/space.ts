import { NONE, type DeviceId, type OperatorId, type Step } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { computedRange, cutsAlong, deviceAt, geneDevices, wholeGene, type Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import type { Split } from '../../partition/partition';
import { crossingBytes } from '../crossingBytes';
import type { PartitionOptions, Pin } from './problem';

/** A partition without the operator that it belongs to: what a neighbour can copy. */
export interface Profile {
  readonly gene: Gene;
  readonly split: Split | undefined;
}

/** Of more operators a search is over long before it has tried all that might help. */
const FEW_STEPS = 200;
/** More axes than a tensor has. */
const MOST_AXES = 64;

/** What the genetic operators know about a workload: which genes are allowed, and who neighbours whom. */
export class SearchSpace {
  readonly devices: number;
  readonly steps: readonly OperatorId[];
  readonly splits: readonly (readonly Split[])[];
  /** Per operator: those whose results it reads and those that read its results. */
  readonly neighbours: readonly (readonly OperatorId[])[];
  /** Per step, and behind the last: the bytes made before it that are read from it on. */
  readonly crossing: Float64Array;
  private readonly reaches = new WeakMap<CompiledGene, Map<number, readonly number[]>>();
  private readonly pins: ReadonlyMap<OperatorId, Pin>;
  /** Every gene is allowed. */
  private readonly isFree: boolean;

  constructor(
    readonly workload: Workload,
    readonly options: PartitionOptions,
  ) {
    const { graph, cluster, flow, genes } = workload;
    this.devices = cluster.devices.length;
    this.steps = flow.steps;
    this.splits = graph.operators.map(({ id }) => (flow.stepOf[id] === NONE ? [] : genes.splits(id)));
    this.neighbours = neighboursOf(workload);
    this.crossing = crossingBytes(workload);
    this.pins = options.pins ?? new Map();
    this.isFree = this.pins.size === 0 && options.strategy !== 'horizontal';
  }

  /** By how many times the model is larger than those that a search gets to the end of. */
  get excess(): number {
    return Math.max(1, this.steps.length / FEW_STEPS);
  }

  /** The place within `reach` of `step` that the fewest bytes cross. */
  narrowest(step: Step, reach: number): Step {
    const { crossing } = this;
    let best = step;
    const last = Math.min(crossing.length - 1, step + reach);
    for (let at = Math.max(0, step - reach); at <= last; at++) if (crossing[at] < crossing[best]) best = at;
    return best;
  }

  /** The gene, or the nearest that strategy and pins allow. */
  compile(operator: OperatorId, gene: Gene): CompiledGene {
    return this.workload.genes.compile(operator, this.allowed(operator, gene));
  }

  /** The same before it is compiled. */
  allowed(operator: OperatorId, gene: Gene): Gene {
    if (this.isFree) return gene;
    const pin = this.pins.get(operator);
    if (pin?.device !== undefined) return wholeGene(pin.device, this.devices);
    const splits = this.splits[operator];
    const wanted = pin?.dimension;
    if (wanted === 'none') return gene.split === NONE ? gene : wholeGene(largestPart(gene), this.devices);
    if (wanted !== undefined) {
      const isWanted =
        gene.split !== NONE && splits[gene.split].dimension === wanted && geneDevices(gene).length > 1;
      const split = splits.findIndex(({ dimension }) => dimension === wanted);
      return isWanted || split === NONE ? gene : this.certainlySplit(operator, split);
    }
    if (this.options.strategy === 'horizontal' && splits.length > 0 && this.devices > 1) {
      return geneDevices(gene).length > 1 ? gene : this.certainlySplit(operator, 0);
    }
    return gene;
  }

  /** By speed; where that leaves all to one device, in two halves on the first two. */
  private certainlySplit(operator: OperatorId, split: number): Gene {
    const bySpeed = this.proportional(operator, split);
    if (geneDevices(bySpeed).length > 1) return bySpeed;
    return this.shared(
      operator,
      split,
      this.workload.cluster.devices.map((_, device) => (device < 2 ? 1 : 0)),
    );
  }

  /** Shares by the devices' speeds. */
  proportional(operator: OperatorId, split: number, among?: readonly DeviceId[]): Gene {
    const { devices } = this.workload.cluster;
    const { type } = this.workload.graph.operators[operator];
    const weights = devices.map(({ compute, efficiency }, device) =>
      among === undefined || among.includes(device) ? compute * (efficiency.get(type) ?? 1) : 0,
    );
    return this.shared(operator, split, weights);
  }

  /** Shares by `weights` (not negative, one per device), rounded to the split's unit. */
  shared(operator: OperatorId, split: number, weights: readonly number[]): Gene {
    const { length, unit, dimension } = this.splits[operator][split];
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const cuts = [0];
    let sum = 0;
    for (const weight of weights) {
      sum += weight;
      cuts.push(Math.round(((sum / total) * length) / unit) * unit);
    }
    cuts[weights.length] = length;
    const reduceOn = dimension === 'K' ? weights.indexOf(Math.max(...weights)) : NONE;
    return { split, cuts, reduceOn };
  }

  /**
   * `[start0, end0, start1, end1, ...]`: what each device's part of a split operator reads of one of its inputs along
   * an axis; `NONE` where it reads nothing that has such an axis.
   */
  reach(reader: CompiledGene, input: number, axis: number): readonly number[] {
    let known = this.reaches.get(reader);
    if (known === undefined) this.reaches.set(reader, (known = new Map()));
    const key = input * MOST_AXES + axis;
    let reach = known.get(key);
    if (reach === undefined) known.set(key, (reach = this.findReach(reader, input, axis)));
    return reach;
  }

  private findReach({ operator, gene, devices }: CompiledGene, input: number, axis: number): number[] {
    const split = this.splits[operator][gene.split];
    const reach = new Array<number>(2 * this.devices).fill(NONE);
    for (const device of devices) {
      const [start, end] = computedRange(gene, device);
      const box = this.workload.genes.rules.work(operator, split, start, end).inputs[input];
      if (box === undefined || box.length <= 2 * axis) continue;
      reach[2 * device] = box[2 * axis];
      reach[2 * device + 1] = box[2 * axis + 1];
    }
    return reach;
  }

  profile(gene: CompiledGene): Profile {
    return {
      gene: gene.gene,
      split: gene.gene.split === NONE ? undefined : this.splits[gene.operator][gene.gene.split],
    };
  }

  /**
   * Another operator's partition on this one: the same dimension, cuts at the same fractions, devices in the same
   * order; `undefined` where it has no such split.
   */
  adopt(operator: OperatorId, { gene, split }: Profile): Gene | undefined {
    if (split === undefined) return gene;
    const own = this.splits[operator];
    let position = own.findIndex(
      ({ dimension, axis }) => dimension === split.dimension && axis === split.axis,
    );
    if (position === NONE) position = own.findIndex(({ dimension }) => dimension === split.dimension);
    if (position === NONE) return undefined;
    const cuts = cutsAlong(gene.cuts, split, own[position]);
    const { reduceOn, order } = gene;
    return order === undefined
      ? { split: position, cuts, reduceOn }
      : { split: position, cuts, reduceOn, order };
  }
}

/** The device that has it. */
export function largestPart(gene: Gene): DeviceId {
  const { cuts } = gene;
  let largest = 0;
  for (let part = 1; part + 1 < cuts.length; part++) {
    if (cuts[part + 1] - cuts[part] > cuts[largest + 1] - cuts[largest]) largest = part;
  }
  return deviceAt(gene, largest);
}

function neighboursOf({ graph, flow }: Workload): OperatorId[][] {
  const found = graph.operators.map(() => new Set<OperatorId>());
  for (const { producer, readers } of flow.storages) {
    if (producer === NONE || flow.stepOf[producer] === NONE) continue;
    for (const reader of readers) {
      if (reader < 0) continue;
      found[producer].add(reader);
      found[reader].add(producer);
    }
  }
  return found.map((set) => [...set].sort((a, b) => a - b));
}
