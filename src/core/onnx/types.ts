import type { onnx } from 'onnx-proto';
import { ELEMENT_TYPE_BY_CODE } from '../graph/elementType';
import type { DeclaredDim, DeclaredType, ValueInfo } from './model';
import { integer, type Integer } from './tensors';

const UNKNOWN: DeclaredType = { kind: 'unknown' };

export function convertValueInfo(proto: onnx.IValueInfoProto): ValueInfo {
  return { name: proto.name ?? '', type: convertType(proto.type) };
}

export function convertType(proto: onnx.ITypeProto | null | undefined): DeclaredType {
  if (!proto) return UNKNOWN;
  if (proto.tensorType) return { kind: 'tensor', ...elementsOf(proto.tensorType) };
  if (proto.sparseTensorType) return { kind: 'sparse', ...elementsOf(proto.sparseTensorType) };
  if (proto.sequenceType) return { kind: 'sequence', element: convertType(proto.sequenceType.elemType) };
  if (proto.optionalType) return { kind: 'optional', element: convertType(proto.optionalType.elemType) };
  if (proto.mapType) {
    const keyType = ELEMENT_TYPE_BY_CODE[proto.mapType.keyType ?? 0];
    return { kind: 'map', keyType, value: convertType(proto.mapType.valueType) };
  }
  return UNKNOWN;
}

function elementsOf(proto: onnx.TypeProto.ITensor | onnx.TypeProto.ISparseTensor) {
  return {
    type: ELEMENT_TYPE_BY_CODE[proto.elemType ?? 0],
    shape: proto.shape ? (proto.shape.dim ?? []).map(declaredDim) : undefined,
  };
}

/** A negative number is how some exporters write "not known". */
function declaredDim(dim: onnx.TensorShapeProto.IDimension): DeclaredDim {
  if (dim.dimParam) return dim.dimParam;
  if (dim.dimValue === null || dim.dimValue === undefined) return undefined;
  const value = integer(dim.dimValue as Integer);
  return value >= 0 && Number.isSafeInteger(value) ? value : undefined;
}
