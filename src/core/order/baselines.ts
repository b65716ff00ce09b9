import { seededRandom } from '../graph/random';
import type { Bytes, OperatorId } from '../graph/units';
import type { OrderProblem } from '../memory/problem';
import { Frontier } from './frontier';
import { pieceOf } from './piece';

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

/** Always the ready operator that raises live memory least; ties by the model's own order. */
export function greedyOrder(problem: OrderProblem): Int32Array {
  return listOrder(problem, (frontier, operator) => frontier.change(operator), 'model');
}

/**
 * The list heuristic of XLA's memory scheduler (OpenXLA, `ListMemoryScheduler`): most bytes freed less bytes
 * made, then most users; of equals the one that became ready last.
 */
export function xlaListOrder(problem: OrderProblem): Int32Array {
  const users = (operator: OperatorId): number =>
    problem.successors.start[operator + 1] - problem.successors.start[operator];
  // A growth in whole bytes, and as a fraction below one byte the users.
  return listOrder(
    problem,
    (frontier, operator) => frontier.change(operator) - users(operator) / (problem.operatorCount + 1),
    'latest',
  );
}

/** List scheduling: the ready operator of least cost; ties by the model's order or to the latest to become ready. */
function listOrder(
  problem: OrderProblem,
  cost: (frontier: Frontier, operator: OperatorId) => number,
  ties: 'model' | 'latest',
): Int32Array {
  const piece = pieceOf(problem);
  const frontier = new Frontier(piece);
  const readySince = new Int32Array(problem.operatorCount);
  let readySeen = 0;
  const isBefore = (a: OperatorId, b: OperatorId): boolean =>
    ties === 'latest' && readySince[a] !== readySince[b] ? readySince[a] > readySince[b] : a < b;
  while (frontier.readyCount > 0) {
    for (let at = 0; at < frontier.readyCount; at++) {
      if (readySince[frontier.ready[at]] === 0) readySince[frontier.ready[at]] = ++readySeen;
    }
    let best = frontier.ready[0];
    let bestCost = cost(frontier, best);
    for (let at = 1; at < frontier.readyCount; at++) {
      const operator = frontier.ready[at];
      const operatorCost = cost(frontier, operator);
      if (operatorCost < bestCost || (operatorCost === bestCost && isBefore(operator, best))) {
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
  const frontier = new Frontier(pieceOf(problem));
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

export const RANDOM_ORDERS = 200;

/** Orders that a person would get elsewhere, one each, by the name of the method. */
export const SINGLE_ORDERS = {
  model: modelOrder,
  depthFirst: depthFirstOrder,
  breadthFirst: breadthFirstOrder,
  xlaList: xlaListOrder,
  greedy: greedyOrder,
} as const satisfies Record<string, (problem: OrderProblem) => Int32Array>;

/** Any ready operator with equal chance, over and over. */
export function randomBaseline(problem: OrderProblem): Required<Baseline> {
  const random = seededRandom(1);
  const frontier = new Frontier(pieceOf(problem));
  let [sum, bestBytes, worstBytes] = [0, Infinity, 0];
  for (let round = 0; round < RANDOM_ORDERS; round++) {
    frontier.restart();
    let peak = 0;
    while (frontier.readyCount > 0) {
      const operator = frontier.ready[random.below(frontier.readyCount)];
      peak = Math.max(peak, frontier.need(operator));
      frontier.run(operator);
    }
    sum += peak;
    bestBytes = Math.min(bestBytes, peak);
    worstBytes = Math.max(worstBytes, peak);
  }
  return { peakBytes: Math.round(sum / RANDOM_ORDERS), bestBytes, worstBytes };
}
