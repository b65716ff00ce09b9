/** Row-major positions inside a box of a tensor (`[start, end)` per axis), one by one. */
export function boxMembers(shape: readonly number[], box: readonly number[]): Set<number> {
  const found = new Set<number>();
  const total = shape.reduce((product, length) => product * length, 1);
  for (let element = 0; element < total; element++) {
    let rest = element;
    let isInside = true;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
      isInside &&= at >= box[2 * axis] && at < box[2 * axis + 1];
    }
    if (isInside) found.add(element);
  }
  return found;
}
