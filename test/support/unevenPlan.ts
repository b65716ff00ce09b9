import type { PlannedGraph } from '../../src/core/export/problem';
import type { Graph } from '../../src/core/graph/graph';
import type { Partition, PartitionRules, Split } from '../../src/core/partition/partition';
import { partitionRules } from '../../src/core/partition/rules';

const DEVICES = ['camera', 'tv', 'lock'];
/** Shares of the three devices, in turn, so that neighbours are cut at different places. */
const SHARES = [
  [0.5, 0.83],
  [0.2, 0.7],
  [0.45, 0.6],
];

/**
 * A plan over three devices that uses every rule: each operator takes the next of its splits, unevenly; one in
 * seven stays whole. `wide`: shards also recompute a margin, as fused tiles do.
 */
export function unevenPlan(graph: Graph, rules: PartitionRules = partitionRules(graph)): PlannedGraph {
  const turn = new Map<string, number>();
  const partitions = graph.operators.map((operator): Partition | undefined => {
    if (operator.isView) return undefined;
    const splits = rules.splits(operator.id);
    const at = turn.get(operator.type) ?? 0;
    turn.set(operator.type, at + 1);
    if (splits.length === 0 || at % 7 === 6)
      return { dimension: 'none', axis: -1, shards: [{ device: at % 3, start: 0, end: 1 }] };
    return unevenPartition(splits[at % splits.length], at);
  });
  return {
    graph,
    rules,
    devices: DEVICES,
    source: 0,
    sink: 1,
    steps: graph.operators.map(({ id }) => id),
    partitions,
  };
}

function unevenPartition(split: Split, turn: number): Partition {
  const units = split.length / split.unit;
  const shares = SHARES[turn % SHARES.length];
  const cuts = units === 2 ? [0, 1, 2] : [0, ...shares.map((share) => Math.round(share * units)), units];
  if (units > 2) {
    cuts[1] = Math.max(1, Math.min(cuts[1], units - 2));
    cuts[2] = Math.max(cuts[1] + 1, Math.min(cuts[2], units - 1));
  }
  const shards = cuts.slice(1).map((end, device) => ({
    // Three operators have the devices in the cluster's order, the next three each one place on, and so on.
    device: (device + (units === 2 ? turn : Math.floor(turn / 3))) % 3,
    start: cuts[device] * split.unit,
    end: end * split.unit,
    ...wide(split, cuts[device] * split.unit, end * split.unit, turn),
  }));
  const { dimension, axis } = split;
  return {
    dimension,
    axis,
    shards,
    ...(dimension === 'K' ? { reduceOn: shards[turn % shards.length].device } : {}),
  };
}

/** Every fifth operator that is cut by rows computes one unit more on either side. */
function wide(
  split: Split,
  start: number,
  end: number,
  turn: number,
): { computeStart?: number; computeEnd?: number } {
  if (turn % 5 !== 4 || split.dimension === 'K') return {};
  return {
    computeStart: Math.max(0, start - split.unit),
    computeEnd: Math.min(split.length, end + split.unit),
  };
}
