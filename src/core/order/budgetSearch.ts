import { Frontier } from './frontier';
import { ReleaseMoves, singleMoves, type Moves } from './moves';
import type { Piece } from './piece';
import { row } from '../memory/rows';
import { StateTable } from './stateTable';
import type { SearchRules } from './rules';
import { ValleyFinder } from './valley';

/** What the searches of one `findOrder` have spent and may still spend. */
export interface Effort {
  states: number;
  readonly stateLimit: number;
  readonly tableBytes: number;
  /** Looks at clock and cancel; true once the search must end. */
  interrupted(): boolean;
  outOfTable: boolean;
}

export type SearchOutcome =
  /** An order (in the piece's own direction) that needs at most the effort. */
  | { readonly kind: 'found'; readonly order: Int32Array }
  /** No order fits; the least bytes that any order needs are at least `atLeast`. */
  | { readonly kind: 'impossible'; readonly atLeast: number }
  /** The states allowed to this search alone are used up. */
  | { readonly kind: 'hard' }
  | { readonly kind: 'stopped' };

/** Moves between two looks at the clock. */
const MOVES_PER_LOOK = 64;

/** Share of the table's memory that states waiting for their fate may take. */
const JOINED_SHARE = 0.1;

/** A state on the current path from which moves (runs of operators) are tried one after another. */
interface Frame {
  /** Operators that have run at this state. */
  readonly floor: number;
  readonly live: number;
  /** The moves still to be tried are `choices[from .. to)`: each a count and as many operators. */
  from: number;
  readonly to: number;
  /** Earlier states whose fate is this one's: they start here in `joined`, and this state is the last. */
  readonly joinedFrom: number;
}

/**
 * Is there an order of the piece whose every step needs at most `bytes`? Backtracking over the states of the
 * graph (sets of operators that have run), after MemoriaNova's BTSearch, ACM TACO 22(1), doi 10.1145/3701997;
 * the pruning is our reconstruction. One object serves one search.
 */
export class BudgetSearch {
  private readonly frontier: Frontier;
  private readonly dead: StateTable;
  private readonly valleys: ValleyFinder;
  private readonly frames: Frame[] = [];
  private choices = new Int32Array(256);
  private readonly releases: ReleaseMoves;
  private readonly moves: Moves = { count: 0, start: [0], operators: [], atLeast: Infinity };
  /** States of `words` words each, one after another; see `Frame.joinedFrom`. */
  private joined = new Int32Array(1024);
  private joinedCount = 0;
  private atLeast = Infinity;
  private readonly lastState: number;
  private tried = 0;
  /** Writing in place makes it matter who reads last: no `hills` then. */
  private readonly canGoOn: boolean;

  constructor(
    private readonly piece: Piece,
    private readonly bytes: number,
    private readonly rules: SearchRules,
    private readonly effort: Effort,
    stateLimit: number,
  ) {
    this.lastState = effort.states + stateLimit;
    this.frontier = new Frontier(piece);
    this.dead = new StateTable(this.frontier.executed.length, effort.tableBytes);
    this.valleys = new ValleyFinder(piece);
    this.canGoOn = rules.hills && piece.overwritable.values.length === 0;
    this.releases = new ReleaseMoves(piece, this.frontier);
  }

  run(): SearchOutcome {
    const { frontier, frames, effort } = this;
    this.enter();
    while (frames.length > 0) {
      if (frontier.count === this.piece.operatorCount)
        return { kind: 'found', order: frontier.history.slice() };
      const frame = frames[frames.length - 1];
      while (frontier.count > frame.floor) frontier.undo();
      if (frame.from === frame.to) {
        if (!this.leave()) return { kind: 'stopped' };
        continue;
      }
      if (effort.states >= effort.stateLimit) return { kind: 'stopped' };
      if (effort.states >= this.lastState) return { kind: 'hard' };
      if (this.tried++ % MOVES_PER_LOOK === 0 && effort.interrupted()) return { kind: 'stopped' };
      if (this.tryMove(frame)) this.enter();
    }
    return { kind: 'impossible', atLeast: this.atLeast };
  }

  /** Runs what can run at once, merges with states that this one settles, and opens a frame of choices. */
  private enter(): void {
    const { frontier, rules, piece } = this;
    if (rules.eager) this.runEagerly();
    const joinedFrom = rules.valleys ? this.settle() : this.joinedCount;
    if (frontier.count === piece.operatorCount && this.frames.length > 0) return;
    const known = rules.hash && this.dead.has(frontier.executed);
    if (!known) this.effort.states++;
    const from = this.frames.length === 0 ? 0 : this.frames[this.frames.length - 1].to;
    const to = known ? from : this.collectChoices(from);
    if (known && joinedFrom === this.joinedCount) return;
    if (rules.hash) this.join();
    this.frames.push({ floor: frontier.count, live: frontier.live, from, to, joinedFrom });
  }

  /** Drops the latest frame: no order fits from its state, nor from those joined to it. False: no memory left. */
  private leave(): boolean {
    const frame = this.frames.pop()!;
    if (!this.rules.hash) return true;
    const words = this.frontier.executed.length;
    for (let at = frame.joinedFrom; at < this.joinedCount; at++) {
      if (!this.dead.add(this.joined.subarray(at * words, (at + 1) * words))) {
        this.effort.outOfTable = true;
        return false;
      }
    }
    this.joinedCount = frame.joinedFrom;
    return true;
  }

  /** Remembers the present state for `leave`; where memory is short, or nothing is left to come back to, it is not. */
  private join(): void {
    const words = this.frontier.executed.length;
    if (this.frames.length === 0) this.joinedCount = 0;
    if (4 * (this.joinedCount + 1) * words > JOINED_SHARE * this.effort.tableBytes) return;
    if ((this.joinedCount + 1) * words > this.joined.length) this.joined = grown(this.joined);
    this.joined.set(this.frontier.executed, this.joinedCount++ * words);
  }

  /**
   * A ready operator that fits and does not raise what is live can run at once without loss: live memory is a
   * submodular function of the set of operators that have run, so running it first raises no later step.
   * Returns the most bytes that one of their steps needed.
   */
  private runEagerly(): number {
    const { frontier, bytes } = this;
    let most = 0;
    for (let at = 0; at < frontier.readyCount;) {
      const operator = frontier.ready[at];
      const need = frontier.change(operator) <= 0 ? frontier.need(operator) : Infinity;
      if (need > bytes) {
        if (need < this.atLeast) this.atLeast = need;
        at++;
        continue;
      }
      most = Math.max(most, need);
      frontier.run(operator);
      at = 0;
    }
    return most;
  }

  /**
   * The eager rule for runs of operators. Let X be the present state and T an earlier one with at least as much
   * live. If no state between them has less live than X, then an order fits from T exactly when one fits from
   * X, and the other choices at T need no trial. If one has less, go there instead: it can be reached from T by
   * the same operators in the same order. Returns the first joined state for the next frame.
   */
  private settle(): number {
    const { frames, frontier } = this;
    for (;;) {
      let lowest = frames.length;
      while (lowest > 0 && frames[lowest - 1].live >= frontier.live) lowest--;
      if (lowest === frames.length) return this.joinedCount;
      const { floor, joinedFrom } = frames[lowest];
      if (frontier.count === floor + 1) {
        frames.length = lowest;
        return joinedFrom;
      }
      const between = frontier.history.slice(floor, frontier.count);
      const kept = new Uint8Array(between.length);
      const count = this.valleys.find(between, frontier.touched, kept);
      if (count < 0) {
        frames.length = lowest;
        return joinedFrom;
      }
      if (!this.goInstead(floor, between, kept)) return this.joinedCount;
      if (lowest + 1 < frames.length) this.joinedCount = frames[lowest + 1].joinedFrom;
      frames.length = lowest + 1;
    }
  }

  /** Runs the kept operators from the state at `floor`; where a step does not fit, restores all and returns false. */
  private goInstead(floor: number, between: Int32Array, kept: Uint8Array): boolean {
    const { frontier, bytes } = this;
    while (frontier.count > floor) frontier.undo();
    let fits = true;
    for (let at = 0; at < between.length && fits; at++) {
      if (kept[at] === 0) continue;
      fits = frontier.need(between[at]) <= bytes;
      if (fits) frontier.run(between[at]);
    }
    if (fits) {
      if (this.rules.eager) this.runEagerly();
      return true;
    }
    while (frontier.count > floor) frontier.undo();
    for (const operator of between) frontier.run(operator);
    return false;
  }

  /** Runs the frame's next move; false where one of its steps does not fit. */
  private tryMove(frame: Frame): boolean {
    const { frontier, choices } = this;
    const from = frame.from + 1;
    const to = from + choices[frame.from];
    frame.from = to;
    let hill = 0;
    for (let at = from; at < to; at++) {
      const need = frontier.need(choices[at]);
      if (need > this.bytes) {
        this.atLeast = Math.min(this.atLeast, need);
        return false;
      }
      hill = Math.max(hill, need);
      frontier.run(choices[at]);
    }
    // What comes first of all matters by itself where inputs that nobody reads stay for one step.
    const isFirst = frame.floor === 0 && this.piece.firstStepBytes > 0;
    return !this.canGoOn || isFirst || this.goOn(frame, hill);
  }

  /**
   * Lengthens a move that has raised what is live. Let `d` be by how much, and x the only operator not yet run
   * that shares a live storage with the move. Whatever else ran between the move and x would have `d` less live
   * if the move ran just before x instead. That fits where the move's highest step lies no higher above its
   * start than `d` and what x adds, since x did fit. So x can follow at once, and the move with x is again one
   * move. (The hill and valley segments of J. W. H. Liu, doi 10.1137/0608031, for graphs.)
   */
  private goOn(frame: Frame, moveHill: number): boolean {
    const { frontier, rules } = this;
    for (let hill = moveHill; ;) {
      if (rules.eager) hill = Math.max(hill, this.runEagerly());
      if (frontier.live <= frame.live) return true;
      const next = this.onlyNext(frame.floor);
      if (next < 0 || hill > frontier.live + this.sureGrowth(next)) return true;
      const need = frontier.need(next);
      if (need > this.bytes) {
        this.atLeast = Math.min(this.atLeast, need);
        return false;
      }
      hill = Math.max(hill, need);
      frontier.run(next);
    }
  }

  /**
   * The only operator not run that shares a live storage with those since `floor` or must come after one of them,
   * if it is ready; else -1.
   */
  private onlyNext(floor: number): number {
    const { frontier, piece } = this;
    const { touches, members, memberRows, successors } = piece;
    let found = -1;
    const isAnother = (operator: number): boolean => {
      if (frontier.hasRun(operator) || operator === found) return false;
      if (found >= 0) return true;
      found = operator;
      return false;
    };
    for (let at = floor; at < frontier.count; at++) {
      const operator = frontier.history[at];
      for (let edge = successors.start[operator]; edge < successors.start[operator + 1]; edge++) {
        if (isAnother(successors.values[edge])) return -1;
      }
      for (let edge = touches.start[operator]; edge < touches.start[operator + 1]; edge++) {
        const storage = touches.values[edge];
        if (frontier.touched[storage] === members[storage]) continue;
        for (let member = memberRows.start[storage]; member < memberRows.start[storage + 1]; member++) {
          if (isAnother(memberRows.values[member])) return -1;
        }
      }
    }
    return found >= 0 && frontier.waitingOf(found) === 0 ? found : -1;
  }

  /** Bytes that an operator adds whatever runs before it: storages that nothing but it can be the first to touch. */
  private sureGrowth(operator: number): number {
    const { frontier, piece } = this;
    const { touches, bytes, memberRows, successors } = piece;
    let growth = piece.stepBytes[operator];
    for (let edge = touches.start[operator]; edge < touches.start[operator + 1]; edge++) {
      const storage = touches.values[edge];
      const others = row(memberRows, storage).filter((member) => member !== operator);
      const after = row(successors, operator);
      if (frontier.touched[storage] === 0 && others.every((other) => after.includes(other)))
        growth += bytes[storage];
    }
    return growth;
  }

  /** Puts the moves of the present state into `choices` and returns their end. */
  private collectChoices(from: number): number {
    const { frontier, moves, piece, bytes } = this;
    // Which operator is the very first matters by itself where inputs that nobody reads stay for one step.
    const single = !this.rules.releases || (frontier.count === 0 && piece.firstStepBytes > 0);
    if (single) singleMoves(piece, frontier, bytes, moves);
    else this.releases.find(bytes, moves);
    this.atLeast = Math.min(this.atLeast, moves.atLeast);
    const length = moves.count + moves.operators.length;
    if (from + length > this.choices.length) this.choices = grown(this.choices, from + length);
    let to = from;
    for (let move = 0; move < moves.count; move++) {
      this.choices[to++] = moves.start[move + 1] - moves.start[move];
      for (let at = moves.start[move]; at < moves.start[move + 1]; at++)
        this.choices[to++] = moves.operators[at];
    }
    return to;
  }
}

function grown(array: Int32Array, least = 0): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(2 * array.length, least));
  larger.set(array);
  return larger;
}

export function searchWithin(
  piece: Piece,
  bytes: number,
  rules: SearchRules,
  effort: Effort,
  stateLimit = Infinity,
): SearchOutcome {
  return new BudgetSearch(piece, bytes, rules, effort, stateLimit).run();
}
