import type { Graph } from '../core/graph/graph';
import { NONE, type OperatorId } from '../core/graph/units';
import { lifetimes, liveBytes } from '../core/memory/lifetimes';
import { orderProblem, type InPlaceRule } from '../core/memory/problem';
import type { OrderMemory } from '../protocol/webview';

/** Live bytes per step of an order, and each tensor's life in it. */
export function orderMemory(graph: Graph, steps: readonly OperatorId[], inPlace: InPlaceRule): OrderMemory {
  const problem = orderProblem(graph, { inPlace });
  const lives = lifetimes(problem, steps);
  const { perStep, peakBytes, peakStep } = liveBytes(problem, steps, lives);
  const ofTensor = (of: Int32Array): Int32Array =>
    Int32Array.from(graph.tensors, ({ storage }) => (storage === NONE ? NONE : of[storage]));
  return {
    operators: Int32Array.from(steps),
    liveBytes: perStep,
    peakBytes,
    peakStep,
    known: problem.known,
    inPlace,
    firstStep: ofTensor(lives.firstStep),
    lastStep: ofTensor(lives.lastStep),
  };
}
