import type { Graph, KnownBytes, Operator } from '../graph/graph';
import type { Problem } from '../graph/problem';
import { NONE, type TensorId } from '../graph/units';
import type { Initializer, Model, ModelNode } from '../onnx/model';
import type { ShapeResult } from '../shape/types';
import { bodyGraph, bodyNames, initializersInside, nodesInside, type BodyStep } from './bodyGraph';
import { attributeText, listText, locationText } from './describe';
import { functionTable } from './source';

/**
 * A model described as plain data without `undefined` in arrays, as `inspect` prints it: what the file says of
 * itself, its graph with shapes and sizes, and the bodies of its operators as graphs in the same form.
 */
export interface Inspection extends InspectedGraph {
  readonly bytes: number;
  readonly irVersion: number;
  readonly producer: string;
  readonly domain: string;
  readonly modelVersion: number;
  readonly docString: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly structureSha256: string;
  /** Sizes of named dimensions; `null` where nobody has given one. */
  readonly symbols: Readonly<Record<string, number | null>>;
  /** Sum over all operators; `known: false`: at least. */
  readonly flops: { readonly flops: number; readonly known: boolean };
  readonly nodeCount: number;
  /** Computed from constants alone, so no operators. */
  readonly foldedNodeCount: number;
  readonly trainingInfoCount: number;
  readonly functions: readonly string[];
  readonly problems: readonly Problem[];
}

export interface InspectedGraph {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly operators: readonly InspectedOperator[];
  readonly tensors: readonly InspectedTensor[];
}

export interface InspectedOperator {
  readonly index: number;
  readonly name: string;
  readonly type: string;
  readonly domain: string;
  readonly opset: number;
  /** Indices of fused nodes, where there is more than one. */
  readonly members?: readonly number[];
  /** Names of tensors, empty where an optional one is omitted. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly view: boolean;
  readonly flops: number | null;
  /** Weights that it reads, each once. */
  readonly weightBytes: number | null;
  readonly bodyPeak?: KnownBytes;
  readonly opaqueReason?: string;
  readonly bodies?: Readonly<Record<string, InspectedGraph>>;
}

export interface InspectedTensor {
  readonly name: string;
  readonly type: string | null;
  readonly shape: readonly (number | null)[] | null;
  readonly shapeText: string;
  readonly bytes: number | null;
  readonly weight: boolean;
  /** Activations only: tensors of one storage are views of each other. */
  readonly storage?: number;
  /** Weights only: where their bytes are. */
  readonly location?: string;
  /** Small constants only. */
  readonly values?: string;
}

export function inspectModel(
  model: Model,
  shapes: ShapeResult,
  graph: Graph,
  problems: readonly Problem[],
): Inspection {
  const members = graph.operators.reduce((sum, operator) => sum + operator.members.length, 0);
  return {
    bytes: model.fileBytes,
    irVersion: model.irVersion,
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    domain: model.domain,
    modelVersion: model.modelVersion,
    docString: model.docString,
    opsets: Object.fromEntries([...model.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    metadata: Object.fromEntries(model.metadata),
    structureSha256: model.structureSha256,
    symbols: Object.fromEntries([...shapes.symbols].map(([name, size]) => [name, size ?? null])),
    flops: totalFlops(graph),
    nodeCount: model.graph.nodes.length,
    foldedNodeCount: model.graph.nodes.length - members,
    trainingInfoCount: model.trainingInfoCount,
    functions: model.functions.map(({ domain, name }) => `${domain}.${name}`),
    ...new Inspector(model, shapes).graph(graph, []),
    problems,
  };
}

/** Sum over the operators whose count is known. */
export function totalFlops(graph: Graph): { flops: number; known: boolean } {
  return {
    flops: graph.operators.reduce((sum, operator) => sum + (operator.flops ?? 0), 0),
    known: graph.operators.every((operator) => operator.flops !== undefined),
  };
}

/** Functions that call functions can unfold without end: bodies are described up to this many operators. */
const MOST_BODY_OPERATORS = 100_000;

class Inspector {
  private readonly functions;
  private bodyOperators = 0;

  constructor(
    private readonly model: Model,
    private readonly shapes: ShapeResult,
  ) {
    this.functions = functionTable(model);
  }

  graph(graph: Graph, trail: readonly BodyStep[]): InspectedGraph {
    const nodes = nodesInside(this.model, trail);
    const initializers = new Map(initializersInside(this.model, trail).map((one) => [one.name, one]));
    const nameOf = namesIn(graph);
    return {
      inputs: graph.inputs.map(nameOf),
      outputs: graph.outputs.map(nameOf),
      operators: graph.operators.map((operator) =>
        this.operator(graph, operator, nodes[operator.index], trail),
      ),
      tensors: graph.tensors.map((_, id) => describeTensor(graph, id, initializers)),
    };
  }

  private operator(
    graph: Graph,
    operator: Operator,
    node: ModelNode,
    trail: readonly BodyStep[],
  ): InspectedOperator {
    const { index, name, type, domain, opset, members, isView, flops, bodyPeak, opaqueReason } = operator;
    const bodies = this.bodies(node, trail);
    const nameOf = namesIn(graph);
    return {
      index,
      name,
      type,
      domain,
      opset,
      ...(members.length > 1 && { members: members.map((member) => member.index) }),
      inputs: operator.inputs.map(nameOf),
      outputs: operator.outputs.map(nameOf),
      attributes: Object.fromEntries(
        [...operator.attributes].map(([key, value]) => [key, attributeText(value)]),
      ),
      view: isView,
      flops: flops ?? null,
      weightBytes: operatorWeights(graph, operator),
      ...(opaqueReason !== undefined && { opaqueReason }),
      ...(bodies !== undefined && { bodyPeak, bodies }),
    };
  }

  private bodies(
    node: ModelNode,
    trail: readonly BodyStep[],
  ): Readonly<Record<string, InspectedGraph>> | undefined {
    const names = bodyNames(node, this.functions);
    if (names.length === 0) return undefined;
    const bodies: Record<string, InspectedGraph> = {};
    for (const body of names) {
      if (this.bodyOperators > MOST_BODY_OPERATORS) break;
      const inner = [...trail, { node: node.index, body }];
      const graph = bodyGraph(this.model, this.shapes, inner);
      if (graph === undefined) continue;
      this.bodyOperators += graph.operators.length;
      bodies[body] = this.graph(graph, inner);
    }
    return bodies;
  }
}

function namesIn({ tensors }: Graph): (id: TensorId) => string {
  return (id) => (id === NONE ? '' : tensors[id].name);
}

function operatorWeights({ tensors }: Graph, { inputs }: Operator): number | null {
  const weights = new Set<TensorId>();
  for (const id of inputs)
    if (id !== NONE && tensors[id].isWeight) weights.add(tensors[id].sharesWeight ?? id);
  let bytes = 0;
  for (const id of weights) bytes += tensors[id].bytes ?? NaN;
  return Number.isNaN(bytes) ? null : bytes;
}

function describeTensor(
  graph: Graph,
  id: TensorId,
  initializers: ReadonlyMap<string, Initializer>,
): InspectedTensor {
  const { name, type, shape, shapeText, bytes, isWeight, isBodyWeights, storage, values } = graph.tensors[id];
  const initializer = initializers.get(name);
  const shown = values ?? initializer?.values ?? initializer?.strings;
  return {
    name,
    type: type ?? null,
    shape: shape?.map((length) => length ?? null) ?? null,
    shapeText,
    bytes: bytes ?? null,
    weight: isWeight,
    ...(storage !== NONE && { storage }),
    ...(isWeight && !isBodyWeights && { location: locationText(initializer) }),
    ...(shown !== undefined && { values: listText(shown) }),
  };
}
