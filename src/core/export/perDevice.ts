import type { TensorId } from '../graph/units';
import { NONE } from '../graph/units';
import type { Box } from '../partition/partition';
import type { Chunk } from './chunk';
import type { DeviceEvent, PartRead, Reading } from './deviceEvents';
import { deviceEvents } from './deviceEvents';
import type { ModelLayout } from './modelLayout';
import type { PlannedGraph } from './problem';
import type { TensorSource } from './shardWriter';
import { partialText, ShardWriter } from './shardWriter';
import type { ExternalStore } from './tensorBytes';
import { emitConstantsFor, GraphWriter } from './writer';

/** What runs where, in which order, and which tensors pass between the models. */
export interface DeviceManifest {
  readonly format: 'memorianova-device-models';
  readonly version: 1;
  readonly model: string;
  readonly source: string;
  readonly sink: string;
  /** In an order in which every segment finds its inputs. */
  readonly segments: readonly ManifestSegment[];
}

export interface ManifestSegment {
  readonly device: string;
  readonly file: string;
  /** `from`: the segment that makes it (position in `segments`), or `null` for an input of the model. */
  readonly inputs: readonly { readonly name: string; readonly from: number | null; readonly bytes: number }[];
  readonly outputs: readonly string[];
  /** Operators (indices in the model's nodes) that it executes at least a part of. */
  readonly operators: readonly number[];
}

export interface DeviceModels {
  readonly models: readonly { readonly file: string; readonly chunks: readonly Chunk[] }[];
  readonly manifest: DeviceManifest;
}

/**
 * One model per device and run of events between its messages: a segment reads what it needs from others before
 * it starts and hands on what others need when it ends. What passes between segments are parts of tensors as
 * their makers hold them, cut to what the reader needs.
 */
export function deviceModels(
  layout: ModelLayout,
  plan: PlannedGraph,
  model: string,
  store: (device: string) => ExternalStore,
): DeviceModels {
  const events = deviceEvents(layout, plan);
  const segments = cutSegments(plan, events);
  const stores = plan.devices.map(store);
  const models = segments.map((segment) => {
    const chunks = new SegmentWriter(layout, plan, events, segments, segment, stores[segment.device]).write();
    return { file: segment.file, chunks };
  });
  return { models, manifest: manifestOf(plan, model, events, segments) };
}

interface Segment {
  readonly id: number;
  readonly device: number;
  readonly file: string;
  readonly events: number[];
}

/** A new segment begins with an event that others send something to, and ends with one that sends something. */
function cutSegments(plan: PlannedGraph, events: readonly DeviceEvent[]): Segment[] {
  const sends = new Set<number>();
  for (const event of events)
    for (const part of event.reads.flatMap((reading) => reading.parts))
      if (part.device !== event.device) sends.add(part.maker);
  const segments: Segment[] = [];
  const current: (Segment | undefined)[] = plan.devices.map(() => undefined);
  const counts = plan.devices.map(() => 0);
  events.forEach((event, index) => {
    const { device } = event;
    const receives = event.reads.some((reading) => reading.parts.some((part) => part.device !== device));
    if (current[device] === undefined || receives) {
      const file = `${plan.devices[device]}.${String(counts[device]++).padStart(3, '0')}.onnx`;
      current[device] = { id: segments.length, device, file, events: [] };
      segments.push(current[device]);
    }
    current[device].events.push(index);
    if (sends.has(index)) current[device] = undefined;
  });
  return segments;
}

/** A tensor that passes between segments, or from the model's caller. */
interface Passed {
  readonly name: string;
  readonly from: number | null;
  readonly bytes: number;
  readonly tensor: TensorId;
  readonly shape: readonly number[];
}

/** Name under which `box` of what an event made leaves its segment. */
function passedName(
  plan: PlannedGraph,
  events: readonly DeviceEvent[],
  stored: TensorId,
  part: PartRead,
): string {
  const { name } = plan.graph.tensors[stored];
  if (part.maker === NONE) return name;
  const { shard } = events[part.maker];
  const text = part.isPartial && shard !== undefined ? partialText(shard) : `[${part.box.join(',')}]`;
  return `passed/${plan.devices[part.device]}/${name}${text}`;
}

/** Everything that a segment reads from outside, each once. */
function passedTo(
  plan: PlannedGraph,
  events: readonly DeviceEvent[],
  segments: readonly Segment[],
  segment: Segment,
): Passed[] {
  const own = new Set(segment.events);
  const segmentOf = segmentsOf(segments);
  const found = new Map<string, Passed>();
  for (const index of segment.events) {
    for (const reading of events[index].reads) {
      for (const part of reading.parts) {
        if (own.has(part.maker)) continue;
        const name = passedName(plan, events, reading.stored, part);
        const isInput = part.maker === NONE;
        const shape = boxShape(isInput ? part.held : part.box);
        const elementBytes = bytesPerElement(plan, reading.stored);
        const bytes = Math.ceil(shape.reduce((product, dim) => product * dim, elementBytes));
        found.set(name, {
          name,
          from: isInput ? null : segmentOf[part.maker],
          bytes,
          tensor: reading.stored,
          shape,
        });
      }
    }
  }
  return [...found.values()];
}

function bytesPerElement(plan: PlannedGraph, tensor: TensorId): number {
  const { bytes, shape } = plan.graph.tensors[tensor];
  const elements = (shape ?? []).reduce<number>((product, dim) => product * (dim ?? 0), 1);
  return elements === 0 ? 0 : (bytes ?? 0) / elements;
}

function segmentsOf(segments: readonly Segment[]): number[] {
  const found: number[] = [];
  for (const segment of segments) for (const index of segment.events) found[index] = segment.id;
  return found;
}

function boxShape(box: Box): number[] {
  return Array.from({ length: box.length / 2 }, (_unused, axis) => box[2 * axis + 1] - box[2 * axis]);
}

function manifestOf(
  plan: PlannedGraph,
  model: string,
  events: readonly DeviceEvent[],
  segments: readonly Segment[],
): DeviceManifest {
  const needs = segments.map((segment) => passedTo(plan, events, segments, segment));
  return {
    format: 'memorianova-device-models',
    version: 1,
    model,
    source: plan.devices[plan.source],
    sink: plan.devices[plan.sink],
    segments: segments.map((segment) => ({
      device: plan.devices[segment.device],
      file: segment.file,
      inputs: needs[segment.id].map(({ name, from, bytes }) => ({ name, from, bytes })),
      outputs: outputsOf(plan, events, needs, segment),
      operators: [...new Set(segment.events.flatMap((index) => events[index].operator?.index ?? []))],
    })),
  };
}

function outputsOf(
  plan: PlannedGraph,
  events: readonly DeviceEvent[],
  needs: readonly Passed[][],
  segment: Segment,
): string[] {
  const passed = new Set(
    needs
      .flat()
      .filter(({ from }) => from === segment.id)
      .map(({ name }) => name),
  );
  const gather = segment.events.map((index) => events[index]).find((event) => event.kind === 'gather');
  const own = gather === undefined ? [] : plan.graph.outputs.map((id) => plan.graph.tensors[id].name);
  return [...passed, ...own];
}

/** Writes one segment's model. */
class SegmentWriter implements TensorSource {
  private readonly writer: GraphWriter;
  private readonly shards: ShardWriter;
  /** What this segment's own events made, by event and tensor. */
  private readonly made = new Map<string, string>();
  private readings: readonly Reading[] = [];
  private readonly put = new Map<string, string>();

  constructor(
    private readonly layout: ModelLayout,
    private readonly plan: PlannedGraph,
    private readonly events: readonly DeviceEvent[],
    private readonly segments: readonly Segment[],
    private readonly segment: Segment,
    store: ExternalStore,
  ) {
    this.writer = new GraphWriter(layout, store);
    this.shards = new ShardWriter(layout, plan, this.writer, this);
  }

  write(): Chunk[] {
    const { graph } = this.plan;
    for (const { name, tensor, shape } of passedTo(this.plan, this.events, this.segments, this.segment))
      this.writer.addInput(name, graph.tensors[tensor].type, shape);
    for (const index of this.segment.events) this.writeEvent(this.events[index], index);
    this.writeOutputs();
    return this.writer.finish(this.plan.devices, new Map([['memorianova.format', 'device-model 1']]));
  }

  whole(tensor: TensorId): string {
    const { name, isWeight } = this.plan.graph.tensors[tensor];
    if (isWeight) emitConstantsFor(this.writer, name);
    return isWeight ? name : this.box(this.segment.device, tensor, this.shards.wholeBox(tensor));
  }

  box(_device: number, tensor: TensorId, box: Box): string {
    const wanted = box.join();
    const reading = this.readings.find((one) => one.tensor === tensor && one.box.join() === wanted);
    if (reading === undefined)
      throw new Error(`no reading of ${this.plan.graph.tensors[tensor].name}[${wanted}]`);
    return this.assemble(reading, undefined);
  }

  private writeEvent(event: DeviceEvent, index: number): void {
    const { operator, split, shard, work } = event;
    this.readings = event.reads;
    if (event.kind === 'gather') return this.writeGather(event);
    if (operator === undefined) return;
    if (event.kind === 'reduce') {
      const [reading] = event.reads;
      const partials = reading.parts.map((part) => this.partName(reading.stored, part));
      const result = this.writer.fresh(
        `${this.plan.devices[event.device]}/${this.plan.graph.tensors[reading.stored].name}`,
      );
      this.shards.writeReduction(operator, split!, event.device, partials, result);
      this.made.set(`${index}|${reading.stored}`, result);
    } else if (split === undefined) this.writeWholeOperator(operator, event, index);
    else {
      const names =
        split.dimension === 'K'
          ? [this.shards.writePartial(operator, split, shard!, work!)]
          : this.shards.writeShard(operator, split, shard!, work!);
      operator.outputs.forEach((tensor, output) => {
        if (tensor !== NONE && names[output] !== undefined)
          this.made.set(`${index}|${tensor}`, names[output]);
      });
    }
  }

  private writeWholeOperator(
    operator: NonNullable<DeviceEvent['operator']>,
    event: DeviceEvent,
    index: number,
  ): void {
    const names = new Map<TensorId, string>();
    for (const input of operator.inputs)
      if (input !== NONE && this.plan.graph.tensors[input].isBodyWeights !== true)
        names.set(input, this.whole(input));
    for (const member of operator.members)
      for (const name of this.layout.nodes[member.index].captured) this.writeCaptured(event, name);
    for (const made of this.shards.writeWholeWith(operator, event.device, names))
      this.made.set(`${index}|${made[0]}`, made[1]);
  }

  /** Subgraphs know what they read from outside by the model's own names. */
  private writeCaptured(event: DeviceEvent, name: string): void {
    const reading = event.reads.find((one) => this.plan.graph.tensors[one.tensor].name === name);
    if (reading === undefined) emitConstantsFor(this.writer, name);
    else if (!this.writer.isDefined(name)) this.assemble(reading, name);
  }

  /** The outputs under the model's own names. */
  private writeGather(event: DeviceEvent): void {
    for (const reading of event.reads) this.assemble(reading, this.plan.graph.tensors[reading.tensor].name);
    for (const id of this.plan.graph.outputs) {
      const { name, isWeight } = this.plan.graph.tensors[id];
      if (isWeight) emitConstantsFor(this.writer, name);
    }
  }

  /** Puts a reading together: parts joined along their axis, read as the view's shape, cut where it is less. */
  private assemble(reading: Reading, result: string | undefined): string {
    const { device } = this.segment;
    const key = `${reading.tensor}|${reading.box.join()}`;
    const known = this.put.get(key);
    if (known !== undefined && result === undefined) return known;
    let name = this.joined(reading);
    const isSameBox = reading.tensor === reading.stored;
    if (!isSameBox) {
      const isExact = elements(reading.storedBox) === elements(reading.box);
      const shape = isExact ? boxShape(reading.box) : boxShape(this.shards.wholeBox(reading.tensor));
      name = this.reshaped(device, reading, name, shape);
      if (!isExact)
        name = this.shards.slice(
          device,
          reading.tensor,
          name,
          this.shards.wholeBox(reading.tensor),
          reading.box,
        );
    }
    if (result !== undefined)
      this.writer.addNode(
        'Identity',
        { name: `${result}/output`, inputs: [name], outputs: [result] },
        new Map(),
      );
    this.put.set(key, name);
    return name;
  }

  private joined(reading: Reading): string {
    const names = reading.parts.map((part) => this.partName(reading.stored, part));
    if (names.length === 1) return names[0];
    const own = `${this.plan.devices[this.segment.device]}/${this.plan.graph.tensors[reading.stored].name}`;
    const output = this.writer.fresh(`${own}${this.shards.rangeText(reading.stored, reading.storedBox)}`);
    const axis = { kind: 'int', value: reading.axis } as const;
    this.writer.addNode(
      'Concat',
      { name: `${output}/join`, inputs: names, outputs: [output] },
      new Map([['axis', axis]]),
    );
    return output;
  }

  /** A part as this segment has it: passed to it, or cut from what it made itself. */
  private partName(stored: TensorId, part: PartRead): string {
    const own = this.made.get(`${part.maker}|${stored}`);
    const isInput = part.maker === NONE;
    const name = own ?? passedName(this.plan, this.events, stored, part);
    if (part.isPartial || (own === undefined && !isInput)) return name;
    const isSame = part.held.join() === part.box.join();
    return isSame ? name : this.shards.slice(this.segment.device, stored, name, part.held, part.box);
  }

  private reshaped(device: number, reading: Reading, from: string, shape: readonly number[]): string {
    const { name } = this.plan.graph.tensors[reading.tensor];
    const output = this.writer.fresh(
      `${this.plan.devices[device]}/${name}${this.shards.rangeText(reading.tensor, reading.box)}`,
    );
    const attributes =
      this.writer.opset < FIRST_RESHAPE_WITH_INPUT
        ? new Map([['shape', { kind: 'ints', value: shape } as const]])
        : new Map();
    const inputs =
      this.writer.opset < FIRST_RESHAPE_WITH_INPUT ? [from] : [from, this.writer.integers(shape)];
    this.writer.addNode('Reshape', { name: `${output}/view`, inputs, outputs: [output] }, attributes);
    return output;
  }

  /** Cuts what other segments need out of what this one made, under the names that they know. */
  private writeOutputs(): void {
    const { graph } = this.plan;
    const declared = new Set<string>();
    for (const other of this.segments) {
      if (other === this.segment) continue;
      for (const index of other.events) {
        for (const reading of this.events[index].reads) {
          for (const part of reading.parts) {
            const own = this.made.get(`${part.maker}|${reading.stored}`);
            const name = passedName(this.plan, this.events, reading.stored, part);
            if (own === undefined || declared.has(name)) continue;
            declared.add(name);
            this.nameOutput(reading.stored, part, own, name);
            this.writer.addOutput(name, graph.tensors[reading.stored].type, boxShape(part.box));
          }
        }
      }
    }
    if (this.events[this.segment.events[this.segment.events.length - 1]].kind !== 'gather') return;
    for (const id of graph.outputs)
      this.writer.addOutput(graph.tensors[id].name, graph.tensors[id].type, graph.tensors[id].shape);
  }

  private nameOutput(stored: TensorId, part: PartRead, own: string, name: string): void {
    if (part.isPartial || part.held.join() === part.box.join())
      this.writer.addNode('Identity', { name: `${name}/output`, inputs: [own], outputs: [name] }, new Map());
    else this.shards.slice(this.segment.device, stored, own, part.held, part.box, name);
  }
}

const FIRST_RESHAPE_WITH_INPUT = 5;

function elements(box: Box): number {
  return boxShape(box).reduce((product, dim) => product * dim, 1);
}
