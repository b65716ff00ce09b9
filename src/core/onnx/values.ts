import { Reader } from 'protobufjs/minimal';
import { ELEMENT_BITS, type ElementType } from '../graph/elementType';

/**
 * Values of small constants as numbers, row-major. 64-bit integers beyond 2^53 are rounded. `undefined` where
 * the bytes do not hold `elements` values of the type, or where the type's values are of no use (complex).
 */
export function decodeRaw(type: ElementType, elements: number, bytes: Uint8Array): number[] | undefined {
  const bits = ELEMENT_BITS[type];
  if (bits === undefined || bytes.length !== Math.ceil((elements * bits) / 8)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = RAW_READERS[type];
  if (read !== undefined) return Array.from({ length: elements }, (_, i) => read(view, (i * bits) / 8));
  if (bits < 8) return Array.from({ length: elements }, (_, i) => fromCode(type, packed(bytes, i, bits)));
  return undefined;
}

const RAW_READERS: Partial<Record<ElementType, (view: DataView, at: number) => number>> = {
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
  float16: (view, at) => float16(view.getUint16(at, true)),
  bfloat16: (view, at) => bfloat16(view.getUint16(at, true)),
  uint8: (view, at) => view.getUint8(at),
  bool: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  uint16: (view, at) => view.getUint16(at, true),
  int16: (view, at) => view.getInt16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int32: (view, at) => view.getInt32(at, true),
  uint64: (view, at) => Number(view.getBigUint64(at, true)),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  float8e8m0: (view, at) => 2 ** (view.getUint8(at) - 127),
  float8e4m3fn: (view, at) => smallFloat(view.getUint8(at), 4, 3, 7),
  float8e4m3fnuz: (view, at) => smallFloat(view.getUint8(at), 4, 3, 8),
  float8e5m2: (view, at) => smallFloat(view.getUint8(at), 5, 2, 15),
  float8e5m2fnuz: (view, at) => smallFloat(view.getUint8(at), 5, 2, 16),
};

/** Sub-byte elements lie in a byte from its low bits up. */
function packed(bytes: Uint8Array, index: number, bits: number): number {
  const perByte = 8 / bits;
  return (bytes[Math.floor(index / perByte)] >> ((index % perByte) * bits)) & ((1 << bits) - 1);
}

/** The value of a sub-byte or 16-bit code as `int32_data` and packed bytes hold it. */
function fromCode(type: ElementType, code: number): number {
  switch (type) {
    case 'int4':
      return code >= 8 ? code - 16 : code;
    case 'int2':
      return code >= 2 ? code - 4 : code;
    case 'float4e2m1':
      return smallFloat(code, 2, 1, 1);
    case 'float16':
      return float16(code & 0xffff);
    case 'bfloat16':
      return bfloat16(code & 0xffff);
    default:
      return code;
  }
}

/** Sign, exponent, mantissa from the high bit down; finite values only (the few codes for NaN read as numbers). */
function smallFloat(code: number, exponentBits: number, mantissaBits: number, bias: number): number {
  const sign = code >> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
  const fraction = (code & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

function float16(bits: number): number {
  const fraction = bits & 0x3ff;
  if (((bits >> 10) & 0x1f) !== 0x1f) return smallFloat(bits, 5, 10, 15);
  return fraction === 0 ? (bits & 0x8000 ? -Infinity : Infinity) : NaN;
}

function bfloat16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

/**
 * Values of a typed field (`float_data` 4, `int32_data` 5, `int64_data` 7, `double_data` 10, `uint64_data` 11)
 * from the records in `bytes`, packed or not; other records in between are passed over.
 */
export function decodeTyped(
  type: ElementType,
  elements: number,
  field: number,
  bytes: Uint8Array,
): number[] | undefined {
  const read = TYPED_READERS[field];
  if (read === undefined || type.startsWith('complex')) return undefined;
  const reader = Reader.create(bytes);
  const stored: number[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 !== field) reader.skipType(tag & 7);
    else if ((tag & 7) !== 2) stored.push(read(reader));
    else for (const end = reader.uint32() + reader.pos; reader.pos < end;) stored.push(read(reader));
  }
  return field === 5 ? fromInt32Data(type, elements, stored) : exactly(elements, stored);
}

const TYPED_READERS: Partial<Record<number, (reader: Reader) => number>> = {
  4: (reader) => reader.float(),
  5: (reader) => reader.int32(),
  7: (reader) => Number(reader.int64()),
  10: (reader) => reader.double(),
  11: (reader) => Number(reader.uint64()),
};

/** `int32_data` holds one element each, sub-byte types packed into bytes, 8- and 16-bit floats as their codes. */
function fromInt32Data(type: ElementType, elements: number, stored: readonly number[]): number[] | undefined {
  const bits = ELEMENT_BITS[type] ?? 32;
  if (bits < 8) {
    const bytes = Uint8Array.from(stored, (value) => value & 0xff);
    return decodeRaw(type, elements, bytes);
  }
  if (type.startsWith('float8'))
    return decodeRaw(
      type,
      elements,
      Uint8Array.from(stored, (value) => value & 0xff),
    );
  return exactly(
    elements,
    stored.map((value) => fromCode(type, value)),
  );
}

function exactly(elements: number, values: readonly number[]): number[] | undefined {
  return values.length === elements ? [...values] : undefined;
}
