import type { Graph, Operator } from '../core/graph/graph';
import { NONE } from '../core/graph/units';
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
  for (const operator of graph.operators) {
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
    types: Uint32Array.from(graph.operators, (operator) => types.id(qualifiedType(operator))),
    typeNames: types.names,
    nodes: Uint32Array.from(graph.operators, (operator) => operator.index),
    flops: Float64Array.from(graph.operators, (operator) => operator.flops ?? NaN),
    weightBytes: Float64Array.from(graph.operators, (operator) => weightBytes(graph, operator)),
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
function weightBytes(graph: Graph, operator: Operator): number {
  let bytes = 0;
  for (const tensor of new Set(operator.inputs)) {
    if (tensor !== NONE && graph.tensors[tensor].isWeight) bytes += graph.tensors[tensor].bytes ?? NaN;
  }
  return bytes;
}

function viewTensors(graph: Graph): ViewGraph['tensors'] {
  const types = interner();
  const isInput = new Set(graph.inputs);
  const isOutput = new Set(graph.outputs);
  return {
    names: graph.tensors.map((tensor) => tensor.name),
    shapes: graph.tensors.map((tensor) => tensor.shapeText),
    types: Uint8Array.from(graph.tensors, (tensor) => types.id(tensor.type ?? '?')),
    typeNames: types.names,
    bytes: Float64Array.from(graph.tensors, (tensor) => tensor.bytes ?? NaN),
    producers: Int32Array.from(graph.tensors, (tensor) => tensor.producer),
    storages: Int32Array.from(graph.tensors, (tensor) => tensor.storage),
    flags: Uint8Array.from(
      graph.tensors,
      (tensor) =>
        (tensor.isWeight ? TENSOR_FLAGS.weight : 0) |
        (isInput.has(tensor.id) ? TENSOR_FLAGS.input : 0) |
        (isOutput.has(tensor.id) ? TENSOR_FLAGS.output : 0) |
        (tensor.shape?.every((dim) => dim !== undefined) ? 0 : TENSOR_FLAGS.unknownShape),
    ),
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
