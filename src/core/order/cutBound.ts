import type { Bytes, OperatorId } from '../graph/units';
import type { OrderProblem } from '../memory/problem';
import { Frontier } from './frontier';
import { pieceOf, unreadInputBytes, type Piece } from './piece';
import { ValleyFinder } from './valley';

/** Work (operators between, summed over operators) that the bound may take; beyond it operators are left out. */
const MOST_WORK = 2_000_000;

/**
 * A lower bound on the peak of every order. When operator o runs, its predecessors have run and nothing after it
 * has; among the states of that kind the one with the least live memory is a minimum cut. The bound is the
 * largest, over all operators, of that least live memory with o's own needs added.
 */
export function cutBound(problem: OrderProblem): Bytes {
  const piece = pieceOf(problem);
  const search = { piece, frontier: new Frontier(piece), valleys: new ValleyFinder(piece) };
  const kept = new Uint8Array(problem.operatorCount);
  let bound = 0;
  let work = 0;
  for (let operator = 0; operator < problem.operatorCount && work < MOST_WORK; operator++) {
    const sides = sidesOf(piece, operator);
    search.frontier.restart();
    for (const before of sides.before) search.frontier.run(before);
    const start = search.frontier.count;
    for (const other of sides.between) search.frontier.run(other);
    work += problem.operatorCount;
    if (search.valleys.find(sides.between, search.frontier.touched, kept) >= 0) {
      while (search.frontier.count > start) search.frontier.undo();
      sides.between.forEach((other, at) => kept[at] === 1 && search.frontier.run(other));
    }
    bound = Math.max(bound, search.frontier.need(operator) - unsureBytes(problem, search.frontier, operator));
  }
  return bound;
}

/** In another state the operator might write in place although it cannot in this one, or not be the very first. */
function unsureBytes(problem: OrderProblem, frontier: Frontier, operator: OperatorId): Bytes {
  const { overwritable, bytes, consumers } = problem;
  const first = frontier.count === 0 ? unreadInputBytes(problem) : 0;
  let most = 0;
  for (let at = overwritable.start[operator]; at < overwritable.start[operator + 1]; at++) {
    const storage = overwritable.values[at];
    const members = consumers.start[storage + 1] - consumers.start[storage] + 1;
    if (frontier.touched[storage] + 1 === members) return first;
    most = Math.max(most, bytes[storage]);
  }
  return first + most;
}

/** Operators that must run before the given one, and those that may run before or after it. */
function sidesOf(piece: Piece, operator: OperatorId): { before: Int32Array; between: Int32Array } {
  const side = new Uint8Array(piece.operatorCount);
  for (const [rows, mark] of [
    [piece.predecessors, 1],
    [piece.successors, 2],
  ] as const) {
    const stack = [operator];
    while (stack.length > 0) {
      const next = stack.pop()!;
      for (let at = rows.start[next]; at < rows.start[next + 1]; at++) {
        if (side[rows.values[at]] === mark) continue;
        side[rows.values[at]] = mark;
        stack.push(rows.values[at]);
      }
    }
  }
  side[operator] = 2;
  const all = Int32Array.from(side.keys());
  return {
    before: all.filter((other) => side[other] === 1),
    between: all.filter((other) => side[other] === 0),
  };
}
