import type { ElementType } from '../graph/elementType';
import { ELEMENT_BITS, ELEMENT_TYPE_BY_CODE } from '../graph/elementType';
import type { Box } from '../partition/partition';
import type { Chunk } from './chunk';
import { boxElements, boxRuns, bytesChunk, totalLength } from './chunk';
import { GRAPH, TENSOR } from './fields';
import type { InitializerLayout, ModelLayout } from './modelLayout';
import { BYTES, FIXED32, FIXED64, int64, MessageWriter, readSignedVarint, recordHeader } from './wire';

/** Records of initializers in the graph message. */

export function typeCode(type: ElementType): number {
  return ELEMENT_TYPE_BY_CODE.indexOf(type);
}

/** A new initializer of a few integers, `int64` or `int32`. */
export function integerTensor(
  name: string,
  values: readonly number[],
  type: 'int64' | 'int32',
  isScalar = false,
): Chunk {
  const width = type === 'int64' ? 8 : 4;
  const raw = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((value, index) => {
    if (type === 'int64') raw.setBigInt64(index * width, int64(value), true);
    else raw.setInt32(index * width, value, true);
  });
  return smallTensor(name, type, isScalar ? [] : [values.length], new Uint8Array(raw.buffer));
}

/** A new scalar of a floating-point type. */
export function scalarTensor(name: string, value: number, type: ElementType): Chunk {
  const raw = new DataView(new ArrayBuffer((ELEMENT_BITS[type] ?? 0) / 8));
  if (type === 'float64') raw.setFloat64(0, value, true);
  else if (type === 'float16') raw.setUint16(0, halfBits(value), true);
  else raw.setFloat32(0, value, true);
  return smallTensor(name, type, [], new Uint8Array(raw.buffer));
}

/** Bits of the half-precision number nearest to a normal `value`. */
export function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))));
  const sign = value < 0 ? 0x8000 : 0;
  const scaled = Math.round((Math.abs(value) / 2 ** exponent) * 1024);
  // A mantissa that rounds up to 2 carries into the exponent by itself; below 1024 the number is subnormal.
  return sign | (scaled < 1024 ? scaled : ((exponent + 15) << 10) + (scaled - 1024));
}

function smallTensor(name: string, type: ElementType, dims: readonly number[], raw: Uint8Array): Chunk {
  const message = tensorHeader(name, typeCode(type), dims).bytes(TENSOR.rawData, raw);
  return bytesChunk(new MessageWriter().message(GRAPH.initializer, message).finish());
}

function tensorHeader(name: string, code: number, dims: readonly number[]): MessageWriter {
  const message = new MessageWriter();
  for (const dim of dims) message.int(TENSOR.dims, dim);
  return message.int(TENSOR.type, code).text(TENSOR.name, name);
}

/** Whether a box of the initializer can be cut out of the file: whole bytes, and bytes that are there. */
export function canCut(initializer: InitializerLayout): boolean {
  const bits = initializer.type === undefined ? undefined : ELEMENT_BITS[initializer.type];
  return bits !== undefined && bits % 8 === 0 && initializer.payload.kind !== 'other';
}

/** The whole record as the file has it. */
export function wholeInitializer(initializer: InitializerLayout): Chunk {
  const { start, end } = initializer.record;
  return { kind: 'copy', file: undefined, offset: start, length: end - start };
}

/** Where weights go that lie outside the model file: a data file of the export's own, or where they are. */
export interface ExternalStore {
  /** Weights of the model file itself go there too: they would not fit into one message. */
  readonly takesAll: boolean;
  /** Takes a box of external data; returns where the export finds it. */
  place(chunk: Chunk): { readonly location: string; readonly offset: number; readonly length: number };
}

/** A record for `box` of the initializer under a new name; external data stays external. */
export function cutInitializer(
  layout: ModelLayout,
  initializer: InitializerLayout,
  name: string,
  box: Box,
  store: ExternalStore,
): Chunk[] {
  const dims = initializer.dims.map((_dim, axis) => box[2 * axis + 1] - box[2 * axis]);
  const header = tensorHeader(name, initializer.typeCode, dims);
  const data = boxChunk(layout, initializer, box);
  if (initializer.payload.kind === 'external' || (store.takesAll && data.kind === 'box')) {
    const placed = store.place(data);
    for (const [key, value] of Object.entries(placed)) {
      header.message(TENSOR.externalData, new MessageWriter().text(1, key).text(2, String(value)));
    }
    const message = header.int(TENSOR.dataLocation, 1);
    return [bytesChunk(new MessageWriter().message(GRAPH.initializer, message).finish())];
  }
  const body = header.finish();
  const rawHeader = recordHeader(TENSOR.rawData, totalLength([data]));
  const length = body.length + rawHeader.length + totalLength([data]);
  return [bytesChunk(recordHeader(GRAPH.initializer, length)), bytesChunk(body), bytesChunk(rawHeader), data];
}

/** The elements of a box of an initializer, little-endian. */
export function boxChunk(layout: ModelLayout, initializer: InitializerLayout, box: Box): Chunk {
  const elementBytes = (ELEMENT_BITS[initializer.type!] ?? 0) / 8;
  const { dims: shape, payload } = initializer;
  if (payload.kind === 'raw')
    return { kind: 'box', file: undefined, offset: payload.offset, elementBytes, shape, box };
  if (payload.kind === 'external')
    return { kind: 'box', file: payload.location, offset: payload.offset, elementBytes, shape, box };
  const whole = typedElements(layout, initializer);
  const cut = new Uint8Array(boxElements(box) * elementBytes);
  let at = 0;
  for (const [offset, length] of boxRuns(shape, box, elementBytes)) {
    cut.set(whole.subarray(offset, offset + length), at);
    at += length;
  }
  return bytesChunk(cut);
}

/** All elements of a typed field, little-endian: such tensors are read whole. */
function typedElements(layout: ModelLayout, initializer: InitializerLayout): Uint8Array {
  if (initializer.payload.kind !== 'typed') return new Uint8Array(0);
  const width = (ELEMENT_BITS[initializer.type!] ?? 0) / 8;
  const count = initializer.dims.reduce((product, dim) => product * dim, 1);
  const target = new DataView(new ArrayBuffer(count * width));
  let index = 0;
  for (const record of initializer.payload.records) {
    const bytes = layout.source.read(record.valueStart, record.end - record.valueStart);
    const isFixed = record.field === TENSOR.floatData || record.field === TENSOR.doubleData;
    if (
      isFixed &&
      (record.wireType === BYTES || record.wireType === FIXED32 || record.wireType === FIXED64)
    ) {
      new Uint8Array(target.buffer).set(bytes.subarray(0, target.byteLength - index * width), index * width);
      index += Math.floor(bytes.length / width);
      continue;
    }
    for (let at = 0; at < bytes.length && index < count; index++) {
      const [value, next] = readSignedVarint(bytes, at);
      writeInteger(target, index * width, width, value);
      at = next;
    }
  }
  return new Uint8Array(target.buffer);
}

function writeInteger(target: DataView, at: number, width: number, value: bigint): void {
  if (width === 8) target.setBigInt64(at, value, true);
  else if (width === 4) target.setInt32(at, Number(BigInt.asIntN(32, value)), true);
  else if (width === 2) target.setInt16(at, Number(BigInt.asIntN(16, value)), true);
  else target.setInt8(at, Number(BigInt.asIntN(8, value)));
}
