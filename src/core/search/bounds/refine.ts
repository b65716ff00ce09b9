/**
 * Box refinement: solve the pairwise problem over boxes, split the boxes that a best assignment may choose, drop
 * the boxes that no plan better than the incumbent can lie in (their min-marginal is too high), repeat. The
 * minimum rises towards the latency of the best plan and never exceeds it.
 *
 * It rises by *levels*: costs a little above the bound. Boxes and combinations that are known to cost more than the
 * level are left out of the elimination until the minimum of the others has reached the level and the next is set;
 * the bound is then at least the level.
 */
import { NONE, type Nanoseconds } from '../../graph/units';
import { eliminate, Interrupted, type EliminationResult, type Reach } from './elimination';
import { unitsWithin } from './leastSlowest';
import { isPoint, openOverlaps, type LengthBox } from './lengthBox';
import { orderCharges } from './orderCharges';
import type { CompiledBox, SynchronousProblem } from './synchronousProblem';

export interface RefineLimits {
  /** Eliminations at most. */
  readonly rounds: number;
  /** Combinations eliminated at most; a pair of boxes valued counts as many (`PAIR_WORK`). */
  readonly work: number;
  /** Combinations that one bucket of the elimination may range over. */
  readonly tableLimit: number;
  /** Stop once the bound is within this share of the incumbent. */
  readonly gap: number;
  /** Times that other orders of the devices are charged, where that is given. */
  readonly charges?: number;
  /** For prices of memory: it does all of the work, however little that brings, and splits one box of each operator at a time. */
  readonly isPatient?: boolean;
}

export interface Refined {
  /** No plan is faster, unless the incumbent's latency is less; minus infinity where it was stopped at once. */
  readonly bound: Nanoseconds;
  readonly rounds: number;
  /** Times that other orders of the devices were charged (`orderCharges.ts`). */
  readonly charges: number;
  /** Never a mini-bucket. */
  readonly isExact: boolean;
  readonly stopped: boolean;
}

/** Measured: valuing a pair of boxes takes as long as eliminating so many combinations. */
export const PAIR_WORK = 100;
/** How far above the bound a level lies, as a share of what the bound is below the incumbent. */
const LEVEL = 0.05;
/** The same as a share of the bound, where there is no incumbent, and at the least. */
const LEVEL_WITHOUT = 0.02;
const LEAST_LEVEL = 1e-4;
/** It comes nearer where more rounds than that went by before it was reached, and goes farther where fewer did. */
const MANY_ROUNDS = 14;
const FEW_ROUNDS = 7;
const NEARER = 0.6;
const FARTHER = 1.5;
const NEAREST = 0.02;
/** Now and then boxes are eliminated up to so far on the way to the incumbent, so that most are left out the next times it rises. */
const HORIZON = 0.3;
/** Boxes whose min-marginal lies in this share of the way to the level are split. */
const WINDOW = 0.3;
/** Boxes split beside the chosen one; prices that are found in a few rounds on wide boxes are better without. */
const MORE_SPLIT = 1;

/** Other orders of the devices are charged after so many rounds, after twice as many, and so on. */
const CHARGED_AFTER = 100;
/** Later in its work it would not make up for the boxes that are paid for nothing at first. */
const CHARGED_WITHIN = 0.25;

/** They are taken back where so many rounds later the minimum is not what it was: many boxes are paid for nothing. */
const PROBATION = 10;
/** Or where between these two rounds what is missing has not become so much less. */
const RECOVERY = { from: 2, to: 4, share: 0.75 };

/** It ends where this share of the work has raised the bound by no more than that share of it. */
const STALLED_SHARE = 0.2;
const STALLED_GAIN = 0.001;
/** As near to the known plan it ends sooner: where that share of the work has raised the bound so little. */
const NEAR = 0.01;
const STALLED_NEAR = 0.05;

/** What is known of the boxes of one operator, by position. */
interface BoxNotes {
  /** No assignment with the box costs less. */
  readonly floors: readonly number[];
  /** Where the box, or the one that it is a part of, stood in the last elimination; `NONE` if it was left out. */
  readonly origins: readonly number[];
}

/** @param incumbent latency of a known plan, prices of memory included; `Infinity` where there is none */
export function refine(
  problem: SynchronousProblem,
  incumbent: Nanoseconds,
  limits: RefineLimits,
  isStopped: () => boolean,
): Refined {
  return new Refinement(problem, incumbent, limits, isStopped).upTo(limits.work);
}

/** A refinement that can be halted, and goes on as if it had not been. */
export class Refinement {
  private readonly found = { bound: -Infinity, rounds: 0, charges: 0, isExact: true, stopped: false };
  private readonly levels: Levels;
  private readonly rounds: Iterator<number>;
  /** Of the work; infinite where it has ended. */
  private used = -Infinity;

  constructor(
    private readonly problem: SynchronousProblem,
    incumbent: Nanoseconds,
    private readonly limits: RefineLimits,
    private readonly isStopped: () => boolean,
  ) {
    this.levels = new Levels(incumbent);
    this.rounds = this.refining();
  }

  get isOver(): boolean {
    return this.used === Infinity;
  }

  /** A faster plan is known. */
  lower(incumbent: Nanoseconds): void {
    this.levels.lower(incumbent);
  }

  /** @param work from the start, of which the limits name the most; the same of the rounds */
  upTo(work: number, rounds = Infinity): Refined {
    try {
      while (this.used < work && this.found.rounds < rounds) {
        const { done, value: used } = this.rounds.next();
        this.used = done === true ? Infinity : used;
      }
      return { ...this.found };
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      return { ...this.found, stopped: true };
    }
  }

  /** Yields the work used so far, elimination by elimination. */
  private *refining(): Generator<number, void> {
    const { problem, levels, limits, isStopped, found } = this;
    let notes = problem.boxes.map(unknown);
    // Absent where the level has just risen.
    let known: Reach | undefined;
    let cellsOfRise = 0;
    let work = -PAIR_WORK * problem.pairs;
    let mark = { used: 0, bound: -Infinity };
    const charging = new Charging(problem, limits, found);
    for (;;) {
      const reach = levels.reach();
      const active = notes.map(({ floors }) => [...floors.keys()].filter((i) => floors[i] < reach));
      if (active.some((positions) => positions.length === 0)) {
        // Every assignment contains a box that costs no less than that.
        found.bound = Math.max(found.bound, reach);
        if (reach >= levels.incumbent) return;
        levels.rise(reach);
        known = undefined;
        continue;
      }
      const origins = active.map((positions, v) => Int32Array.from(positions, (i) => notes[v].origins[i]));
      const isRisen = known === undefined;
      // Of the pairs that come into question again hardly any cost as little, which another elimination shows.
      const isLazy = isRisen && PAIR_WORK * problem.leftPairs(active) > cellsOfRise;
      const continued = { level: reach, known, origins, arePairsAsked: isLazy };
      const result = eliminate(
        problem.pairwise(active, isLazy ? 'all' : isRisen ? 'none' : 'out of reach'),
        limits.tableLimit,
        problem.order,
        continued,
        isStopped,
      );
      found.rounds++;
      work += result.cells;
      known = result.reach;
      if (isRisen) cellsOfRise = result.cells;
      found.isExact &&= result.isExact;
      found.bound = Math.max(found.bound, Math.min(result.value, reach));
      if (found.rounds >= limits.rounds) return;
      const used = PAIR_WORK * problem.pairs + work;
      yield used;
      const { incumbent } = levels;
      if (incumbent < Infinity && incumbent - found.bound <= limits.gap * incumbent) return;
      const share = incumbent - found.bound <= NEAR * incumbent ? STALLED_NEAR : STALLED_SHARE;
      if (limits.isPatient !== true && used >= mark.used + share * limits.work) {
        if (found.bound <= mark.bound + STALLED_GAIN * Math.abs(mark.bound)) return;
        mark = { used, bound: found.bound };
      }
      const isRaised =
        isLazy && problem.workOutReached(active, result.pairs, Math.min(levels.level, reach), result.choice);
      const choice = result.choice.map((at, v) => active[v][at]);
      if (charging.isChanged(choice, used, result.value)) {
        notes = problem.boxes.map(unknown);
        known = undefined;
        levels.restart(found.bound);
        continue;
      }
      const isReached = result.value >= levels.level;
      if (isReached || levels.level === Infinity) {
        levels.rise(found.bound);
        known = undefined;
      }
      notes = noted(notes, active, result, reach);
      if (isReached || isRaised) continue;
      const window = result.value + WINDOW * (levels.level - result.value) + 1e-6 * Math.abs(result.value);
      const more = limits.isPatient === true ? 0 : MORE_SPLIT;
      const next = splitRound(problem, notes, choice, window, more, incumbent);
      if (next === undefined) return;
      notes = next;
    }
  }
}

/** The level, and up to where costs are made known. */
class Levels {
  level = Infinity;
  private horizon = -Infinity;
  private stride = 1;
  private rounds = 0;

  constructor(public incumbent: Nanoseconds) {}

  lower(incumbent: Nanoseconds): void {
    this.incumbent = incumbent;
    if (this.level < Infinity) this.level = Math.min(this.level, incumbent);
  }

  /** Of the next elimination. */
  reach(): Nanoseconds {
    const { level, incumbent, horizon } = this;
    this.rounds++;
    if (level <= horizon || incumbent === Infinity) return level;
    if (level === Infinity) return incumbent;
    this.horizon = level + HORIZON * (incumbent - level);
    return this.horizon;
  }

  rise(bound: Nanoseconds): void {
    if (this.level < Infinity) {
      const by = this.rounds > MANY_ROUNDS ? NEARER : this.rounds < FEW_ROUNDS ? FARTHER : 1;
      this.stride = Math.min(1, Math.max(NEAREST, by * this.stride));
    }
    this.rounds = 0;
    this.level = this.above(bound);
  }

  /** Where costs may have become less. */
  restart(bound: Nanoseconds): void {
    this.horizon = -Infinity;
    this.level = this.above(bound);
  }

  private above(bound: Nanoseconds): Nanoseconds {
    const { incumbent, stride } = this;
    const least = bound + Math.max(1, LEAST_LEVEL * Math.abs(bound));
    return incumbent === Infinity
      ? bound + Math.max(1, stride * LEVEL_WITHOUT * Math.abs(bound))
      : Math.min(incumbent, Math.max(least, bound + stride * LEVEL * (incumbent - bound)));
  }
}

interface Probation {
  readonly before: Float64Array;
  /** Round. */
  readonly begin: number;
  /** By how much the minimum was below the bound after a few rounds. */
  missing: Nanoseconds;
}

/** When other orders of the devices are charged, and whether it stays like that. */
class Charging {
  private probation: Probation | undefined;
  private isOver = false;

  constructor(
    private readonly problem: SynchronousProblem,
    private readonly limits: RefineLimits,
    private readonly found: { bound: Nanoseconds; rounds: number; charges: number },
  ) {}

  /** After a round. @returns whether costs are others now, so that nothing is known of them any more */
  isChanged(choice: ArrayLike<number>, used: number, value: Nanoseconds): boolean {
    const { problem, limits, found, probation } = this;
    if (probation !== undefined && value < found.bound && this.isFailed(probation, found.bound - value)) {
      this.isOver = true;
      return problem.chargeOrders(probation.before);
    }
    const isDue = found.rounds === CHARGED_AFTER * 2 ** found.charges;
    const isWorth =
      limits.charges === undefined ? used < CHARGED_WITHIN * limits.work : found.charges < limits.charges;
    if (this.isOver || !isDue || !isWorth) return false;
    found.charges++;
    this.probation = { before: problem.charges, begin: found.rounds, missing: Infinity };
    return problem.chargeOrders(orderCharges(problem.phasesByOrder(choice), problem.operators.length));
  }

  /** @param missing how far the minimum is below the bound */
  private isFailed(probation: Probation, missing: Nanoseconds): boolean {
    const rounds = this.found.rounds - probation.begin;
    if (rounds === RECOVERY.from) probation.missing = missing;
    return rounds === PROBATION || (rounds === RECOVERY.to && missing > RECOVERY.share * probation.missing);
  }
}

function unknown({ length }: { length: number }): BoxNotes {
  return { floors: new Array<number>(length).fill(-Infinity), origins: new Array<number>(length).fill(NONE) };
}

function noted(
  notes: readonly BoxNotes[],
  active: readonly (readonly number[])[],
  { marginals }: EliminationResult,
  reach: Nanoseconds,
): BoxNotes[] {
  return notes.map((note, v) => {
    const floors = [...note.floors];
    const origins = note.origins.map(() => NONE);
    active[v].forEach((i, at) => {
      // Assignments with boxes or combinations that were left out cost no less than that.
      floors[i] = Math.max(floors[i], Math.min(reach, marginals[v][at]));
      origins[i] = at;
    });
    return { floors, origins };
  });
}

/**
 * Splits boxes of each operator, the chosen one and `more` within the window; `undefined` where nothing is left to split.
 * Boxes that hold no plan better than the incumbent go.
 */
function splitRound(
  problem: SynchronousProblem,
  notes: readonly BoxNotes[],
  choice: ArrayLike<number>,
  window: number,
  more: number,
  incumbent: number,
): BoxNotes[] | undefined {
  const splits = problem.boxes.map((boxes, v) => {
    const { floors } = notes[v];
    return boxesToSplit(boxes, floors, choice[v], window, more).map((i) => ({
      i,
      parts: splitBox(problem, v, boxes[i], choice),
    }));
  });
  if (splits.every((own) => own.length === 0)) return undefined;
  const kept: (number[] | undefined)[] = [];
  const added: CompiledBox[][] = [];
  const next = notes.map(({ floors, origins }, v): BoxNotes => {
    const split = new Set(splits[v].map(({ i }) => i));
    const stays = [...floors.keys()].filter(
      (i) => !split.has(i) && (floors[i] < incumbent || i === choice[v]),
    );
    kept.push(stays.length === floors.length ? undefined : stays);
    added.push(splits[v].flatMap(({ parts }) => parts));
    const inherited = (row: readonly number[]): number[] => [
      ...stays.map((i) => row[i]),
      ...splits[v].flatMap(({ i, parts }) => parts.map(() => row[i])),
    ];
    return { floors: inherited(floors), origins: inherited(origins) };
  });
  problem.update(
    kept,
    added,
    splits.map((own) => own.flatMap(({ i, parts }) => parts.map(() => i))),
  );
  return next;
}

/** The chosen box and `more` others, or one other where it is a point: those of the best assignments within the window. */
function boxesToSplit(
  boxes: readonly CompiledBox[],
  floors: readonly number[],
  chosen: number,
  window: number,
  more: number,
): number[] {
  const isOpen = !isPoint(boxes[chosen].box) || openOverlaps(boxes[chosen]) !== 0;
  const others = [...floors.keys()]
    .filter((i) => i !== chosen && floors[i] <= window && !isPoint(boxes[i].box))
    .sort((i, j) => floors[i] - floors[j] || i - j)
    .slice(0, isOpen ? more : 1);
  return isOpen ? [chosen, ...others] : others;
}

/** The cut that raises the cost of both parts most, beside the neighbours' chosen boxes. */
function splitBox(
  problem: SynchronousProblem,
  variable: number,
  facts: CompiledBox,
  choice: ArrayLike<number>,
): CompiledBox[] {
  let best: CompiledBox[] = [];
  let bestScore = -Infinity;
  const open = openOverlaps(facts);
  if (open !== 0) {
    const first = open & -open;
    return [first, open - first].flatMap(
      (overlaps) => problem.compiled(variable, { ...facts.box, overlaps }) ?? [],
    );
  }
  for (const halves of cuts(problem, variable, facts)) {
    const parts = halves.flatMap((half) => problem.compiled(variable, half) ?? []);
    const costs = parts.map((part) => problem.localCost(variable, part, choice));
    const score = parts.length < 2 ? Infinity : Math.min(...costs) + 0.01 * Math.max(...costs);
    if (score > bestScore) [best, bestScore] = [parts, score];
  }
  return best;
}

/** Boxes whose step may last longer than this many times the least are cut by time first, this far above it. */
const TIME_APART = 1.25;
const TIME_STEP = 1.1;
/** Closer than this they are not cut by time. */
const TIME_CLOSE = 1.02;

/** Candidate halves: cut at length zero, at the balanced length, at the middle; without excess and with; by time. */
function cuts(
  problem: SynchronousProblem,
  variable: number,
  { box, cost, price }: CompiledBox,
): LengthBox[][] {
  const { computeNs } = problem.options[variable][box.option];
  const found: LengthBox[][] = [];
  if (box.excessLo < box.excessHi) {
    for (const at of new Set([box.excessLo, (box.excessLo + box.excessHi) >> 1])) {
      found.push([
        { ...box, excessHi: at },
        { ...box, excessLo: at + 1 },
      ]);
    }
  }
  const least = problem.slowest(variable, box);
  const atTime = (at: number): LengthBox[] => [
    { ...box, timeHi: Math.floor(at) },
    { ...box, timeLo: Math.floor(at) + 1 },
  ];
  if (TIME_APART * least < box.timeHi) return [atTime(TIME_STEP * least)];
  if (TIME_CLOSE * least < box.timeHi) found.push(atTime((least + box.timeHi) / 2));
  for (let d = 0; d < box.lo.length; d++) {
    const lo = box.lo[d];
    const hi = box.hi[d];
    if (lo === hi) continue;
    const candidates = new Set([(lo + hi) >> 1]);
    if (lo === 0) candidates.add(0);
    const balanced = unitsWithin(computeNs[d], lo, hi, cost - price);
    if (balanced < hi) candidates.add(balanced);
    for (const at of candidates) {
      found.push([
        { ...box, hi: box.hi.with(d, at) },
        { ...box, lo: box.lo.with(d, at + 1) },
      ]);
    }
  }
  return found;
}
