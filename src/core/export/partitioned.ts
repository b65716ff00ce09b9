import type { AttributeValue } from '../graph/attributes';
import { floatAttribute } from '../graph/attributes';
import type { Graph, Operator, OperatorNode } from '../graph/graph';
import type { TensorId } from '../graph/units';
import { NONE } from '../graph/units';
import type { Box, Partition, Shard, ShardWork, Split } from '../partition/partition';
import type { Placement } from './annotations';
import { nodeConfiguration } from './annotations';
import type { Chunk } from './chunk';
import type { ModelLayout } from './modelLayout';
import type { NodeNotes } from './nodeBytes';
import type { PlannedGraph } from './problem';
import { checkPlannedGraph, splitOf, tensorName } from './problem';
import type { ExternalStore } from './tensorBytes';
import { canCut } from './tensorBytes';
import { GraphWriter } from './writer';

const FIRST_SLICE_WITH_INPUTS = 10;
const FIRST_GEMM_WITHOUT_BIAS = 11;

/** A part of a tensor that some device made. */
interface Piece {
  readonly device: number;
  readonly box: Box;
  readonly name: string;
}

/**
 * Writes a planned graph as one ONNX graph. Each shard is a node of its own on slices of its inputs; a tensor
 * is put together only where somebody needs more of it than one device made. Tensors put together keep their
 * names; parts are called `device/tensor[ranges]`.
 */
export class PartitionedGraph {
  readonly writer: GraphWriter;
  private readonly graph: Graph;
  /** Per tensor: the disjoint parts that it consists of, until it is put together. */
  private readonly parts = new Map<TensorId, readonly Piece[]>();
  /** Name of a part by device, tensor and box. */
  private readonly known = new Map<string, string>();
  /** Set while an operator's shards are written beside the whole operator, which keeps the tensors' names. */
  private checked: ((tensor: TensorId) => string) | undefined;

  constructor(
    private readonly layout: ModelLayout,
    private readonly plan: PlannedGraph,
    store: ExternalStore,
  ) {
    checkPlannedGraph(plan);
    this.graph = plan.graph;
    this.writer = new GraphWriter(layout, store);
  }

  /** Everything but the outputs: inputs, constant nodes, then the operators in the plan's order. */
  emit(): void {
    this.emitInputs();
    this.emitConstantNodes();
    for (const step of this.plan.steps) {
      const operator = this.graph.operators[step];
      const partition = this.plan.partitions[step];
      if (operator.isView || partition === undefined) this.emitWhole(operator, undefined);
      else if (partition.dimension === 'none') this.emitWhole(operator, partition.shards[0].device);
      else if (partition.dimension === 'K') this.emitPartialSums(operator, partition);
      else this.emitShards(operator, partition);
    }
  }

  /**
   * Everything as the model has it, and beside each of `operators` its shards, reading the whole model's tensors.
   * Returns, by output tensor, the name under which the shards' result is put together.
   */
  emitBeside(operators: ReadonlySet<number>): Map<TensorId, string> {
    this.emitInputs();
    this.emitConstantNodes();
    const names = new Map<TensorId, string>();
    for (const step of this.plan.steps) {
      const operator = this.graph.operators[step];
      this.emitWhole(operator, undefined);
      const partition = this.plan.partitions[step];
      if (!operators.has(step) || partition === undefined || partition.dimension === 'none') continue;
      this.checked = (tensor) => {
        const name = names.get(tensor) ?? this.writer.fresh(`memorianova/shards/${this.graph.tensors[tensor].name}`);
        names.set(tensor, name);
        return name;
      };
      if (partition.dimension === 'K') this.emitPartialSums(operator, partition);
      else this.emitShards(operator, partition);
      for (const [tensor, parts] of this.parts) this.join(tensor, parts);
      this.parts.clear();
      this.checked = undefined;
    }
    return names;
  }

  /** The whole tensor under its own name. */
  whole(tensor: TensorId): string {
    if (tensor === NONE) return '';
    const name = this.graph.tensors[tensor].name;
    const parts = this.checked === undefined ? this.parts.get(tensor) : undefined;
    if (parts === undefined) {
      this.writer.useInitializer(name);
      return name;
    }
    this.parts.delete(tensor);
    this.join(tensor, parts);
    return name;
  }

  private emitInputs(): void {
    const byName = new Map(this.graph.inputs.map((id) => [this.graph.tensors[id].name, this.graph.tensors[id]]));
    this.layout.inputs.forEach(({ name }, index) => {
      if (this.layout.initializers.has(name)) return;
      const tensor = byName.get(name);
      if (tensor?.shape === undefined || tensor.type === undefined) this.writer.copyDeclaration('input', index);
      else this.writer.addInput(name, tensor.type, tensor.shape);
    });
  }

  /** Nodes that are no operators: folded to weights. In an order in which each finds what it reads. */
  private emitConstantNodes(): void {
    const isOperator = new Uint8Array(this.layout.nodes.length);
    for (const operator of this.graph.operators) for (const member of operator.members) isOperator[member.index] = 1;
    const waiting = this.layout.nodes.map((_node, index) => index).filter((index) => isOperator[index] === 0);
    for (let progress = true; progress && waiting.length > 0;) {
      progress = false;
      for (const index of waiting.splice(0)) {
        const { inputs } = this.layout.nodes[index];
        if (inputs.every((name) => name === '' || this.writer.isDefined(name) || this.writer.useInitializer(name))) {
          this.writer.copyNode(index);
          progress = true;
        } else waiting.push(index);
      }
    }
  }

  private emitWhole(operator: Operator, device: number | undefined): void {
    for (const input of operator.inputs) this.whole(input);
    for (const member of operator.members) {
      for (const name of this.layout.nodes[member.index].captured) this.wholeByName(name);
      if (device === undefined) this.writer.copyNode(member.index);
      else {
        const ends = {
          name: this.nodeName(device, member),
          inputs: member.inputs.map((tensor) => tensorName(this.graph.tensors[tensor])),
          outputs: member.outputs.map((tensor) => tensorName(this.graph.tensors[tensor])),
        };
        for (const input of ends.inputs) this.writer.useInitializer(input);
        const notes = this.notes(device, member, ends, [['memorianova.dimension', 'none']]);
        this.writer.rewriteNode(member.index, ends, new Map(), notes);
      }
    }
  }

  private wholeByName(name: string): void {
    if (this.writer.isDefined(name) || this.writer.useInitializer(name)) return;
    const tensor = this.graph.tensors.find((one) => one.name === name);
    if (tensor !== undefined) this.whole(tensor.id);
  }

  private emitShards(operator: Operator, partition: Partition): void {
    const split = splitOf(this.plan, operator, partition)!;
    const owned: Piece[][] = operator.outputs.map(() => []);
    for (const shard of [...partition.shards].sort((a, b) => a.start - b.start)) {
      const start = shard.computeStart ?? shard.start;
      const end = shard.computeEnd ?? shard.end;
      const computed = this.plan.rules.work(operator.id, split, start, end);
      const names = this.emitShard(operator, split, shard, computed);
      const isWider = start !== shard.start || end !== shard.end;
      const own = isWider ? this.plan.rules.work(operator.id, split, shard.start, shard.end) : computed;
      operator.outputs.forEach((tensor, index) => {
        const box = own.outputs[index];
        if (tensor === NONE || box === undefined) return;
        const name = isWider
          ? this.slice(shard.device, tensor, names[index], computed.outputs[index]!, box)
          : names[index];
        owned[index].push({ device: shard.device, box, name });
      });
    }
    operator.outputs.forEach((tensor, index) => {
      if (tensor !== NONE) this.parts.set(tensor, owned[index]);
    });
  }

  /** The nodes of one shard; returns the names of what they make, per output of the operator. */
  private emitShard(operator: Operator, split: Split, shard: Shard, work: ShardWork): string[] {
    const { device } = shard;
    const fed = operator.inputs.map((tensor, index) => this.shardInput(device, tensor, index, work));
    const isPartial = split.dimension === 'K';
    const last = operator.members.length - 1;
    let names: string[] = [];
    operator.members.forEach((member, position) => {
      const inputs = this.memberInputs(operator, position, fed, names[0] ?? '');
      const outputs = member.outputs.map((tensor, index) => {
        if (tensor === NONE) return '';
        const box = work.outputs[index];
        const text = isPartial ? `(${shard.start}:${shard.end})` : this.rangeText(tensor, box);
        const name = this.writer.fresh(`${this.plan.devices[device]}/${this.graph.tensors[tensor].name}${text}`);
        if (position === last && box !== undefined && !isPartial && this.checked === undefined) this.known.set(partKey(device, tensor, box), name);
        return name;
      });
      const ends = { name: this.nodeName(device, member), inputs, outputs };
      const notes = this.notes(device, member, ends, rangeNotes(split, shard, work));
      this.writer.rewriteNode(member.index, ends, work.attributes[position], notes);
      names = outputs;
    });
    return names;
  }

  /** Inputs of one member: what the operator reads at these places, the first later one the member before. */
  private memberInputs(operator: Operator, position: number, fed: readonly string[], before: string): string[] {
    const member = operator.members[position];
    const first = operator.members[0].inputs.length;
    const previous = position === 0 ? NONE : operator.members[position - 1].outputs[0];
    const inputs = member.inputs.map((tensor, index) => {
      if (position === 0) return fed[index];
      if (tensor === previous) return before;
      const added = operator.inputs.indexOf(tensor, first);
      return tensor === NONE ? '' : fed[added >= 0 ? added : operator.inputs.indexOf(tensor)];
    });
    if (VARIADIC_TYPES.has(member.type)) return inputs.filter((name) => name !== '');
    if (member.type === 'Gemm' && member.opset < FIRST_GEMM_WITHOUT_BIAS && (inputs[2] ?? '') === '')
      inputs[2] = this.writer.scalar(0, this.graph.tensors[member.outputs[0]].type!);
    while (inputs.length > 0 && inputs[inputs.length - 1] === '') inputs.pop();
    return inputs;
  }

  private shardInput(device: number, tensor: TensorId, index: number, work: ShardWork): string {
    const constant = work.constants.get(index);
    if (constant !== undefined) {
      const type = this.graph.tensors[tensor].type === 'int32' ? 'int32' : 'int64';
      return this.writer.integers(constant, type, this.graph.tensors[tensor].shape?.length === 0);
    }
    const box = work.inputs[index];
    return tensor === NONE || box === undefined ? '' : this.part(device, tensor, box);
  }

  /** The name of a box of a tensor as `device` reads it: a part it made itself, a cut weight, or a slice. */
  private part(device: number, tensor: TensorId, box: Box): string {
    if (this.isWhole(tensor, box)) return this.whole(tensor);
    const key = partKey(device, tensor, box);
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const own = this.graph.tensors[tensor].name;
    const initializer = this.layout.initializers.get(own);
    if (initializer === undefined || !canCut(initializer))
      return this.slice(device, tensor, this.whole(tensor), this.wholeBox(tensor), box);
    const name = this.writer.fresh(`${this.plan.devices[device]}/${own}${this.rangeText(tensor, box)}`);
    this.writer.addCut(own, name, box);
    this.known.set(key, name);
    return name;
  }

  /** `box` of a tensor out of `from`, which holds `held` of it. */
  private slice(device: number, tensor: TensorId, from: string, held: Box, box: Box): string {
    const key = partKey(device, tensor, box);
    const isOriginal = this.checked === undefined || from === this.graph.tensors[tensor].name;
    const found = isOriginal ? this.known.get(key) : undefined;
    if (found !== undefined) return found;
    const axes: number[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    for (let axis = 0; 2 * axis < box.length; axis++) {
      if (box[2 * axis] === held[2 * axis] && box[2 * axis + 1] === held[2 * axis + 1]) continue;
      axes.push(axis);
      starts.push(box[2 * axis] - held[2 * axis]);
      ends.push(box[2 * axis + 1] - held[2 * axis]);
    }
    const deviceName = this.plan.devices[device];
    const own = `${deviceName}/${this.graph.tensors[tensor].name}${this.rangeText(tensor, box)}`;
    const name = this.writer.fresh(own);
    const isOld = this.writer.opset < FIRST_SLICE_WITH_INPUTS;
    const bounds = isOld ? [] : [starts, ends, axes].map((list) => this.writer.integers(list));
    const attributes: ReadonlyMap<string, AttributeValue> = new Map(
      isOld ? [['starts', ints(starts)], ['ends', ints(ends)], ['axes', ints(axes)]] : [],
    );
    const ends_ = { name: `${own}/slice`, inputs: [from, ...bounds], outputs: [name] };
    this.writer.addNode('Slice', ends_, attributes, this.placed(device, [from, name]));
    if (isOriginal) this.known.set(key, name);
    return name;
  }

  /** Puts a tensor together under its own name. */
  private join(tensor: TensorId, parts: readonly Piece[]): void {
    const { shape } = this.graph.tensors[tensor];
    const name = this.resultName(tensor);
    const axis = (shape ?? []).findIndex((dim, at) => parts[0].box[2 * at + 1] - parts[0].box[2 * at] !== dim);
    const inputs = parts.length === 1 || axis < 0 ? [parts[0].name] : parts.map((part) => part.name);
    const ends = { name: `${name}/${inputs.length > 1 ? 'join' : 'whole'}`, inputs, outputs: [name] };
    if (inputs.length === 1) return this.writer.addNode('Identity', ends, new Map());
    const lengths = parts.map((part) => part.box[2 * axis + 1] - part.box[2 * axis]);
    const isEqual = lengths.every((length) => length === lengths[0]);
    const placement: Placement = {
      tensor: name,
      devices: parts.map((part) => part.device),
      ...(isEqual ? { equalParts: { axis, length: shape![axis]! } } : {}),
    };
    const notes: NodeNotes = {
      metadata: new Map([['memorianova.parts', parts.map((part) => part.name).join(' ')]]),
      ...(isEqual ? { configuration: nodeConfiguration([placement]) } : {}),
    };
    this.writer.addNode('Concat', ends, new Map([['axis', { kind: 'int', value: axis }]]), notes);
  }

  private resultName(tensor: TensorId): string {
    return this.checked === undefined ? this.graph.tensors[tensor].name : this.checked(tensor);
  }

  /** Partial sums, added in the cluster's order of devices on the device that the plan names, then the bias. */
  private emitPartialSums(operator: Operator, partition: Partition): void {
    const split = splitOf(this.plan, operator, partition)!;
    const output = operator.outputs[0];
    const { type } = this.graph.tensors[output];
    const target = partition.reduceOn!;
    const partials = [...partition.shards]
      .sort((a, b) => a.device - b.device)
      .map((shard) => {
        const work = this.plan.rules.work(operator.id, split, shard.start, shard.end);
        const [name] = this.emitShard(operator, split, shard, work);
        return work.scale === undefined
          ? name
          : this.binary('Mul', shard.device, operator, name, this.writer.scalar(work.scale, type!), undefined);
      });
    const hasBias = split.bias !== undefined;
    let sum = partials[0];
    partials.slice(1).forEach((partial, index) => {
      const isLast = index === partials.length - 2 && !hasBias;
      sum = this.binary('Add', target, operator, sum, partial, isLast ? output : undefined);
    });
    if (hasBias) this.binary('Add', target, operator, sum, this.bias(operator, split.bias!, target), output);
    else if (partials.length === 1) this.parts.set(output, [{ device: target, box: this.wholeBox(output), name: sum }]);
  }

  /** The input that is added once, in the shape and scale in which the operator itself would add it. */
  private bias(operator: Operator, input: number, device: number): string {
    const tensor = operator.inputs[input];
    const bias = this.whole(tensor);
    const { type } = this.graph.tensors[tensor];
    if (operator.type === 'Gemm') {
      const beta = floatAttribute(operator.attributes, 'beta', 1);
      return beta === 1 ? bias : this.binary('Mul', device, operator, bias, this.writer.scalar(beta, type!), undefined);
    }
    const rank = this.graph.tensors[operator.outputs[0]].shape!.length;
    const shape = Array.from({ length: rank }, (_unused, axis) => (axis === 1 ? -1 : 1));
    const name = this.writer.fresh(`${this.plan.devices[device]}/${bias}/channels`);
    const ends = { name, inputs: [bias, this.writer.integers(shape)], outputs: [name] };
    this.writer.addNode('Reshape', ends, new Map(), this.placed(device, [name]));
    return name;
  }

  private binary(
    type: string,
    device: number,
    operator: Operator,
    left: string,
    right: string,
    output: TensorId | undefined,
  ): string {
    const own = `${this.nodeName(device, operator)}/reduce`;
    const name = output === undefined ? this.writer.fresh(own) : this.resultName(output);
    const ends = { name: own, inputs: [left, right], outputs: [name] };
    this.writer.addNode(type, ends, new Map(), this.placed(device, [left, right, name]));
    return name;
  }

  private nodeName(device: number, node: OperatorNode): string {
    return `${this.plan.devices[device]}/${node.name === '' ? `${node.type}_${node.index}` : node.name}`;
  }

  private notes(
    device: number,
    member: OperatorNode,
    ends: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
    more: readonly (readonly [string, string])[],
  ): NodeNotes {
    const metadata = new Map([
      ['memorianova.operator', String(member.index)],
      ['memorianova.device', this.plan.devices[device]],
      ...more,
    ]);
    const tensors = [...new Set([...ends.inputs, ...ends.outputs])].filter((name) => name !== '');
    return { metadata, ...this.placed(device, tensors) };
  }

  private placed(device: number, tensors: readonly string[]): NodeNotes {
    const named = [...new Set(tensors)];
    return { configuration: nodeConfiguration(named.map((tensor) => ({ tensor, devices: [device] }))) };
  }

  private isWhole(tensor: TensorId, box: Box): boolean {
    return (this.graph.tensors[tensor].shape ?? []).every((dim, axis) => box[2 * axis] === 0 && box[2 * axis + 1] === dim);
  }

  private wholeBox(tensor: TensorId): Box {
    return (this.graph.tensors[tensor].shape ?? []).flatMap((dim) => [0, dim ?? 0]);
  }

  /** `[:,:,0:14,:]`: the cut axes' ranges. */
  private rangeText(tensor: TensorId, box: Box | undefined): string {
    if (box === undefined) return '';
    const shape = this.graph.tensors[tensor].shape ?? [];
    const texts = shape.map((dim, axis) => {
      const [start, end] = [box[2 * axis], box[2 * axis + 1]];
      return start === 0 && end === dim ? ':' : `${start}:${end}`;
    });
    return `[${texts.join(',')}]`;
  }
}

const VARIADIC_TYPES: ReadonlySet<string> = new Set(['Concat']);

function ints(value: readonly number[]): AttributeValue {
  return { kind: 'ints', value };
}

function partKey(device: number, tensor: TensorId, box: Box): string {
  return `${device}|${tensor}|${box.join(',')}`;
}

/** The exact ranges, which ONNX's annotations cannot say. */
function rangeNotes(split: Split, shard: Shard, work: ShardWork): [string, string][] {
  const notes: [string, string][] = [
    ['memorianova.dimension', split.dimension],
    ['memorianova.axis', String(split.axis)],
    ['memorianova.range', `[${shard.start},${shard.end}) of ${split.length}`],
  ];
  if (shard.computeStart !== undefined || shard.computeEnd !== undefined)
    notes.push(['memorianova.computed', `[${shard.computeStart ?? shard.start},${shard.computeEnd ?? shard.end})`]);
  work.inputs.forEach((box, index) => {
    if (box !== undefined) notes.push([`memorianova.input.${index}`, JSON.stringify(box)]);
  });
  return notes;
}

/** The whole partitioned model as a file. */
export function partitionedModel(layout: ModelLayout, plan: PlannedGraph, store: ExternalStore): Chunk[] {
  const built = new PartitionedGraph(layout, plan, store);
  built.emit();
  for (const tensor of plan.graph.outputs) built.whole(tensor);
  declareOutputs(built, layout);
  const metadata = new Map([
    ['memorianova.format', 'partitioned-model 1'],
    ['memorianova.devices', JSON.stringify(plan.devices)],
  ]);
  return built.writer.finish(plan.devices, metadata);
}

function declareOutputs(built: PartitionedGraph, layout: ModelLayout): void {
  layout.outputs.forEach(({ name }, index) => {
    built.writer.useInitializer(name);
    built.writer.copyDeclaration('output', index);
  });
}

/** A model that computes some operators twice on the same tensors: whole, and as the plan's shards. */
export interface BesideModel {
  readonly chunks: readonly Chunk[];
  /** Output tensor -> name of the same as put together from shards. Both are outputs of the model. */
  readonly shards: ReadonlyMap<TensorId, string>;
}

export function besideModel(
  layout: ModelLayout,
  plan: PlannedGraph,
  store: ExternalStore,
  operators: ReadonlySet<number>,
): BesideModel {
  const built = new PartitionedGraph(layout, plan, store);
  const shards = built.emitBeside(operators);
  declareOutputs(built, layout);
  const declared = new Set(layout.outputs.map((output) => output.name));
  for (const [tensor, name] of shards) {
    const { name: own, type } = plan.graph.tensors[tensor];
    if (!declared.has(own)) built.writer.addOutput(own, type, undefined);
    built.writer.addOutput(name, type, undefined);
  }
  return { chunks: built.writer.finish(undefined, new Map()), shards };
}
