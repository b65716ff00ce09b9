/**
 * A step function over equal steps as a path with at most two points per pixel column: of each column its
 * highest and lowest value. Coordinates are pixels; `values` may be of any length.
 */
export function stepPath(values: ArrayLike<number>, width: number, y: (value: number) => number): string {
  const count = values.length;
  if (count === 0 || width <= 0) return '';
  const columns = Math.max(1, Math.floor(width));
  let path = `M0,${y(0)}`;
  if (count <= columns) {
    for (let i = 0; i < count; i++) {
      const at = y(values[i]).toFixed(1);
      path += `L${((i / count) * width).toFixed(1)},${at}L${(((i + 1) / count) * width).toFixed(1)},${at}`;
    }
  } else {
    for (let c = 0; c < columns; c++) {
      const { low, high } = range(
        values,
        Math.floor((c * count) / columns),
        Math.ceil(((c + 1) * count) / columns),
      );
      path += `L${c},${y(high).toFixed(1)}L${c},${y(low).toFixed(1)}L${c + 1},${y(high).toFixed(1)}`;
    }
  }
  return `${path}L${width},${y(0)}Z`;
}

function range(values: ArrayLike<number>, from: number, to: number): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let i = from; i < to; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return { low, high };
}
