import type { Cluster } from '../cluster/cluster';
import type { Graph } from '../graph/graph';
import type { DeviceId } from '../graph/units';
import { type Gene, partitionGene, wholeGene } from '../latency/gene';
import type { PartitionRules } from '../partition/partition';
import type { Plan } from './plan';

/**
 * The genes of a plan, as far as this graph and its splits still have them; an operator that the plan does not
 * know, or cuts as the graph cannot, stands whole on the sink. `cluster` is the plan's own.
 */
export function planGenes(
  graph: Graph,
  rules: PartitionRules,
  plan: Plan,
  cluster: Cluster,
): (Gene | undefined)[] {
  const entries = new Map(plan.operators.map((entry) => [entry.index, entry.partition]));
  const device = (name: string | undefined): DeviceId =>
    cluster.devices.findIndex((one) => one.name === name);
  return graph.operators.map(({ id, index, isView }) => {
    const entry = entries.get(index);
    if (isView) return undefined;
    const whole = wholeGene(cluster.sink, cluster.devices.length);
    if (entry === undefined || entry.shards.some((shard) => device(shard.device) < 0)) return whole;
    const shards = entry.shards.map((shard) => ({ ...shard, device: device(shard.device) }));
    const reduceOn = entry.reduceOn === undefined ? undefined : device(entry.reduceOn);
    return partitionGene({ ...entry, shards, reduceOn }, rules.splits(id), cluster.devices.length) ?? whole;
  });
}
