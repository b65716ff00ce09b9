/**
 * An order of the vertices of an undirected graph that keeps the cliques small which elimination makes: the
 * vertex that adds the fewest edges first, then the one with the fewest neighbours, then the lowest number
 * (min-fill, Kjaerulff 1990). Vertices far apart do not touch each other's fill, so only the neighbourhood of an
 * eliminated vertex is counted again.
 */
export function findWidthOrder(vertices: number, edges: readonly (readonly [number, number])[]): number[] {
  const neighbours = Array.from({ length: vertices }, () => new Set<number>());
  for (const [a, b] of edges) {
    if (a === b) continue;
    neighbours[a].add(b);
    neighbours[b].add(a);
  }
  const fill = (v: number): number => {
    const around = [...neighbours[v]];
    let missing = 0;
    for (let i = 0; i < around.length; i++) {
      for (let j = i + 1; j < around.length; j++) if (!neighbours[around[i]].has(around[j])) missing++;
    }
    return missing;
  };
  const fills = neighbours.map((_, v) => fill(v));
  const alive = new Set(neighbours.keys());
  const order: number[] = [];
  while (alive.size > 0) {
    let best = -1;
    for (const v of alive) {
      if (best < 0 || isBefore(v, best, fills, neighbours)) best = v;
    }
    alive.delete(best);
    order.push(best);
    const around = [...neighbours[best]];
    const touched = new Set(around);
    for (const v of around) {
      neighbours[v].delete(best);
      for (const w of around) if (v !== w) neighbours[v].add(w);
    }
    for (const v of around) for (const w of neighbours[v]) touched.add(w);
    for (const v of touched) fills[v] = fill(v);
  }
  return order;
}

function isBefore(
  v: number,
  w: number,
  fills: readonly number[],
  neighbours: readonly Set<number>[],
): boolean {
  if (fills[v] !== fills[w]) return fills[v] < fills[w];
  if (neighbours[v].size !== neighbours[w].size) return neighbours[v].size < neighbours[w].size;
  return v < w;
}
