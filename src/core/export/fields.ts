/** Field numbers of ONNX's messages that the export reads or writes. */
export const MODEL = {
  irVersion: 1,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
  configuration: 26,
} as const;

export const GRAPH = {
  node: 1,
  initializer: 5,
  input: 11,
  output: 12,
  valueInfo: 13,
  sparseInitializer: 15,
} as const;

export const NODE = {
  input: 1,
  output: 2,
  name: 3,
  type: 4,
  attribute: 5,
  domain: 7,
  metadata: 9,
  deviceConfigurations: 10,
} as const;

export const ATTRIBUTE = {
  name: 1,
  float: 2,
  int: 3,
  string: 4,
  graph: 6,
  floats: 7,
  ints: 8,
  graphs: 11,
  kind: 20,
} as const;
export const ATTRIBUTE_KIND = { float: 1, int: 2, string: 3, floats: 6, ints: 7 } as const;

export const TENSOR = {
  dims: 1,
  type: 2,
  floatData: 4,
  int32Data: 5,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
  dataLocation: 14,
} as const;

export const EXTERNAL_LOCATION = 1;
export const ENTRY = { key: 1, value: 2 } as const;
export const VALUE_INFO = { name: 1, type: 2 } as const;
export const OPSET = { domain: 1, version: 2 } as const;

/** Multi-device messages, since IR version 11. */
export const CONFIGURATION = { name: 1, deviceCount: 2, device: 3 } as const;
export const NODE_CONFIGURATION = { configuration: 1, sharding: 2, stage: 3 } as const;
export const SHARDING = { tensor: 1, device: 2, groups: 3, dims: 4 } as const;
export const SHARDED_DIM = { axis: 1, simple: 2 } as const;
export const SIMPLE_DIM = { value: 1, parameter: 2, shards: 3 } as const;
