import type { Dim, DimExpression } from './types';

/**
 * Arithmetic on dimensions. A dimension that is not a number is a polynomial over *atoms* (names, and
 * functions such as `floor(h/2)`) in a normal form, so that equal expressions have equal texts:
 * terms sorted by degree and factors, and `floor((2*h + 3)/2)` taken apart into `h + 1`. An expression carries its
 * value under the bindings in force, so every decision can be taken on numbers while the text stays symbolic.
 * Whatever grows beyond the limits below, or beyond exact integers, becomes its value or unknown.
 */
const MAX_TERMS = 16;
const MAX_FACTORS = 8;
const MAX_TEXT = 200;

type Bindings = ReadonlyMap<string, number>;

interface Atom {
  readonly text: string;
  readonly value: number | undefined;
  /** Names in it that have no size. */
  readonly free: readonly string[];
  readonly evaluate: (bindings: Bindings) => number | undefined;
}

interface Term {
  readonly coefficient: number;
  /** Sorted by text; a power is a repetition. */
  readonly factors: readonly Atom[];
  /** The factors' texts joined: `''` for the constant term. */
  readonly key: string;
}

class Expression implements DimExpression {
  readonly text: string;
  readonly value: number | undefined;

  constructor(readonly terms: readonly Term[]) {
    this.text = textOf(terms);
    this.value = exact(sumOf(terms, (atom) => atom.value));
  }

  get free(): readonly string[] {
    return [...new Set(this.terms.flatMap(({ factors }) => factors.flatMap((atom) => atom.free)))];
  }

  evaluate(bindings: Bindings): number | undefined {
    return exact(sumOf(this.terms, (atom) => atom.evaluate(bindings)));
  }
}

/** A named dimension with the size bound to it, if any. */
export function symbol(name: string, value: number | undefined): Dim {
  const free = value === undefined ? [name] : [];
  return single({ text: name, value, free, evaluate: (bindings) => bindings.get(name) });
}

/** The number that a dimension is under the bindings in force. */
export function sizeOf(dim: Dim): number | undefined {
  return typeof dim === 'object' ? dim.value : dim;
}

export function isSymbolic(dim: Dim): dim is DimExpression {
  return typeof dim === 'object';
}

export function add(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return exact(a + b);
  return fromTerms([...termsOf(a), ...termsOf(b)]);
}

export function subtract(a: Dim, b: Dim): Dim {
  return typeof a === 'number' && typeof b === 'number' ? exact(a - b) : add(a, multiply(b, -1));
}

export function multiply(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0;
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return exact(a * b);
  const left = termsOf(a);
  const right = termsOf(b);
  return fromTerms(left.flatMap((one) => right.map((other) => timesTerm(one, other))));
}

export function product(dims: readonly Dim[]): Dim {
  let all: Dim = 1;
  for (const dim of dims) if (dim === 0) return 0;
  for (const dim of dims) all = multiply(all, dim);
  return all;
}

/** `floor(a / b)`. */
export function floorDivide(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined || b === 0) return undefined;
  if (b === 1) return a;
  if (typeof a === 'number' && typeof b === 'number') return exact(Math.floor(a / b));
  const quotient = divideExactly(a, b);
  if (quotient !== undefined) return quotient;
  if (typeof b === 'number' && b > 0 && isIntegral(a) && Number.isInteger(b)) return floorByNumber(a, b);
  return named(`floor(${bracket(a)}/${bracket(b)})`, [a, b], ([x, y]) => (y === 0 ? NaN : Math.floor(x / y)));
}

/** `ceil(a / b)` for a positive whole `b`, in the normal form of `floor((a + b - 1) / b)`. */
export function ceilDivide(a: Dim, b: number): Dim {
  return floorDivide(add(a, b - 1), b);
}

/** Exact quotient of polynomials, or `undefined` where there is none. */
export function divideExactly(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined || b === 0) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return a % b === 0 ? a / b : undefined;
  const divisor = termsOf(b);
  const lead = divisor[0];
  let rest: Dim = a;
  let quotient: Dim = 0;
  for (let step = 0; step < MAX_TERMS && rest !== undefined; step++) {
    if (rest === 0) return quotient;
    const term = divideTerm(termsOf(rest)[0], lead);
    if (term === undefined) return undefined;
    const part = fromTerms([term]);
    quotient = add(quotient, part);
    rest = subtract(rest, multiply(part, b));
  }
  return undefined;
}

/** Rounding of real-valued expressions, as in scaled sizes. */
export function floor(a: Dim): Dim {
  if (typeof a === 'number') return exact(Math.floor(a));
  if (a === undefined || isIntegral(a)) return a;
  const denominator = commonDenominator(a);
  if (denominator !== undefined) return floorDivide(multiply(a, denominator), denominator);
  return named(`floor(${a.text})`, [a], ([x]) => Math.floor(x));
}

export function ceil(a: Dim): Dim {
  if (typeof a === 'number') return exact(Math.ceil(a));
  if (a === undefined || isIntegral(a)) return a;
  const denominator = commonDenominator(a);
  if (denominator !== undefined) return ceilDivide(multiply(a, denominator), denominator);
  return named(`ceil(${a.text})`, [a], ([x]) => Math.ceil(x));
}

export function minimum(a: Dim, b: Dim): Dim {
  return extreme('min', a, b);
}

export function maximum(a: Dim, b: Dim): Dim {
  return extreme('max', a, b);
}

/** -1, 0, 1 as `a` is below, equal to or above `b`; `undefined` where that depends on a free name (names are at least 1). */
export function compare(a: Dim, b: Dim): -1 | 0 | 1 | undefined {
  if (a === undefined || b === undefined) return undefined;
  const x = sizeOf(a);
  const y = sizeOf(b);
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : 0;
  const difference = subtract(a, b);
  if (typeof difference === 'number') return Math.sign(difference) as -1 | 0 | 1;
  if (difference === undefined) return undefined;
  if (isPositive(difference)) return 1;
  return isPositive(multiply(difference, -1)) ? -1 : undefined;
}

/** The same dimension by text or by size. */
export function isSame(a: Dim, b: Dim): boolean {
  return compare(a, b) === 0;
}

/** What holds for both: equal dimensions stay, others are unknown. */
export function merge(a: Dim, b: Dim): Dim {
  if (a === b) return a;
  if (typeof a === 'object' && typeof b === 'object' && a.text === b.text) return a;
  const x = sizeOf(a);
  return x !== undefined && x === sizeOf(b) ? x : undefined;
}

function extreme(name: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined) return undefined;
  const order = compare(a, b);
  if (order !== undefined) return order <= 0 === (name === 'min') ? a : b;
  const [first, second] = [a, b].sort((one, other) => (textOfDim(one) < textOfDim(other) ? -1 : 1));
  const pick = name === 'min' ? Math.min : Math.max;
  return named(`${name}(${textOfDim(first)}, ${textOfDim(second)})`, [first, second], ([x, y]) => pick(x, y));
}

/** `floor(a / n)` with everything that `n` divides taken out, and nested floors joined. */
function floorByNumber(a: number | DimExpression, n: number): Dim {
  let whole: Dim = 0;
  let rest: Dim = 0;
  for (const term of termsOf(a)) {
    const out = Math.floor(term.coefficient / n);
    const left = term.coefficient - out * n;
    if (out !== 0) whole = add(whole, fromTerms([{ ...term, coefficient: out }]));
    if (left !== 0) rest = add(rest, fromTerms([{ ...term, coefficient: left }]));
  }
  if (rest === undefined || whole === undefined) return valueOnly(a, (x) => Math.floor(x / n));
  if (typeof rest === 'number') return add(whole, Math.floor(rest / n));
  const common = commonDivisor(rest, n);
  if (common > 1) return add(whole, floorByNumber(shrunk(rest, common), n / common));
  const inner = nestedFloor(rest);
  const atom =
    inner === undefined
      ? named(`floor(${bracket(rest)}/${n})`, [rest], ([x]) => Math.floor(x / n))
      : floorDivide(add(inner.numerator, inner.offset * inner.divisor), inner.divisor * n);
  return add(whole, atom);
}

/** Greatest divisor of `n` and of every coefficient but the constant. */
function commonDivisor(dim: DimExpression, n: number): number {
  return termsOf(dim).reduce((all, { key, coefficient }) => (key === '' ? all : gcd(all, coefficient)), n);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** floor((g*p + c) / (g*m)) = floor((p + floor(c/g)) / m) for whole `p`. */
function shrunk(dim: DimExpression, divisor: number): DimExpression {
  const terms = termsOf(dim).map((term) => ({
    ...term,
    coefficient: Math.floor(term.coefficient / divisor),
  }));
  return fromTerms(terms) as DimExpression;
}

/** `floor(p/m) + c` as its parts: floor((floor(p/m) + c)/n) = floor((p + c*m)/(m*n)). */
function nestedFloor(dim: DimExpression): { numerator: Dim; divisor: number; offset: number } | undefined {
  const terms = termsOf(dim);
  const [first, second] = terms;
  if (terms.length > 2 || first.coefficient !== 1 || first.factors.length !== 1) return undefined;
  if (second !== undefined && second.key !== '') return undefined;
  const parts = FLOORS.get(first.factors[0]);
  return parts && { ...parts, offset: second?.coefficient ?? 0 };
}

/** What a `floor(p/n)` atom was made of. */
const FLOORS = new WeakMap<Atom, { numerator: Dim; divisor: number }>();

function named(
  text: string,
  args: readonly (number | DimExpression)[],
  f: (values: number[]) => number,
): Dim {
  const apply = (values: readonly (number | undefined)[]) =>
    values.includes(undefined) ? undefined : exact(f(values as number[]));
  const value = apply(args.map(sizeOf));
  if (text.length > MAX_TEXT) return value;
  const atom: Atom = {
    text,
    value,
    free: [...new Set(args.flatMap((arg) => (typeof arg === 'object' ? arg.free : [])))],
    evaluate: (bindings) =>
      apply(args.map((arg) => (typeof arg === 'object' ? arg.evaluate(bindings) : arg))),
  };
  const divisor = /\/(\d+)\)$/.exec(text);
  if (args.length === 1 && text.startsWith('floor(') && divisor)
    FLOORS.set(atom, { numerator: args[0], divisor: Number(divisor[1]) });
  return single(atom);
}

function valueOnly(a: Dim, f: (value: number) => number): Dim {
  const value = sizeOf(a);
  return value === undefined ? undefined : exact(f(value));
}

function single(atom: Atom): Dim {
  return new Expression([{ coefficient: 1, factors: [atom], key: atom.text }]);
}

function termsOf(dim: number | DimExpression): readonly Term[] {
  return typeof dim === 'object' ? (dim as Expression).terms : [{ coefficient: dim, factors: [], key: '' }];
}

function fromTerms(terms: readonly Term[]): Dim {
  const merged = new Map<string, Term>();
  for (const term of terms) {
    const other = merged.get(term.key);
    merged.set(
      term.key,
      other === undefined ? term : { ...term, coefficient: term.coefficient + other.coefficient },
    );
  }
  const kept = [...merged.values()].filter((term) => term.coefficient !== 0);
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0].key === '') return exact(kept[0].coefficient);
  kept.sort((a, b) => b.factors.length - a.factors.length || (a.key < b.key ? -1 : 1));
  const tooLarge =
    kept.length > MAX_TERMS ||
    kept.some((term) => term.factors.length > MAX_FACTORS || exact(term.coefficient) === undefined) ||
    kept.reduce((length, term) => length + term.key.length, 0) > MAX_TEXT;
  return tooLarge ? exact(sumOf(kept, (atom) => atom.value)) : new Expression(kept);
}

function timesTerm(a: Term, b: Term): Term {
  const factors = [...a.factors, ...b.factors].sort((x, y) =>
    x.text < y.text ? -1 : x.text > y.text ? 1 : 0,
  );
  return {
    coefficient: a.coefficient * b.coefficient,
    factors,
    key: factors.map((atom) => atom.text).join('*'),
  };
}

function divideTerm(a: Term, b: Term): Term | undefined {
  const factors = [...a.factors];
  for (const atom of b.factors) {
    const at = factors.findIndex((one) => one.text === atom.text);
    if (at < 0) return undefined;
    factors.splice(at, 1);
  }
  const coefficient = a.coefficient / b.coefficient;
  if (!Number.isInteger(coefficient)) return undefined;
  return { coefficient, factors, key: factors.map((atom) => atom.text).join('*') };
}

function sumOf(terms: readonly Term[], size: (atom: Atom) => number | undefined): number {
  let sum = 0;
  for (const term of terms) {
    let part = term.coefficient;
    for (const atom of term.factors) part *= size(atom) ?? NaN;
    sum += part;
  }
  return sum;
}

/** Whole numbers beyond 2^53 are no longer exact, and infinities no sizes: unknown. */
function exact(value: number): number | undefined {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  return Number.isFinite(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
}

function isIntegral(dim: number | DimExpression): boolean {
  return termsOf(dim).every((term) => Number.isInteger(term.coefficient));
}

const DENOMINATORS = [2, 3, 4, 5, 6, 8, 10, 16, 32, 64, 128];

function commonDenominator(dim: DimExpression): number | undefined {
  return DENOMINATORS.find((n) => termsOf(dim).every((term) => Number.isInteger(term.coefficient * n)));
}

/** Above 0 whatever the names stand for, given that names and functions of them are at least 0 and the constant is positive. */
function isPositive(dim: Dim): boolean {
  if (dim === undefined || typeof dim === 'number') return dim !== undefined && dim > 0;
  const terms = termsOf(dim);
  const plain = terms.every((term) => term.factors.every((atom) => !/^(min|max)/.test(atom.text)));
  return plain && terms.every((term) => term.coefficient > 0) && terms.at(-1)!.key === '';
}

function textOfDim(dim: number | DimExpression): string {
  return typeof dim === 'object' ? dim.text : String(dim);
}

function bracket(dim: number | DimExpression): string {
  return termsOf(dim).length > 1 ? `(${textOfDim(dim)})` : textOfDim(dim);
}

function textOf(terms: readonly Term[]): string {
  let text = '';
  for (const { coefficient, key } of terms) {
    const sign = coefficient < 0 ? (text ? ' - ' : '-') : text ? ' + ' : '';
    const size = String(Math.abs(coefficient));
    text += sign + (key === '' ? size : Math.abs(coefficient) === 1 ? key : `${size}*${key}`);
  }
  return text;
}
