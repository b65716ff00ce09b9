/**
 * Exact minimum of a pairwise problem, `sum_v unary[v][x_v] + sum_(a,b) table[x_a][x_b]`, by eliminating its
 * variables along the graph (non-serial dynamic programming, Bertele and Brioschi 1972; bucket elimination,
 * Dechter 1999). A bucket whose table would be too large is cut into mini-buckets (Dechter and Rish 2003) whose
 * copies of the variable are matched (Liu and Ihler 2011); the value is then a lower bound. A pass back down
 * the tree of buckets gives every choice's min-marginal: the least value of an assignment that contains it.
 *
 * All costs are finite. Deterministic: ties go to the lower index.
 */
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
}

/** A computation was told to stop; what it had found so far still holds. */
export class Interrupted extends Error {}

/** A table over `scope`, the last variable innermost; an edge, or a message of an eliminated bucket. */
interface Factor {
  readonly scope: readonly number[];
  readonly table: Float64Array;
}

/** A variable (or one copy of it) with all factors that are minimized over it. */
interface Bucket {
  readonly variable: number;
  /** Cost of the variable's own choices in this copy. */
  own: Float64Array;
  /** Variables eliminated later, the one eliminated first innermost. */
  readonly separator: readonly number[];
  readonly factors: readonly Factor[];
  /** Buckets whose messages are among `factors`. */
  readonly children: readonly Bucket[];
  readonly message: Float64Array;
  /** No mini-bucket. */
  readonly isWhole: boolean;
}

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
  let value = 0;
  for (const bucket of buckets) if (bucket.separator.length === 0) value += bucket.message[0];
  const choice = decode(problem, buckets, order);
  const totals = new Map<number, KnownTotals>();
  const marginals = downward(buckets, sizes, value, continued.level, totals);
  return { value, isExact, cells, choice, marginals, reach: { totals } };
}

/** The minimum alone, without min-marginals. */
export function minimize(
  problem: PairwiseProblem,
  tableLimit: number,
  order: readonly number[],
): Pick<EliminationResult, 'choice' | 'isExact'> {
  const sizes = problem.unary.map((costs) => costs.length);
  const { buckets, isExact } = upward(problem, order, sizes, tableLimit, { level: Infinity }, () => false);
  return { choice: decode(problem, buckets, order), isExact };
}

export function eliminationOrder(problem: PairwiseProblem): number[] {
  return findWidthOrder(
    problem.unary.length,
    problem.edges.map(({ a, b }) => [a, b]),
  );
}

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
  const pending: { factor: Factor; from: Bucket | undefined }[][] = order.map(() => []);
  for (const { a, b, table } of problem.edges) {
    const first = position[a] < position[b] ? a : b;
    const factor =
      first === b ? { scope: [a, b], table } : { scope: [b, a], table: transpose(table, sizes[a], sizes[b]) };
    pending[first].push({ factor, from: undefined });
  }
  const buckets: Bucket[] = [];
  let isExact = true;
  let cells = 0;
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
        children: group.flatMap(({ from }) => (from === undefined ? [] : [from])),
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

/**
 * The choices of a bucket's variable by what they cost at least, for one assignment of the separator but its
 * innermost variable after another: those behind the first that costs too much need not be looked at.
 */
class RankedChoices {
  readonly inner: number;
  readonly outerCount: number;
  /** Of the choices, the first is the least. */
  readonly rank: Int32Array;
  /** By rank: no assignment costs less. */
  readonly floors: Float64Array;
  /** By choice: what does not depend on the innermost variable. */
  readonly base: Float64Array;
  /** Tables of the factors that do, and where their rows for the assignment begin. */
  readonly tables: readonly Float64Array[];
  readonly from: Int32Array;
  private readonly keys: Float64Array;
  private readonly least: Float64Array;
  private readonly digits: Int32Array;
  private readonly outerSizes: readonly number[];
  private readonly strides: readonly Int32Array[];
  private readonly fixed: readonly { readonly table: Float64Array; readonly strides: Int32Array }[];

  constructor(
    private readonly bucket: Bucket,
    sizes: readonly number[],
  ) {
    const { separator, factors, own } = bucket;
    const last = separator.length - 1;
    const outer = separator.slice(0, Math.max(0, last));
    // Without a separator there is one assignment, and all factors are unary.
    const innermost = last < 0 ? NO_VARIABLE : separator[last];
    const isVarying = ({ scope }: Factor): boolean => scope.includes(innermost);
    const varying = factors.filter(isVarying);
    this.inner = last < 0 ? 1 : sizes[innermost];
    this.outerSizes = outer.map((variable) => sizes[variable]);
    this.outerCount = product(outer, sizes);
    this.tables = varying.map(({ table }) => table);
    this.strides = varying.map((factor) => stridesOf(factor, outer, sizes));
    this.fixed = factors
      .filter((factor) => !isVarying(factor))
      .map((factor) => ({ table: factor.table, strides: stridesOf(factor, outer, sizes) }));
    this.from = new Int32Array(varying.length);
    this.digits = new Int32Array(outer.length);
    this.rank = new Int32Array(own.length);
    this.floors = new Float64Array(own.length);
    this.base = new Float64Array(own.length);
    this.keys = new Float64Array(own.length);
    this.least = new Float64Array(own.length);
    this.tables.forEach((table) => addLeast(this.least, table));
  }

  /** Ranks for the current assignment. */
  prepare(): void {
    const { base, keys, least, rank, floors, bucket } = this;
    const n = base.length;
    base.set(bucket.own);
    for (const { table, strides } of this.fixed) {
      const from = this.offset(strides);
      for (let x = 0; x < n; x++) base[x] += table[from + x];
    }
    for (let f = 0; f < this.from.length; f++) this.from[f] = this.offset(this.strides[f]);
    let largest = 1;
    for (let x = 0; x < n; x++) {
      keys[x] = base[x] + least[x];
      if (Math.abs(keys[x]) > largest) largest = Math.abs(keys[x]);
    }
    // Cost and choice in one number: sorting numbers is far faster than by a comparison.
    const step = (largest * n) / MOST_KEY;
    for (let x = 0; x < n; x++) keys[x] = Math.floor(keys[x] / step) * n + x;
    keys.sort();
    for (let k = 0; k < n; k++) {
      const cost = Math.floor(keys[k] / n);
      rank[k] = keys[k] - cost * n;
      floors[k] = (cost - 1) * step;
    }
  }

  /** Goes on to the next assignment. */
  advance(): void {
    const { digits, outerSizes } = this;
    for (let d = digits.length - 1; d >= 0 && ++digits[d] === outerSizes[d]; d--) digits[d] = 0;
  }

  private offset(strides: Int32Array): number {
    let sum = 0;
    for (let i = 0; i < strides.length; i++) sum += this.digits[i] * strides[i];
    return sum;
  }
}

/** A safe integer, with room for rounding. */
const MOST_KEY = 2 ** 51;
const NO_VARIABLE = -1;

/** Adds each choice's least entry over all rows. */
function addLeast(least: Float64Array, table: Float64Array): void {
  const n = least.length;
  const minima = new Float64Array(n).fill(Infinity);
  for (let row = 0; row < table.length; row += n) {
    for (let x = 0; x < n; x++) if (table[row + x] < minima[x]) minima[x] = table[row + x];
  }
  for (let x = 0; x < n; x++) least[x] += minima[x];
}

/** Kernel: the bucket's message, where it is not out of reach. @returns combinations looked at */
function minimizeOver(bucket: Bucket, sizes: readonly number[], isOut: Uint8Array | undefined): number {
  const choices = new RankedChoices(bucket, sizes);
  const { inner, rank, floors, base, tables, from } = choices;
  const { message } = bucket;
  const n = base.length;
  let cells = 0;
  for (let o = 0; o < choices.outerCount; o++, choices.advance()) {
    if (isOut !== undefined && isAllSet(isOut, o * inner, inner)) continue;
    choices.prepare();
    cells += n;
    for (let i = 0; i < inner; i++) {
      const at = o * inner + i;
      if (isOut !== undefined && isOut[at] === 1) continue;
      let best = Infinity;
      let k = 0;
      for (; k < n && floors[k] < best; k++) {
        const x = rank[k];
        let cost = base[x];
        for (let f = 0; f < tables.length; f++) cost += tables[f][from[f] + i * n + x];
        if (cost < best) best = cost;
      }
      message[at] = best;
      cells += k;
    }
  }
  return cells;
}

interface Below {
  readonly into: Float64Array;
  readonly strides: Int32Array;
}

/** Kernel: the least cost of every choice of the bucket's variable, alone and with its children's separators. */
function spreadOver(
  bucket: Bucket,
  sizes: readonly number[],
  isSkipped: Uint8Array,
  rest: Float64Array,
  level: number,
  minima: Float64Array,
  below: readonly Below[],
): void {
  const choices = new RankedChoices(bucket, sizes);
  const { inner, rank, floors, base, tables, from } = choices;
  const n = base.length;
  const rows = new Int32Array(below.length);
  for (let o = 0; o < choices.outerCount; o++, choices.advance()) {
    if (isAllSet(isSkipped, o * inner, inner)) continue;
    choices.prepare();
    for (let i = 0; i < inner; i++) {
      const at = o * inner + i;
      if (isSkipped[at] === 1) continue;
      const add = rest[at];
      for (let b = 0; b < rows.length; b++) rows[b] = offsetOf(at, bucket.separator, sizes, below[b].strides);
      for (let k = 0; k < n && floors[k] + add <= level; k++) {
        const x = rank[k];
        let cost = base[x] + add;
        for (let f = 0; f < tables.length; f++) cost += tables[f][from[f] + i * n + x];
        if (cost < minima[x]) minima[x] = cost;
        for (let b = 0; b < rows.length; b++) {
          const { into } = below[b];
          if (cost < into[rows[b] + x]) into[rows[b] + x] = cost;
        }
      }
    }
  }
}

function isAllSet(flags: Uint8Array, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (flags[i] === 0) return false;
  return true;
}

function offsetOf(
  at: number,
  separator: readonly number[],
  sizes: readonly number[],
  strides: Int32Array,
): number {
  let from = 0;
  let left = at;
  for (let i = separator.length - 1; i >= 0; i--) {
    const size = sizes[separator[i]];
    from += (left % size) * strides[i];
    left = Math.floor(left / size);
  }
  return from;
}

/** Strides of `outer`'s variables in a factor, 0 where it lacks them. */
function stridesOf(factor: Factor, outer: readonly number[], sizes: readonly number[]): Int32Array {
  const strides = new Int32Array(outer.length);
  let stride = 1;
  for (let i = factor.scope.length - 1; i >= 0; i--) {
    const at = outer.indexOf(factor.scope[i]);
    if (at >= 0) strides[at] = stride;
    stride *= sizes[factor.scope[i]];
  }
  return strides;
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

/** Passes back what the rest of the tree costs at least, bucket by bucket; what exceeds `level` is left out. */
function downward(
  buckets: readonly Bucket[],
  sizes: readonly number[],
  value: number,
  level: number,
  totals: Map<number, KnownTotals>,
): Float64Array[] {
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
    spreadOver(bucket, sizes, isSkipped, rest, level, minima, below);
    for (const { child, into } of below) {
      for (let i = 0; i < into.length; i++) into[i] -= child.message[i];
      outside.set(child, into);
    }
    const known = marginals[bucket.variable];
    for (let x = 0; x < known.length; x++) if (minima[x] > known[x]) known[x] = minima[x];
  }
  return marginals;
}

function transpose(table: Float64Array, rows: number, columns: number): Float64Array {
  const turned = new Float64Array(table.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) turned[c * rows + r] = table[r * columns + c];
  return turned;
}

function product(variables: Iterable<number>, sizes: readonly number[]): number {
  let all = 1;
  for (const variable of variables) all *= sizes[variable];
  return all;
}
