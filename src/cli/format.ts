import { threeDigits } from '../core/cluster/quantity';

/** `33.4 ms`, `1.52 s`, `820 us`. */
export function secondsText(seconds: number): string {
  if (seconds >= 1) return `${threeDigits(seconds)} s`;
  if (seconds >= 1e-3) return `${threeDigits(seconds * 1e3)} ms`;
  return `${threeDigits(seconds * 1e6)} us`;
}

export function flopsText(flops: number): string {
  if (flops >= 1e9) return `${threeDigits(flops / 1e9)} GFLOP`;
  if (flops >= 1e6) return `${threeDigits(flops / 1e6)} MFLOP`;
  return `${threeDigits(flops / 1e3)} kFLOP`;
}

/** `-12.3 %` for a change from `before` to `after`. */
export function changeText(before: number, after: number): string {
  if (before === 0) return 'n/a';
  const percent = (after / before - 1) * 100;
  return `${percent > 0 ? '+' : ''}${percent.toFixed(1)} %`;
}

/** Rows with aligned columns; the first column is text, the others numbers (right-aligned). */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}
