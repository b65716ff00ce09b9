/**
 * The messages of onnx.proto (IR 1 to 14) as the scanner needs them: which field is which kind of record. The
 * decoder trusts field numbers alone, so every wire type is checked against this table before it sees a byte.
 */

export type FieldKind =
  | 'varint'
  | 'fixed32'
  | 'fixed64'
  /** A string or bytes. */
  | 'bytes'
  /** Repeated numbers, packed or not. */
  | 'varints'
  | 'fixed32s'
  | 'fixed64s'
  /** Numbers or bytes of a tensor: skipped, their place in the file is remembered. */
  | 'payload';

/** Field number -> record kind, or the name of the message in it. */
type Fields = Readonly<Record<number, FieldKind | MessageName>>;

export const MESSAGE_NAMES = [
  'ModelProto',
  'GraphProto',
  'NodeProto',
  'AttributeProto',
  'TensorProto',
  'SparseTensorProto',
  'ValueInfoProto',
  'TypeProto',
  'TypeProto.Tensor',
  'TypeProto.Sequence',
  'TypeProto.Map',
  'TypeProto.Optional',
  'TypeProto.Opaque',
  'TensorShapeProto',
  'Dimension',
  'FunctionProto',
  'TrainingInfoProto',
  'OperatorSetIdProto',
  'StringStringEntryProto',
  'TensorAnnotation',
  'TensorProto.Segment',
  'DeviceConfigurationProto',
  'NodeDeviceConfigurationProto',
  'ShardingSpecProto',
  'IntIntListEntryProto',
  'ShardedDimProto',
  'SimpleShardedDimProto',
] as const;

export type MessageName = (typeof MESSAGE_NAMES)[number];

const SCHEMA: Readonly<Record<MessageName, Fields>> = {
  ModelProto: {
    1: 'varint',
    2: 'bytes',
    3: 'bytes',
    4: 'bytes',
    5: 'varint',
    6: 'bytes',
    7: 'GraphProto',
    8: 'OperatorSetIdProto',
    14: 'StringStringEntryProto',
    20: 'TrainingInfoProto',
    25: 'FunctionProto',
    26: 'DeviceConfigurationProto',
  },
  GraphProto: {
    1: 'NodeProto',
    2: 'bytes',
    5: 'TensorProto',
    10: 'bytes',
    11: 'ValueInfoProto',
    12: 'ValueInfoProto',
    13: 'ValueInfoProto',
    14: 'TensorAnnotation',
    15: 'SparseTensorProto',
    16: 'StringStringEntryProto',
  },
  NodeProto: {
    1: 'bytes',
    2: 'bytes',
    3: 'bytes',
    4: 'bytes',
    5: 'AttributeProto',
    6: 'bytes',
    7: 'bytes',
    8: 'bytes',
    9: 'StringStringEntryProto',
    10: 'NodeDeviceConfigurationProto',
  },
  AttributeProto: {
    1: 'bytes',
    2: 'fixed32',
    3: 'varint',
    4: 'bytes',
    5: 'TensorProto',
    6: 'GraphProto',
    7: 'fixed32s',
    8: 'varints',
    9: 'bytes',
    10: 'TensorProto',
    11: 'GraphProto',
    13: 'bytes',
    14: 'TypeProto',
    15: 'TypeProto',
    20: 'varint',
    21: 'bytes',
    22: 'SparseTensorProto',
    23: 'SparseTensorProto',
  },
  TensorProto: {
    1: 'varints',
    2: 'varint',
    3: 'TensorProto.Segment',
    4: 'payload',
    5: 'payload',
    6: 'payload',
    7: 'payload',
    8: 'bytes',
    9: 'payload',
    10: 'payload',
    11: 'payload',
    12: 'bytes',
    13: 'StringStringEntryProto',
    14: 'varint',
    16: 'StringStringEntryProto',
  },
  SparseTensorProto: { 1: 'TensorProto', 2: 'TensorProto', 3: 'varints' },
  ValueInfoProto: { 1: 'bytes', 2: 'TypeProto', 3: 'bytes', 4: 'StringStringEntryProto' },
  TypeProto: {
    1: 'TypeProto.Tensor',
    4: 'TypeProto.Sequence',
    5: 'TypeProto.Map',
    6: 'bytes',
    7: 'TypeProto.Opaque',
    8: 'TypeProto.Tensor',
    9: 'TypeProto.Optional',
  },
  'TypeProto.Tensor': { 1: 'varint', 2: 'TensorShapeProto' },
  'TypeProto.Sequence': { 1: 'TypeProto' },
  'TypeProto.Map': { 1: 'varint', 2: 'TypeProto' },
  'TypeProto.Optional': { 1: 'TypeProto' },
  'TypeProto.Opaque': { 1: 'bytes', 2: 'bytes' },
  TensorShapeProto: { 1: 'Dimension' },
  Dimension: { 1: 'varint', 2: 'bytes', 3: 'bytes' },
  FunctionProto: {
    1: 'bytes',
    2: 'varint',
    3: 'varint',
    4: 'bytes',
    5: 'bytes',
    6: 'bytes',
    7: 'NodeProto',
    8: 'bytes',
    9: 'OperatorSetIdProto',
    10: 'bytes',
    11: 'AttributeProto',
    12: 'ValueInfoProto',
    13: 'bytes',
    14: 'StringStringEntryProto',
  },
  TrainingInfoProto: {
    1: 'GraphProto',
    2: 'GraphProto',
    3: 'StringStringEntryProto',
    4: 'StringStringEntryProto',
  },
  OperatorSetIdProto: { 1: 'bytes', 2: 'varint' },
  StringStringEntryProto: { 1: 'bytes', 2: 'bytes' },
  TensorAnnotation: { 1: 'bytes', 2: 'StringStringEntryProto' },
  'TensorProto.Segment': { 1: 'varint', 2: 'varint' },
  DeviceConfigurationProto: { 1: 'bytes', 2: 'varint', 3: 'bytes' },
  NodeDeviceConfigurationProto: { 1: 'bytes', 2: 'ShardingSpecProto', 3: 'varint' },
  ShardingSpecProto: { 1: 'bytes', 2: 'varints', 3: 'IntIntListEntryProto', 4: 'ShardedDimProto' },
  IntIntListEntryProto: { 1: 'varint', 2: 'varints' },
  ShardedDimProto: { 1: 'varint', 2: 'SimpleShardedDimProto' },
  SimpleShardedDimProto: { 1: 'varint', 2: 'bytes', 3: 'varint' },
};

/** Fields that onnx-proto 8 (ONNX 1.10) does not know; a file that has any is decoded by `extras.ts` as well. */
const NEWER_FIELDS: Readonly<Partial<Record<MessageName, readonly number[]>>> = {
  ModelProto: [26],
  GraphProto: [16],
  NodeProto: [8, 9, 10],
  TensorProto: [16],
  ValueInfoProto: [4],
  FunctionProto: [11, 12, 13, 14],
};

/** A message kind as a small number; `MESSAGE_NAMES[kind]` is its name. */
export type MessageKind = number;

export const KIND = Object.fromEntries(MESSAGE_NAMES.map((name, kind) => [name, kind])) as Record<
  MessageName,
  MessageKind
>;

/** Codes of `FIELD_CODE`. Message kinds are stored as `MESSAGE + kind`. */
export const CODE = {
  unknown: 0,
  varint: 1,
  fixed32: 2,
  fixed64: 3,
  bytes: 4,
  varints: 5,
  fixed32s: 6,
  fixed64s: 7,
  payload: 8,
} as const;
export const MESSAGE = 16;
const NEWER = 128;
export const FIELDS_PER_MESSAGE = 32;

/** `FIELD_CODE[kind * FIELDS_PER_MESSAGE + field]`; 0 for fields that onnx.proto does not have. */
const FIELD_CODE = new Uint8Array(MESSAGE_NAMES.length * FIELDS_PER_MESSAGE);
for (const [name, fields] of Object.entries(SCHEMA) as [MessageName, Fields][]) {
  for (const [field, kind] of Object.entries(fields)) {
    const code = kind in CODE ? CODE[kind as FieldKind] : MESSAGE + KIND[kind as MessageName];
    const newer = NEWER_FIELDS[name]?.includes(Number(field)) ? NEWER : 0;
    FIELD_CODE[KIND[name] * FIELDS_PER_MESSAGE + Number(field)] = code | newer;
  }
}

export function fieldCode(kind: MessageKind, field: number): number {
  return field < FIELDS_PER_MESSAGE ? FIELD_CODE[kind * FIELDS_PER_MESSAGE + field] & ~NEWER : CODE.unknown;
}

export function isNewerField(kind: MessageKind, field: number): boolean {
  return field < FIELDS_PER_MESSAGE && (FIELD_CODE[kind * FIELDS_PER_MESSAGE + field] & NEWER) !== 0;
}
