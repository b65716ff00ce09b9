import type { AttributeValue } from '../graph/attributes';
import { floatAttribute } from '../graph/attributes';
import type { Operator, OperatorNode } from '../graph/graph';
import type { TensorId } from '../graph/units';
import { NONE } from '../graph/units';
import type { Box, Shard, ShardWork, Split } from '../partition/partition';
import { nodeConfiguration } from './annotations';
import type { ModelLayout } from './modelLayout';
import type { NodeNotes } from './nodeBytes';
import type { PlannedGraph } from './problem';
import { tensorName } from './problem';
import { canCut } from './tensorBytes';
import type { GraphWriter } from './writer';

const FIRST_SLICE_WITH_INPUTS = 10;
const FIRST_GEMM_WITHOUT_BIAS = 11;
const VARIADIC_TYPES: ReadonlySet<string> = new Set(['Concat']);

/** Where a shard finds what it reads. */
export interface TensorSource {
  /** Name of the whole tensor, weights too. */
  whole(tensor: TensorId): string;
  /** Name of a box of an activation as `device` reads it. */
  box(device: number, tensor: TensorId, box: Box): string;
}

/** Writes the nodes of single shards: cut weights, own attributes, partial sums and their reduction. */
export class ShardWriter {
  /** Names of cut weights and slices by device, tensor and box. */
  private readonly known = new Map<string, string>();

  constructor(
    private readonly layout: ModelLayout,
    private readonly plan: PlannedGraph,
    private readonly writer: GraphWriter,
    private readonly source: TensorSource,
  ) {}

  /** The operator whole, on tensors under their own names. */
  writeWhole(operator: Operator, device: number): void {
    for (const input of operator.inputs) this.source.whole(input);
    for (const member of operator.members) {
      const inputs = member.inputs.map((tensor) => this.ownName(tensor));
      this.writeWholeMember(
        member,
        device,
        inputs,
        member.outputs.map((tensor) => this.ownName(tensor)),
      );
    }
  }

  /** The operator whole, on tensors under the names given; returns the names of what it makes. */
  writeWholeWith(
    operator: Operator,
    device: number,
    given: ReadonlyMap<TensorId, string>,
  ): Map<TensorId, string> {
    const names = new Map(given);
    for (const member of operator.members) {
      const inputs = member.inputs.map((tensor) => (tensor === NONE ? '' : names.get(tensor)!));
      const outputs = member.outputs.map((tensor) => {
        if (tensor === NONE) return '';
        const name = this.writer.fresh(`${this.plan.devices[device]}/${this.ownName(tensor)}`);
        names.set(tensor, name);
        return name;
      });
      this.writeWholeMember(member, device, inputs, outputs);
    }
    return names;
  }

  private writeWholeMember(
    member: OperatorNode,
    device: number,
    inputs: readonly string[],
    outputs: readonly string[],
  ): void {
    const ends = { name: this.nodeName(device, member), inputs, outputs };
    const notes = this.notes(device, member, ends, [['memorianova.dimension', 'none']]);
    this.writer.rewriteNode(member.index, ends, new Map(), notes);
  }

  /** The nodes of one shard; returns the names of what they make, per output of the last member. */
  writeShard(operator: Operator, split: Split, shard: Shard, work: ShardWork): string[] {
    const { device } = shard;
    const fed = operator.inputs.map((tensor, index) => this.input(device, tensor, index, work));
    let names: string[] = [];
    operator.members.forEach((member, position) => {
      const inputs = this.memberInputs(operator, position, fed, names[0] ?? '');
      const outputs = member.outputs.map((tensor, index) => {
        if (tensor === NONE) return '';
        const box = index === 0 ? (work.made ?? work.outputs[0]) : work.outputs[index];
        const text = split.dimension === 'K' ? partialText(shard) : this.rangeText(tensor, box);
        return this.writer.fresh(`${this.plan.devices[device]}/${this.ownName(tensor)}${text}`);
      });
      const ends = { name: this.nodeName(device, member), inputs, outputs };
      const notes = this.notes(device, member, ends, rangeNotes(split, shard, work));
      this.writer.rewriteNode(member.index, ends, work.attributes[position], notes);
      names = outputs;
    });
    const [output] = operator.outputs;
    const owned = work.outputs[0];
    if (work.made === undefined || owned === undefined || owned.join() === work.made.join()) return names;
    return [this.slice(device, output, names[0], work.made, owned), ...names.slice(1)];
  }

  /** A partial sum as its device sends it: the shard's result, weighed where the sum is a mean. */
  writePartial(operator: Operator, split: Split, shard: Shard, work: ShardWork): string {
    const [name] = this.writeShard(operator, split, shard, work);
    if (work.scale === undefined) return name;
    const { type } = this.plan.graph.tensors[operator.outputs[0]];
    return this.binary('Mul', shard.device, operator, name, this.writer.scalar(work.scale, type!));
  }

  /** Adds partial sums in the order given, then the bias; `result` is the name of what comes out. */
  writeReduction(
    operator: Operator,
    split: Split,
    device: number,
    partials: readonly string[],
    result: string,
  ): void {
    const terms =
      split.bias === undefined ? partials : [...partials, this.bias(operator, split.bias, device)];
    let sum = terms[0];
    terms.slice(1).forEach((term, index) => {
      sum = this.binary('Add', device, operator, sum, term, index === terms.length - 2 ? result : undefined);
    });
    if (terms.length > 1) return;
    this.writer.addNode('Identity', { name: `${result}/whole`, inputs: [sum], outputs: [result] }, new Map());
  }

  /** `box` of a tensor out of `from`, which holds `held` of it. `name`: instead of one by device and ranges. */
  slice(device: number, tensor: TensorId, from: string, held: Box, box: Box, name?: string): string {
    const key = `${device}|${tensor}|${from}|${box.join(',')}`;
    const found = name === undefined ? this.known.get(key) : undefined;
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
    const output =
      name ??
      this.writer.fresh(`${this.plan.devices[device]}/${this.ownName(tensor)}${this.rangeText(tensor, box)}`);
    const isOld = this.writer.opset < FIRST_SLICE_WITH_INPUTS;
    const bounds = isOld ? [] : [starts, ends, axes].map((list) => this.writer.integers(list));
    const attributes: ReadonlyMap<string, AttributeValue> = new Map(
      isOld
        ? [
            ['starts', ints(starts)],
            ['ends', ints(ends)],
            ['axes', ints(axes)],
          ]
        : [],
    );
    const nodeEnds = { name: `${output}/slice`, inputs: [from, ...bounds], outputs: [output] };
    this.writer.addNode('Slice', nodeEnds, attributes, this.placed(device, [from, output]));
    this.known.set(key, output);
    return output;
  }

  /** `[:,:,0:14,:]`: the ranges of a box. */
  rangeText(tensor: TensorId, box: Box | undefined): string {
    if (box === undefined) return '';
    const texts = (this.plan.graph.tensors[tensor].shape ?? []).map((dim, axis) => {
      const [start, end] = [box[2 * axis], box[2 * axis + 1]];
      return start === 0 && end === dim ? ':' : `${start}:${end}`;
    });
    return `[${texts.join(',')}]`;
  }

  isWhole(tensor: TensorId, box: Box): boolean {
    const shape = this.plan.graph.tensors[tensor].shape ?? [];
    return shape.every((dim, axis) => box[2 * axis] === 0 && box[2 * axis + 1] === dim);
  }

  wholeBox(tensor: TensorId): Box {
    return (this.plan.graph.tensors[tensor].shape ?? []).flatMap((dim) => [0, dim ?? 0]);
  }

  /** Notes that the tensors lie whole on the device. */
  placed(device: number, tensors: readonly string[]): NodeNotes {
    const named = [...new Set(tensors)];
    return { configuration: nodeConfiguration(named.map((tensor) => ({ tensor, devices: [device] }))) };
  }

  private ownName(tensor: TensorId): string {
    return tensor === NONE ? '' : tensorName(this.plan.graph.tensors[tensor]);
  }

  private input(device: number, tensor: TensorId, index: number, work: ShardWork): string {
    const constant = work.constants.get(index);
    if (constant !== undefined) {
      const { type, shape } = this.plan.graph.tensors[tensor];
      return this.writer.integers(constant, type === 'int32' ? 'int32' : 'int64', shape?.length === 0);
    }
    const box = work.inputs[index];
    if (tensor === NONE || box === undefined) return '';
    return this.plan.graph.tensors[tensor].isWeight
      ? this.weight(device, tensor, box)
      : this.source.box(device, tensor, box);
  }

  /** A weight's box: the whole under its own name, cut out of the file, or sliced where a node makes it. */
  private weight(device: number, tensor: TensorId, box: Box): string {
    const own = this.ownName(tensor);
    if (this.isWhole(tensor, box)) return this.source.whole(tensor);
    const initializer = this.layout.initializers.get(own);
    if (initializer === undefined || !canCut(initializer))
      return this.slice(device, tensor, this.source.whole(tensor), this.wholeBox(tensor), box);
    const key = `${device}|${tensor}|${box.join(',')}`;
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const name = this.writer.fresh(`${this.plan.devices[device]}/${own}${this.rangeText(tensor, box)}`);
    this.writer.addCut(own, name, box);
    this.known.set(key, name);
    return name;
  }

  /** Inputs of one member: what the operator reads at these places, the first later one the member before. */
  private memberInputs(
    operator: Operator,
    position: number,
    fed: readonly string[],
    before: string,
  ): string[] {
    const member = operator.members[position];
    const first = operator.members[0].inputs.length;
    const previous = position === 0 ? NONE : operator.members[position - 1].outputs[0];
    const inputs = member.inputs.map((tensor, index) => {
      if (position === 0) return fed[index];
      if (tensor === NONE) return '';
      if (tensor === previous) return before;
      const added = operator.inputs.indexOf(tensor, first);
      return fed[added >= 0 ? added : operator.inputs.indexOf(tensor)];
    });
    if (VARIADIC_TYPES.has(member.type)) return inputs.filter((name) => name !== '');
    if (member.type === 'Gemm' && member.opset < FIRST_GEMM_WITHOUT_BIAS && (inputs[2] ?? '') === '')
      inputs[2] = this.writer.scalar(0, this.plan.graph.tensors[member.outputs[0]].type!);
    while (inputs.length > 0 && inputs[inputs.length - 1] === '') inputs.pop();
    return inputs;
  }

  /** The input that is added once, in the shape and scale in which the operator itself would add it. */
  private bias(operator: Operator, input: number, device: number): string {
    const tensor = operator.inputs[input];
    const bias = this.source.whole(tensor);
    const { graph, devices } = this.plan;
    if (operator.type === 'Gemm') {
      const beta = floatAttribute(operator.attributes, 'beta', 1);
      return beta === 1
        ? bias
        : this.binary('Mul', device, operator, bias, this.writer.scalar(beta, graph.tensors[tensor].type!));
    }
    const rank = graph.tensors[operator.outputs[0]].shape!.length;
    const shape = Array.from({ length: rank }, (_unused, axis) => (axis === 1 ? -1 : 1));
    const name = this.writer.fresh(`${devices[device]}/${bias}/channels`);
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
    result?: string,
  ): string {
    const own = `${this.nodeName(device, operator)}/reduce`;
    const name = result ?? this.writer.fresh(own);
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
    return {
      metadata,
      ...this.placed(
        device,
        [...ends.inputs, ...ends.outputs].filter((name) => name !== ''),
      ),
    };
  }
}

function ints(value: readonly number[]): AttributeValue {
  return { kind: 'ints', value };
}

/** Marks a partial sum over a range of the reduction axis. */
export function partialText(shard: Shard): string {
  return `(${shard.start}:${shard.end})`;
}

/** The exact ranges, which ONNX's annotations cannot say. */
function rangeNotes(split: Split, shard: Shard, work: ShardWork): [string, string][] {
  const notes: [string, string][] = [
    ['memorianova.dimension', split.dimension],
    ['memorianova.axis', String(split.axis)],
    ['memorianova.range', `[${shard.start},${shard.end}) of ${split.length}`],
  ];
  if (shard.computeStart !== undefined || shard.computeEnd !== undefined)
    notes.push([
      'memorianova.computed',
      `[${shard.computeStart ?? shard.start},${shard.computeEnd ?? shard.end})`,
    ]);
  work.inputs.forEach((box, index) => {
    if (box !== undefined) notes.push([`memorianova.input.${index}`, JSON.stringify(box)]);
  });
  return notes;
}
