import type { Bytes, OperatorId } from '../graph/units';
import type { OrderProblem } from '../memory/problem';
import { peakOf } from './baselines';
import { searchWithin, type Effort } from './budgetSearch';
import { cutBound } from './cutBound';
import type { Piece } from './piece';
import { executionOrder, largestStep, piecesOf } from './pieces';
import type { SearchRules } from './rules';
import { withTwinsInOrder } from './twins';

/** States that a single search may visit at first, and by how much that grows once no other budget is left. */
const FIRST_TRY_STATES = 1 << 14;
const TRY_GROWTH = 4;
/** Between a hard budget and a bound, no budget is tried that is nearer than this share. */
const NEAR = 0.01;

/** What is known of the least peak: some order reaches `peakBytes`, none is below `lowerBoundBytes`. */
export interface Bounds {
  steps: ArrayLike<OperatorId>;
  peakBytes: Bytes;
  lowerBoundBytes: Bytes;
}

/**
 * Closes in on the least peak from both sides: a search within a budget either finds an order or proves that
 * there is none. A budget whose search takes too long is left for later and others around it are tried, so
 * that both bounds keep moving. Ends when they meet, or when `effort` says so.
 */
export function closeIn(
  given: OrderProblem,
  start: { readonly steps: ArrayLike<OperatorId>; readonly peakBytes: Bytes },
  rules: SearchRules,
  effort: Effort,
  report: (bounds: Bounds) => void,
): Bounds {
  const problem = rules.twins ? withTwinsInOrder(given) : given;
  const bounds: Bounds = { ...start, lowerBoundBytes: Math.min(largestStep(problem), start.peakBytes) };
  let needsCutBound = rules.cutBound;
  const pieces = piecesOf(problem, rules.cut);
  let tryStates = FIRST_TRY_STATES;
  /** Once longer searches are due, the first goes for the proof: just below the best order. */
  let isPatient = false;
  let hard: Bytes[] = [];
  report(bounds);
  while (bounds.lowerBoundBytes < bounds.peakBytes) {
    hard = hard.filter((bytes) => bytes >= bounds.lowerBoundBytes && bytes < bounds.peakBytes);
    let bytes = isPatient && hard.length === 0 ? bounds.peakBytes - 1 : nextBudget(bounds, hard);
    if (bytes === undefined) {
      isPatient = true;
      tryStates *= TRY_GROWTH;
      hard = [];
      bytes = bounds.peakBytes - 1;
    }
    const outcome = searchPieces(problem, pieces, bytes, rules, effort, tryStates);
    if (outcome === 'stopped') break;
    if (outcome === 'hard') {
      hard.push(bytes);
      if (needsCutBound) raise(bounds, cutBound(problem));
      needsCutBound = false;
    } else if (typeof outcome === 'number') raise(bounds, outcome);
    else Object.assign(bounds, { steps: outcome, peakBytes: peakOf(problem, outcome) });
    report(bounds);
  }
  return bounds;
}

function raise(bounds: Bounds, bytes: Bytes): void {
  bounds.lowerBoundBytes = Math.min(Math.max(bounds.lowerBoundBytes, bytes), bounds.peakBytes);
}

/** A quarter of the way up, since proofs near the peak cost most; around hard budgets the wider of the gaps beside them. */
function nextBudget({ peakBytes, lowerBoundBytes }: Bounds, hard: readonly Bytes[]): Bytes | undefined {
  if (hard.length === 0) return lowerBoundBytes + Math.floor((peakBytes - lowerBoundBytes) / 4);
  const below = Math.min(...hard) - lowerBoundBytes;
  const above = peakBytes - Math.max(...hard);
  if (Math.max(below, above) <= Math.max(1, NEAR * peakBytes)) return undefined;
  return below >= above ? lowerBoundBytes + Math.floor(below / 2) : Math.max(...hard) + Math.floor(above / 2);
}

/** An order, or the least budget that could do (a number), or why there is no answer. */
function searchPieces(
  problem: OrderProblem,
  pieces: readonly Piece[],
  bytes: Bytes,
  rules: SearchRules,
  effort: Effort,
  tryStates: number,
): Int32Array | number | 'hard' | 'stopped' {
  const steps = new Int32Array(problem.operatorCount);
  let filled = 0;
  let hard = false;
  for (const piece of pieces) {
    const outcome = searchWithin(piece, bytes, rules, effort, tryStates);
    if (outcome.kind === 'stopped') return 'stopped';
    if (outcome.kind === 'impossible') return outcome.atLeast;
    if (outcome.kind === 'hard') {
      hard = true;
      continue;
    }
    steps.set(executionOrder(piece, outcome.order), filled);
    filled += outcome.order.length;
  }
  return hard ? 'hard' : steps;
}
