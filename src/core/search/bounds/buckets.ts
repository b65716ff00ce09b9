/** Buckets of the elimination, and the kernels that minimize over a bucket's variable. */

/** A table over `scope`, the last variable innermost; an edge, or a message of an eliminated bucket. */
export interface Factor {
  readonly scope: readonly number[];
  readonly table: Float64Array;
}

/** A variable (or one copy of it) with all factors that are minimized over it. */
export interface Bucket {
  readonly variable: number;
  /** Cost of the variable's own choices in this copy. */
  own: Float64Array;
  /** Variables eliminated later, the one eliminated first innermost. */
  readonly separator: readonly number[];
  readonly factors: readonly Factor[];
  /** Buckets whose messages are among `factors`. */
  readonly children: readonly Bucket[];
  /** Edges of the problem whose tables are among `factors`. */
  readonly edges: readonly number[];
  readonly message: Float64Array;
  /** No mini-bucket. */
  readonly isWhole: boolean;
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
export function minimizeOver(
  bucket: Bucket,
  sizes: readonly number[],
  isOut: Uint8Array | undefined,
): number {
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
export function spreadOver(
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
  const intos = below.map(({ into }) => into);
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
          const into = intos[b];
          const place = rows[b] + x;
          if (cost < into[place]) into[place] = cost;
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
export function stridesOf(factor: Factor, outer: readonly number[], sizes: readonly number[]): Int32Array {
  const strides = new Int32Array(outer.length);
  let stride = 1;
  for (let i = factor.scope.length - 1; i >= 0; i--) {
    const at = outer.indexOf(factor.scope[i]);
    if (at >= 0) strides[at] = stride;
    stride *= sizes[factor.scope[i]];
  }
  return strides;
}

export function product(variables: Iterable<number>, sizes: readonly number[]): number {
  let all = 1;
  for (const variable of variables) all *= sizes[variable];
  return all;
}
