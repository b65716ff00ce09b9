import type { AttributeValue, Attributes } from '../graph/attributes';
import type { Initializer, Model, ModelGraph, ModelNode, Payload } from './model';
import { elementCount } from './payloads';
import { subgraphsOf } from './scopes';
import { decodeRaw } from './values';

export type ExternalPayload = Extract<Payload, { kind: 'external' }>;
export type ExternalState = Exclude<ExternalPayload['state'], 'unchecked'>;

/** What was found of an external tensor: its bytes too where it is a small constant and present. */
export interface ExternalFinding {
  readonly state: ExternalState;
  readonly bytes?: Uint8Array;
}

/** The model with the state of every external payload filled in, in initializers and attributes at any depth. */
export function withExternalStates(
  model: Model,
  find: (payload: ExternalPayload, tensor: Initializer) => ExternalFinding,
): Model {
  const tensor = (one: Initializer): Initializer => {
    if (one.payload.kind !== 'external') return one;
    const { state, bytes } = find(one.payload, one);
    const elements = elementCount(one.dims);
    const values =
      bytes && one.type && elements !== undefined ? decodeRaw(one.type, elements, bytes) : undefined;
    return { ...one, payload: { ...one.payload, state }, ...(values && { values }) };
  };
  const graph = (one: ModelGraph): ModelGraph => ({
    ...one,
    initializers: one.initializers.map(tensor),
    nodes: one.nodes.map(node),
  });
  const node = (one: ModelNode): ModelNode => {
    const holdsTensor = [...one.attributes.values()].some(
      ({ kind }) => kind === 'tensor' || kind === 'tensors',
    );
    if (!holdsTensor && subgraphsOf(one).length === 0) return one;
    return { ...one, attributes: attributes(one.attributes) };
  };
  const attributes = (all: Attributes): Attributes =>
    new Map([...all].map(([name, value]) => [name, attribute(value)]));
  const attribute = (value: AttributeValue): AttributeValue => {
    switch (value.kind) {
      case 'tensor':
        return { kind: 'tensor', value: tensor(value.value as Initializer) };
      case 'tensors':
        return { kind: 'tensors', value: value.value.map((one) => tensor(one as Initializer)) };
      case 'graph':
        return { kind: 'graph', value: graph(value.value as ModelGraph) };
      case 'graphs':
        return { kind: 'graphs', value: value.value.map((one) => graph(one as ModelGraph)) };
      default:
        return value;
    }
  };
  const functions = model.functions.map((one) => ({ ...one, nodes: one.nodes.map(node) }));
  return { ...model, graph: graph(model.graph), functions };
}
