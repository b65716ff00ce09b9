import type { Frontier } from './frontier';
import type { Piece } from './piece';

/** Runs of operators to try from a state: move `i` is `operators[start[i] .. start[i + 1])`, in that order. */
export interface Moves {
  count: number;
  readonly start: number[];
  readonly operators: number[];
  /** Least bytes under which a move that was left out for want of memory might have been tried. */
  atLeast: number;
}

/** Operators that together make something happen (a release, or an operator with bytes of its own). */
interface Event {
  readonly operators: readonly number[];
  /** The operator that must be the last, or -1 where any order will do. */
  readonly last: number;
  /** Bytes live afterwards less bytes live now, further releases by the same operators left aside. */
  readonly change: number;
}

/**
 * The moves from a state when the search goes from release to release.
 *
 * Call it an *event* when a storage is released (its last member runs) or an operator with step bytes runs.
 * Take any order that fits, in a state C, and let x be the operator of its next event, P the state before x.
 * Nothing is released between C and P, so what is live in any state between C and P is live in P too. Hence the
 * operators that the event does not need can wait: what it needs, run alone and in any order, keeps below what
 * is live in P, and x, run last, needs no more than it did. After it the argument starts again. So from C it is
 * enough to try, for every event, the operators that it lacks; and of those only the sets that hold no other
 * event's set, because that one would come first.
 *
 * Under the in-place rule it matters who frees a storage: there is one move for each reader that can write over
 * it, with that reader last (forwards only: backwards the operator that frees is always the producer).
 */
export class ReleaseMoves {
  private readonly missing: (readonly number[] | undefined)[];
  private readonly blocked: Uint8Array;
  private readonly waitingFor: Int32Array;
  private readonly seenMembers: Int32Array;
  private readonly operatorMark: Int32Array;
  private readonly storageMark: Int32Array;
  private mark = 0;
  private readonly reached: number[] = [];
  private readonly storages: number[] = [];
  private readonly events: Event[] = [];

  constructor(
    private readonly piece: Piece,
    private readonly frontier: Frontier,
  ) {
    this.missing = new Array<readonly number[] | undefined>(piece.operatorCount).fill(undefined);
    this.blocked = new Uint8Array(piece.operatorCount);
    this.waitingFor = new Int32Array(piece.operatorCount);
    this.operatorMark = new Int32Array(piece.operatorCount);
    this.seenMembers = new Int32Array(piece.bytes.length);
    this.storageMark = new Int32Array(piece.bytes.length);
  }

  /** Fills `moves` with those from the frontier's present state that can fit into `bytes`. */
  find(bytes: number, moves: Moves): void {
    const { frontier, piece, reached } = this;
    moves.count = 0;
    moves.start.length = 1;
    moves.start[0] = 0;
    moves.operators.length = 0;
    moves.atLeast = Infinity;
    const ready = Array.from(frontier.ready.subarray(0, frontier.readyCount)).sort((a, b) => a - b);
    for (const operator of piece.backward ? ready.reverse() : ready) this.reach(operator, bytes, moves);
    for (let at = 0; at < reached.length; at++) this.extend(reached[at], bytes, moves);
    if (this.events.length > 0) this.keepSmallest(moves);
    else if (frontier.count + reached.length === piece.operatorCount) addMove(moves, reached);
    this.clear();
  }

  /** Takes in an operator all of whose predecessors have run or are taken in. */
  private reach(operator: number, bytes: number, moves: Moves): void {
    const { piece, frontier } = this;
    const missing = this.unionOf(this.unrunPredecessors(operator));
    missing.push(operator);
    const growth = this.growthOf(missing);
    const need = frontier.live + growth + piece.stepBytes[operator] - this.mostSaved(operator);
    if (need > bytes) {
      moves.atLeast = Math.min(moves.atLeast, need);
      return;
    }
    this.missing[operator] = missing;
    this.reached.push(operator);
    if (piece.stepBytes[operator] > 0) this.events.push({ operators: missing, last: -1, change: growth });
    for (let at = piece.touches.start[operator]; at < piece.touches.start[operator + 1]; at++) {
      this.touch(piece.touches.values[at]);
    }
    this.blocked[operator] = this.holdsEvent(missing) ? 1 : 0;
  }

  /** Takes in the successors of an operator, unless what it needs already makes something happen. */
  private extend(operator: number, bytes: number, moves: Moves): void {
    if (this.blocked[operator] === 1) return;
    const { successors } = this.piece;
    for (let at = successors.start[operator]; at < successors.start[operator + 1]; at++) {
      const successor = successors.values[at];
      if (this.waitingFor[successor] === 0) this.waitingFor[successor] = this.frontier.waitingOf(successor);
      if (--this.waitingFor[successor] === 0) {
        this.waitingFor[successor] = -1;
        this.reach(successor, bytes, moves);
      }
    }
  }

  private touch(storage: number): void {
    const { members, bytes, backward } = this.piece;
    if (this.seenMembers[storage]++ === 0) this.storages.push(storage);
    if (this.seenMembers[storage] + this.frontier.touched[storage] < members[storage]) return;
    const unrun = this.unrunMembers(storage);
    const operators = this.unionOf(unrun);
    const change = this.growthOf(operators) - bytes[storage];
    let inPlace = false;
    for (const last of backward ? [] : unrun) {
      if (!this.canOverwrite(last, storage) || (inPlace && this.piece.stepBytes[last] === 0)) continue;
      const others = this.unionOf(unrun.filter((other) => other !== last));
      if (others.includes(last)) continue;
      const before = new Set(others);
      for (const operator of this.missing[last]!) if (!before.has(operator)) others.push(operator);
      this.events.push({ operators: others, last, change });
      inPlace ||= this.piece.stepBytes[last] === 0;
    }
    if (!inPlace) this.events.push({ operators, last: -1, change });
  }

  /** Adds the moves whose operators hold no other event's, smallest growth first, then the model's own order. */
  private keepSmallest(moves: Moves): void {
    const { events } = this;
    const kept = events.filter((event, at) => {
      this.markAll(event.operators);
      return !events.some((other, otherAt) => otherAt !== at && this.precedes(other, otherAt, event, at));
    });
    const id = (event: Event): number =>
      (this.piece.backward ? -1 : 1) * event.operators[event.operators.length - 1];
    kept.sort((a, b) => a.change - b.change || a.operators.length - b.operators.length || id(a) - id(b));
    for (const event of kept) addMove(moves, event.operators);
  }

  /** Whether `other` happens first whenever `event`, whose operators are marked, does. */
  private precedes(other: Event, otherAt: number, event: Event, at: number): boolean {
    if (other.operators.length > event.operators.length) return false;
    for (const operator of other.operators) if (this.operatorMark[operator] !== this.mark) return false;
    if (event.last >= 0) return !other.operators.includes(event.last);
    if (other.operators.length < event.operators.length) return true;
    return other.last >= 0 ? this.piece.stepBytes[other.last] === 0 : otherAt < at;
  }

  private holdsEvent(missing: readonly number[]): boolean {
    this.markAll(missing);
    return this.events.some(
      ({ operators }) =>
        operators.length <= missing.length &&
        operators.every((operator) => this.operatorMark[operator] === this.mark),
    );
  }

  private unrunPredecessors(operator: number): number[] {
    const { predecessors } = this.piece;
    const found: number[] = [];
    for (let at = predecessors.start[operator]; at < predecessors.start[operator + 1]; at++) {
      if (this.missing[predecessors.values[at]]) found.push(predecessors.values[at]);
    }
    return found;
  }

  private unrunMembers(storage: number): number[] {
    const { memberRows } = this.piece;
    const found: number[] = [];
    for (let at = memberRows.start[storage]; at < memberRows.start[storage + 1]; at++) {
      if (this.missing[memberRows.values[at]]) found.push(memberRows.values[at]);
    }
    return found;
  }

  /** What the given reached operators need, themselves included, predecessors first. */
  private unionOf(operators: readonly number[]): number[] {
    const { operatorMark } = this;
    const mark = ++this.mark;
    const found: number[] = [];
    for (const operator of operators) {
      for (const needed of this.missing[operator]!) {
        if (operatorMark[needed] === mark) continue;
        operatorMark[needed] = mark;
        found.push(needed);
      }
    }
    return found;
  }

  /** Bytes of the storages that the operators are the first to touch. */
  private growthOf(operators: readonly number[]): number {
    const { touches, bytes } = this.piece;
    const { touched } = this.frontier;
    const mark = ++this.mark;
    let growth = 0;
    for (const operator of operators) {
      for (let at = touches.start[operator]; at < touches.start[operator + 1]; at++) {
        const storage = touches.values[at];
        if (touched[storage] > 0 || this.storageMark[storage] === mark) continue;
        this.storageMark[storage] = mark;
        growth += bytes[storage];
      }
    }
    return growth;
  }

  private markAll(operators: readonly number[]): void {
    this.mark++;
    for (const operator of operators) this.operatorMark[operator] = this.mark;
  }

  private mostSaved(operator: number): number {
    const { overwritable, bytes } = this.piece;
    const at = overwritable.start[operator];
    return at < overwritable.start[operator + 1] ? bytes[overwritable.values[at]] : 0;
  }

  private canOverwrite(operator: number, storage: number): boolean {
    const { overwritable } = this.piece;
    for (let at = overwritable.start[operator]; at < overwritable.start[operator + 1]; at++) {
      if (overwritable.values[at] === storage) return true;
    }
    return false;
  }

  private clear(): void {
    const { successors } = this.piece;
    for (const operator of this.reached) {
      this.missing[operator] = undefined;
      for (let at = successors.start[operator]; at < successors.start[operator + 1]; at++) {
        this.waitingFor[successors.values[at]] = 0;
      }
    }
    for (const storage of this.storages) this.seenMembers[storage] = 0;
    this.reached.length = 0;
    this.storages.length = 0;
    this.events.length = 0;
  }
}

/** The moves when every ready operator is tried by itself: least growth first, ties by the model's own order. */
export function singleMoves(piece: Piece, frontier: Frontier, bytes: number, moves: Moves): void {
  moves.count = 0;
  moves.start.length = 1;
  moves.start[0] = 0;
  moves.operators.length = 0;
  moves.atLeast = Infinity;
  const fitting: { operator: number; change: number }[] = [];
  for (let at = 0; at < frontier.readyCount; at++) {
    const operator = frontier.ready[at];
    const need = frontier.need(operator);
    if (need > bytes) moves.atLeast = Math.min(moves.atLeast, need);
    else fitting.push({ operator, change: frontier.change(operator) });
  }
  const direction = piece.backward ? -1 : 1;
  fitting.sort((a, b) => a.change - b.change || direction * (a.operator - b.operator));
  for (const { operator } of fitting) addMove(moves, [operator]);
}

function addMove(moves: Moves, operators: readonly number[]): void {
  for (const operator of operators) moves.operators.push(operator);
  moves.start[++moves.count] = moves.operators.length;
}
