import type { AttributeValue } from '../core/graph/attributes';
import type { Graph, Operator } from '../core/graph/graph';
import { NONE, type TensorId } from '../core/graph/units';
import type { Initializer, ModelGraph, ModelNode } from '../core/onnx/model';
import type { OperandDetails, OperatorDetails, TensorDetails } from '../protocol/webview';

/** Longer lists and texts are cut, and say so. */
const MOST_VALUES = 64;
const LONGEST_TEXT = 2_000;

/** Everything about one operator for the properties panel; `node` is the file's own record of it. */
export function operatorDetails(
  graph: Graph,
  operator: Operator,
  node: ModelNode | undefined,
): OperatorDetails {
  return {
    type: operator.domain === '' ? operator.type : `${operator.domain}.${operator.type}`,
    name: operator.name,
    docString: cutText(node?.docString ?? ''),
    opset: operator.opset,
    attributes: [...operator.attributes].map(([name, value]) => ({ name, text: attributeText(value) })),
    inputs: operator.inputs.map((tensor) => operandDetails(graph, tensor)),
    outputs: operator.outputs.map((tensor) => operandDetails(graph, tensor)),
    opaqueReason: operator.opaqueReason ?? null,
    metadata: node?.metadata ?? [],
  };
}

const OMITTED: OperandDetails = { tensor: NONE, name: '', type: '', shape: '', bytes: null, isWeight: false };

function operandDetails(graph: Graph, id: TensorId): OperandDetails {
  if (id === NONE) return OMITTED;
  const { name, type, shapeText, bytes, isWeight } = graph.tensors[id];
  return { tensor: id, name, type: type ?? '?', shape: shapeText, bytes: bytes ?? null, isWeight };
}

/** Everything about one tensor; `initializers` are those of its graph, for where a weight's bytes are. */
export function tensorDetails(
  graph: Graph,
  id: TensorId,
  initializers: readonly Initializer[],
): TensorDetails {
  const tensor = graph.tensors[id];
  const initializer = tensor.isWeight ? initializers.find(({ name }) => name === tensor.name) : undefined;
  const values = tensor.values ?? initializer?.values ?? initializer?.strings;
  return {
    ...operandDetails(graph, id),
    producer: tensor.producer,
    consumers: tensor.consumers,
    values: values === undefined ? null : listText(values),
    location: tensor.isWeight ? locationText(initializer) : null,
  };
}

function locationText(initializer: Initializer | undefined): string {
  if (initializer === undefined) return 'computed from constants';
  const { payload } = initializer;
  if (payload.kind !== 'external') return 'in the file';
  const { location, state } = payload;
  switch (state) {
    case 'absent':
      return `${location} (absent)`;
    case 'short':
      return `${location} (too short)`;
    case 'refused':
      return `${location} (refused: outside the model's folder)`;
    default:
      return location;
  }
}

export function attributeText(value: AttributeValue): string {
  switch (value.kind) {
    case 'int':
    case 'float':
      return String(value.value);
    case 'string':
      return cutText(JSON.stringify(value.value));
    case 'ints':
    case 'floats':
    case 'strings':
      return listText(value.value);
    case 'tensor':
      return initializerText(value.value as Initializer);
    case 'graph':
      return graphText(value.value as ModelGraph);
    case 'tensors':
      return `${value.value.length} tensors`;
    case 'graphs':
      return `${value.value.length} graphs`;
    case 'reference':
      return `attribute ${value.name} of the function`;
    case 'other':
      return value.description;
  }
}

function initializerText({ type, dims, values, strings }: Initializer): string {
  const shown = values ?? strings;
  return `${type ?? '?'}[${dims.join(', ')}]${shown === undefined ? '' : ` ${listText(shown)}`}`;
}

function graphText({ name, nodes }: ModelGraph): string {
  return `graph ${name} of ${nodes.length} nodes`;
}

function listText(values: readonly (number | string)[]): string {
  const shown = values
    .slice(0, MOST_VALUES)
    .map((value) => (typeof value === 'string' ? JSON.stringify(value) : value));
  const more = values.length > MOST_VALUES ? `, … ${values.length - MOST_VALUES} more` : '';
  return cutText(`[${shown.join(', ')}${more}]`);
}

function cutText(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
