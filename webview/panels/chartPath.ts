/**
 * A step function over equal steps as an area of at most one step per pixel column: the highest (or lowest)
 * value of each. Coordinates are pixels; `values` may be of any length.
 */
export function stepArea(
  values: ArrayLike<number>,
  width: number,
  y: (value: number) => number,
  of: 'highest' | 'lowest' = 'highest',
): string {
  const count = values.length;
  if (count === 0 || width <= 0) return '';
  const columns = Math.min(count, Math.max(1, Math.floor(width)));
  let path = `M0,${y(0).toFixed(1)}`;
  let last = '';
  for (let c = 0; c < columns; c++) {
    const at = y(
      extreme(values, Math.floor((c * count) / columns), Math.ceil(((c + 1) * count) / columns), of),
    ).toFixed(1);
    if (at !== last) path += `H${((c / columns) * width).toFixed(1)}V${at}`;
    last = at;
  }
  return `${path}H${width.toFixed(1)}V${y(0).toFixed(1)}Z`;
}

function extreme(values: ArrayLike<number>, from: number, to: number, of: 'highest' | 'lowest'): number {
  let found = values[from];
  for (let i = from + 1; i < to; i++)
    found = of === 'highest' ? Math.max(found, values[i]) : Math.min(found, values[i]);
  return found;
}
