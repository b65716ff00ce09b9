import type { Topology } from './topology';

/** A group before it has an id: what it holds, in a valid execution order. */
export interface Draft {
  readonly label: string;
  /** Operators directly in it, and groups. */
  readonly children: readonly (number | Draft)[];
  /** All operators inside, in execution order. */
  readonly operators: readonly number[];
  /** Equal numbers mark groups of equal structure; -1 where nobody looked. */
  readonly alike: number;
}

/** Groups of fewer operators than this say less than their operators do. */
const SMALLEST_GROUP = 3;
/** Scopes are used where at least this share of operators has one. */
const LEAST_COVERED = 0.5;
const DEEPEST = 12;

/** Scopes of each operator's name (`/encoder/layer.0/attention/MatMul` -> encoder, layer.0, attention). */
export function namePaths(names: readonly string[]): readonly (readonly string[])[] {
  return names.map((name) => {
    const parts = name.split('/').filter((part) => part !== '');
    return parts.slice(0, Math.min(parts.length - 1, DEEPEST));
  });
}

export function scopesAreUseful(paths: readonly (readonly string[])[]): boolean {
  let covered = 0;
  const heads = new Set<string>();
  for (const path of paths) {
    if (path.length === 0) continue;
    covered++;
    heads.add(path.join('/'));
  }
  return covered >= paths.length * LEAST_COVERED && heads.size > 1;
}

/**
 * The scopes as a tree. A scope that its operators leave and enter again would make the picture of groups
 * cyclic; it is split into the runs that the execution order leaves of it.
 */
export function scopeTree(
  topology: Topology,
  paths: readonly (readonly string[])[],
  operators: readonly number[],
): (number | Draft)[] {
  const owner = new Int32Array(topology.operatorCount).fill(-1);
  return childrenOf(operators, 0);

  function childrenOf(members: readonly number[], depth: number): (number | Draft)[] {
    const level = commonDepth(members, depth);
    const parts = new Map<string, number[]>();
    for (const op of members) {
      const part = paths[op][level];
      if (part === undefined) continue;
      const list = parts.get(part);
      if (list) list.push(op);
      else parts.set(part, [op]);
    }
    if (parts.size === 0) return [...members];
    return assemble(members, parts, level);
  }

  /** Skips levels that all members share. */
  function commonDepth(members: readonly number[], depth: number): number {
    for (let level = depth; ; level++) {
      const part = paths[members[0]]?.[level];
      if (part === undefined || members.some((op) => paths[op][level] !== part)) return level;
    }
  }

  function assemble(
    members: readonly number[],
    parts: Map<string, number[]>,
    level: number,
  ): (number | Draft)[] {
    const pieces = splitCycles(topology, members, [...parts.values()], owner);
    const out: { first: number; child: number | Draft }[] = [];
    const inPiece = new Set<number>();
    const place = new Map(members.map((op, i) => [op, i]));
    const times = new Map<string, number>();
    for (const piece of pieces) {
      if (piece.length < SMALLEST_GROUP) continue;
      for (const op of piece) inPiece.add(op);
      const part = paths[piece[0]][level];
      const time = (times.get(part) ?? 0) + 1;
      times.set(part, time);
      const label = time === 1 ? part : `${part} (${time})`;
      const draft: Draft = { label, children: childrenOf(piece, level + 1), operators: piece, alike: -1 };
      out.push({ first: place.get(piece[0])!, child: draft });
    }
    for (const op of members) if (!inPiece.has(op)) out.push({ first: place.get(op)!, child: op });
    return out.sort((a, b) => a.first - b.first).map(({ child }) => child);
  }
}

/**
 * Parts whose picture would be cyclic are split into runs: operators that follow each other, among those of
 * the cycle, in execution order.
 */
function splitCycles(
  topology: Topology,
  members: readonly number[],
  parts: readonly number[][],
  owner: Int32Array,
): number[][] {
  const unit = new Map<number, number>();
  parts.forEach((part, i) => part.forEach((op) => unit.set(op, i)));
  let next = parts.length;
  for (const op of members) {
    if (!unit.has(op)) unit.set(op, next++);
    owner[op] = unit.get(op)!;
  }
  const component = components(topology, members, owner, next);
  const size = new Int32Array(next);
  for (let u = 0; u < next; u++) size[component[u]]++;
  const pieces: number[][] = parts.filter((_, i) => size[component[i]] === 1);
  const open = new Map<number, { unit: number; run: number[] }>();
  for (const op of members) {
    const u = owner[op];
    if (size[component[u]] === 1) continue;
    const last = open.get(component[u]);
    if (last?.unit === u) last.run.push(op);
    else {
      const run = [op];
      open.set(component[u], { unit: u, run });
      if (u < parts.length) pieces.push(run);
    }
  }
  for (const op of members) owner[op] = -1;
  return pieces;
}

/** Strongly connected components of the units (Tarjan 1972, without recursion). */
function components(
  topology: Topology,
  members: readonly number[],
  owner: Int32Array,
  count: number,
): Int32Array {
  const edges: number[][] = Array.from({ length: count }, () => []);
  for (const op of members) {
    for (let i = topology.firstInput[op]; i < topology.firstInput[op + 1]; i++) {
      const from = topology.producer[topology.inputs[i]];
      if (from >= 0 && owner[from] !== -1 && owner[from] !== owner[op]) edges[owner[from]].push(owner[op]);
    }
  }
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const component = new Int32Array(count).fill(-1);
  const stack: number[] = [];
  let counter = 0;
  let found = 0;
  for (let start = 0; start < count; start++) {
    if (index[start] !== -1) continue;
    const work: { unit: number; edge: number }[] = [{ unit: start, edge: 0 }];
    while (work.length > 0) {
      const top = work[work.length - 1];
      const u = top.unit;
      if (top.edge === 0) {
        index[u] = low[u] = counter++;
        stack.push(u);
      }
      if (top.edge < edges[u].length) {
        const w = edges[u][top.edge++];
        if (index[w] === -1) work.push({ unit: w, edge: 0 });
        else if (component[w] === -1) low[u] = Math.min(low[u], index[w]);
        continue;
      }
      work.pop();
      if (work.length > 0)
        low[work[work.length - 1].unit] = Math.min(low[work[work.length - 1].unit], low[u]);
      if (low[u] !== index[u]) continue;
      for (let w = -1; w !== u;) {
        w = stack.pop()!;
        component[w] = found;
      }
      found++;
    }
  }
  return component;
}
