import { onnx } from 'onnx-proto';
import { Reader } from 'protobufjs/minimal.js';
import { ELEMENT_BITS, ELEMENT_TYPE_BY_CODE, type ElementType } from '../../src/core/graph/elementType';

/** A value of a conformance case's `input_*.pb` or `output_*.pb`. */
export type CaseValue =
  | {
      readonly kind: 'tensor';
      readonly type: ElementType;
      readonly dims: readonly number[];
      /** Row-major little-endian elements, sub-byte types packed low nibble first; empty for strings. */
      readonly raw: Uint8Array;
      readonly strings: readonly string[];
    }
  | { readonly kind: 'sequence'; readonly elements: readonly CaseValue[] }
  | { readonly kind: 'optional'; readonly value: CaseValue | undefined };

export type CaseValueKind = CaseValue['kind'];

/** The kind is not in the bytes: the model's declared type says which message they are. */
export function decodeCaseValue(bytes: Uint8Array, kind: CaseValueKind): CaseValue {
  if (kind === 'tensor') return decodeTensor(bytes);
  return kind === 'sequence' ? decodeSequence(bytes) : decodeOptional(bytes);
}

function decodeSequence(bytes: Uint8Array): CaseValue {
  const elements: CaseValue[] = [];
  for (const [field, body] of messages(bytes)) {
    if (field === 3) elements.push(decodeTensor(body));
    if (field === 5) elements.push(decodeSequence(body));
    if (field === 7) elements.push(decodeOptional(body));
  }
  return { kind: 'sequence', elements };
}

function decodeOptional(bytes: Uint8Array): CaseValue {
  let value: CaseValue | undefined;
  for (const [field, body] of messages(bytes)) {
    if (field === 3) value = decodeTensor(body);
    if (field === 5) value = decodeSequence(body);
    if (field === 7) value = decodeOptional(body);
  }
  return { kind: 'optional', value };
}

function* messages(bytes: Uint8Array): Generator<[number, Uint8Array]> {
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) === 2) yield [tag >>> 3, reader.bytes()];
    else reader.skipType(tag & 7);
  }
}

function decodeTensor(bytes: Uint8Array): CaseValue {
  const tensor = onnx.TensorProto.decode(bytes);
  const type = ELEMENT_TYPE_BY_CODE[tensor.dataType ?? 0];
  if (type === undefined) throw new Error(`element type ${tensor.dataType} is not in the format`);
  return {
    kind: 'tensor',
    type,
    dims: (tensor.dims ?? []).map(Number),
    raw: tensor.rawData?.length ? tensor.rawData : typedFieldBytes(tensor, type),
    strings: (tensor.stringData ?? []).map((one) => Buffer.from(one).toString('utf8')),
  };
}

function typedFieldBytes(tensor: onnx.ITensorProto, type: ElementType): Uint8Array {
  const bytesOf = (array: ArrayBufferView) =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (tensor.floatData?.length) return bytesOf(Float32Array.from(tensor.floatData));
  if (tensor.doubleData?.length) return bytesOf(Float64Array.from(tensor.doubleData));
  if (tensor.int64Data?.length)
    return bytesOf(BigInt64Array.from(tensor.int64Data.map((one) => BigInt(one.toString()))));
  const unsigned = tensor.uint64Data ?? [];
  if (unsigned.length)
    return bytesOf(
      type === 'uint32'
        ? Uint32Array.from(unsigned.map(Number))
        : BigUint64Array.from(unsigned.map((one) => BigInt(one.toString()))),
    );
  const words = Int32Array.from(tensor.int32Data ?? []);
  if (type === 'int32') return bytesOf(words);
  return ELEMENT_BITS[type] === 16 ? bytesOf(Uint16Array.from(words)) : Uint8Array.from(words);
}

/** The elements as numbers (64-bit integers rounded to doubles), or `undefined` for types without a plain reading here. */
export function numbersOf(value: CaseValue): number[] | undefined {
  if (value.kind !== 'tensor') return undefined;
  const { raw, type } = value;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const width = (ELEMENT_BITS[type] ?? 0) / 8;
  const read = READERS[type];
  if (read === undefined) return undefined;
  return Array.from({ length: Math.floor(raw.length / width) }, (_, i) => read(view, i * width));
}

const READERS: Partial<Record<ElementType, (view: DataView, at: number) => number>> = {
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
  float16: (view, at) => halfToNumber(view.getUint16(at, true)),
  bfloat16: (view, at) => bfloatToNumber(view.getUint16(at, true)),
  int8: (view, at) => view.getInt8(at),
  int16: (view, at) => view.getInt16(at, true),
  int32: (view, at) => view.getInt32(at, true),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  uint8: (view, at) => view.getUint8(at),
  uint16: (view, at) => view.getUint16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  uint64: (view, at) => Number(view.getBigUint64(at, true)),
  bool: (view, at) => view.getUint8(at),
};

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloatToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
}
