import type { Control, Stopped } from '../graph/control';
import type { Bytes, OperatorId } from '../graph/units';
import type { Arena } from '../memory/arena';
import type { OrderProblem } from '../memory/problem';
import { peakOf, randomBaseline, SINGLE_ORDERS, type Baseline } from './baselines';
import type { Effort } from './budgetSearch';
import { closeIn } from './deepening';
import { placeOrder } from './orderArena';
import { ALL_RULES, type SearchRules } from './rules';

/** A fixed number of states, so that the answer does not depend on the machine. */
const DEFAULT_STATE_LIMIT = 2_000_000;
const DEFAULT_TABLE_BYTES = 1_000_000_000;

export interface OrderOptions {
  readonly rules?: SearchRules;
  /** States after which the search ends with what it has. */
  readonly stateLimit?: number;
  /** Memory that the table of states may take. */
  readonly tableBytes?: Bytes;
  /** A safety stop; without it the search ends at `stateLimit`. */
  readonly timeLimitSeconds?: number;
}

export interface OrderProgress {
  readonly peakBytes: Bytes;
  readonly lowerBoundBytes: Bytes;
  readonly states: number;
}

export interface OrderResult {
  /** `optimal`: no order has a lower peak. */
  readonly status: 'optimal' | 'feasible';
  /** Every operator once, in execution order. */
  readonly steps: readonly OperatorId[];
  readonly peakBytes: Bytes;
  readonly lowerBoundBytes: Bytes;
  /** False when every baseline's order, all random ones included, has the same peak. */
  readonly orderMatters: boolean;
  readonly baselines: Readonly<Record<string, Baseline>>;
  readonly states: number;
  readonly arena: Arena;
  readonly stopped?: Stopped;
}

/**
 * The order of least peak, by BTSearch (MemoriaNova, ACM TACO 22(1), doi 10.1145/3701997): backtracking over
 * the states of the graph, pruned and hashed. Deterministic; ties go to the model's own order.
 */
export function findOrder(
  problem: OrderProblem,
  options: OrderOptions,
  control: Control<OrderProgress>,
): OrderResult {
  const deadline =
    options.timeLimitSeconds === undefined ? Infinity : control.now() + options.timeLimitSeconds;
  const orders = Object.entries(SINGLE_ORDERS).map(([name, order]) =>
    withPeak(problem, name, order(problem)),
  );
  const best = orders.reduce((least, other) => (other.peakBytes < least.peakBytes ? other : least));
  const random = randomBaseline(problem);
  let stopped: Stopped | undefined;
  const interrupted = (): boolean => {
    if (control.cancelled()) stopped = 'cancel';
    else if (control.now() > deadline) stopped = 'time';
    return stopped !== undefined;
  };
  const { outOfTable, ...searched } = search(problem, best, options, interrupted, control);
  const placed = placeOrder(problem, searched.steps, searched.peakBytes, interrupted);
  const reason = outOfTable ? 'memory' : stopped;
  const peaks = [random.bestBytes, random.worstBytes, ...orders.map((order) => order.peakBytes)];
  return {
    ...searched,
    status: searched.peakBytes === searched.lowerBoundBytes ? 'optimal' : 'feasible',
    orderMatters: peaks.some((peak) => peak !== searched.peakBytes),
    baselines: { random, ...Object.fromEntries(orders.map(({ name, peakBytes }) => [name, { peakBytes }])) },
    ...placed,
    ...(reason && { stopped: reason }),
  };
}

interface NamedOrder {
  readonly name: string;
  readonly steps: Int32Array;
  readonly peakBytes: Bytes;
}

function withPeak(problem: OrderProblem, name: string, steps: Int32Array): NamedOrder {
  return { name, steps, peakBytes: peakOf(problem, steps) };
}

interface Searched {
  readonly steps: readonly OperatorId[];
  readonly peakBytes: Bytes;
  readonly lowerBoundBytes: Bytes;
  readonly states: number;
  readonly outOfTable: boolean;
}

function search(
  problem: OrderProblem,
  start: NamedOrder,
  options: OrderOptions,
  interrupted: () => boolean,
  control: Control<OrderProgress>,
): Searched {
  const effort: Effort = {
    states: 0,
    stateLimit: options.stateLimit ?? DEFAULT_STATE_LIMIT,
    tableBytes: options.tableBytes ?? DEFAULT_TABLE_BYTES,
    outOfTable: false,
    interrupted,
  };
  const { steps, peakBytes, lowerBoundBytes } = closeIn(
    problem,
    start,
    options.rules ?? ALL_RULES,
    effort,
    (bounds) =>
      control.report({
        peakBytes: bounds.peakBytes,
        lowerBoundBytes: bounds.lowerBoundBytes,
        states: effort.states,
      }),
  );
  return {
    steps: Array.from(steps),
    peakBytes,
    lowerBoundBytes,
    states: effort.states,
    outOfTable: effort.outOfTable,
  };
}
