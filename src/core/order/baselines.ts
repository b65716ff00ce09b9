import { seededRandom } from '../graph/random';
import type { Bytes, OperatorId } from '../graph/units';
import type { OrderProblem } from '../memory/problem';
import { Frontier } from './frontier';
import { pieceOf, type Piece } from './piece';

/** The model's own order. */
export function modelOrder(problem: OrderProblem): Int32Array {
  return Int32Array.from({ length: problem.operatorCount }, (_, operator) => operator);
}

/** Reverse post-order of a depth-first search from the inputs, first successor deepest. */
export function depthFirstOrder(problem: OrderProblem): Int32Array {
  const { operatorCount, successors, predecessors } = problem;
  const order = new Int32Array(operatorCount);
  const next = successors.start.slice(0, operatorCount);
  const entered = new Uint8Array(operatorCount);
  const stack: OperatorId[] = [];
  let free = operatorCount;
  for (let root = operatorCount - 1; root >= 0; root--) {
    if (predecessors.start[root] !== predecessors.start[root + 1]) continue;
    entered[root] = 1;
    stack.push(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (next[top] === successors.start[top + 1]) {
        order[--free] = top;
        stack.pop();
        continue;
      }
      const successor = successors.values[next[top]++];
      if (entered[successor] === 0) {
        entered[successor] = 1;
        stack.push(successor);
      }
    }
  }
  return order;
}

/** First ready, first run (Kahn's algorithm with a queue). */
export function breadthFirstOrder(problem: OrderProblem): Int32Array {
  const { operatorCount, successors, predecessors } = problem;
  const order = new Int32Array(operatorCount);
  const waiting = new Int32Array(operatorCount);
  let end = 0;
  for (let operator = 0; operator < operatorCount; operator++) {
    waiting[operator] = predecessors.start[operator + 1] - predecessors.start[operator];
    if (waiting[operator] === 0) order[end++] = operator;
  }
  for (let at = 0; at < end; at++) {
    for (let edge = successors.start[order[at]]; edge < successors.start[order[at] + 1]; edge++) {
      if (--waiting[successors.values[edge]] === 0) order[end++] = successors.values[edge];
    }
  }
  return order;
}

/** Any ready operator with equal chance. */
export function randomOrder(problem: OrderProblem, seed: number): Int32Array {
  const random = seededRandom(seed);
  const frontier = new Frontier(pieceOf(problem));
  while (frontier.readyCount > 0) frontier.run(frontier.ready[random.below(frontier.readyCount)]);
  return frontier.history;
}

/** Always the ready operator that raises live memory least; ties by the model's own order. */
export function greedyOrder(problem: OrderProblem): Int32Array {
  return greedy(pieceOf(problem), (frontier, operator) => frontier.change(operator));
}

function greedy(piece: Piece, cost: (frontier: Frontier, operator: OperatorId) => number): Int32Array {
  const frontier = new Frontier(piece);
  while (frontier.readyCount > 0) {
    let best = frontier.ready[0];
    let bestCost = cost(frontier, best);
    for (let at = 1; at < frontier.readyCount; at++) {
      const operator = frontier.ready[at];
      const operatorCost = cost(frontier, operator);
      if (operatorCost < bestCost || (operatorCost === bestCost && operator < best)) {
        best = operator;
        bestCost = operatorCost;
      }
    }
    frontier.run(best);
  }
  return frontier.history;
}

/** Peak of an order, by running it. */
export function peakOf(problem: OrderProblem, order: ArrayLike<OperatorId>): Bytes {
  return peakOnPiece(pieceOf(problem), order);
}

function peakOnPiece(piece: Piece, order: ArrayLike<OperatorId>): Bytes {
  const frontier = new Frontier(piece);
  let peak = 0;
  for (let step = 0; step < order.length; step++) {
    peak = Math.max(peak, frontier.need(order[step]));
    frontier.run(order[step]);
  }
  return peak;
}

export interface Baseline {
  /** The order's peak; the mean (rounded) where there are several orders. */
  readonly peakBytes: Bytes;
  readonly bestBytes?: Bytes;
  readonly worstBytes?: Bytes;
}

const RANDOM_ORDERS = 200;

/** Peaks of the orders that a person would get elsewhere, by the name of the method. */
export function baselines(problem: OrderProblem): Record<string, Baseline> {
  const of = (order: Int32Array): Baseline => ({ peakBytes: peakOf(problem, order) });
  return {
    random: randomBaseline(problem),
    model: of(modelOrder(problem)),
    depthFirst: of(depthFirstOrder(problem)),
    breadthFirst: of(breadthFirstOrder(problem)),
    greedy: of(greedyOrder(problem)),
  };
}

function randomBaseline(problem: OrderProblem): Baseline {
  const peaks = Array.from({ length: RANDOM_ORDERS }, (_, seed) => peakOf(problem, randomOrder(problem, seed + 1)));
  return {
    peakBytes: Math.round(peaks.reduce((sum, peak) => sum + peak, 0) / RANDOM_ORDERS),
    bestBytes: Math.min(...peaks),
    worstBytes: Math.max(...peaks),
  };
}
