import type { onnx } from 'onnx-proto';
import { convertAttributes, type Conversion } from './attributes';
import type { FunctionExtras, GraphExtras, ModelExtras, NodeExtras } from './extras';
import type { Initializer, Model, ModelFunction, ModelGraph, ModelNode } from './model';
import type { Scan } from './scan';
import { convertSparse, convertTensor, integer, type Integer } from './tensors';
import { convertValueInfo } from './types';

const NOTHING: readonly never[] = [];

/** The decoded messages as the project's own plain data; problems are looked for afterwards. */
export function convertModel(
  proto: onnx.IModelProto,
  extras: ModelExtras | undefined,
  scan: Scan,
  fileBytes: number,
): Model {
  const conversion: Conversion = {
    payloads: scan.payloads,
    graph: (graph, graphExtras) => convertGraph(graph, graphExtras, conversion),
  };
  return {
    irVersion: integer(proto.irVersion as Integer),
    producerName: proto.producerName ?? '',
    producerVersion: proto.producerVersion ?? '',
    domain: proto.domain ?? '',
    modelVersion: integer(proto.modelVersion as Integer),
    docString: proto.docString ?? '',
    opsets: importedOpsets(proto),
    metadata: (proto.metadataProps ?? []).map(entry),
    graph: convertGraph(proto.graph ?? {}, extras?.graph, conversion),
    functions: (proto.functions ?? []).map((one, i) =>
      convertFunction(one, extras?.functions[i], conversion),
    ),
    configurations: extras?.configurations ?? [],
    trainingInfoCount: proto.trainingInfo?.length ?? 0,
    fileBytes,
    structureSha256: scan.structureSha256,
    problems: scan.problems,
  };
}

function entry(proto: onnx.IStringStringEntryProto): readonly [string, string] {
  return [proto.key ?? '', proto.value ?? ''];
}

/** `ai.onnx` is another spelling of the default domain. */
function normalDomain(domain: string | null | undefined): string {
  return !domain || domain === 'ai.onnx' ? '' : domain;
}

/** Before IR 3 a model imports nothing and means version 1. */
function importedOpsets(proto: onnx.IModelProto): ReadonlyMap<string, number> {
  const opsets = convertOpsets(proto.opsetImport);
  return opsets.size === 0 && integer(proto.irVersion as Integer) < 3 ? new Map([['', 1]]) : opsets;
}

function convertOpsets(
  protos: readonly onnx.IOperatorSetIdProto[] | null | undefined,
): ReadonlyMap<string, number> {
  return new Map(
    (protos ?? []).map((proto) => [normalDomain(proto.domain), integer(proto.version as Integer)]),
  );
}

function convertGraph(
  proto: onnx.IGraphProto,
  extras: GraphExtras | undefined,
  conversion: Conversion,
): ModelGraph {
  const { payloads } = conversion;
  const initializers: Initializer[] = (proto.initializer ?? []).map((tensor) =>
    convertTensor(tensor, payloads),
  );
  for (const sparse of proto.sparseInitializer ?? []) initializers.push(convertSparse(sparse, payloads));
  return {
    name: proto.name ?? '',
    docString: proto.docString ?? '',
    nodes: (proto.node ?? []).map((node, index) =>
      convertNode(node, index, extras?.nodes[index], conversion),
    ),
    inputs: (proto.input ?? []).map(convertValueInfo),
    outputs: (proto.output ?? []).map(convertValueInfo),
    valueInfo: (proto.valueInfo ?? []).map(convertValueInfo),
    initializers,
    metadata: extras?.metadata ?? [],
    quantization: (proto.quantizationAnnotation ?? []).map((annotation) => ({
      tensor: annotation.tensorName ?? '',
      parameters: (annotation.quantParameterTensorNames ?? []).map(entry),
    })),
  };
}

function convertNode(
  proto: onnx.INodeProto,
  index: number,
  extras: NodeExtras | undefined,
  conversion: Conversion,
): ModelNode {
  return {
    index,
    name: proto.name ?? '',
    type: proto.opType ?? '',
    domain: normalDomain(proto.domain),
    overload: extras?.overload ?? '',
    docString: proto.docString ?? '',
    inputs: proto.input ?? NOTHING,
    outputs: proto.output ?? NOTHING,
    attributes: convertAttributes(proto.attribute, extras?.attributes, conversion),
    metadata: extras?.metadata ?? NOTHING,
    deviceConfigurations: extras?.deviceConfigurations ?? NOTHING,
  };
}

function convertFunction(
  proto: onnx.IFunctionProto,
  extras: FunctionExtras | undefined,
  conversion: Conversion,
): ModelFunction {
  return {
    name: proto.name ?? '',
    domain: normalDomain(proto.domain),
    overload: extras?.overload ?? '',
    inputs: proto.input ?? [],
    outputs: proto.output ?? [],
    attributeNames: proto.attribute ?? [],
    attributeDefaults: convertAttributes(extras?.attributeDefaults, undefined, conversion),
    opsets: convertOpsets(proto.opsetImport),
    nodes: (proto.node ?? []).map((node, index) =>
      convertNode(node, index, extras?.nodes[index], conversion),
    ),
    valueInfo: (extras?.valueInfo ?? []).map(convertValueInfo),
  };
}
