import type { Graph, Operator } from '../core/graph/graph';
import { OPERATOR_FLAGS, TENSOR_FLAGS, type GraphId, type ViewGraph } from '../protocol/webview';

/** Names of the bodies of an operator, for the `body` request: its graph attributes, or `body` for a function. */
export type BodiesOf = (operator: Operator) => readonly string[];

/** A `Graph` as flat arrays for the webview: linear in its size, no copies of strings. */
export function viewGraph(
  graph: Graph,
  id: GraphId,
  name: string,
  bodiesOf: BodiesOf = graphAttributes,
): ViewGraph {
  return {
    id,
    name,
    fuse: graph.fuse,
    operators: viewOperators(graph, bodiesOf),
    tensors: viewTensors(graph),
    inputs: Int32Array.from(graph.inputs),
    outputs: Int32Array.from(graph.outputs),
    weightBytes: graph.weightBytes,
  };
}

function graphAttributes(operator: Operator): readonly string[] {
  return operator.members.flatMap((member) =>
    [...member.attributes].filter(([, value]) => value.kind === 'graph').map(([name]) => name),
  );
}

function viewOperators(graph: Graph, bodiesOf: BodiesOf): ViewGraph['operators'] {
  const count = graph.operators.length;
  const types = interner();
  const inputs = flat(graph.operators, (operator) => operator.inputs);
  const outputs = flat(graph.operators, (operator) => operator.outputs);
  const members: Record<number, readonly string[]> = {};
  const bodies: Record<number, readonly string[]> = {};
  const flags = new Uint8Array(count);
  const typeOf = new Uint32Array(count);
  const nodes = new Uint32Array(count);
  const flops = new Float64Array(count);
  const weights = new Float64Array(count);
  for (const operator of graph.operators) {
    typeOf[operator.id] = types.id(qualifiedType(operator));
    nodes[operator.id] = operator.index;
    flops[operator.id] = operator.flops ?? NaN;
    weights[operator.id] = weightBytes(graph, operator);
    if (operator.members.length > 1) members[operator.id] = operator.members.slice(1).map((m) => m.type);
    const names = bodiesOf(operator);
    if (names.length > 0) bodies[operator.id] = names;
    flags[operator.id] =
      (operator.isView ? OPERATOR_FLAGS.view : 0) |
      (operator.isElementwise ? OPERATOR_FLAGS.elementwise : 0) |
      (operator.opaqueReason === undefined ? 0 : OPERATOR_FLAGS.opaque) |
      (names.length > 0 ? OPERATOR_FLAGS.body : 0);
  }
  return {
    names: graph.operators.map((operator) => operator.name),
    types: typeOf,
    typeNames: types.names,
    nodes,
    flops,
    weightBytes: weights,
    flags,
    firstInput: inputs.first,
    inputs: inputs.ids,
    firstOutput: outputs.first,
    outputs: outputs.ids,
    members,
    bodies,
  };
}

/** `Conv`, or `com.microsoft.FusedConv` outside `ai.onnx`. */
function qualifiedType(operator: Operator): string {
  return operator.domain === '' ? operator.type : `${operator.domain}.${operator.type}`;
}

/** Bytes of the operator's weights, each once; NaN as soon as one is unknown. */
function weightBytes(graph: Graph, { inputs }: Operator): number {
  let bytes = 0;
  for (let i = 0; i < inputs.length; i++) {
    const tensor = graph.tensors[inputs[i]];
    if (tensor?.isWeight && inputs.indexOf(inputs[i]) === i) bytes += tensor.bytes ?? NaN;
  }
  return bytes;
}

/** Plain loops: `from` with a mapping costs several times as much, and graphs have 50,000 tensors. */
function viewTensors(graph: Graph): ViewGraph['tensors'] {
  const count = graph.tensors.length;
  const elementTypes = interner();
  const shapeTexts = interner();
  const shapes = new Uint32Array(count);
  const types = new Uint8Array(count);
  const bytes = new Float64Array(count);
  const producers = new Int32Array(count);
  const storages = new Int32Array(count);
  const flags = new Uint8Array(count);
  for (const tensor of graph.tensors) {
    shapes[tensor.id] = shapeTexts.id(tensor.shapeText);
    types[tensor.id] = elementTypes.id(tensor.type ?? '?');
    bytes[tensor.id] = tensor.bytes ?? NaN;
    producers[tensor.id] = tensor.producer;
    storages[tensor.id] = tensor.storage;
    const known = tensor.shape !== undefined && !tensor.shape.includes(undefined);
    flags[tensor.id] = (tensor.isWeight ? TENSOR_FLAGS.weight : 0) | (known ? 0 : TENSOR_FLAGS.unknownShape);
  }
  for (const tensor of graph.inputs) flags[tensor] |= TENSOR_FLAGS.input;
  for (const tensor of graph.outputs) flags[tensor] |= TENSOR_FLAGS.output;
  return {
    names: graph.tensors.map((tensor) => tensor.name),
    ...{ shapeNames: shapeTexts.names, shapes },
    ...{ types, typeNames: elementTypes.names, bytes, producers, storages, flags },
  };
}

function flat(
  operators: readonly Operator[],
  list: (operator: Operator) => readonly number[],
): { first: Uint32Array; ids: Int32Array } {
  const first = new Uint32Array(operators.length + 1);
  operators.forEach((operator, i) => (first[i + 1] = first[i] + list(operator).length));
  const ids = new Int32Array(first[operators.length]);
  operators.forEach((operator, i) => ids.set(list(operator), first[i]));
  return { first, ids };
}

function interner(): { names: string[]; id(name: string): number } {
  const ids = new Map<string, number>();
  const names: string[] = [];
  return {
    names,
    id(name) {
      let id = ids.get(name);
      if (id === undefined) {
        id = names.length;
        ids.set(name, id);
        names.push(name);
      }
      return id;
    },
  };
}
