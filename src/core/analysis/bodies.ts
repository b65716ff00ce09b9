import type { Graph, KnownBytes } from '../graph/graph';
import type { StorageId } from '../graph/units';
import type { ModelFunction, ModelGraph, ModelNode } from '../onnx/model';
import { subgraphsOf } from '../onnx/scopes';
import type { InferredGraph } from '../shape/types';
import { assemble, type Context } from './assemble';
import { functionOf, functionSource, graphSource, type GraphSource } from './source';

/** What the bodies of an operator add to its step and to the weights. */
export interface BodyCost {
  readonly peak: KnownBytes;
  /** Weights that only bodies hold; those captured from around them are counted there. */
  readonly weights: KnownBytes;
  /** Of `weights`, those of functions: constants of a function exist once however often it is called. */
  readonly ofFunctions: ReadonlyMap<ModelFunction, KnownBytes>;
}

const NOTHING: KnownBytes = { bytes: 0, known: true };
const UNKNOWN: KnownBytes = { bytes: 0, known: false };
const NO_FUNCTIONS: ReadonlyMap<ModelFunction, KnownBytes> = new Map();
const NO_COST: BodyCost = { peak: NOTHING, weights: NOTHING, ofFunctions: NO_FUNCTIONS };

export function addBytes(a: KnownBytes, b: KnownBytes): KnownBytes {
  return { bytes: a.bytes + b.bytes, known: a.known && b.known };
}

export function bodyCost(node: ModelNode, around: GraphSource, context: Context): BodyCost {
  const inferred = around.inferred.bodies.get(node.index);
  const called = functionOf(node, context.functions);
  if (called !== undefined) return functionCost(called, inferred?.get('body'), context);
  let cost = NO_COST;
  for (const [name, graph] of subgraphsOf(node)) {
    const one = subgraphCost(node, graph, inferred?.get(name), around, context);
    const peak = one.peak.bytes > cost.peak.bytes ? one.peak.bytes : cost.peak.bytes;
    cost = {
      peak: { bytes: peak, known: one.peak.known && cost.peak.known },
      weights: addBytes(cost.weights, one.weights),
      ofFunctions: new Map([...cost.ofFunctions, ...one.ofFunctions]),
    };
  }
  return cost;
}

function functionCost(
  called: ModelFunction,
  inferred: InferredGraph | undefined,
  context: Context,
): BodyCost {
  if (inferred === undefined) return { peak: UNKNOWN, weights: UNKNOWN, ofFunctions: NO_FUNCTIONS };
  const { graph, ownWeights, functionWeights } = assemble(functionSource(called, inferred), context, 'none');
  return {
    peak: insidePeak(graph, [...graph.inputs, ...graph.outputs]),
    weights: graph.weightBytes,
    ofFunctions: new Map([...functionWeights, [called, ownWeights]]),
  };
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
  if (inferred === undefined) return { peak: UNKNOWN, weights: UNKNOWN, ofFunctions: NO_FUNCTIONS };
  const source = graphSource(body, around.opsets, inferred, context.isConstant);
  const { graph, captured, functionWeights } = assemble(source, context, 'none');
  const outside = node.type === 'If' && node.domain === '' ? [...captured, ...graph.outputs] : captured;
  return { peak: insidePeak(graph, outside), weights: graph.weightBytes, ofFunctions: functionWeights };
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
