import type { AttributeValue } from '../graph/attributes';
import type { ElementType } from '../graph/elementType';
import type { Graph, Shape } from '../graph/graph';
import type { Box } from '../partition/partition';
import type { Chunk } from './chunk';
import { bytesChunk, totalLength } from './chunk';
import { configurationRecord } from './annotations';
import { GRAPH, MODEL, OPSET, VALUE_INFO } from './fields';
import type { ModelLayout } from './modelLayout';
import { topologicalNodes } from './modelLayout';
import { entry, newNode, rewrittenNode } from './nodeBytes';
import type { NodeEnds, NodeNotes } from './nodeBytes';
import type { ExternalStore } from './tensorBytes';
import {
  canCut,
  cutInitializer,
  integerTensor,
  scalarTensor,
  typeCode,
  wholeInitializer,
} from './tensorBytes';
import { bytesText, MessageWriter, readVarint, recordHeader, records } from './wire';

/** The IR version that has multi-device annotations and that ONNX Runtime reads. */
export const EXPORT_IR_VERSION = 11;

/** A graph under construction from pieces of a model: nodes in order, initializers once each, unique names. */
export class GraphWriter {
  private readonly nodes: Chunk[] = [];
  private readonly initializers: Chunk[] = [];
  private readonly inputs: Uint8Array[] = [];
  private readonly outputs: Uint8Array[] = [];
  private readonly taken: Set<string>;
  private readonly makers = new Map<string, number>();
  /** Names that some node makes, or that are initializers or inputs. */
  private readonly defined = new Set<string>();
  private readonly nodeNames = new Set<string>();
  readonly opset: number;
  nodeCount = 0;

  constructor(
    readonly layout: ModelLayout,
    private readonly store: ExternalStore,
  ) {
    this.opset = standardOpset(layout);
    this.taken = new Set(layout.initializers.keys());
    layout.nodes.forEach((node, index) => {
      for (const output of node.outputs) this.makers.set(output, index);
    });
    for (const name of this.makers.keys()) this.taken.add(name);
    for (const input of layout.inputs) this.taken.add(input.name);
  }

  /** Index of the node of the model that makes a tensor. */
  makerOf(name: string): number | undefined {
    return this.makers.get(name);
  }

  isDefined(name: string): boolean {
    return this.defined.has(name);
  }

  /** A tensor name that is not in use, from a wish. */
  fresh(wish: string): string {
    let name = wish;
    for (let count = 2; this.taken.has(name); count++) name = `${wish}#${count}`;
    this.taken.add(name);
    return name;
  }

  addInput(name: string, type: ElementType | undefined, shape: Shape | undefined): void {
    this.inputs.push(declaration('input', name, type, shape));
    this.defined.add(name);
  }

  addOutput(name: string, type: ElementType | undefined, shape: Shape | undefined): void {
    this.outputs.push(declaration('output', name, type, shape));
  }

  /** An input or output declaration as the model has it. */
  copyDeclaration(kind: 'input' | 'output', index: number): void {
    const { record, name } = this.layout[kind === 'input' ? 'inputs' : 'outputs'][index];
    const bytes = this.layout.source.read(record.start, record.end - record.start);
    if (kind === 'input') this.defined.add(name);
    (kind === 'input' ? this.inputs : this.outputs).push(bytes);
  }

  /** A node of the model as it is. */
  copyNode(index: number): void {
    const { record, outputs, inputs, captured } = this.layout.nodes[index];
    for (const input of [...inputs, ...captured]) this.useInitializer(input);
    this.nodes.push({
      kind: 'copy',
      file: undefined,
      offset: record.start,
      length: record.end - record.start,
    });
    for (const output of outputs) this.defined.add(output);
    this.nodeCount++;
  }

  /** A node of the model with other ends, attributes and notes. */
  rewriteNode(
    index: number,
    ends: NodeEnds,
    attributes: ReadonlyMap<string, AttributeValue>,
    notes: NodeNotes,
  ): void {
    const { record } = this.layout.nodes[index];
    const body = this.layout.source.read(record.valueStart, record.end - record.valueStart);
    this.push(rewrittenNode(body, this.named(ends), attributes, notes), ends);
  }

  addNode(
    type: string,
    ends: NodeEnds,
    attributes: ReadonlyMap<string, AttributeValue>,
    notes: NodeNotes = {},
  ): void {
    this.push(newNode(type, this.named(ends), attributes, notes), ends);
  }

  /** Makes sure that the initializer `name` is in the export, whole; false where there is none. */
  useInitializer(name: string): boolean {
    const initializer = this.layout.initializers.get(name);
    if (initializer === undefined) return false;
    if (this.defined.has(name)) return true;
    this.defined.add(name);
    const isMoved = this.store.takesAll && canCut(initializer);
    if (initializer.payload.kind !== 'external' && !isMoved) {
      this.initializers.push(wholeInitializer(initializer));
      return true;
    }
    const box = initializer.dims.flatMap((dim) => [0, dim]);
    this.initializers.push(...cutInitializer(this.layout, initializer, name, box, this.store));
    return true;
  }

  addCut(initializer: string, name: string, box: Box): void {
    this.defined.add(name);
    const found = this.layout.initializers.get(initializer)!;
    this.initializers.push(...cutInitializer(this.layout, found, name, box, this.store));
  }

  /** A small integer constant, shared by value. */
  integers(values: readonly number[], type: 'int64' | 'int32' = 'int64', isScalar = false): string {
    const text = isScalar ? String(values[0]) : `[${values.join(',')}]`;
    const name = `memorianova/${type}${text}`;
    if (!this.defined.has(name)) {
      this.defined.add(name);
      this.initializers.push(integerTensor(name, values, type, isScalar));
    }
    return name;
  }

  scalar(value: number, type: ElementType): string {
    const name = `memorianova/${type}(${value})`;
    if (!this.defined.has(name)) {
      this.defined.add(name);
      this.initializers.push(scalarTensor(name, value, type));
    }
    return name;
  }

  /** The whole model file: the model's own records around the new graph. */
  finish(devices: readonly string[] | undefined, metadata: ReadonlyMap<string, string>): Chunk[] {
    const graph = [...this.nodes, ...this.initializers, ...this.keptGraphRecords()];
    for (const declared of [...this.inputs, ...this.outputs]) graph.push(bytesChunk(declared));
    const chunks: Chunk[] = this.keptModelRecords();
    const extra = new MessageWriter().int(
      MODEL.irVersion,
      Math.max(EXPORT_IR_VERSION, irVersion(this.layout)),
    );
    if (!hasStandardOpset(this.layout))
      extra.message(MODEL.opsetImport, new MessageWriter().text(1, '').int(2, this.opset));
    if (devices !== undefined) extra.raw(configurationRecord(devices));
    for (const [key, value] of metadata) extra.message(MODEL.metadata, entry(key, value));
    chunks.push(
      bytesChunk(extra.finish()),
      bytesChunk(recordHeader(MODEL.graph, totalLength(graph))),
      ...graph,
    );
    return chunks;
  }

  private push(record: Uint8Array, ends: NodeEnds): void {
    this.nodes.push(bytesChunk(record));
    for (const output of ends.outputs) this.defined.add(output);
    this.nodeCount++;
  }

  private named(ends: NodeEnds): NodeEnds {
    let name = ends.name;
    for (let count = 2; this.nodeNames.has(name); count++) name = `${ends.name}#${count}`;
    this.nodeNames.add(name);
    return { ...ends, name };
  }

  private keptModelRecords(): Chunk[] {
    const { layout } = this;
    const replaced: readonly number[] = [MODEL.irVersion, MODEL.graph, MODEL.configuration];
    return layout.records
      .filter((record) => !replaced.includes(record.field))
      .map((record) => ({
        kind: 'copy',
        file: undefined,
        offset: record.start,
        length: record.end - record.start,
      }));
  }

  /** Names, documentation and descriptions of values that still exist. */
  private keptGraphRecords(): Chunk[] {
    const { layout } = this;
    const rewritten: readonly number[] = [
      GRAPH.node,
      GRAPH.initializer,
      GRAPH.input,
      GRAPH.output,
      GRAPH.valueInfo,
    ];
    const others = layout.graphRecords.filter((record) => !rewritten.includes(record.field));
    const values = layout.valueInfos.filter(({ name }) => this.defined.has(name)).map(({ record }) => record);
    const kept = [...others, ...values].map(({ start, end }): Chunk => {
      return { kind: 'copy', file: undefined, offset: start, length: end - start };
    });
    return kept;
  }
}

/** Version of `ai.onnx` that the model imports; 1 where a first-version file imports nothing. */
export function standardOpset(layout: ModelLayout): number {
  return opsets(layout).get('') ?? opsets(layout).get('ai.onnx') ?? 1;
}

function hasStandardOpset(layout: ModelLayout): boolean {
  const found = opsets(layout);
  return found.has('') || found.has('ai.onnx');
}

function opsets(layout: ModelLayout): Map<string, number> {
  const found = new Map<string, number>();
  for (const { field, valueStart, end } of layout.records) {
    if (field !== MODEL.opsetImport) continue;
    const body = layout.source.read(valueStart, end - valueStart);
    let domain = '';
    let version = 1;
    for (const record of records(body)) {
      if (record.field === OPSET.domain) domain = bytesText(body.subarray(record.valueStart, record.end));
      else if (record.field === OPSET.version) version = readVarint(body, record.valueStart)[0];
    }
    found.set(domain, version);
  }
  return found;
}

function irVersion(layout: ModelLayout): number {
  const record = layout.records.find(({ field }) => field === MODEL.irVersion);
  if (record === undefined) return 0;
  return readVarint(layout.source.read(record.valueStart, record.end - record.valueStart), 0)[0];
}

const TYPE_TENSOR = 1;
const TENSOR_TYPE = { element: 1, shape: 2 } as const;

/** Record of an input or output of a graph. */
export function declaration(
  kind: 'input' | 'output',
  name: string,
  type: ElementType | undefined,
  shape: Shape | undefined,
): Uint8Array {
  const message = new MessageWriter().text(VALUE_INFO.name, name);
  if (type !== undefined) {
    const tensor = new MessageWriter().int(TENSOR_TYPE.element, typeCode(type));
    if (shape !== undefined) {
      const dims = new MessageWriter();
      for (const dim of shape)
        dims.message(1, dim === undefined ? new MessageWriter() : new MessageWriter().int(1, dim));
      tensor.message(TENSOR_TYPE.shape, dims);
    }
    message.message(VALUE_INFO.type, new MessageWriter().message(TYPE_TENSOR, tensor));
  }
  return new MessageWriter().message(GRAPH[kind], message).finish();
}

/** Nodes that are no operators, folded to weights, in an order in which each finds what it reads. */
export function emitConstants(writer: GraphWriter, graph: Graph): void {
  const { layout } = writer;
  const isOperator = new Uint8Array(layout.nodes.length);
  for (const operator of graph.operators) for (const member of operator.members) isOperator[member.index] = 1;
  const constants = layout.nodes.map((_node, index) => index).filter((index) => isOperator[index] === 0);
  for (const index of topologicalNodes(layout, constants)) {
    const { inputs } = layout.nodes[index];
    if (inputs.every((name) => name === '' || writer.isDefined(name) || writer.useInitializer(name)))
      writer.copyNode(index);
  }
}

/** The constant nodes that make weight `name`, where it is no initializer, and those that they need. */
export function emitConstantsFor(writer: GraphWriter, name: string): void {
  const waiting = [name];
  while (waiting.length > 0) {
    const wanted = waiting[waiting.length - 1];
    const maker = writer.makerOf(wanted);
    if (wanted === '' || writer.isDefined(wanted) || writer.useInitializer(wanted) || maker === undefined) {
      waiting.pop();
      continue;
    }
    const { inputs, captured } = writer.layout.nodes[maker];
    const missing = [...inputs, ...captured].filter(
      (one) => one !== '' && !writer.isDefined(one) && writer.makerOf(one) !== undefined,
    );
    if (missing.length > 0) waiting.push(...missing);
    else {
      for (const input of inputs) writer.useInitializer(input);
      writer.copyNode(maker);
      waiting.pop();
    }
  }
}
