import type { AttributeValue } from '../../src/core/graph/attributes';
import type { ElementType } from '../../src/core/graph/elementType';
import type {
  DeclaredType,
  Initializer,
  Model,
  ModelFunction,
  ModelGraph,
  ModelNode,
  ValueInfo,
} from '../../src/core/onnx/model';

/** Integers and lists of them, strings and lists of them, subgraphs; real numbers as `{ float }`, `{ floats }`. */
export type PlainAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  /** A constant as in `parseTensor`. */
  | { readonly tensor: string }
  | { readonly graph: ModelGraph }
  /** An attribute of the function around. */
  | { readonly reference: string };

export type PlainAttributes = Readonly<Record<string, PlainAttribute>>;

export interface PlainNode {
  readonly type: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs?: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: PlainAttributes;
}

/** Values as `float32[1, 3, h, ?]`, constants as `int64[2] = 4 -1`, unknown shapes as `float32`, by name. */
export interface PlainGraph {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly nodes: readonly PlainNode[];
  /** With a declared type, or only a name. */
  readonly outputs: readonly string[] | Readonly<Record<string, string>>;
  readonly valueInfo?: Readonly<Record<string, string>>;
}

export interface PlainFunction {
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly string[];
  readonly defaults?: PlainAttributes;
  readonly nodes: readonly PlainNode[];
}

export function modelOf(
  graph: PlainGraph,
  options: {
    readonly opset?: number;
    readonly opsets?: Readonly<Record<string, number>>;
    readonly functions?: readonly PlainFunction[];
  } = {},
): Model {
  const opsets = new Map(Object.entries({ '': options.opset ?? 21, ...options.opsets }));
  return {
    irVersion: 10,
    producerName: '',
    producerVersion: '',
    domain: '',
    modelVersion: 0,
    docString: '',
    opsets,
    metadata: [],
    graph: graphOf(graph),
    functions: (options.functions ?? []).map((one) => functionOf(one, opsets)),
    trainingInfoCount: 0,
    fileBytes: 0,
    structureSha256: '',
    problems: [],
  };
}

export function graphOf(graph: PlainGraph): ModelGraph {
  const given = Object.entries(graph.inputs ?? {});
  const isConstant = (text: string) => text.includes('=');
  const outputs = Array.isArray(graph.outputs)
    ? graph.outputs.map((name: string): ValueInfo => ({ name, type: { kind: 'unknown' } }))
    : Object.entries(graph.outputs as Record<string, string>).map(([name, text]) => infoOf(name, text));
  return {
    name: '',
    docString: '',
    nodes: graph.nodes.map(nodeOf),
    inputs: given.filter(([, text]) => !isConstant(text)).map(([name, text]) => infoOf(name, text)),
    outputs,
    valueInfo: Object.entries(graph.valueInfo ?? {}).map(([name, text]) => infoOf(name, text)),
    initializers: given.filter(([, text]) => isConstant(text)).map(([name, text]) => constantOf(name, text)),
  };
}

function functionOf(one: PlainFunction, opsets: ReadonlyMap<string, number>): ModelFunction {
  return {
    name: one.name,
    domain: one.domain,
    overload: '',
    inputs: one.inputs,
    outputs: one.outputs,
    attributeNames: one.attributes ?? [],
    attributeDefaults: attributesOf(one.defaults ?? {}),
    opsets,
    nodes: one.nodes.map(nodeOf),
    valueInfo: [],
  };
}

function nodeOf(node: PlainNode, index: number): ModelNode {
  return {
    index,
    name: node.name ?? '',
    type: node.type,
    domain: node.domain ?? '',
    overload: '',
    docString: '',
    inputs: node.inputs ?? [],
    outputs: node.outputs,
    attributes: attributesOf(node.attributes ?? {}),
    metadata: [],
  };
}

function attributesOf(plain: PlainAttributes): Map<string, AttributeValue> {
  return new Map(Object.entries(plain).map(([name, value]) => [name, attributeOf(value)]));
}

function attributeOf(value: PlainAttribute): AttributeValue {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if (Array.isArray(value))
    return typeof value[0] === 'string' ? { kind: 'strings', value } : { kind: 'ints', value };
  const one = value as Exclude<PlainAttribute, number | string | readonly number[] | readonly string[]>;
  if ('float' in one) return { kind: 'float', value: one.float };
  if ('floats' in one) return { kind: 'floats', value: one.floats };
  if ('tensor' in one) return { kind: 'tensor', value: constantOf('', one.tensor) };
  if ('graph' in one) return { kind: 'graph', value: one.graph };
  return { kind: 'reference', name: one.reference };
}

function infoOf(name: string, text: string): ValueInfo {
  return { name, type: declaredOf(text) };
}

/** `float32[1, h, ?]`, `float32`, `sequence(float32[2])`, `optional(...)`. */
function declaredOf(text: string): DeclaredType {
  const nested = /^(sequence|optional)\((.*)\)$/.exec(text);
  if (nested) return { kind: nested[1] as 'sequence' | 'optional', element: declaredOf(nested[2]) };
  const [, type, dims] = /^(\w+)(?:\[(.*)\])?$/.exec(text)!;
  const shape = dims?.split(',').filter((one) => one.trim() !== '');
  return {
    kind: 'tensor',
    type: type as ElementType,
    shape: shape?.map((one) => {
      const dim = one.trim();
      return dim === '?' ? undefined : /^-?\d+$/.test(dim) ? Number(dim) : dim;
    }),
  };
}

function constantOf(name: string, text: string): Initializer {
  const [declared, list] = text.split('=').map((one) => one.trim());
  const type = declaredOf(declared);
  if (type.kind !== 'tensor') throw new Error(`${text} is no tensor`);
  return {
    name,
    type: type.type,
    dims: (type.shape ?? []) as number[],
    bytes: undefined,
    payload: { kind: 'none' },
    values: list === '...' ? undefined : list.split(/\s+/).filter(Boolean).map(Number),
  };
}
