import type { Graph, KnownBytes } from '../graph/graph';
import type { StorageId } from '../graph/units';
import type { ModelFunction, ModelGraph, ModelNode } from '../onnx/model';
import { freeNames, subgraphsOf } from '../onnx/scopes';
import type { InferredGraph } from '../shape/types';
import { assemble, type Context } from './assemble';
import { plus } from './flopFormulas';
import { functionOf, functionSource, graphSource, type GraphSource } from './source';

/** What the bodies of an operator add to its step and to the weights. */
export interface BodyCost {
  readonly peak: KnownBytes;
  /** Names that its subgraphs read from around them, constants that they only fold left out. */
  readonly reads: ReadonlySet<string>;
  /** Weights that only its subgraphs hold; those captured from around them are counted there. */
  readonly weights: KnownBytes;
  /** The same of the functions that it calls, however deep: a function's weights exist once. */
  readonly functionWeights: ReadonlyMap<ModelFunction, KnownBytes>;
  /** Of one pass: the function's, the larger branch's, one iteration's; absent without bodies. */
  readonly pass?: { readonly flops: number | undefined };
}

const NOTHING: KnownBytes = { bytes: 0, known: true };
const UNKNOWN: KnownBytes = { bytes: 0, known: false };
/** Of an operator without bodies, which most are. */
export const NO_COST: BodyCost = {
  peak: NOTHING,
  reads: new Set(),
  weights: NOTHING,
  functionWeights: new Map(),
};

export function addBytes(a: KnownBytes, b: KnownBytes): KnownBytes {
  return { bytes: a.bytes + b.bytes, known: a.known && b.known };
}

/** Of a node without subgraphs that calls no function: nothing. */
export function bodyCost(node: ModelNode, around: GraphSource, context: Context): BodyCost {
  const inferred = around.inferred.bodies.get(node.index);
  const called = functionOf(node, context.functions);
  if (called !== undefined) return functionCost(called, inferred?.get('body'), context);
  const subgraphs = subgraphsOf(node);
  if (subgraphs.length === 0) return NO_COST;
  return subgraphs
    .map(([name, graph]) => subgraphCost(node, graph, inferred?.get(name), around, context))
    .reduce(eitherCost, NO_COST);
}

/** Of several bodies one runs at a time, and the weights of all are there. */
function eitherCost(a: BodyCost, b: BodyCost): BodyCost {
  return {
    peak: { bytes: Math.max(a.peak.bytes, b.peak.bytes), known: a.peak.known && b.peak.known },
    reads: new Set([...a.reads, ...b.reads]),
    weights: addBytes(a.weights, b.weights),
    functionWeights: new Map([...a.functionWeights, ...b.functionWeights]),
    pass: { flops: largerFlops(a.pass ?? NO_FLOPS, b.pass ?? NO_FLOPS) },
  };
}

const NO_FLOPS = { flops: 0 };

function largerFlops(a: { flops?: number }, b: { flops?: number }): number | undefined {
  return a.flops === undefined || b.flops === undefined ? undefined : Math.max(a.flops, b.flops);
}

function flopsOf(graph: Graph): number | undefined {
  return graph.operators.reduce<number | undefined>((sum, { flops }) => plus(sum, flops), 0);
}

function functionCost(
  called: ModelFunction,
  inferred: InferredGraph | undefined,
  context: Context,
): BodyCost {
  if (inferred === undefined)
    return {
      ...NO_COST,
      peak: UNKNOWN,
      functionWeights: new Map([[called, UNKNOWN]]),
      pass: { flops: undefined },
    };
  const known = context.functionCosts.get(inferred);
  if (known !== undefined) return known;
  const { graph, ownWeights, functionWeights } = assemble(functionSource(called, inferred), context, 'none');
  const cost: BodyCost = {
    peak: insidePeak(graph, [...graph.inputs, ...graph.outputs]),
    reads: NO_COST.reads,
    weights: NOTHING,
    functionWeights: new Map([...functionWeights, [called, ownWeights]]),
    pass: { flops: flopsOf(graph) },
  };
  context.functionCosts.set(inferred, cost);
  return cost;
}

/**
 * Branches of `If` hand their outputs out as the operator's own; the state and slices of `Loop` and `Scan` exist
 * anew in each iteration, beside the operator's inputs and outputs.
 */
function subgraphCost(
  node: ModelNode,
  body: ModelGraph,
  inferred: InferredGraph | undefined,
  around: GraphSource,
  context: Context,
): BodyCost {
  if (inferred === undefined)
    return {
      ...NO_COST,
      peak: UNKNOWN,
      reads: freeNames(body),
      weights: UNKNOWN,
      pass: { flops: undefined },
    };
  const source = graphSource(body, around.opsets, inferred, context.isConstant);
  const { graph, captured, reads, ownWeights, functionWeights } = assemble(source, context, 'none');
  const outside = node.type === 'If' && node.domain === '' ? [...captured, ...graph.outputs] : captured;
  return {
    peak: insidePeak(graph, outside),
    reads: new Set(reads),
    weights: ownWeights,
    functionWeights,
    pass: { flops: flopsOf(graph) },
  };
}

/**
 * Largest sum of what is live at one step of the graph's own order, storages of the tensors `outside` left out:
 * they are the operator's own inputs and outputs, or captured, and count where the operator stands.
 */
function insidePeak(graph: Graph, outside: readonly number[]): KnownBytes {
  const excluded = new Set<StorageId>(outside.map((tensor) => graph.tensors[tensor].storage));
  const steps = graph.operators.length;
  const change = new Float64Array(steps + 1);
  let known = true;
  for (const storage of graph.storages) {
    if (excluded.has(storage.id)) continue;
    if (storage.bytes === undefined) known = false;
    const first = storage.isInput ? 0 : storage.producer;
    const last = storage.isOutput ? steps - 1 : (storage.consumers.at(-1) ?? first);
    change[first] += storage.bytes ?? 0;
    change[Math.max(first, last) + 1] -= storage.bytes ?? 0;
  }
  let live = 0;
  let peak = 0;
  graph.operators.forEach((operator, step) => {
    live += change[step];
    peak = Math.max(peak, live + operator.bodyPeak.bytes);
    known &&= operator.bodyPeak.known;
  });
  return { bytes: peak, known };
}
