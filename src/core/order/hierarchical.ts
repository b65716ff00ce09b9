import type { OperatorId } from '../graph/units';
import { row } from '../memory/rows';
import type { OrderProblem } from '../memory/problem';
import { searchWithin, type Effort } from './budgetSearch';
import { pieceOf, type Piece } from './piece';
import { ALL_RULES } from './rules';

/** States that ordering one group may take before its operators stay in the model's order. */
const STATES_PER_GROUP = 2_000;

/**
 * A hierarchical scheduler in the manner of HMCOS (Wang et al., DAC 2022): the graph falls into groups that end
 * where branches join again, the groups run one after another, and each is ordered by itself for the least
 * peak. Our own reconstruction of the idea, as an opponent.
 */
export function hierarchicalOrder(problem: OrderProblem): Int32Array {
  const order: OperatorId[] = [];
  const before = new Uint8Array(problem.operatorCount);
  for (const join of joins(problem)) {
    const inside = missingFor(problem, join, before);
    for (const operator of orderWithin(pieceOf(problem, { inside, before }))) order.push(operator);
    inside.forEach((isInside, operator) => (before[operator] |= isInside));
  }
  return Int32Array.from(order);
}

/** Operators that all paths from some branching operator meet first (its immediate post-dominator), and the ends. */
function joins(problem: OrderProblem): OperatorId[] {
  const { operatorCount, successors } = problem;
  const meets = new Int32Array(operatorCount).fill(operatorCount);
  const found = new Set<OperatorId>();
  for (let operator = operatorCount - 1; operator >= 0; operator--) {
    const next = row(successors, operator);
    let meet = next.length === 0 ? operatorCount : next[0];
    for (const other of next) meet = commonMeet(meets, meet, other, operatorCount);
    meets[operator] = meet;
    if (next.length === 0) found.add(operator);
    else if (next.length > 1 && meet < operatorCount) found.add(meet);
  }
  return [...found].sort((a, b) => a - b);
}

function commonMeet(meets: Int32Array, a: number, b: number, end: number): number {
  while (a !== b && a < end && b < end) {
    if (a < b) a = meets[a];
    else b = meets[b];
  }
  return a === b ? a : end;
}

/** What has not run of an operator and all it needs. */
function missingFor(problem: OrderProblem, operator: OperatorId, before: Uint8Array): Uint8Array {
  const missing = new Uint8Array(problem.operatorCount);
  const stack = [operator];
  while (stack.length > 0) {
    const next = stack.pop()!;
    if (missing[next] === 1 || before[next] === 1) continue;
    missing[next] = 1;
    stack.push(...row(problem.predecessors, next));
  }
  return missing;
}

function orderWithin(piece: Piece): Int32Array {
  const effort: Effort = {
    states: 0,
    stateLimit: STATES_PER_GROUP,
    tableBytes: 1e8,
    outOfTable: false,
    interrupted: () => false,
  };
  for (let bytes = 0; ;) {
    const outcome = searchWithin(piece, bytes, ALL_RULES, effort);
    if (outcome.kind === 'found') return outcome.order.map((operator) => piece.operators[operator]);
    if (outcome.kind !== 'impossible') return piece.operators;
    bytes = outcome.atLeast;
  }
}
