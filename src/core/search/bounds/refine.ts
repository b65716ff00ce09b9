/**
 * Box refinement: solve the pairwise problem over boxes, split the boxes that a best assignment may choose, drop
 * the boxes that no plan better than the incumbent can lie in (their min-marginal is too high), repeat. The
 * minimum rises towards the latency of the best plan and never exceeds it.
 */
import type { Nanoseconds } from '../../graph/units';
import { eliminate, Interrupted, type EliminationResult } from './elimination';
import { isPoint, unitsWithin, type BoxFacts } from './lengthBox';
import type { SynchronousProblem } from './synchronousProblem';

export interface RefineLimits {
  /** Rounds of splitting at most. */
  readonly rounds: number;
  /** Table entries computed at most: pairs of boxes valued and combinations eliminated. */
  readonly work: number;
  /** Combinations that one bucket of the elimination may range over. */
  readonly tableLimit: number;
  /** Stop once the bound is within this share of the incumbent. */
  readonly gap: number;
}

export interface Refined {
  /** No plan is faster, unless the incumbent's latency is less; minus infinity where it was stopped at once. */
  readonly bound: Nanoseconds;
  readonly rounds: number;
  /** Never a mini-bucket. */
  readonly isExact: boolean;
  readonly stopped: boolean;
}

/** Boxes whose min-marginal lies in this share of the gap above the bound are split too. */
const WINDOW = 0.02;
/** Rounds between two that drop boxes beyond the incumbent. */
const ROUNDS_PER_PRUNING = 5;
/** Boxes of one operator split per round at most. */
const SPLITS_PER_ROUND = 3;

/** @param incumbent latency of a known plan, prices of memory included; `Infinity` where there is none */
export function refine(
  problem: SynchronousProblem,
  incumbent: Nanoseconds,
  limits: RefineLimits,
  isStopped: () => boolean,
): Refined {
  const solve = (round: number): EliminationResult =>
    eliminate(
      problem.pairwise(),
      limits.tableLimit,
      problem.order,
      (value) => (round % ROUNDS_PER_PRUNING === 0 ? incumbent : windowAbove(value, incumbent)),
      isStopped,
    );
  const found = { bound: -Infinity, rounds: 0, isExact: true, stopped: false };
  let work = 0;
  try {
    for (;;) {
      const result = solve(found.rounds);
      work += result.cells;
      found.bound = Math.max(found.bound, Math.min(result.value, incumbent));
      found.isExact &&= result.isExact;
      if (found.rounds >= limits.rounds || problem.pairs + work >= limits.work) return found;
      if (incumbent - found.bound <= limits.gap * incumbent) return found;
      if (!splitRound(problem, result, incumbent, found.rounds % ROUNDS_PER_PRUNING === 0)) return found;
      found.rounds++;
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return { ...found, stopped: true };
  }
}

/** Boxes up to this min-marginal are split. */
function windowAbove(value: number, incumbent: number): number {
  return value + (incumbent === Infinity ? 0 : WINDOW * (incumbent - value)) + 1e-6 * value;
}

/** False where nothing is left to split. */
function splitRound(
  problem: SynchronousProblem,
  { marginals, value, choice }: EliminationResult,
  incumbent: number,
  isPruning: boolean,
): boolean {
  const window = windowAbove(value, incumbent);
  let any = false;
  const kept: (number[] | undefined)[] = [];
  const added: BoxFacts[][] = [];
  problem.boxes.forEach((boxes, v) => {
    const close = boxes
      .map((_, i) => i)
      .filter((i) => (marginals[v][i] <= window || i === choice[v]) && !isPoint(boxes[i].box))
      .sort((a, b) => marginals[v][a] - marginals[v][b])
      .slice(0, SPLITS_PER_ROUND);
    const split = new Set(close);
    const stays = boxes
      .map((_, i) => i)
      .filter((i) => !split.has(i) && (!isPruning || marginals[v][i] < incumbent || i === choice[v]));
    added.push(close.flatMap((i) => splitBox(problem, v, boxes[i], choice)));
    kept.push(stays.length === boxes.length ? undefined : stays);
    if (split.size > 0) any = true;
  });
  if (any) problem.update(kept, added);
  return any;
}

/** The cut that raises the cost of both parts most, beside the neighbours' chosen boxes. */
function splitBox(
  problem: SynchronousProblem,
  variable: number,
  facts: BoxFacts,
  choice: Int32Array,
): BoxFacts[] {
  let best: BoxFacts[] = [];
  let bestScore = -Infinity;
  for (const [device, at] of cuts(problem, variable, facts)) {
    const { box } = facts;
    const below = { ...box, hi: box.hi.map((n, d) => (d === device ? at : n)) };
    const above = { ...box, lo: box.lo.map((n, d) => (d === device ? at + 1 : n)) };
    const parts = [below, above].flatMap((part) => problem.compiled(variable, part) ?? []);
    const costs = parts.map((part) => problem.localCost(variable, part, choice));
    const score = parts.length < 2 ? Infinity : Math.min(...costs) + 0.01 * Math.max(...costs);
    if (score > bestScore) [best, bestScore] = [parts, score];
  }
  return best;
}

/** Candidate cuts `[device, last unit of the lower part]`: at zero, at the balanced length, at the middle. */
function cuts(problem: SynchronousProblem, variable: number, { box, cost }: BoxFacts): [number, number][] {
  const { computeNs } = problem.options[variable][box.option];
  const found: [number, number][] = [];
  for (let d = 0; d < box.lo.length; d++) {
    const lo = box.lo[d];
    const hi = box.hi[d];
    if (lo === hi) continue;
    const candidates = new Set([(lo + hi) >> 1]);
    if (lo === 0) candidates.add(0);
    const balanced = unitsWithin(computeNs[d], lo, hi, cost);
    if (balanced < hi) candidates.add(balanced);
    if (balanced > lo) candidates.add(balanced - 1);
    for (const at of candidates) found.push([d, at]);
  }
  return found;
}
