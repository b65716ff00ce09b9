import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import type { OperatorId } from '../../graph/units';
import { createWorkload } from '../../latency/workload';
import type { PartitionRules } from '../../partition/partition';
import { GeneProblem } from './geneProblem';
import { spread, type OpponentPlan } from './opponents';
import { pricedPlans } from './priced';

/** Of their time, what messages take where the rest is hidden behind computing. */
const SEEN = 0.5;
/** Neighbourhoods: it is a place to start from. */
const ROUNDS = 1;

/**
 * The synchronous elimination on a network twice as fast: in the overlapped model about half of what messages take is
 * hidden behind computing, and plans that are best there can lie far from those that pay for every message.
 */
export function hiddenMessagesPlan(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  order: readonly OperatorId[],
  isLate: () => boolean = () => false,
): OpponentPlan {
  const workload = createWorkload(graph, rules, onFasterNetwork(cluster), order, 'synchronous');
  const [{ genes }] = pricedPlans(new GeneProblem(workload), ROUNDS, isLate);
  return { name: 'half of the messages hidden', genes: spread(workload, genes) };
}

function onFasterNetwork(cluster: Cluster): Cluster {
  const { network } = cluster;
  const faster = <Link extends { bandwidth?: number | undefined; latency?: number | undefined }>(
    link: Link,
  ): Link => ({
    ...link,
    ...(link.bandwidth === undefined ? {} : { bandwidth: link.bandwidth / SEEN }),
    ...(link.latency === undefined ? {} : { latency: link.latency * SEEN }),
  });
  return { ...cluster, network: { ...faster(network), links: network.links.map(faster) } };
}
