import { ITEM, type LevelGraph } from './types';

/**
 * Longest-path ranks; then whatever is only needed later sinks down beside its consumers (Gansner et al. 1993
 * reach the optimum by network simplex; one sweep from the bottom is linear and does what the eye notices).
 * After: every net's sinks lie below its source; input ports alone on rank 0, output ports on the last.
 */
export function assignRanks(level: LevelGraph): Int32Array {
  const { count, kind, nets } = level;
  const incoming = netsInto(level);
  const outgoing = netsOutOf(level);
  const order = topologicalOrder(level, outgoing);
  const rank = new Int32Array(count);
  const floor = kind.includes(ITEM.inputPort) ? 1 : 0;
  for (const item of order) {
    if (kind[item] === ITEM.inputPort) continue;
    let lowest = floor;
    for (let i = incoming.first[item]; i < incoming.first[item + 1]; i++) {
      lowest = Math.max(lowest, rank[nets.source[incoming.nets[i]]] + 1);
    }
    rank[item] = lowest;
  }
  sink(level, order, rank, incoming, outgoing);
  placeOutputPorts(level, rank);
  return rank;
}

export interface NetLists {
  readonly first: Uint32Array;
  readonly nets: Int32Array;
}

function netsInto({ count, nets }: LevelGraph): NetLists {
  const first = new Uint32Array(count + 1);
  for (const item of nets.sinks) first[item + 1]++;
  for (let i = 0; i < count; i++) first[i + 1] += first[i];
  const fill = first.slice();
  const list = new Int32Array(nets.sinks.length);
  for (let net = 0; net < nets.count; net++) {
    for (let i = nets.first[net]; i < nets.first[net + 1]; i++) list[fill[nets.sinks[i]]++] = net;
  }
  return { first, nets: list };
}

function netsOutOf({ count, nets }: LevelGraph): NetLists {
  const first = new Uint32Array(count + 1);
  for (let net = 0; net < nets.count; net++) first[nets.source[net] + 1]++;
  for (let i = 0; i < count; i++) first[i + 1] += first[i];
  const fill = first.slice();
  const list = new Int32Array(nets.count);
  for (let net = 0; net < nets.count; net++) list[fill[nets.source[net]]++] = net;
  return { first, nets: list };
}

/** Kahn's order. Items on a cycle (which a caller must not give) come last, in index order. */
function topologicalOrder({ count, nets }: LevelGraph, outgoing: NetLists): Int32Array {
  const waiting = new Int32Array(count);
  for (const item of nets.sinks) waiting[item]++;
  const order = new Int32Array(count);
  let end = 0;
  for (let item = 0; item < count; item++) if (waiting[item] === 0) order[end++] = item;
  for (let next = 0; next < end; next++) {
    const item = order[next];
    for (let i = outgoing.first[item]; i < outgoing.first[item + 1]; i++) {
      const net = outgoing.nets[i];
      for (let s = nets.first[net]; s < nets.first[net + 1]; s++) {
        if (--waiting[nets.sinks[s]] === 0) order[end++] = nets.sinks[s];
      }
    }
  }
  if (end < count) for (let item = 0; item < count; item++) if (waiting[item] > 0) order[end++] = item;
  return order;
}

/** Moves an item down where that shortens more nets than it lengthens. */
function sink(
  { kind, nets }: LevelGraph,
  order: Int32Array,
  rank: Int32Array,
  incoming: NetLists,
  outgoing: NetLists,
): void {
  const deepest = new Int32Array(nets.count);
  for (let net = 0; net < nets.count; net++) {
    for (let s = nets.first[net]; s < nets.first[net + 1]; s++) {
      deepest[net] = Math.max(deepest[net], rank[nets.sinks[s]]);
    }
  }
  for (let o = order.length - 1; o >= 0; o--) {
    const item = order[o];
    if (kind[item] !== ITEM.box) continue;
    let lowest = Infinity;
    let shortened = 0;
    for (let i = outgoing.first[item]; i < outgoing.first[item + 1]; i++) {
      const net = outgoing.nets[i];
      let nearest = Infinity;
      for (let s = nets.first[net]; s < nets.first[net + 1]; s++) {
        if (kind[nets.sinks[s]] === ITEM.box) nearest = Math.min(nearest, rank[nets.sinks[s]]);
      }
      if (nearest === Infinity) continue;
      shortened++;
      lowest = Math.min(lowest, nearest - 1);
    }
    if (shortened === 0 || lowest <= rank[item]) continue;
    let lengthened = 0;
    for (let i = incoming.first[item]; i < incoming.first[item + 1]; i++) {
      if (deepest[incoming.nets[i]] < lowest) lengthened++;
    }
    if (shortened <= lengthened) continue;
    rank[item] = lowest;
    for (let i = incoming.first[item]; i < incoming.first[item + 1]; i++) {
      deepest[incoming.nets[i]] = Math.max(deepest[incoming.nets[i]], lowest);
    }
  }
}

function placeOutputPorts({ kind }: LevelGraph, rank: Int32Array): void {
  let last = -1;
  for (let item = 0; item < kind.length; item++) {
    if (kind[item] !== ITEM.outputPort) last = Math.max(last, rank[item]);
  }
  for (let item = 0; item < kind.length; item++) if (kind[item] === ITEM.outputPort) rank[item] = last + 1;
}
