import type { Graph } from '../core/graph/graph';
import { partitionRules } from '../core/partition/rules';
import { deviceHoldings } from '../core/plan/check';
import type { Plan } from '../core/plan/plan';
import type { DeviceHoldings } from '../protocol/webview';

/** What each device of a plan holds, by start, in flat arrays; nothing where the plan does not fit the graph. */
export function deviceHoldingsOf(plan: Plan, graph: Graph): DeviceHoldings[] {
  const all = deviceHoldings(graph, partitionRules(graph), plan) ?? [];
  return plan.cluster.devices.map(({ baseMemory }, device) => {
    const mine = all.filter((one) => one.device === device).sort((a, b) => a.from - b.from || a.to - b.to);
    return {
      baseBytes: baseMemory,
      weightBytes: plan.devices[device].weightBytes,
      storages: Int32Array.from(mine, ({ storage }) => storage),
      bytes: Float64Array.from(mine, ({ bytes }) => bytes),
      from: Float64Array.from(mine, ({ from }) => from),
      to: Float64Array.from(mine, ({ to }) => to),
    };
  });
}
