/** Between a number and its unit: they stay on one line. */
const SPACE = '\u00a0';

/** Quantities as a person reads them: three digits, binary units for bytes, `?` for unknown (NaN). */
export function bytesText(bytes: number, known = true): string {
  if (Number.isNaN(bytes)) return '?';
  const text = scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
  return known ? text : `at least ${text}`;
}

export function secondsText(seconds: number): string {
  if (Number.isNaN(seconds)) return '?';
  if (seconds === 0) return `0${SPACE}ms`;
  if (Math.abs(seconds) < 1e-6) return `${threeDigits(seconds * 1e9)}${SPACE}ns`;
  if (Math.abs(seconds) < 1e-3) return `${threeDigits(seconds * 1e6)}${SPACE}µs`;
  if (Math.abs(seconds) < 1) return `${threeDigits(seconds * 1e3)}${SPACE}ms`;
  return `${threeDigits(seconds)}${SPACE}s`;
}

export function flopsText(flops: number): string {
  if (Number.isNaN(flops)) return '?';
  return scaled(flops, 1000, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP']);
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${groupedText(count)} ${count === 1 ? one : many}`;
}

/** `20,010`. By hand: the first call of a locale's own formatting costs the page 10 to 30 ms. */
export function groupedText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `−24 %`, `+3 %`, `±0 %`: of `value` against `base`. */
export function changeText(value: number, base: number): string {
  const percent = (value / base - 1) * 100;
  const rounded = Math.abs(percent) < 10 ? Math.round(percent * 10) / 10 : Math.round(percent);
  if (rounded === 0) return `±0${SPACE}%`;
  return `${rounded < 0 ? '−' : '+'}${Math.abs(rounded)}${SPACE}%`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  while (Math.abs(rest) >= base && unit < units.length - 1) {
    rest /= base;
    unit++;
  }
  return `${unit === 0 ? Math.round(rest) : threeDigits(rest)}${SPACE}${units[unit]}`;
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toFixed(0);
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
