import type { onnx } from 'onnx-proto';
import type { AttributeValue, Attributes } from '../graph/attributes';
import type { GraphExtras } from './extras';
import type { ModelGraph } from './model';
import type { TensorPayload } from './payloads';
import { convertSparse, convertTensor, integer, type Integer } from './tensors';

/** What a conversion needs besides the message itself. */
export interface Conversion {
  readonly payloads: readonly TensorPayload[];
  graph(proto: onnx.IGraphProto, extras: GraphExtras | undefined): ModelGraph;
}

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);

/** Numbers of `AttributeProto.AttributeType`. */
const TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparse: 11,
  sparses: 12,
  type: 13,
  types: 14,
} as const;

const NO_ATTRIBUTES: Attributes = new Map();

export function convertAttributes(
  protos: readonly onnx.IAttributeProto[] | null | undefined,
  extras: readonly GraphExtras[][] | undefined,
  conversion: Conversion,
): Attributes {
  if (!protos || protos.length === 0) return NO_ATTRIBUTES;
  const attributes = new Map<string, AttributeValue>();
  protos.forEach((proto, i) =>
    attributes.set(proto.name ?? '', convertAttribute(proto, extras?.[i], conversion)),
  );
  return attributes;
}

function convertAttribute(
  proto: onnx.IAttributeProto,
  extras: readonly GraphExtras[] | undefined,
  { payloads, graph }: Conversion,
): AttributeValue {
  if (proto.refAttrName) return { kind: 'reference', name: proto.refAttrName };
  switch (proto.type || guessType(proto)) {
    case TYPE.float:
      return { kind: 'float', value: proto.f ?? 0 };
    case TYPE.int:
      return { kind: 'int', value: integer(proto.i as Integer) };
    case TYPE.string:
      return { kind: 'string', value: proto.s ? text(proto.s) : '' };
    case TYPE.tensor:
      return { kind: 'tensor', value: convertTensor(proto.t ?? {}, payloads) };
    case TYPE.graph:
      return { kind: 'graph', value: graph(proto.g ?? {}, extras?.[0]) };
    case TYPE.floats:
      return { kind: 'floats', value: proto.floats ?? [] };
    case TYPE.ints:
      return { kind: 'ints', value: (proto.ints ?? []).map((value) => integer(value as Integer)) };
    case TYPE.strings:
      return { kind: 'strings', value: (proto.strings ?? []).map(text) };
    case TYPE.tensors:
      return {
        kind: 'tensors',
        value: (proto.tensors ?? []).map((tensor) => convertTensor(tensor, payloads)),
      };
    case TYPE.graphs:
      return { kind: 'graphs', value: (proto.graphs ?? []).map((body, i) => graph(body, extras?.[i])) };
    case TYPE.sparse:
      return { kind: 'tensor', value: convertSparse(proto.sparseTensor ?? {}, payloads) };
    case TYPE.sparses:
      return {
        kind: 'tensors',
        value: (proto.sparseTensors ?? []).map((tensor) => convertSparse(tensor, payloads)),
      };
    default:
      return { kind: 'other', description: describeOther(proto) };
  }
}

/** Files of IR 1 need not say the type of an attribute: the field that is set tells it. */
function guessType(proto: onnx.IAttributeProto): number {
  const has = (field: keyof onnx.IAttributeProto): boolean => Object.hasOwn(proto, field);
  if (proto.t) return TYPE.tensor;
  if (proto.g) return TYPE.graph;
  if (proto.floats?.length) return TYPE.floats;
  if (proto.ints?.length) return TYPE.ints;
  if (proto.strings?.length) return TYPE.strings;
  if (proto.tensors?.length) return TYPE.tensors;
  if (proto.graphs?.length) return TYPE.graphs;
  if (proto.sparseTensor) return TYPE.sparse;
  if (has('s')) return TYPE.string;
  if (has('f')) return TYPE.float;
  return has('i') ? TYPE.int : 0;
}

function describeOther(proto: onnx.IAttributeProto): string {
  if (proto.type === TYPE.type) return 'a type';
  if (proto.type === TYPE.types) return `${proto.typeProtos?.length ?? 0} types`;
  return `an attribute of the unknown type ${proto.type ?? 0}`;
}
