import type { ElementType } from '../graph/elementType';
import { ELEMENT_TYPE_BY_CODE } from '../graph/elementType';
import { InputError } from '../graph/problem';
import type { ByteSource } from '../onnx/model';
import { ATTRIBUTE, ENTRY, EXTERNAL_LOCATION, GRAPH, MODEL, NODE, TENSOR, VALUE_INFO } from './fields';
import type { FieldRecord } from './wire';
import { BYTES, bytesText, FIXED32, FIXED64, readVarint, VARINT } from './wire';

/** Where the records of a model file are, weight payloads untouched: what splicing a new file from it needs. */
export interface ModelLayout {
  readonly source: ByteSource;
  /** Records of the model message, the graph among them. */
  readonly records: readonly FieldRecord[];
  readonly graph: FieldRecord;
  /** Records of the main graph, in file order. */
  readonly graphRecords: readonly FieldRecord[];
  readonly nodes: readonly NodeLayout[];
  readonly initializers: ReadonlyMap<string, InitializerLayout>;
  readonly inputs: readonly NamedRecord[];
  readonly outputs: readonly NamedRecord[];
  readonly valueInfos: readonly NamedRecord[];
}

export interface NamedRecord {
  readonly record: FieldRecord;
  readonly name: string;
}

export interface NodeLayout {
  readonly record: FieldRecord;
  readonly name: string;
  /** `''` for `ai.onnx`. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names that its subgraphs read, some of them from outside. */
  readonly captured: readonly string[];
}

export interface InitializerLayout {
  readonly record: FieldRecord;
  readonly name: string;
  readonly type: ElementType | undefined;
  readonly typeCode: number;
  readonly dims: readonly number[];
  readonly payload: TensorPayload;
}

export type TensorPayload =
  /** Little-endian elements at `offset` of the model file. */
  | { readonly kind: 'raw'; readonly offset: number; readonly length: number }
  /** Records of a typed field of the model file that are not simply little-endian elements. */
  | { readonly kind: 'typed'; readonly records: readonly FieldRecord[] }
  | {
      readonly kind: 'external';
      readonly location: string;
      readonly offset: number;
      readonly length: number | undefined;
    }
  /** Strings, sparse, or nothing. */
  | { readonly kind: 'other' };

const WINDOW = 1 << 16;
/** Messages up to this size are read whole to look into them; larger ones hold weights and are walked by reads. */
const HEADER_LIMIT = 10;

/** Reads records at positions of a file through a small window, so that payloads are skipped, not read. */
class Cursor {
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;

  constructor(private readonly source: ByteSource) {}

  *records(start: number, end: number): Generator<FieldRecord> {
    let at = start;
    while (at < end) {
      const record = this.record(at, end);
      yield record;
      at = record.end;
    }
  }

  bytes(start: number, end: number): Uint8Array {
    if (end - start > WINDOW) return this.source.read(start, end - start);
    if (start < this.windowStart || end > this.windowStart + this.window.length) {
      this.windowStart = start;
      this.window = this.source.read(start, Math.min(WINDOW, this.source.size - start));
    }
    return this.window.subarray(start - this.windowStart, end - this.windowStart);
  }

  text(record: FieldRecord): string {
    return bytesText(this.bytes(record.valueStart, record.end));
  }

  number(record: FieldRecord): number {
    return readVarint(this.bytes(record.valueStart, record.end), 0)[0];
  }

  private record(at: number, limit: number): FieldRecord {
    const header = this.bytes(at, Math.min(limit, at + 2 * HEADER_LIMIT));
    try {
      const [tag, valueAt] = readVarint(header, 0);
      const wireType = tag % 8;
      let valueStart = at + valueAt;
      let end = valueStart;
      if (wireType === VARINT) end = at + readVarint(header, valueAt)[1];
      else if (wireType === FIXED64) end += 8;
      else if (wireType === FIXED32) end += 4;
      else if (wireType === BYTES) {
        const [length, bodyAt] = readVarint(header, valueAt);
        valueStart = at + bodyAt;
        end = valueStart + length;
      } else throw new RangeError(`wire type ${wireType} is not in use`);
      if (end > limit) throw new RangeError('a field runs past its message');
      return { field: Math.floor(tag / 8), wireType, start: at, valueStart, end };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new InputError(`The model file is damaged at byte ${at}: ${error.message}.`, at);
    }
  }
}

/**
 * Scans a model file. Time and memory are in the number of records; weight payloads are never read.
 * Throws `InputError` where the file is no model.
 */
export function scanLayout(source: ByteSource): ModelLayout {
  const cursor = new Cursor(source);
  const records = [...cursor.records(0, source.size)];
  const graph = records.find((record) => record.field === MODEL.graph);
  if (graph === undefined) throw new InputError('The file holds no graph: it is not an ONNX model.');
  const graphRecords = [...cursor.records(graph.valueStart, graph.end)];
  const named = (field: number): NamedRecord[] =>
    graphRecords
      .filter((record) => record.field === field)
      .map((record) => ({ record, name: nameOf(cursor, record) }));
  const initializers = new Map<string, InitializerLayout>();
  for (const record of graphRecords) {
    if (record.field !== GRAPH.initializer) continue;
    const initializer = scanInitializer(cursor, record);
    initializers.set(initializer.name, initializer);
  }
  return {
    source,
    records,
    graph,
    graphRecords,
    nodes: graphRecords
      .filter((record) => record.field === GRAPH.node)
      .map((record) => scanNode(cursor, record)),
    initializers,
    inputs: named(GRAPH.input),
    outputs: named(GRAPH.output),
    valueInfos: named(GRAPH.valueInfo),
  };
}

function nameOf(cursor: Cursor, message: FieldRecord): string {
  for (const record of cursor.records(message.valueStart, message.end))
    if (record.field === VALUE_INFO.name) return cursor.text(record);
  return '';
}

function scanNode(cursor: Cursor, node: FieldRecord): NodeLayout {
  let name = '';
  let domain = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const captured: string[] = [];
  for (const record of cursor.records(node.valueStart, node.end)) {
    if (record.field === NODE.input) inputs.push(cursor.text(record));
    else if (record.field === NODE.output) outputs.push(cursor.text(record));
    else if (record.field === NODE.name) name = cursor.text(record);
    else if (record.field === NODE.domain) domain = cursor.text(record);
    else if (record.field === NODE.attribute)
      captured.push(...graphsOf(cursor, record).flatMap((graph) => readNames(cursor, graph)));
  }
  return { record: node, name, domain, inputs, outputs, captured };
}

function graphsOf(cursor: Cursor, attribute: FieldRecord): FieldRecord[] {
  const isGraph = (record: FieldRecord): boolean =>
    record.field === ATTRIBUTE.graph || record.field === ATTRIBUTE.graphs;
  return [...cursor.records(attribute.valueStart, attribute.end)].filter(isGraph);
}

function readNames(cursor: Cursor, graph: FieldRecord): string[] {
  const names: string[] = [];
  for (const record of cursor.records(graph.valueStart, graph.end)) {
    if (record.field === GRAPH.output) names.push(nameOf(cursor, record));
    if (record.field !== GRAPH.node) continue;
    const node = scanNode(cursor, record);
    names.push(...node.inputs, ...node.captured);
  }
  return names;
}

const TYPED_FIELDS: ReadonlySet<number> = new Set([
  TENSOR.floatData,
  TENSOR.int32Data,
  TENSOR.int64Data,
  TENSOR.doubleData,
  TENSOR.uint64Data,
]);
const LITTLE_ENDIAN_FIELDS: ReadonlySet<number> = new Set([TENSOR.floatData, TENSOR.doubleData]);

function scanInitializer(cursor: Cursor, tensor: FieldRecord): InitializerLayout {
  let name = '';
  let typeCode = 0;
  let isExternal = false;
  let raw: FieldRecord | undefined;
  const dims: number[] = [];
  const typed: FieldRecord[] = [];
  const external = new Map<string, string>();
  for (const record of cursor.records(tensor.valueStart, tensor.end)) {
    if (record.field === TENSOR.name) name = cursor.text(record);
    else if (record.field === TENSOR.type) typeCode = cursor.number(record);
    else if (record.field === TENSOR.dims) dims.push(...dimsOf(cursor, record));
    else if (record.field === TENSOR.rawData) raw = record;
    else if (record.field === TENSOR.dataLocation) isExternal = cursor.number(record) === EXTERNAL_LOCATION;
    else if (record.field === TENSOR.externalData) addEntry(cursor, record, external);
    else if (TYPED_FIELDS.has(record.field)) typed.push(record);
  }
  const payload = isExternal ? externalPayload(external) : inlinePayload(raw, typed);
  return { record: tensor, name, type: ELEMENT_TYPE_BY_CODE[typeCode], typeCode, dims, payload };
}

function inlinePayload(raw: FieldRecord | undefined, typed: readonly FieldRecord[]): TensorPayload {
  const isPacked =
    typed.length === 1 && typed[0].wireType === BYTES && LITTLE_ENDIAN_FIELDS.has(typed[0].field);
  const simple = raw ?? (isPacked ? typed[0] : undefined);
  if (simple !== undefined)
    return { kind: 'raw', offset: simple.valueStart, length: simple.end - simple.valueStart };
  return typed.length > 0 ? { kind: 'typed', records: typed } : { kind: 'other' };
}

function externalPayload(entries: ReadonlyMap<string, string>): TensorPayload {
  const length = entries.get('length');
  return {
    kind: 'external',
    location: entries.get('location') ?? '',
    offset: Number(entries.get('offset') ?? 0),
    length: length === undefined ? undefined : Number(length),
  };
}

function addEntry(cursor: Cursor, entry: FieldRecord, into: Map<string, string>): void {
  let key = '';
  let value = '';
  for (const record of cursor.records(entry.valueStart, entry.end)) {
    if (record.field === ENTRY.key) key = cursor.text(record);
    else if (record.field === ENTRY.value) value = cursor.text(record);
  }
  into.set(key, value);
}

function dimsOf(cursor: Cursor, record: FieldRecord): number[] {
  const bytes = cursor.bytes(record.valueStart, record.end);
  const dims: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const [value, next] = readVarint(bytes, at);
    dims.push(value);
    at = next;
  }
  return dims;
}

/** The file's order where it is valid; otherwise each node behind those that make what it reads. */
export function topologicalNodes(layout: ModelLayout, indices: readonly number[]): number[] {
  const producers = new Map<string, number>();
  for (const index of indices) for (const output of layout.nodes[index].outputs) producers.set(output, index);
  const done = new Set<number>();
  const order: number[] = [];
  for (const root of indices) {
    const stack = [root];
    const entered = new Set<number>();
    while (stack.length > 0) {
      const index = stack[stack.length - 1];
      const { inputs, captured } = layout.nodes[index];
      const waiting = entered.has(index)
        ? []
        : [...inputs, ...captured]
            .flatMap((name) => producers.get(name) ?? [])
            .filter((one) => !done.has(one) && one !== index);
      entered.add(index);
      if (waiting.length > 0 && !done.has(index)) stack.push(...waiting);
      else {
        stack.pop();
        if (!done.has(index)) order.push(index);
        done.add(index);
      }
    }
  }
  return order;
}
