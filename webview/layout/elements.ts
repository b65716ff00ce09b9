import type { LevelGraph } from './types';

/**
 * A proper layering: items and, for each net that spans more than one rank, one chain of dummies (not one per
 * edge), so that every edge joins neighbouring ranks.
 */
export interface Layered {
  /** Items first, then dummies. */
  readonly count: number;
  readonly itemCount: number;
  readonly rank: Int32Array;
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly rankCount: number;
  /** `firstInRank[r]..firstInRank[r+1]` are positions in `byRank`: items by index, then dummies. */
  readonly firstInRank: Uint32Array;
  readonly byRank: Int32Array;
  /** Edges to the next rank: `firstDown[e]..firstDown[e+1]` in `down`. */
  readonly firstDown: Uint32Array;
  readonly down: Int32Array;
  readonly firstUp: Uint32Array;
  readonly up: Int32Array;
  /** First dummy of each net and how many it has. */
  readonly chainStart: Int32Array;
  readonly chainLength: Int32Array;
  readonly stub: Uint8Array;
}

/** Edges over more ranks than this are stubs. */
const LONGEST_DRAWN = 64;
/** Of a net that has stubs, consumers this near are still joined to it. */
const NEAR = 3;
/** Dummies per item beyond which the longest drawn edge is halved, so that the work stays linear. */
const DUMMIES_PER_ITEM = 5;
const DUMMIES_ALWAYS = 4000;

export function layer(level: LevelGraph, rank: Int32Array): Layered {
  const { nets, count } = level;
  const { stub, chainLength, dummies } = chooseStubs(level, rank);
  const total = count + dummies;
  const ranks = new Int32Array(total);
  ranks.set(rank);
  const chainStart = new Int32Array(nets.count);
  let next = count;
  for (let net = 0; net < nets.count; net++) {
    chainStart[net] = next;
    for (let i = 1; i <= chainLength[net]; i++) ranks[next++] = rank[nets.source[net]] + i;
  }
  const left = new Float64Array(total);
  const right = new Float64Array(total);
  left.set(level.left);
  right.set(level.right);
  const edges = joinNeighbours(level, ranks, total, chainStart, chainLength, stub);
  return {
    ...{ count: total, itemCount: count, rank: ranks, left, right, chainStart, chainLength, stub },
    ...edges,
    ...bucket(ranks),
  };
}

interface Stubs {
  readonly stub: Uint8Array;
  readonly chainLength: Int32Array;
  readonly dummies: number;
}

function chooseStubs(level: LevelGraph, rank: Int32Array): Stubs {
  const budget = level.count * DUMMIES_PER_ITEM + DUMMIES_ALWAYS;
  for (let longest = LONGEST_DRAWN; ; longest >>= 1) {
    const stubs = stubsBeyond(level, rank, longest);
    if (stubs.dummies <= budget || longest <= NEAR) return stubs;
  }
}

function stubsBeyond({ nets }: LevelGraph, rank: Int32Array, longest: number): Stubs {
  const stub = new Uint8Array(nets.sinks.length);
  const chainLength = new Int32Array(nets.count);
  let dummies = 0;
  for (let net = 0; net < nets.count; net++) {
    const top = rank[nets.source[net]];
    let far = 0;
    for (let s = nets.first[net]; s < nets.first[net + 1]; s++)
      far = Math.max(far, rank[nets.sinks[s]] - top);
    const reach = far > longest ? NEAR : far;
    let drawn = 0;
    for (let s = nets.first[net]; s < nets.first[net + 1]; s++) {
      const span = rank[nets.sinks[s]] - top;
      if (span > reach) stub[s] = 1;
      else drawn = Math.max(drawn, span);
    }
    chainLength[net] = Math.max(0, drawn - 1);
    dummies += chainLength[net];
  }
  return { stub, chainLength, dummies };
}

function joinNeighbours(
  { nets }: LevelGraph,
  rank: Int32Array,
  total: number,
  chainStart: Int32Array,
  chainLength: Int32Array,
  stub: Uint8Array,
): Pick<Layered, 'firstDown' | 'down' | 'firstUp' | 'up'> {
  let edgeCount = 0;
  for (let s = 0; s < stub.length; s++) edgeCount += 1 - stub[s];
  for (let net = 0; net < nets.count; net++) edgeCount += chainLength[net];
  const from = new Int32Array(edgeCount);
  const to = new Int32Array(edgeCount);
  let e = 0;
  for (let net = 0; net < nets.count; net++) {
    const source = nets.source[net];
    for (let i = 0; i < chainLength[net]; i++) {
      from[e] = i === 0 ? source : chainStart[net] + i - 1;
      to[e++] = chainStart[net] + i;
    }
    for (let s = nets.first[net]; s < nets.first[net + 1]; s++) {
      if (stub[s] === 1) continue;
      const span = rank[nets.sinks[s]] - rank[source];
      from[e] = span === 1 ? source : chainStart[net] + span - 2;
      to[e++] = nets.sinks[s];
    }
  }
  const [firstDown, down] = adjacency(total, from, to);
  const [firstUp, up] = adjacency(total, to, from);
  return { firstDown, down, firstUp, up };
}

function adjacency(total: number, from: Int32Array, to: Int32Array): [Uint32Array, Int32Array] {
  const first = new Uint32Array(total + 1);
  for (const v of from) first[v + 1]++;
  for (let v = 0; v < total; v++) first[v + 1] += first[v];
  const fill = first.slice();
  const list = new Int32Array(to.length);
  for (let e = 0; e < from.length; e++) list[fill[from[e]]++] = to[e];
  return [first, list];
}

function bucket(rank: Int32Array): Pick<Layered, 'rankCount' | 'firstInRank' | 'byRank'> {
  let rankCount = 0;
  for (const r of rank) rankCount = Math.max(rankCount, r + 1);
  const firstInRank = new Uint32Array(rankCount + 1);
  for (const r of rank) firstInRank[r + 1]++;
  for (let r = 0; r < rankCount; r++) firstInRank[r + 1] += firstInRank[r];
  const fill = firstInRank.slice();
  const byRank = new Int32Array(rank.length);
  for (let v = 0; v < rank.length; v++) byRank[fill[rank[v]]++] = v;
  return { rankCount, firstInRank, byRank };
}
