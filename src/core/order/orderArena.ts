import { seededRandom, type Random } from '../graph/random';
import type { Bytes, OperatorId } from '../graph/units';
import { packArena, type Arena } from '../memory/arena';
import { liveBytes } from '../memory/lifetimes';
import type { PackEffort } from '../memory/packWithin';
import type { OrderProblem } from '../memory/problem';

/** Orders of equal peak to try before a larger arena is accepted, and moves that make each from the one before. */
const ORDERS = 12;
const MOVES_PER_ORDER = 12;
/** Above this many operators another order is not tried. */
const MOST_OPERATORS = 3_000;
/** Nodes of exact packing for one order. */
const NODES_PER_ORDER = 30_000;

export interface PlacedOrder {
  readonly steps: readonly OperatorId[];
  readonly arena: Arena;
}

/**
 * Order and offsets together: where the given order does not pack into its peak, moves of single operators that
 * keep the peak give others, until one does. Deterministic.
 */
export function placeOrder(
  problem: OrderProblem,
  steps: readonly OperatorId[],
  peakBytes: Bytes,
  interrupted: () => boolean,
): PlacedOrder {
  const effort = (): PackEffort => ({ nodes: 0, nodeLimit: NODES_PER_ORDER, interrupted });
  let best: PlacedOrder = { steps, arena: packArena(problem, steps, effort()) };
  const random = seededRandom(1);
  let current = steps;
  for (let round = 0; round < ORDERS && problem.operatorCount <= MOST_OPERATORS; round++) {
    if (best.arena.status === 'optimal' || interrupted()) break;
    current = neighbour(problem, current, peakBytes, random);
    const arena = packArena(problem, current, effort());
    if (arena.bytes < best.arena.bytes) best = { steps: current, arena };
  }
  return best;
}

/** The order after some moves of single operators, each of which keeps the peak. */
function neighbour(
  problem: OrderProblem,
  steps: readonly OperatorId[],
  peakBytes: Bytes,
  random: Random,
): readonly OperatorId[] {
  let order = steps;
  for (let move = 0; move < MOVES_PER_ORDER; move++) {
    const moved = moveOne(problem, order, random);
    if (liveBytes(problem, moved).peakBytes <= peakBytes) order = moved;
  }
  return order;
}

/** One operator taken to another place between its last predecessor and its first successor. */
function moveOne(problem: OrderProblem, steps: readonly OperatorId[], random: Random): OperatorId[] {
  const { predecessors, successors } = problem;
  const at = random.below(steps.length);
  const operator = steps[at];
  const before = new Set(
    predecessors.values.subarray(predecessors.start[operator], predecessors.start[operator + 1]),
  );
  const after = new Set(
    successors.values.subarray(successors.start[operator], successors.start[operator + 1]),
  );
  let first = at;
  while (first > 0 && !before.has(steps[first - 1])) first--;
  let last = at;
  while (last + 1 < steps.length && !after.has(steps[last + 1])) last++;
  const moved = steps.filter((_, position) => position !== at);
  moved.splice(first + random.below(last - first + 1), 0, operator);
  return moved;
}
