/**
 * Exact minimum of a pairwise problem, `sum_v unary[v][x_v] + sum_(a,b) table[x_a][x_b]`, by eliminating its
 * variables along the graph (non-serial dynamic programming, Bertele and Brioschi 1972; bucket elimination,
 * Dechter 1999). A bucket whose table would be too large is cut into mini-buckets (Dechter and Rish 2003) whose
 * copies of the variable are matched (Liu and Ihler 2011); the value is then a lower bound. A pass back down
 * the tree of buckets gives every choice's min-marginal: the least value of an assignment that contains it.
 *
 * All costs are finite. Deterministic: ties go to the lower index.
 */
import { minimizeOver, product, spreadOver, stridesOf, type Bucket, type Factor } from './buckets';
import { findWidthOrder } from './eliminationOrder';

export interface PairwiseEdge {
  readonly a: number;
  readonly b: number;
  /** Row-major, `table[x_a * size(b) + x_b]`. */
  readonly table: Float64Array;
}

export interface PairwiseProblem {
  /** Per variable the cost of each choice, at least one. */
  readonly unary: readonly Float64Array[];
  /** At most one per pair. */
  readonly edges: readonly PairwiseEdge[];
}

export interface EliminationResult {
  /** Minimum, or a lower bound of it where `isExact` is false. */
  readonly value: number;
  readonly isExact: boolean;
  /** Combinations that the buckets ranged over: the measure of work. */
  readonly cells: number;
  /** A choice per variable; a minimizer where `isExact`. */
  readonly choice: Int32Array;
  /** Per variable and choice a lower bound of every assignment with it (the min-marginal where `isExact`). */
  readonly marginals: readonly Float64Array[];
  /** Where it was asked for, per edge and entry of its table: no assignment with that pair costs less. */
  readonly pairs: readonly Float64Array[];
  readonly reach: Reach;
}

/**
 * What an elimination learnt about combinations, for the next one of nearly the same problem: where a choice was
 * replaced by parts of it, and costs only rose, a combination that was out of reach stays so.
 */
export interface Reach {
  /** By variable. */
  readonly totals: ReadonlyMap<number, KnownTotals>;
}

interface KnownTotals {
  readonly separator: readonly number[];
  readonly sizes: readonly number[];
  /** Per combination of the separator: no assignment with it costs less. */
  readonly least: Float64Array;
}

/** What stands between an elimination and the one before it. */
export interface Continued {
  /** Assignments that cost more are of no interest: they may come out as costing anything above it. */
  readonly level: number;
  readonly known?: Reach;
  /** Per variable and choice the choice of `known` that it is or is part of; -1 for none. */
  readonly origins?: readonly Int32Array[];
  /** Asks for what the pairs of choices cost at least. */
  readonly arePairsAsked?: boolean;
}

/** A computation was told to stop; what it had found so far still holds. */
export class Interrupted extends Error {}

/**
 * @param tableLimit largest number of combinations that one bucket may range over, beyond which it is cut
 * @param continued what is known of combinations beforehand, and the cost up to which they matter
 * @throws Interrupted as soon as `isStopped` says so; it is asked once per bucket
 */
export function eliminate(
  problem: PairwiseProblem,
  tableLimit: number,
  order: readonly number[] = eliminationOrder(problem),
  continued: Continued = { level: Infinity },
  isStopped: () => boolean = () => false,
): EliminationResult {
  const sizes = problem.unary.map((costs) => costs.length);
  const { buckets, isExact, cells } = upward(problem, order, sizes, tableLimit, continued, isStopped);
  const value = valueOf(buckets);
  const choice = decode(problem, buckets, order);
  const totals = new Map<number, KnownTotals>();
  const edges = continued.arePairsAsked === true ? problem.edges : [];
  const { marginals, pairs } = downward(edges, buckets, sizes, value, continued.level, totals);
  return { value, isExact, cells, choice, marginals, pairs, reach: { totals } };
}

/** The minimum alone, without min-marginals. */
export function minimize(
  problem: PairwiseProblem,
  tableLimit: number,
  order: readonly number[],
  isStopped: () => boolean = () => false,
): Pick<EliminationResult, 'value' | 'choice' | 'isExact' | 'cells'> {
  const sizes = problem.unary.map((costs) => costs.length);
  const { buckets, isExact, cells } = upward(
    problem,
    order,
    sizes,
    tableLimit,
    { level: Infinity },
    isStopped,
  );
  return { value: valueOf(buckets), choice: decode(problem, buckets, order), isExact, cells };
}

function valueOf(buckets: readonly Bucket[]): number {
  let value = 0;
  for (const { separator, message } of buckets) if (separator.length === 0) value += message[0];
  return value;
}

export function eliminationOrder(problem: PairwiseProblem): number[] {
  return findWidthOrder(
    problem.unary.length,
    problem.edges.map(({ a, b }) => [a, b]),
  );
}

/** Combinations that passing an entry of an edge's table along takes as long as. */
const ENTRY_WORK = 3;

function upward(
  problem: PairwiseProblem,
  order: readonly number[],
  sizes: readonly number[],
  tableLimit: number,
  continued: Continued,
  isStopped: () => boolean,
): { buckets: Bucket[]; isExact: boolean; cells: number } {
  const position = new Int32Array(order.length);
  order.forEach((variable, index) => (position[variable] = index));
  const pending: { factor: Factor; from: Bucket | number }[][] = order.map(() => []);
  problem.edges.forEach(({ a, b, table }, edge) => {
    const first = position[a] < position[b] ? a : b;
    const factor =
      first === b ? { scope: [a, b], table } : { scope: [b, a], table: transpose(table, sizes[a], sizes[b]) };
    pending[first].push({ factor, from: edge });
  });
  const buckets: Bucket[] = [];
  let isExact = true;
  // Every entry is turned over before anything is summed.
  let cells = problem.edges.reduce((sum, { table }) => sum + ENTRY_WORK * table.length, 0);
  for (const variable of order) {
    if (isStopped()) throw new Interrupted();
    const groups = miniBuckets(variable, pending[variable], sizes, tableLimit);
    if (groups.length > 1) isExact = false;
    const copies = groups.map((group): Bucket => {
      const later = new Set(group.flatMap(({ factor }) => factor.scope));
      later.delete(variable);
      const separator = [...later].sort((a, b) => position[b] - position[a]);
      return {
        variable,
        own: problem.unary[variable].map((cost) => cost / groups.length),
        separator,
        factors: group.map(({ factor }) => factor),
        children: group.flatMap(({ from }) => (typeof from === 'number' ? [] : [from])),
        edges: group.flatMap(({ from }) => (typeof from === 'number' ? [from] : [])),
        message: new Float64Array(product(separator, sizes)).fill(continued.level),
        isWhole: groups.length === 1,
      };
    });
    if (copies.length > 1) matchCopies(copies, sizes);
    for (const bucket of copies) {
      cells += minimizeOver(bucket, sizes, outOfReach(bucket, sizes, continued));
      buckets.push(bucket);
      const { separator } = bucket;
      if (separator.length > 0) {
        const next = separator[separator.length - 1];
        pending[next].push({ factor: { scope: separator, table: bucket.message }, from: bucket });
      }
    }
  }
  return { buckets, isExact, cells };
}

/** Marks the combinations of the separator that are known not to cost less than the level. */
function outOfReach(
  { variable, separator, isWhole, message }: Bucket,
  sizes: readonly number[],
  { level, known, origins }: Continued,
): Uint8Array | undefined {
  const totals = known?.totals.get(variable);
  if (!isWhole || totals === undefined || origins === undefined || separator.length === 0) return undefined;
  if (separator.length !== totals.separator.length || separator.some((v, i) => v !== totals.separator[i])) {
    return undefined;
  }
  const isOut = new Uint8Array(message.length);
  const digits = new Int32Array(separator.length);
  for (let at = 0; at < isOut.length; at++) {
    let from = 0;
    for (let i = 0; i < digits.length; i++) {
      const origin = origins[separator[i]][digits[i]];
      from = origin < 0 || from < 0 ? -1 : from * totals.sizes[i] + origin;
    }
    if (from >= 0 && totals.least[from] >= level) isOut[at] = 1;
    for (let d = digits.length - 1; d >= 0 && ++digits[d] === sizes[separator[d]]; d--) digits[d] = 0;
  }
  return isOut;
}

/** Largest scopes first, each factor into the first group that stays within the limit. */
function miniBuckets<Item extends { factor: Factor }>(
  variable: number,
  items: readonly Item[],
  sizes: readonly number[],
  tableLimit: number,
): Item[][] {
  const groups: { items: Item[]; scope: Set<number> }[] = [];
  const bySize = [...items].sort((a, b) => b.factor.table.length - a.factor.table.length);
  for (const item of bySize) {
    const fits = groups.find(
      ({ scope }) => product(new Set([...scope, ...item.factor.scope]), sizes) <= tableLimit,
    );
    if (fits === undefined) groups.push({ items: [item], scope: new Set([variable, ...item.factor.scope]) });
    else {
      fits.items.push(item);
      for (const other of item.factor.scope) fits.scope.add(other);
    }
  }
  return groups.length === 0 ? [[]] : groups.map((group) => group.items);
}

/** Shifts cost between the copies of a variable so that their min-marginals agree; their sum stays. */
function matchCopies(copies: readonly Bucket[], sizes: readonly number[]): void {
  const least = copies.map((bucket) => {
    const minima = new Float64Array(sizes[bucket.variable]).fill(Infinity);
    const { length } = bucket.message;
    spreadOver(bucket, sizes, new Uint8Array(length), new Float64Array(length), Infinity, minima, []);
    return minima;
  });
  const mean = least[0].map((_, x) => least.reduce((sum, minima) => sum + minima[x], 0) / copies.length);
  copies.forEach(
    (bucket, copy) => (bucket.own = bucket.own.map((cost, x) => cost + mean[x] - least[copy][x])),
  );
}

function decode(problem: PairwiseProblem, buckets: readonly Bucket[], order: readonly number[]): Int32Array {
  const sizes = problem.unary.map((costs) => costs.length);
  const choice = new Int32Array(order.length);
  const ofVariable: Bucket[][] = order.map(() => []);
  for (const bucket of buckets) ofVariable[bucket.variable].push(bucket);
  for (let i = order.length - 1; i >= 0; i--) {
    const variable = order[i];
    const costs = Float64Array.from(problem.unary[variable]);
    for (const { factors } of ofVariable[variable]) {
      for (const { scope, table } of factors) {
        let at = 0;
        for (const other of scope) at = at * sizes[other] + (other === variable ? 0 : choice[other]);
        for (let x = 0; x < costs.length; x++) costs[x] += table[at + x];
      }
    }
    let best = 0;
    for (let x = 1; x < costs.length; x++) if (costs[x] < costs[best]) best = x;
    choice[variable] = best;
  }
  return choice;
}

/**
 * Passes back what the rest of the tree costs at least, bucket by bucket; what exceeds `level` is left out.
 * @param edges of the problem, or none where their pairs are not asked for
 */
function downward(
  edges: readonly PairwiseEdge[],
  buckets: readonly Bucket[],
  sizes: readonly number[],
  value: number,
  level: number,
  totals: Map<number, KnownTotals>,
): Pick<EliminationResult, 'marginals' | 'pairs'> {
  const pairs = edges.map(() => new Float64Array(0));
  const marginals = sizes.map((size) => new Float64Array(size).fill(-Infinity));
  const outside = new Map<Bucket, Float64Array>();
  for (let b = buckets.length - 1; b >= 0; b--) {
    const bucket = buckets[b];
    const { message, separator } = bucket;
    // What lies outside a root's subtree: the other roots.
    const rest = outside.get(bucket) ?? Float64Array.of(value - message[0]);
    const minima = new Float64Array(bucket.own.length).fill(Infinity);
    const isSkipped = new Uint8Array(message.length);
    const least = new Float64Array(message.length);
    for (let at = 0; at < message.length; at++) {
      const total = message[at] + rest[at];
      if (total > level) isSkipped[at] = 1;
      // What was left out is known to exceed the level only.
      least[at] = Math.min(total, level);
    }
    if (bucket.isWhole) {
      totals.set(bucket.variable, { separator, sizes: separator.map((v) => sizes[v]), least });
    }
    const below = bucket.children.map((child) => ({
      child,
      into: new Float64Array(child.message.length).fill(Infinity),
      strides: stridesOf({ scope: child.separator, table: child.message }, separator, sizes),
    }));
    const between = (edges.length === 0 ? [] : bucket.edges).map((edge) => {
      const { a, b, table } = edges[edge];
      const scope = [a === bucket.variable ? b : a, bucket.variable];
      const into = new Float64Array(table.length).fill(level);
      return { edge, into, strides: stridesOf({ scope, table }, separator, sizes) };
    });
    spreadOver(bucket, sizes, isSkipped, rest, level, minima, [...below, ...between]);
    for (const { edge, into } of between) {
      const { a, b } = edges[edge];
      pairs[edge] = b === bucket.variable ? into : transpose(into, sizes[b], sizes[a]);
    }
    for (const { child, into } of below) {
      for (let i = 0; i < into.length; i++) into[i] -= child.message[i];
      outside.set(child, into);
    }
    const known = marginals[bucket.variable];
    for (let x = 0; x < known.length; x++) if (minima[x] > known[x]) known[x] = minima[x];
  }
  return { marginals, pairs };
}

function transpose(table: Float64Array, rows: number, columns: number): Float64Array<ArrayBuffer> {
  const turned = new Float64Array(table.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) turned[c * rows + r] = table[r * columns + c];
  return turned;
}
