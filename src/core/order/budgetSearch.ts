import { Frontier } from './frontier';
import type { Piece } from './piece';
import { StateTable } from './stateTable';
import type { SearchRules } from './rules';

/** What the searches of one `findOrder` may still spend; shared by all of them. */
export interface Budget {
  states: number;
  readonly stateLimit: number;
  readonly tableBytes: number;
  /** Looks at clock and cancel; true once the search must end. */
  interrupted(): boolean;
  outOfTable: boolean;
}

export type BudgetOutcome =
  /** An order (in the piece's own direction) that needs at most the budget. */
  | { readonly kind: 'found'; readonly order: Int32Array }
  /** No order fits; the least bytes that any order needs are at least `atLeast`. */
  | { readonly kind: 'impossible'; readonly atLeast: number }
  | { readonly kind: 'stopped' };

/** States between two looks at the clock. */
const STATES_PER_LOOK = 1 << 10;

/**
 * Is there an order of the piece whose every step needs at most `bytes`? Backtracking over the states of the
 * graph (sets of operators that have run), after MemoriaNova's BTSearch, ACM TACO 22(1), doi 10.1145/3701997;
 * pruning is our reconstruction.
 */
export function searchWithin(piece: Piece, bytes: number, rules: SearchRules, budget: Budget): BudgetOutcome {
  const frontier = new Frontier(piece);
  const dead = new StateTable(frontier.executed.length, budget.tableBytes);
  const choices = new Int32Array(piece.operatorCount * 8 + 64);
  const changes = new Float64Array(piece.operatorCount);
  let pool = choices;
  let atLeast = Infinity;
  const frames: { floor: number; from: number; to: number }[] = [];

  /** Runs what can run at once, then opens a frame of choices; false where the state is known or dead. */
  const enter = (): boolean => {
    if (rules.eager) runEagerly(frontier, bytes);
    if (frontier.count === piece.operatorCount) return true;
    if (rules.hash && dead.has(frontier.executed)) return false;
    budget.states++;
    const from = frames.length === 0 ? 0 : frames[frames.length - 1].to;
    if (from + frontier.readyCount > pool.length) pool = grown(pool);
    let to = from;
    for (let at = 0; at < frontier.readyCount; at++) {
      const operator = frontier.ready[at];
      const need = frontier.need(operator);
      if (need > bytes) {
        if (need < atLeast) atLeast = need;
        continue;
      }
      changes[operator] = frontier.change(operator);
      let slot = to++;
      for (; slot > from && isAfter(pool[slot - 1], operator, changes, piece.backward); slot--) pool[slot] = pool[slot - 1];
      pool[slot] = operator;
    }
    frames.push({ floor: frontier.count, from, to });
    return true;
  };

  let floor = 0;
  if (!enter()) return { kind: 'impossible', atLeast };
  for (;;) {
    if (frontier.count === piece.operatorCount) return { kind: 'found', order: frontier.history.slice() };
    const frame = frames[frames.length - 1];
    while (frontier.count > frame.floor) frontier.undo();
    if (frame.from === frame.to) {
      if (rules.hash && !dead.add(frontier.executed)) {
        budget.outOfTable = true;
        return { kind: 'stopped' };
      }
      frames.pop();
      if (frames.length === 0) return { kind: 'impossible', atLeast };
      continue;
    }
    if (budget.states % STATES_PER_LOOK === 0 && budget.interrupted()) return { kind: 'stopped' };
    if (budget.states >= budget.stateLimit) return { kind: 'stopped' };
    floor = frontier.count;
    frontier.run(pool[frame.from++]);
    if (!enter()) while (frontier.count > floor) frontier.undo();
  }
}

/**
 * A ready operator that fits and does not raise what is live can run at once without loss: live memory is a
 * submodular function of the set of operators that have run, so running it first raises no later step.
 */
function runEagerly(frontier: Frontier, bytes: number): void {
  for (let at = 0; at < frontier.readyCount; ) {
    const operator = frontier.ready[at];
    if (frontier.change(operator) <= 0 && frontier.need(operator) <= bytes) {
      frontier.run(operator);
      at = 0;
    } else {
      at++;
    }
  }
}

/** Least growth first; ties by the model's own order. */
function isAfter(a: number, b: number, changes: Float64Array, backward: boolean): boolean {
  if (changes[a] !== changes[b]) return changes[a] > changes[b];
  return backward ? a < b : a > b;
}

function grown(pool: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(pool.length * 2);
  larger.set(pool);
  return larger;
}
