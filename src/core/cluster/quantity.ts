import { InputError } from '../graph/problem';
import type { Bytes } from '../graph/units';

/** The kinds of quantity in a cluster file: their units, as factors to the base unit (the first). */
const UNITS = {
  bytes: { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
  compute: { 'FLOP/s': 1, 'MFLOP/s': 1e6, 'GFLOP/s': 1e9, 'TFLOP/s': 1e12 },
  bandwidth: {
    'B/s': 1,
    'kB/s': 1e3,
    'MB/s': 1e6,
    'GB/s': 1e9,
    'bit/s': 1 / 8,
    'kbit/s': 1e3 / 8,
    'Mbit/s': 1e6 / 8,
    'Gbit/s': 1e9 / 8,
  },
  time: { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 },
} as const satisfies Record<string, Record<string, number>>;

export type QuantityKind = keyof typeof UNITS;

/** A decimal number, then optionally a unit. */
const QUANTITY = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d].*?)?\s*$/;

/**
 * A number in the kind's base unit (bytes, FLOP/s, bytes per second, seconds) from a number or from text such
 * as `"512 MiB"`. Bytes are whole: fractions are cut off.
 * @param field what the quantity is, for the message: `devices[0] "tv": memory`
 */
export function parseQuantity(value: unknown, kind: QuantityKind, field: string): number {
  const result =
    kind === 'bytes' ? Math.floor(inBaseUnit(value, kind, field)) : inBaseUnit(value, kind, field);
  if (!Number.isFinite(result) || Math.abs(result) > Number.MAX_SAFE_INTEGER) {
    throw new InputError(`${field} is not a number that can be used: ${JSON.stringify(value)}.`);
  }
  return result;
}

function inBaseUnit(value: unknown, kind: QuantityKind, field: string): number {
  if (typeof value === 'number') return value;
  const units: Readonly<Record<string, number>> = UNITS[kind];
  const allowed = Object.keys(units).join(', ');
  const parts = typeof value === 'string' ? QUANTITY.exec(value) : null;
  if (parts === null) {
    throw new InputError(`${field} must be a number or text with a unit (${allowed}), not ${show(value)}.`);
  }
  const [, digits, unit] = parts;
  if (unit === undefined) return Number(digits);
  const name = unit.replace('µ', 'u').replace('μ', 'u');
  if (!Object.hasOwn(units, name)) {
    throw new InputError(`${field} has the unit "${unit}"; it must be one of ${allowed}.`);
  }
  return scaled(Number(digits), name, units[name]);
}

/** Divides where the factor is a fraction, so that `50 us` is exactly the number written as `50e-6`. */
function scaled(digits: number, unit: string, factor: number): number {
  if (factor >= 1 || unit.endsWith('bit/s')) return digits * factor;
  return digits / Math.round(1 / factor);
}

const LONGEST_SHOWN = 40;

/** A value as the file has it, cut short. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
}

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `4.16 MiB`; exact bytes below one KiB. */
export function bytesText(bytes: Bytes): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < BINARY_UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : threeDigits(value)} ${BINARY_UNITS[unit]}`;
}

/** `4.16`, `33.4`, `820`. */
export function threeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}
