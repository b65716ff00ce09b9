import { attributeText, cutText, listText, locationText } from '../core/analysis/describe';
import type { Graph, Operator } from '../core/graph/graph';
import { NONE, type TensorId } from '../core/graph/units';
import type { Initializer, ModelNode } from '../core/onnx/model';
import type { OperandDetails, OperatorDetails, TensorDetails } from '../protocol/webview';

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
