import type { ElementType } from '../graph/elementType';
import {
  add,
  compare,
  floorDivide,
  divideExactly,
  isSymbolic,
  maximum,
  minimum,
  multiply,
  sizeOf,
  subtract,
} from './dim';
import type { Dim } from './types';

/**
 * Arithmetic on single elements as the operators define it, at the precision of the element type. Where both
 * operands are numbers under the bindings the number decides; the symbolic form is kept beside it when it
 * gives the same number. A result that the type cannot hold exactly as computed here is unknown.
 */
export type Scalar = (a: Dim, b: Dim, type: ElementType | undefined) => Dim;

const INTEGER_RANGES: Partial<Record<ElementType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  uint4: [0, 15],
  int4: [-8, 7],
  uint2: [0, 3],
  int2: [-2, 1],
  bool: [0, 1],
  // Half precision holds these integers exactly; other results are left unknown.
  float16: [-2048, 2048],
  bfloat16: [-256, 256],
};

export function isInteger(type: ElementType | undefined): boolean {
  return type !== undefined && /^(u?int|bool)/.test(type);
}

/** `value` as an element of `type`, `undefined` where it is not exactly one. */
export function fit(value: number, type: ElementType | undefined): number | undefined {
  if (type === 'float32') value = Math.fround(value);
  if (!Number.isFinite(value)) return undefined;
  if (type === 'float32' || type === 'float64') return value;
  const range = type && INTEGER_RANGES[type];
  return range && Number.isInteger(value) && value >= range[0] && value <= range[1] ? value : undefined;
}

function arithmetic(
  concrete: (x: number, y: number, integer: boolean) => number,
  symbolic?: (a: Dim, b: Dim, integer: boolean) => Dim,
): Scalar {
  return (a, b, type) => {
    if (a === undefined || b === undefined) return undefined;
    const x = sizeOf(a);
    const y = sizeOf(b);
    const integer = isInteger(type);
    const known = x === undefined || y === undefined ? undefined : fit(concrete(x, y, integer), type);
    if (!isSymbolic(a) && !isSymbolic(b)) return known;
    const expression = symbolic?.(a, b, integer);
    return x === undefined || y === undefined || sizeOf(expression) === known ? expression : known;
  };
}

function comparison(holds: (order: number) => boolean): Scalar {
  return (a, b) => {
    const order = compare(a, b);
    return order === undefined ? undefined : Number(holds(order));
  };
}

function bits(f: (x: bigint, y: bigint) => bigint): Scalar {
  return arithmetic((x, y) =>
    Number.isInteger(x) && Number.isInteger(y) ? Number(f(BigInt(x), BigInt(y))) : NaN,
  );
}

const truncated = (x: number, y: number) => Math.trunc(x / y);

/** Python's sign for integers (that of the divisor), C's for `fmod`. */
export const modulo = (fmod: boolean): Scalar =>
  arithmetic(
    (x, y) => (fmod ? x % y : x - Math.floor(x / y) * y),
    (a, b, integer) => (integer ? subtract(a, multiply(b, floorDivide(a, b))) : undefined),
  );

/** Two-operand operators whose values are followed. */
export const BINARY: Readonly<Record<string, Scalar>> = {
  Add: arithmetic((x, y) => x + y, add),
  Sub: arithmetic((x, y) => x - y, subtract),
  Mul: arithmetic((x, y) => x * y, multiply),
  Div: arithmetic(
    (x, y, integer) => (integer ? truncated(x, y) : x / y),
    (a, b, integer) => (integer ? floorDivide(a, b) : realQuotient(a, b)),
  ),
  Pow: arithmetic((x, y) => x ** y),
  Min: arithmetic((x, y) => Math.min(x, y), minimum),
  Max: arithmetic((x, y) => Math.max(x, y), maximum),
  Equal: comparison((order) => order === 0),
  Less: comparison((order) => order < 0),
  LessOrEqual: comparison((order) => order <= 0),
  Greater: comparison((order) => order > 0),
  GreaterOrEqual: comparison((order) => order >= 0),
  And: (a, b) => (a === 0 || b === 0 ? 0 : a === 1 && b === 1 ? 1 : undefined),
  Or: (a, b) => (a === 1 || b === 1 ? 1 : a === 0 && b === 0 ? 0 : undefined),
  Xor: (a, b) => (a === undefined || b === undefined ? undefined : Number(a !== b)),
  BitwiseAnd: bits((x, y) => x & y),
  BitwiseOr: bits((x, y) => x | y),
  BitwiseXor: bits((x, y) => x ^ y),
};

/** A constant divisor as a factor, where that is exact in binary; otherwise only exact quotients. */
function realQuotient(a: Dim, b: Dim): Dim {
  const inverse = typeof b === 'number' ? 1 / b : 0;
  return inverse !== 0 && inverse * 2 ** 20 === Math.round(inverse * 2 ** 20)
    ? multiply(a, inverse)
    : divideExactly(a, b);
}

/** Nearest, halves to even. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** One-operand operators on numbers. */
export const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Floor: Math.floor,
  Identity: (x) => x,
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(x, 0),
  Round: roundHalfEven,
  Sign: Math.sign,
  Sqrt: Math.sqrt,
};
