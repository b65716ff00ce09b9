import type { Operator } from '../graph/graph';
import type { TensorId } from '../graph/units';
import { InputError } from '../graph/problem';
import { NONE } from '../graph/units';
import type { Box, Partition, Shard, ShardWork, Split } from '../partition/partition';
import { RegionSpace } from '../partition/regions';
import type { ModelLayout } from './modelLayout';
import type { PlannedGraph } from './problem';
import { checkPlannedGraph, splitOf } from './problem';

/**
 * A planned graph as what each device does: shards, reductions, and in the end the gathering of the outputs,
 * each with the parts of tensors that it reads and where those are. Tensors are those that storages begin with:
 * a view is only another reading of the same elements.
 */
export interface DeviceEvent {
  readonly device: number;
  readonly kind: 'shard' | 'reduce' | 'gather';
  /** `undefined` for `gather`. */
  readonly operator: Operator | undefined;
  readonly split?: Split;
  readonly shard?: Shard;
  readonly work?: ShardWork;
  readonly reads: readonly Reading[];
}

/** One box of one tensor, put together from parts along one axis. */
export interface Reading {
  /** The tensor as the event reads it: a view or the storage's first one. */
  readonly tensor: TensorId;
  readonly box: Box;
  /** First tensor of the storage, and the box of it that is put together: the same elements, or all of them. */
  readonly stored: TensorId;
  readonly storedBox: Box;
  readonly axis: number;
  readonly parts: readonly PartRead[];
}

/** `box` out of what event `maker` made (`NONE`: a model input on the source device). */
export interface PartRead {
  readonly maker: number;
  readonly device: number;
  /** What the maker holds, of which `box` is a part. */
  readonly held: Box;
  readonly box: Box;
  /** Set for a partial sum, which is read whole. */
  readonly isPartial: boolean;
}

/** What an event made of a tensor. */
interface Made {
  readonly maker: number;
  readonly device: number;
  /** What it computed, and the part that it owns. */
  readonly held: Box;
  readonly owned: Box;
}

/** All events in the plan's order, without those whose results nobody reads. */
export function deviceEvents(layout: ModelLayout, plan: PlannedGraph): DeviceEvent[] {
  checkPlannedGraph(plan);
  return withoutUnread(new EventBuilder(layout, plan).build());
}

function withoutUnread(events: readonly DeviceEvent[]): DeviceEvent[] {
  const isRead = new Uint8Array(events.length);
  isRead[events.length - 1] = 1;
  for (let index = events.length - 1; index >= 0; index--) {
    if (isRead[index] === 0) continue;
    for (const reading of events[index].reads)
      for (const { maker } of reading.parts) if (maker !== NONE) isRead[maker] = 1;
  }
  const position = new Int32Array(events.length);
  let count = 0;
  for (let index = 0; index < events.length; index++) position[index] = isRead[index] === 1 ? count++ : NONE;
  const moved = (part: PartRead): PartRead => ({
    ...part,
    maker: part.maker === NONE ? NONE : position[part.maker],
  });
  return events
    .filter((_event, index) => isRead[index] === 1)
    .map((event) => ({
      ...event,
      reads: event.reads.map((reading) => ({ ...reading, parts: reading.parts.map(moved) })),
    }));
}

class EventBuilder {
  private readonly events: DeviceEvent[] = [];
  private readonly made = new Map<TensorId, Made[]>();
  private readonly spaces = new Map<TensorId, RegionSpace>();

  constructor(
    private readonly layout: ModelLayout,
    private readonly plan: PlannedGraph,
  ) {}

  build(): DeviceEvent[] {
    const { graph, source, sink } = this.plan;
    for (const input of graph.inputs) {
      const box = this.wholeBox(input);
      this.made.set(input, [{ maker: NONE, device: source, held: box, owned: box }]);
    }
    for (const step of this.plan.steps) {
      const operator = graph.operators[step];
      const partition = this.plan.partitions[step];
      if (operator.isView || partition === undefined) continue;
      if (partition.dimension === 'K') this.addPartialSums(operator, partition);
      else this.addShards(operator, partition);
    }
    const outputs = graph.outputs.filter((id) => !graph.tensors[id].isWeight);
    const reads = outputs.map((id) => this.reading(sink, id, this.wholeBox(id)));
    this.events.push({ device: sink, kind: 'gather', operator: undefined, reads });
    return this.events;
  }

  private addShards(operator: Operator, partition: Partition): void {
    const split = splitOf(this.plan, operator, partition);
    const { rules } = this.plan;
    const all = new Map<TensorId, Made[]>();
    for (const shard of [...partition.shards].sort((a, b) => a.start - b.start)) {
      const computed = rules.work(
        operator.id,
        split,
        shard.computeStart ?? shard.start,
        shard.computeEnd ?? shard.end,
      );
      const owned = rules.work(operator.id, split, shard.start, shard.end);
      const maker = this.push(operator, split, shard, computed);
      operator.outputs.forEach((tensor, index) => {
        const held = computed.outputs[index];
        const own = owned.outputs[index];
        if (tensor === NONE || held === undefined || own === undefined) return;
        all.set(tensor, [...(all.get(tensor) ?? []), { maker, device: shard.device, held, owned: own }]);
      });
    }
    for (const [tensor, parts] of all) this.made.set(tensor, parts);
  }

  private addPartialSums(operator: Operator, partition: Partition): void {
    const split = splitOf(this.plan, operator, partition)!;
    const output = operator.outputs[0];
    const box = this.wholeBox(output);
    const parts = [...partition.shards]
      .sort((a, b) => a.device - b.device)
      .map((shard): PartRead => {
        const work = this.plan.rules.work(operator.id, split, shard.start, shard.end);
        return {
          maker: this.push(operator, split, shard, work),
          device: shard.device,
          held: box,
          box,
          isPartial: true,
        };
      });
    const device = partition.reduceOn!;
    const reads = [{ tensor: output, box, stored: output, storedBox: box, axis: -1, parts }];
    const maker = this.events.push({ device, kind: 'reduce', operator, split, reads }) - 1;
    this.made.set(output, [{ maker, device, held: box, owned: box }]);
  }

  private push(operator: Operator, split: Split | undefined, shard: Shard, work: ShardWork): number {
    const { graph } = this.plan;
    const reads: Reading[] = [];
    operator.inputs.forEach((tensor, index) => {
      const box = work.inputs[index];
      if (tensor === NONE || box === undefined || graph.tensors[tensor].isWeight || work.constants.has(index))
        return;
      reads.push(this.reading(shard.device, tensor, box));
    });
    for (const tensor of this.captured(operator))
      reads.push(this.reading(shard.device, tensor, this.wholeBox(tensor)));
    const event: DeviceEvent = { device: shard.device, kind: 'shard', operator, shard, work, reads };
    return this.events.push(split === undefined ? event : { ...event, split }) - 1;
  }

  /** Activations that the operator's subgraphs read from outside. */
  private captured(operator: Operator): TensorId[] {
    const names = new Set(operator.members.flatMap((member) => this.layout.nodes[member.index].captured));
    if (names.size === 0) return [];
    return this.plan.graph.tensors
      .filter((tensor) => names.has(tensor.name) && !tensor.isWeight)
      .map((tensor) => tensor.id);
  }

  private reading(device: number, tensor: TensorId, box: Box): Reading {
    const { graph } = this.plan;
    const stored = graph.storages[graph.tensors[tensor].storage].tensors[0];
    const storedBox = stored === tensor ? box : this.storedBox(stored, tensor, box);
    const made = this.made.get(stored) ?? [];
    const axis = cutAxis(made, this.wholeBox(stored));
    return { tensor, box, stored, storedBox, axis, parts: partsOf(made, device, axis, storedBox) };
  }

  /** The box of the stored tensor with the same elements as the box of a view, or the whole where there is none. */
  private storedBox(stored: TensorId, view: TensorId, box: Box): Box {
    const storedShape = this.shape(stored);
    const viewShape = this.shape(view);
    const space = this.spaces.get(view) ?? new RegionSpace([storedShape, viewShape]);
    this.spaces.set(view, space);
    const first = coordinates(storedShape, cornerIndex(viewShape, box, 'first'));
    const last = coordinates(storedShape, cornerIndex(viewShape, box, 'last'));
    const candidate = storedShape.flatMap((_dim, axis) => [
      Math.min(first[axis], last[axis]),
      Math.max(first[axis], last[axis]) + 1,
    ]);
    const isSame = space.equal(space.fromBox(storedShape, candidate), space.fromBox(viewShape, box));
    return isSame ? candidate : this.wholeBox(stored);
  }

  private shape(tensor: TensorId): readonly number[] {
    const { shape, name } = this.plan.graph.tensors[tensor];
    if (shape === undefined || shape.includes(undefined))
      throw new InputError(
        `The size of tensor "${name}" is not known, so the model cannot be cut into models per device.`,
      );
    return shape as readonly number[];
  }

  private wholeBox(tensor: TensorId): Box {
    return this.shape(tensor).flatMap((dim) => [0, dim]);
  }
}

function cornerIndex(shape: readonly number[], box: Box, corner: 'first' | 'last'): number {
  let index = 0;
  shape.forEach((dim, axis) => {
    index = index * dim + (corner === 'first' ? box[2 * axis] : box[2 * axis + 1] - 1);
  });
  return index;
}

function coordinates(shape: readonly number[], index: number): number[] {
  const found = new Array<number>(shape.length).fill(0);
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    found[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return found;
}

/** The axis along which the parts lie; -1 where one part is all. */
function cutAxis(made: readonly Made[], whole: Box): number {
  for (const { owned } of made)
    for (let axis = 0; 2 * axis < whole.length; axis++)
      if (owned[2 * axis] !== whole[2 * axis] || owned[2 * axis + 1] !== whole[2 * axis + 1]) return axis;
  return -1;
}

/**
 * Parts that cover `box` in order along `axis`: what the reading device computed itself, recomputed margins too,
 * and for the rest what the owners hold.
 */
function partsOf(made: readonly Made[], device: number, axis: number, box: Box): PartRead[] {
  if (axis < 0)
    return made
      .slice(0, 1)
      .map((one) => ({ maker: one.maker, device: one.device, held: one.held, box, isPartial: false }));
  const end = box[2 * axis + 1];
  const parts: PartRead[] = [];
  const covers = (range: Box, at: number): boolean => range[2 * axis] <= at && at < range[2 * axis + 1];
  for (let at = box[2 * axis]; at < end;) {
    const own = made.find((one) => one.device === device && covers(one.held, at));
    const owner = own ?? made.find((one) => covers(one.owned, at));
    if (owner === undefined) break;
    const limit = own === undefined ? owner.owned[2 * axis + 1] : own.held[2 * axis + 1];
    const nextOwn = made
      .filter((one) => own === undefined && one.device === device && one.held[2 * axis] > at)
      .reduce((nearest, one) => Math.min(nearest, one.held[2 * axis]), end);
    const to = Math.min(limit, end, nextOwn);
    const cut = box.slice();
    cut[2 * axis] = at;
    cut[2 * axis + 1] = to;
    parts.push({ maker: owner.maker, device: owner.device, held: owner.held, box: cut, isPartial: false });
    at = to;
  }
  return parts;
}
