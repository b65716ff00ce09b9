import type { OrderProblem } from '../memory/problem';
import { pieceOf, unreadInputBytes, type Piece } from './piece';
import { ValleyFinder } from './valley';

/**
 * Cuts a problem at the state with the least live memory of all. Some order of least peak passes through it:
 * with P the states of such an order and M that state, live(P and M) <= live(P) + live(M) - live(P or M)
 * <= live(P), and the same for "or", so the states `P and M` and then `P or M` need no more. The part before M
 * is searched forwards and the part after it backwards, so that both run downhill towards M.
 */
export function piecesOf(problem: OrderProblem, cut: boolean): Piece[] {
  const whole = pieceOf(problem);
  if (!cut || problem.operatorCount === 0 || unreadInputBytes(problem) > 0) return [whole];
  const kept = new Uint8Array(problem.operatorCount);
  const touched = whole.touchedAtStart.slice();
  for (const storage of whole.touches.values) touched[storage]++;
  const count = new ValleyFinder(whole).find(Int32Array.from(whole.operators), touched, kept);
  if (count < 0 || !isSafeInPlace(problem, kept)) return [whole];
  if (count === 0) return [pieceOf(problem, { backward: true })];
  const after = kept.map((before) => 1 - before);
  return [pieceOf(problem, { inside: kept }), pieceOf(problem, { inside: after, backward: true })];
}

/** Writing in place before the cut must not wait for a reader after it. */
function isSafeInPlace(problem: OrderProblem, before: Uint8Array): boolean {
  const { overwritable, consumers } = problem;
  for (let operator = 0; operator < problem.operatorCount; operator++) {
    if (before[operator] === 0) continue;
    for (let at = overwritable.start[operator]; at < overwritable.start[operator + 1]; at++) {
      const storage = overwritable.values[at];
      for (let reader = consumers.start[storage]; reader < consumers.start[storage + 1]; reader++) {
        if (before[consumers.values[reader]] === 0) return false;
      }
    }
  }
  return true;
}

/** The piece's order as the problem's operators in execution order. */
export function executionOrder(piece: Piece, order: Int32Array): Int32Array {
  const steps = order.map((operator) => piece.operators[operator]);
  return piece.backward ? steps.reverse() : steps;
}

/** No order needs less: each operator's own storages, together with those that are live whatever the order. */
export function largestStep(problem: OrderProblem): number {
  const whole = pieceOf(problem);
  let largest = 0;
  for (let operator = 0; operator < problem.operatorCount; operator++) {
    let bytes = problem.stepBytes[operator];
    for (let at = whole.touches.start[operator]; at < whole.touches.start[operator + 1]; at++) {
      bytes += problem.bytes[whole.touches.values[at]];
    }
    const over = problem.overwritable.start[operator];
    if (over < problem.overwritable.start[operator + 1])
      bytes -= problem.bytes[problem.overwritable.values[over]];
    largest = Math.max(largest, bytes);
  }
  return largest;
}
