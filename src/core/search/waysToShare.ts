/** All ways to write `parts` as an ordered sum of so many terms, none of them negative. */
export function* waysToShare(parts: number, terms: number): Generator<number[]> {
  if (terms === 0) {
    if (parts === 0) yield [];
    return;
  }
  for (let first = 0; first <= parts; first++) {
    for (const rest of waysToShare(parts - first, terms - 1)) yield [first, ...rest];
  }
}
