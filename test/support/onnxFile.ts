import { onnx } from 'onnx-proto';
import { buildGraph } from '../../src/core/analysis/buildGraph';
import type { FuseRule, Graph } from '../../src/core/graph/graph';
import { MemoryByteSource } from '../../src/core/onnx/byteSources';
import type { Model } from '../../src/core/onnx/model';
import { readModel } from '../../src/core/onnx/readModel';
import { inferShapes } from '../../src/core/shape/inferShapes';

type Dims = readonly (number | string | undefined)[];
type Attribute = number | string | readonly number[] | onnx.IGraphProto | onnx.ITensorProto;

/** One node in a line: `node('Conv', 'x w', 'y', { group: 2 })`; names are separated by blanks, `_` is an omitted one. */
export function node(
  type: string,
  inputs: string,
  outputs: string,
  attributes: Readonly<Record<string, Attribute>> = {},
  more: Partial<onnx.INodeProto> = {},
): onnx.INodeProto {
  return {
    opType: type,
    input: names(inputs),
    output: names(outputs),
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    ...more,
  };
}

function names(text: string): string[] {
  return text
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => (name === '_' ? '' : name));
}

function attribute(name: string, value: Attribute): onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if (Array.isArray(value))
    return { name, type: AttributeType.INTS, ints: [...(value as readonly number[])] };
  if ('dims' in value) return { name, type: AttributeType.TENSOR, t: value as onnx.ITensorProto };
  return { name, type: AttributeType.GRAPH, g: value as onnx.IGraphProto };
}

/** A value of float32 unless told otherwise; dims may be names or undefined. */
export function value(
  name: string,
  dims?: Dims,
  elemType = onnx.TensorProto.DataType.FLOAT,
): onnx.IValueInfoProto {
  const dim = dims?.map((one) =>
    typeof one === 'number' ? { dimValue: one } : one === undefined ? {} : { dimParam: one },
  );
  return { name, type: { tensorType: { elemType, shape: dim && { dim } } } };
}

/** A float32 tensor of zeros as raw data. */
export function zeros(name: string, dims: readonly number[]): onnx.ITensorProto {
  const elements = dims.reduce((product, dim) => product * dim, 1);
  return {
    name,
    dims: [...dims],
    dataType: onnx.TensorProto.DataType.FLOAT,
    rawData: new Uint8Array(4 * elements),
  };
}

export function int64s(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): onnx.ITensorProto {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, dims: [...dims], dataType: onnx.TensorProto.DataType.INT64, rawData };
}

export interface FileParts extends onnx.IGraphProto {
  readonly ir?: number;
  readonly opset?: number;
  readonly domains?: Readonly<Record<string, number>>;
  readonly functions?: onnx.IFunctionProto[];
}

/** A whole `.onnx` file of IR 8 and opset 17 unless told otherwise. */
export function onnxFile({ ir = 8, opset = 17, domains = {}, functions, ...graph }: FileParts): Uint8Array {
  const opsetImport = [{ domain: '', version: opset }];
  for (const [domain, version] of Object.entries(domains)) opsetImport.push({ domain, version });
  const model = { irVersion: ir, opsetImport, functions, graph: { name: 'g', ...graph } };
  return onnx.ModelProto.encode(model as onnx.IModelProto).finish();
}

export function modelOf(bytes: Uint8Array): Model {
  return readModel(new MemoryByteSource(bytes));
}

export function graphOf(
  parts: FileParts,
  fuse: FuseRule = 'none',
  bindings: Readonly<Record<string, number>> = {},
): Graph {
  const model = modelOf(onnxFile(parts));
  const shapes = inferShapes(model, { bindings: new Map(Object.entries(bindings)) });
  return buildGraph(model, shapes, { fuse });
}
