import { Reader } from 'protobufjs/minimal';
import type { onnx } from 'onnx-proto';
import { ELEMENT_TYPE_BY_CODE, tensorBytes, type ElementType } from '../graph/elementType';
import type { Initializer, Payload } from './model';
import { elementCount, isSmallConstant, type TensorPayload } from './payloads';
import { decodeRaw, decodeTyped } from './values';

/** protobufjs gives 64-bit integers as numbers, or as `Long` where that package happens to be installed. */
export type Integer = number | { toNumber(): number } | null | undefined;

export function integer(value: Integer): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? value : value.toNumber();
}

const EXTERNAL = 1;

/** A tensor as the scanner left it: its `raw_data` is its position in `payloads`. */
export function convertTensor(proto: onnx.ITensorProto, payloads: readonly TensorPayload[]): Initializer {
  const type = ELEMENT_TYPE_BY_CODE[proto.dataType ?? 0];
  const dims = (proto.dims ?? []).map((dim) => integer(dim as Integer));
  const elements = elementCount(dims);
  const marker = proto.rawData;
  const place =
    marker?.length === 4
      ? payloads[new DataView(marker.buffer, marker.byteOffset).getUint32(0, true)]
      : undefined;
  const base = {
    name: proto.name ?? '',
    type,
    dims,
    bytes: type === undefined || elements === undefined ? undefined : tensorBytes(type, elements),
    payload: payloadOf(proto, place),
  };
  if (place?.bytes === undefined || !isSmallConstant(type, elements)) return base;
  return { ...base, ...smallValues(type!, elements!, place.field, place.bytes) };
}

function payloadOf(proto: onnx.ITensorProto, place: TensorPayload | undefined): Payload {
  if (proto.dataLocation === EXTERNAL) return externalPayload(proto.externalData ?? []);
  if (place === undefined || place.field === 0) return { kind: 'none' };
  const { field, offset, length } = place;
  return field === 9 ? { kind: 'raw', offset, length } : { kind: 'typed', field, offset, length };
}

function externalPayload(entries: readonly onnx.IStringStringEntryProto[]): Payload {
  const fields = new Map(entries.map((entry) => [entry.key ?? '', entry.value ?? '']));
  const number = (key: string): number | undefined => {
    const text = fields.get(key);
    return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  };
  return {
    kind: 'external',
    location: fields.get('location') ?? '',
    offset: fields.has('offset') ? (number('offset') ?? -1) : 0,
    length: number('length'),
    state: 'unchecked',
  };
}

function smallValues(
  type: ElementType,
  elements: number,
  field: number,
  bytes: Uint8Array,
): { values?: readonly number[]; strings?: readonly string[] } {
  if (type === 'string') {
    const strings = field === 6 ? decodeStrings(bytes) : [];
    return strings.length === elements ? { strings } : {};
  }
  const values = field === 9 ? decodeRaw(type, elements, bytes) : decodeTyped(type, elements, field, bytes);
  return values === undefined ? {} : { values };
}

function decodeStrings(bytes: Uint8Array): string[] {
  const reader = Reader.create(bytes);
  const strings: string[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 6) strings.push(reader.string());
    else reader.skipType(tag & 7);
  }
  return strings;
}

/** The tensor as dense: weights of a sparse initializer are its values and their indices. */
export function convertSparse(
  proto: onnx.ISparseTensorProto,
  payloads: readonly TensorPayload[],
): Initializer {
  const values = convertTensor(proto.values ?? {}, payloads);
  const indices = convertTensor(proto.indices ?? {}, payloads);
  const dims = (proto.dims ?? []).map((dim) => integer(dim as Integer));
  const elements = elementCount(dims);
  const { type } = values;
  return {
    name: values.name,
    type,
    dims,
    bytes: type === undefined || elements === undefined ? undefined : tensorBytes(type, elements),
    payload: { kind: 'sparse', nonZeroBytes: (values.bytes ?? 0) + (indices.bytes ?? 0) },
  };
}
