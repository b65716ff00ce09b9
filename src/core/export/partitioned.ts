import type { Graph, Operator } from '../graph/graph';
import type { TensorId } from '../graph/units';
import { NONE } from '../graph/units';
import type { Box, Partition } from '../partition/partition';
import type { Placement } from './annotations';
import { nodeConfiguration } from './annotations';
import type { Chunk } from './chunk';
import type { ModelLayout } from './modelLayout';
import type { NodeNotes } from './nodeBytes';
import type { PlannedGraph } from './problem';
import { checkPlannedGraph, splitOf } from './problem';
import type { TensorSource } from './shardWriter';
import { ShardWriter } from './shardWriter';
import type { ExternalStore } from './tensorBytes';
import { emitConstants, GraphWriter } from './writer';

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
class PartitionedGraph implements TensorSource {
  readonly writer: GraphWriter;
  private readonly shards: ShardWriter;
  private readonly graph: Graph;
  /** Per tensor: the disjoint parts that it consists of, until it is put together. */
  private readonly parts = new Map<TensorId, readonly Piece[]>();
  /** Name of a part by device, tensor and box. */
  private readonly known = new Map<string, string>();
  /** Set while an operator's shards are written beside the whole operator, which keeps the tensors' names. */
  private besideNames: Map<TensorId, string> | undefined;

  constructor(
    private readonly layout: ModelLayout,
    private readonly plan: PlannedGraph,
    store: ExternalStore,
  ) {
    checkPlannedGraph(plan);
    this.graph = plan.graph;
    this.writer = new GraphWriter(layout, store);
    this.shards = new ShardWriter(layout, plan, this.writer, this);
  }

  /** Everything but the outputs: inputs, constant nodes, then the operators in the plan's order. */
  emit(): void {
    this.emitInputs();
    emitConstants(this.writer, this.graph);
    for (const step of this.plan.steps) {
      const operator = this.graph.operators[step];
      const partition = this.plan.partitions[step];
      if (operator.isView || partition === undefined) this.copyOperator(operator);
      else if (partition.dimension === 'none') {
        this.materializeCaptured(operator);
        this.shards.writeWhole(operator, partition.shards[0].device);
      } else this.emitSplit(operator, partition);
    }
  }

  /**
   * Everything as the model has it, and beside each of `operators` its shards, reading the whole model's tensors.
   * Returns, by output tensor, the name under which the shards' result is put together.
   */
  emitBeside(operators: ReadonlySet<number>): Map<TensorId, string> {
    this.emitInputs();
    emitConstants(this.writer, this.graph);
    const names = new Map<TensorId, string>();
    for (const step of this.plan.steps) {
      const operator = this.graph.operators[step];
      this.copyOperator(operator);
      const partition = this.plan.partitions[step];
      if (!operators.has(step) || partition === undefined || partition.dimension === 'none') continue;
      this.besideNames = names;
      this.emitSplit(operator, partition);
      for (const [tensor, parts] of this.parts) this.join(tensor, parts);
      this.parts.clear();
      this.besideNames = undefined;
    }
    return names;
  }

  whole(tensor: TensorId): string {
    if (tensor === NONE) return '';
    const { name } = this.graph.tensors[tensor];
    const parts = this.besideNames === undefined ? this.parts.get(tensor) : undefined;
    if (parts === undefined) {
      this.writer.useInitializer(name);
      return name;
    }
    this.parts.delete(tensor);
    this.join(tensor, parts);
    return name;
  }

  box(device: number, tensor: TensorId, box: Box): string {
    if (this.shards.isWhole(tensor, box)) return this.whole(tensor);
    const made = this.besideNames === undefined ? this.known.get(partKey(device, tensor, box)) : undefined;
    return made ?? this.shards.slice(device, tensor, this.whole(tensor), this.shards.wholeBox(tensor), box);
  }

  private emitInputs(): void {
    const byName = new Map(
      this.graph.inputs.map((id) => [this.graph.tensors[id].name, this.graph.tensors[id]]),
    );
    this.layout.inputs.forEach(({ name }, index) => {
      if (this.layout.initializers.has(name)) return;
      const tensor = byName.get(name);
      if (tensor?.shape === undefined || tensor.type === undefined)
        this.writer.copyDeclaration('input', index);
      else this.writer.addInput(name, tensor.type, tensor.shape);
    });
  }

  private copyOperator(operator: Operator): void {
    for (const input of operator.inputs) this.whole(input);
    this.materializeCaptured(operator);
    for (const member of operator.members) this.writer.copyNode(member.index);
  }

  /** What an operator's subgraphs read from outside. */
  private materializeCaptured(operator: Operator): void {
    for (const member of operator.members) {
      for (const name of this.layout.nodes[member.index].captured) {
        if (this.writer.isDefined(name) || this.writer.useInitializer(name)) continue;
        const tensor = this.graph.tensors.find((one) => one.name === name);
        if (tensor !== undefined) this.whole(tensor.id);
      }
    }
  }

  private emitSplit(operator: Operator, partition: Partition): void {
    if (partition.dimension === 'K') this.emitPartialSums(operator, partition);
    else this.emitShards(operator, partition);
  }

  private emitShards(operator: Operator, partition: Partition): void {
    const split = splitOf(this.plan, operator, partition)!;
    const owned: Piece[][] = operator.outputs.map(() => []);
    for (const shard of [...partition.shards].sort((a, b) => a.start - b.start)) {
      const start = shard.computeStart ?? shard.start;
      const end = shard.computeEnd ?? shard.end;
      const computed = this.plan.rules.work(operator.id, split, start, end);
      const names = this.shards.writeShard(operator, split, shard, computed);
      const isWider = start !== shard.start || end !== shard.end;
      const own = isWider ? this.plan.rules.work(operator.id, split, shard.start, shard.end) : computed;
      operator.outputs.forEach((tensor, index) => {
        const box = own.outputs[index];
        const made = computed.outputs[index];
        if (tensor === NONE || box === undefined || made === undefined) return;
        this.known.set(partKey(shard.device, tensor, made), names[index]);
        const name = isWider
          ? this.shards.slice(shard.device, tensor, names[index], made, box)
          : names[index];
        this.known.set(partKey(shard.device, tensor, box), name);
        owned[index].push({ device: shard.device, box, name });
      });
    }
    operator.outputs.forEach((tensor, index) => {
      if (tensor !== NONE) this.parts.set(tensor, owned[index]);
    });
  }

  private emitPartialSums(operator: Operator, partition: Partition): void {
    const split = splitOf(this.plan, operator, partition)!;
    const partials = [...partition.shards]
      .sort((a, b) => a.device - b.device)
      .map((shard) => {
        const work = this.plan.rules.work(operator.id, split, shard.start, shard.end);
        return this.shards.writePartial(operator, split, shard, work);
      });
    this.shards.writeReduction(
      operator,
      split,
      partition.reduceOn!,
      partials,
      this.resultName(operator.outputs[0]),
    );
  }

  /** Puts a tensor together under its own name. */
  private join(tensor: TensorId, parts: readonly Piece[]): void {
    const { shape } = this.graph.tensors[tensor];
    const name = this.resultName(tensor);
    const axis = (shape ?? []).findIndex(
      (dim, at) => parts[0].box[2 * at + 1] - parts[0].box[2 * at] !== dim,
    );
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
    const { name } = this.graph.tensors[tensor];
    if (this.besideNames === undefined) return name;
    const beside = this.besideNames.get(tensor) ?? this.writer.fresh(`memorianova/shards/${name}`);
    this.besideNames.set(tensor, beside);
    return beside;
  }
}

function partKey(device: number, tensor: TensorId, box: Box): string {
  return `${device}|${tensor}|${box.join(',')}`;
}

/** The whole partitioned model as a file. */
export function partitionedModel(layout: ModelLayout, plan: PlannedGraph, store: ExternalStore): Chunk[] {
  const built = new PartitionedGraph(layout, plan, store);
  built.emit();
  for (const tensor of plan.graph.outputs) built.whole(tensor);
  declareOutputs(built.writer, layout);
  const metadata = new Map([
    ['memorianova.format', 'partitioned-model 1'],
    ['memorianova.devices', JSON.stringify(plan.devices)],
  ]);
  return built.writer.finish(plan.devices, metadata);
}

function declareOutputs(writer: GraphWriter, layout: ModelLayout): void {
  layout.outputs.forEach(({ name }, index) => {
    writer.useInitializer(name);
    writer.copyDeclaration('output', index);
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
  declareOutputs(built.writer, layout);
  const declared = new Set(layout.outputs.map((output) => output.name));
  for (const [tensor, name] of shards) {
    const { name: own, type } = plan.graph.tensors[tensor];
    if (!declared.has(own)) built.writer.addOutput(own, type, undefined);
    built.writer.addOutput(name, type, undefined);
  }
  return { chunks: built.writer.finish(undefined, new Map()), shards };
}
