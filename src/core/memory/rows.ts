/** Rows of integers of unequal length in two flat arrays: row `i` is `values[start[i] .. start[i + 1])`. */
export interface Rows {
  readonly start: Int32Array;
  readonly values: Int32Array;
}

export function packRows(rows: readonly (readonly number[])[]): Rows {
  const start = new Int32Array(rows.length + 1);
  rows.forEach((row, index) => (start[index + 1] = start[index] + row.length));
  const values = new Int32Array(start[rows.length]);
  rows.forEach((row, index) => values.set(row, start[index]));
  return { start, values };
}

/** Row `v` of the result holds, ascending, every `i` whose row holds `v`; `width` rows. */
export function transpose(rows: Rows, width: number): Rows {
  const start = new Int32Array(width + 1);
  for (const value of rows.values) start[value + 1]++;
  for (let value = 0; value < width; value++) start[value + 1] += start[value];
  const next = start.slice(0, width);
  const values = new Int32Array(rows.values.length);
  for (let row = 0; row + 1 < rows.start.length; row++) {
    for (let at = rows.start[row]; at < rows.start[row + 1]; at++) values[next[rows.values[at]]++] = row;
  }
  return { start, values };
}

/** Row `index` as a view, no copy. */
export function row(rows: Rows, index: number): Int32Array {
  return rows.values.subarray(rows.start[index], rows.start[index + 1]);
}
