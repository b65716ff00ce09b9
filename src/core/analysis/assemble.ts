import type { FuseRule, Graph, KnownBytes, Operator, OperatorNode, Storage } from '../graph/graph';
import { NONE, type OperatorId, type TensorId } from '../graph/units';
import type { ModelFunction, ModelNode } from '../onnx/model';
import { ruleOf } from '../shape/rules/registry';
import type { InferredGraph } from '../shape/types';
import { addBytes, bodyCost, NO_COST, type BodyCost } from './bodies';
import { operatorFlops } from './flops';
import { fold, type Folding } from './folding';
import { groupNodes } from './fusion';
import { isElementwiseType, isViewNode } from './operatorKinds';
import { functionOf, type GraphSource } from './source';
import { TensorTable, type DraftTensor } from './tensorTable';

/** What holds for a model as a whole. */
export interface Context {
  readonly functions: ReadonlyMap<string, ModelFunction>;
  readonly bindings: ReadonlyMap<string, number>;
  /** Constants of the graph in which a body stands. */
  readonly isConstant: (name: string) => boolean;
  /** Costs of function bodies that were inferred once for several calls, so that calls of calls stay few. */
  readonly functionCosts: Map<InferredGraph, BodyCost>;
}

export interface Assembled {
  readonly graph: Graph;
  /** Tensors that the graph takes from the graphs around it, or that nothing makes. */
  readonly captured: readonly TensorId[];
  /** Names of `captured`, and of weights of the graphs around it that something here reads after folding. */
  readonly reads: readonly string[];
  /** Weights that the graph and the subgraphs in it hold; neither those captured nor those of functions. */
  readonly ownWeights: KnownBytes;
  /** Weights of the functions that it calls, however deep. */
  readonly functionWeights: ReadonlyMap<ModelFunction, KnownBytes>;
}

interface DraftStorage extends Storage {
  readonly tensors: TensorId[];
  readonly consumers: OperatorId[];
  isOutput: boolean;
}

/** Builds the graph of one source: folds, groups, then adds operators in execution order. */
export function assemble(source: GraphSource, context: Context, fuse: FuseRule): Assembled {
  return new Assembler(source, context, fuse).run();
}

class Assembler {
  private readonly folding: Folding;
  private readonly table: TensorTable;
  private readonly inside: Context;
  private readonly operators: Operator[] = [];
  private readonly storages: DraftStorage[] = [];
  private readonly captured: TensorId[] = [];
  private readonly functionWeights = new Map<ModelFunction, KnownBytes>();

  constructor(
    private readonly source: GraphSource,
    context: Context,
    private readonly fuse: FuseRule,
  ) {
    this.folding = fold(source, context.functions);
    this.table = new TensorTable(source, this.folding, context.bindings);
    this.inside = { ...context, isConstant: (name) => this.folding.isConstant(name) };
  }

  run(): Assembled {
    const inputs = this.addInputs();
    for (const group of groupNodes(this.source, this.folding, this.fuse)) this.addOperator(group);
    const outputs = this.markOutputs();
    return this.result(inputs, outputs);
  }

  private addInputs(): TensorId[] {
    const fed = new Set(
      this.source.inputs.filter((name) => name !== '' && !this.source.initializers.has(name)),
    );
    return [...fed].map((name) => {
      const id = this.table.read(name);
      this.addStorage(this.table.tensors[id], NONE, true);
      return id;
    });
  }

  private addStorage(tensor: DraftTensor, producer: OperatorId, isInput: boolean): void {
    tensor.storage = this.storages.length;
    this.storages.push({
      id: this.storages.length,
      tensors: [tensor.id],
      bytes: tensor.bytes,
      producer,
      consumers: [],
      isInput,
      isOutput: false,
    });
  }

  private addOperator(group: readonly ModelNode[]): void {
    const id = this.operators.length;
    const members = group.map((node, i) => this.addNode(node, id, i === group.length - 1));
    const nodes = members.map(({ node }) => node);
    const first = members[0];
    const cost = bodyCost(group[0], this.source, this.inside);
    const { isView } = first;
    const inputs = first.node.inputs.slice();
    if (cost !== NO_COST) inputs.push(...this.readBodies(group[0], id, cost));
    for (let i = 1; i < members.length; i++)
      inputs.push(...members[i].node.inputs.slice(1).filter((tensor) => tensor !== NONE));
    const { index, name, type, domain, opset, attributes } = first.node;
    const opaqueReason = this.opaqueReason(group[0], first.node);
    this.operators.push({
      id,
      index,
      name,
      type,
      domain,
      opset,
      attributes,
      inputs,
      outputs: members[members.length - 1].node.outputs,
      members: nodes,
      isView,
      isElementwise: group.length === 1 && isElementwiseType(group[0]),
      bodyPeak: cost.peak,
      flops: this.flops(nodes, cost.pass),
      ...(opaqueReason === undefined ? {} : { opaqueReason }),
    });
  }

  private opaqueReason(node: ModelNode, { outputs }: OperatorNode): string | undefined {
    if (
      functionOf(node, this.inside.functions) === undefined &&
      ruleOf(node.domain, node.type) === undefined
    ) {
      return `The operator ${node.domain === '' ? '' : `${node.domain}.`}${node.type} is not known here.`;
    }
    const output = outputs.find((id) => id !== NONE);
    const tensor = output === undefined ? undefined : this.table.tensors[output];
    return tensor?.shapeText === '?' ? `The shape of its output "${tensor.name}" is not known.` : undefined;
  }

  /** Reads inputs and makes outputs; only the last node of a fused chain makes storage. */
  private addNode(node: ModelNode, id: OperatorId, isLast: boolean): { node: OperatorNode; isView: boolean } {
    const opset = this.source.opsets.get(node.domain) ?? 1;
    const inputs = node.inputs.map((name) => this.readTensor(name, id));
    const isView = (inputs[0] ?? NONE) !== NONE && isViewNode(node, opset, this.folding);
    const outputs = node.outputs.map((name) => this.table.produce(name, id));
    outputs.forEach((output, i) => {
      if (output === NONE || !isLast) return;
      const tensor = this.table.tensors[output];
      const viewed = isView && i === 0 ? (inputs[0] ?? NONE) : NONE;
      if (viewed === NONE) this.addStorage(tensor, id, false);
      else this.shareStorage(tensor, this.table.tensors[viewed]);
    });
    const { index, name, type, domain, attributes } = node;
    return {
      node: { index, name, type, domain, opset, attributes, inputs, outputs },
      isView,
    };
  }

  private readTensor(name: string, reader: OperatorId): TensorId {
    const before = this.table.tensors.length;
    const id = this.table.read(name);
    if (id === NONE) return NONE;
    const tensor = this.table.tensors[id];
    if (id >= before && !tensor.isWeight) this.addCaptured(tensor);
    if (tensor.consumers.at(-1) !== reader) {
      tensor.consumers.push(reader);
      const readers = tensor.storage === NONE ? undefined : this.storages[tensor.storage].consumers;
      if (readers && readers.at(-1) !== reader) readers.push(reader);
    }
    return id;
  }

  /** What the bodies of a node read: tensors that they capture, and the weights inside them. */
  private readBodies(
    node: ModelNode,
    reader: OperatorId,
    { reads, weights, functionWeights }: BodyCost,
  ): TensorId[] {
    const read = [...reads].map((name) => this.readTensor(name, reader));
    const inside: TensorId[] = [];
    for (const [body, size] of functionWeights) {
      this.functionWeights.set(body, size);
      if (isSomething(size)) inside.push(this.table.bodyWeights(body, body.name, size));
    }
    if (isSomething(weights)) {
      inside.push(this.table.bodyWeights(node, node.name || `${node.type} ${node.index}`, weights));
    }
    for (const id of inside) this.table.tensors[id].consumers.push(reader);
    return [...read, ...inside];
  }

  /** From a graph around this one, or from nowhere (a problem that validation tells): there before step 0. */
  private addCaptured(tensor: DraftTensor): void {
    this.addStorage(tensor, NONE, true);
    this.captured.push(tensor.id);
  }

  /** A view of a weight is a weight; other views lie in the storage of what they view. */
  private shareStorage(tensor: DraftTensor, viewed: DraftTensor): void {
    if (viewed.isWeight) {
      tensor.isWeight = true;
      tensor.sharesWeight = viewed.sharesWeight ?? viewed.id;
    } else {
      tensor.storage = viewed.storage;
      this.storages[viewed.storage].tensors.push(tensor.id);
    }
  }

  /** `pass`: what the bodies of the only member cost, where it has some. */
  private flops(members: readonly OperatorNode[], pass: BodyCost['pass']): number | undefined {
    let sum = 0;
    for (const member of members) {
      const flops = operatorFlops(member, this.table.tensors, pass);
      if (flops === undefined) return undefined;
      sum += flops;
    }
    return sum;
  }

  private markOutputs(): TensorId[] {
    return this.source.outputs
      .filter((name) => name !== '')
      .map((name) => {
        const before = this.table.tensors.length;
        const id = this.table.read(name);
        const tensor = this.table.tensors[id];
        if (id >= before && !tensor.isWeight) this.addCaptured(tensor);
        if (tensor.storage !== NONE) this.storages[tensor.storage].isOutput = true;
        return id;
      });
  }

  private result(inputs: TensorId[], outputs: TensorId[]): Assembled {
    const used = this.usedWeights(outputs);
    const ownWeights = this.sumWeights(used);
    const { operators, storages, fuse, functionWeights, captured } = this;
    const weightBytes = [...functionWeights.values()].reduce(addBytes, ownWeights);
    const { tensors } = this.table;
    const graph: Graph = { operators, tensors, storages, inputs, outputs, weightBytes, fuse };
    const outerWeights = used.map((id) => tensors[id].name).filter((name) => this.isOuter(name));
    const reads = [...captured.map((id) => tensors[id].name), ...outerWeights];
    return { graph, captured, reads, ownWeights, functionWeights };
  }

  private isOuter(name: string): boolean {
    return this.source.isOuterConstant(name) && !this.source.initializers.has(name);
  }

  /** Every weight that an operator or an output uses, each once; folded ones that nobody reads are none. */
  private usedWeights(outputs: readonly TensorId[]): TensorId[] {
    const { tensors } = this.table;
    const functions = new Set<TensorId>();
    for (const [body, size] of this.functionWeights) {
      if (isSomething(size)) functions.add(this.table.bodyWeights(body, body.name, size));
    }
    const isOutput = new Set(outputs);
    const used = new Set<TensorId>();
    for (const { id, isWeight, consumers, sharesWeight } of tensors) {
      if (isWeight && !functions.has(id) && (consumers.length > 0 || isOutput.has(id)))
        used.add(sharesWeight ?? id);
    }
    return [...used];
  }

  private sumWeights(used: readonly TensorId[]): KnownBytes {
    let sum: KnownBytes = { bytes: 0, known: true };
    for (const id of used) {
      const { name, bytes } = this.table.tensors[id];
      if (!this.isOuter(name)) sum = addBytes(sum, { bytes: bytes ?? 0, known: bytes !== undefined });
    }
    return sum;
  }
}

function isSomething({ bytes, known }: KnownBytes): boolean {
  return bytes > 0 || !known;
}
