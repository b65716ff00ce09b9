import { InputError } from '../graph/problem';
import { NONE, type DeviceId, type Nanoseconds, type StorageId } from '../graph/units';
import type { Workload } from './workload';

/** Longest single duration: what is a whole number without doubt (104 days). */
const LONGEST_NS: Nanoseconds = Number.MAX_SAFE_INTEGER;
/** Longest latency: what stays the same whole number when it becomes seconds and comes back (26 days). */
export const LONGEST_LATENCY_NS: Nanoseconds = 2 ** 51;

const NANOSECONDS_PER_DAY = 24 * 3600 * 1e9;

/**
 * Refuses what cannot be counted in exact nanoseconds: an operator that takes too long on some device, a message that
 * takes too long between some two, and a model that takes too long on every device alone. Shards and parts of tensors
 * take no longer than the whole.
 * @throws InputError with one sentence that names what takes too long, and where
 */
export function requireCountable(workload: Workload): void {
  const { steps } = workload.flow;
  const { devices } = workload.cluster;
  const alone = devices.map((_, device) =>
    steps.reduce((sum, operator) => sum + countableNs(workload, operator, device), 0),
  );
  const ns = Math.min(...alone);
  if (ns > LONGEST_LATENCY_NS) {
    const fastest = devices[alone.indexOf(ns)].name;
    throw new InputError(
      `The whole model takes ${days(ns)} on device "${fastest}", where it is fastest, but no more than ` +
        `${days(LONGEST_LATENCY_NS)} can be counted in whole nanoseconds: give the devices more compute.`,
    );
  }
  requireCountableMessages(workload);
}

function countableNs({ graph, cluster, genes }: Workload, operator: number, device: DeviceId): Nanoseconds {
  const ns = genes.shardNs(operator, NONE, device, 0, 1);
  if (ns <= LONGEST_NS) return ns;
  const { index, type, name } = graph.operators[operator];
  throw new InputError(
    `Operator ${index} (${name === '' ? type : `${type} "${name}"`}) takes ${days(ns)} on device ` +
      `"${cluster.devices[device].name}", but no more than ${days(LONGEST_NS)} can be counted in whole nanoseconds: ` +
      `give the device more compute, or leave it out.`,
  );
}

/** The largest tensor that may be sent, over each pair of devices. */
function requireCountableMessages({ graph, cluster, genes, flow }: Workload): void {
  const bytesOf = (storage: StorageId): number => graph.storages[storage].bytes ?? 0;
  const sent = [...flow.storages.keys()].filter((storage) => flow.storages[storage].readers.length > 0);
  if (sent.length === 0) return;
  const largest = sent.reduce((best, storage) => (bytesOf(storage) > bytesOf(best) ? storage : best));
  for (const from of cluster.devices.keys()) {
    for (const to of cluster.devices.keys()) {
      const ns = from === to ? 0 : genes.costs.messageNs(from, to, bytesOf(largest));
      if (ns <= LONGEST_NS) continue;
      throw new InputError(
        `A message with tensor "${graph.tensors[graph.storages[largest].tensors[0]].name}" takes ${days(ns)} from ` +
          `"${cluster.devices[from].name}" to "${cluster.devices[to].name}", but no more than ${days(LONGEST_NS)} can ` +
          `be counted in whole nanoseconds: give the link more bandwidth.`,
      );
    }
  }
}

function days(ns: Nanoseconds): string {
  return `${Math.round(ns / NANOSECONDS_PER_DAY).toLocaleString('en-US')} days`;
}
