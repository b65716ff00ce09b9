import { Reader } from 'protobufjs/minimal';
import { onnx } from 'onnx-proto';

/**
 * A small schema, for protobufjs' reader, of the fields that onnx-proto 8 (ONNX 1.10) drops. It walks the same
 * payload-free copy and gives a tree parallel to onnx-proto's: the n-th node here is the n-th node there.
 */
export interface ModelExtras {
  graph?: GraphExtras;
  functions: FunctionExtras[];
  configurations: DeviceConfiguration[];
}

export interface DeviceConfiguration {
  name: string;
  deviceCount: number;
  devices: string[];
}

export interface GraphExtras {
  nodes: NodeExtras[];
  metadata: [string, string][];
}

export interface NodeExtras {
  overload: string;
  metadata: [string, string][];
  deviceConfigurations: string[];
  /** Per attribute, per graph in it. */
  attributes: GraphExtras[][];
}

export interface FunctionExtras {
  overload: string;
  nodes: NodeExtras[];
  metadata: [string, string][];
  attributeDefaults: onnx.IAttributeProto[];
  valueInfo: onnx.IValueInfoProto[];
}

/** Reads one message of `length` bytes: `field` consumes the record and returns true, or leaves it alone. */
function readMessage(reader: Reader, length: number, field: (number: number) => boolean): void {
  const end = reader.pos + length;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!field(tag >>> 3)) reader.skipType(tag & 7);
  }
}

function nested<T>(reader: Reader, read: (reader: Reader, length: number) => T): T {
  return read(reader, reader.uint32());
}

export function decodeExtras(copy: Uint8Array): ModelExtras {
  const reader = Reader.create(copy);
  const model: ModelExtras = { functions: [], configurations: [] };
  readMessage(reader, copy.length, (field) => {
    if (field === 7) model.graph = nested(reader, readGraph);
    else if (field === 25) model.functions.push(nested(reader, readFunction));
    else if (field === 26) model.configurations.push(nested(reader, readConfiguration));
    else return false;
    return true;
  });
  return model;
}

function readGraph(reader: Reader, length: number): GraphExtras {
  const graph: GraphExtras = { nodes: [], metadata: [] };
  readMessage(reader, length, (field) => {
    if (field === 1) graph.nodes.push(nested(reader, readNode));
    else if (field === 16) graph.metadata.push(nested(reader, readEntry));
    else return false;
    return true;
  });
  return graph;
}

function readNode(reader: Reader, length: number): NodeExtras {
  const node: NodeExtras = { overload: '', metadata: [], deviceConfigurations: [], attributes: [] };
  readMessage(reader, length, (field) => {
    if (field === 5) node.attributes.push(nested(reader, readAttributeGraphs));
    else if (field === 8) node.overload = reader.string();
    else if (field === 9) node.metadata.push(nested(reader, readEntry));
    else if (field === 10) node.deviceConfigurations.push(nested(reader, readConfigurationId));
    else return false;
    return true;
  });
  return node;
}

function readAttributeGraphs(reader: Reader, length: number): GraphExtras[] {
  const graphs: GraphExtras[] = [];
  readMessage(reader, length, (field) => {
    if (field !== 6 && field !== 11) return false;
    graphs.push(nested(reader, readGraph));
    return true;
  });
  return graphs;
}

function readFunction(reader: Reader, length: number): FunctionExtras {
  const found: FunctionExtras = {
    overload: '',
    nodes: [],
    metadata: [],
    attributeDefaults: [],
    valueInfo: [],
  };
  readMessage(reader, length, (field) => {
    if (field === 7) found.nodes.push(nested(reader, readNode));
    else if (field === 11) found.attributeDefaults.push(nested(reader, onnxDecoder(onnx.AttributeProto)));
    else if (field === 12) found.valueInfo.push(nested(reader, onnxDecoder(onnx.ValueInfoProto)));
    else if (field === 13) found.overload = reader.string();
    else if (field === 14) found.metadata.push(nested(reader, readEntry));
    else return false;
    return true;
  });
  return found;
}

function onnxDecoder<T>(type: { decode(reader: Reader, length: number): T }) {
  return (reader: Reader, length: number): T => type.decode(reader, length);
}

function readConfiguration(reader: Reader, length: number): DeviceConfiguration {
  const found: DeviceConfiguration = { name: '', deviceCount: 0, devices: [] };
  readMessage(reader, length, (field) => {
    if (field === 1) found.name = reader.string();
    else if (field === 2) found.deviceCount = reader.int32();
    else if (field === 3) found.devices.push(reader.string());
    else return false;
    return true;
  });
  return found;
}

function readConfigurationId(reader: Reader, length: number): string {
  let id = '';
  readMessage(reader, length, (field) => {
    if (field !== 1) return false;
    id = reader.string();
    return true;
  });
  return id;
}

function readEntry(reader: Reader, length: number): [string, string] {
  const entry: [string, string] = ['', ''];
  readMessage(reader, length, (field) => {
    if (field !== 1 && field !== 2) return false;
    entry[field - 1] = reader.string();
    return true;
  });
  return entry;
}
