import { parseCluster } from '../cluster/parse';
import type { Graph } from '../graph/graph';
import type { OperatorId } from '../graph/units';
import { simulate } from '../latency/simulate';
import { createWorkload, type LatencyModel } from '../latency/workload';
import type { PartitionRules } from '../partition/partition';
import { planDevice, planEvent } from './build';
import { planGenes } from './genes';
import type { Plan } from './plan';

/**
 * The plan's partition and order in another latency model: its timeline, latency and devices there, everything
 * else as it is. No bound is claimed. A device may need more than its memory there: compare `devices`.
 * The graph must be the plan's (its `fuse` and bindings).
 */
export function replayedIn(model: LatencyModel, graph: Graph, rules: PartitionRules, plan: Plan): Plan {
  const cluster = parseCluster(plan.cluster);
  const byNode = new Map(graph.operators.map(({ id, index }): [number, OperatorId] => [index, id]));
  const order = plan.order.steps.map((node) => byNode.get(node)!);
  const workload = createWorkload(graph, rules, cluster, order, model);
  const genome = planGenes(graph, rules, plan, cluster).map((gene, operator) =>
    gene === undefined ? undefined : workload.genes.compile(operator, gene),
  );
  const { latencyNs, events, devices } = simulate(workload, genome);
  const names = cluster.devices.map(({ name }) => name);
  return {
    ...plan,
    options: { ...plan.options, latency: model },
    devices: devices.map((load, device) => planDevice(load, names[device], cluster.devices[device].memory)),
    latency: { model, seconds: latencyNs / 1e9, lowerBoundSeconds: 0, boundMethod: 'none', baselines: {} },
    timeline: events.map((event) => planEvent(graph, event, names)),
  };
}
