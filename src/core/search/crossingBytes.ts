import { NONE } from '../graph/units';
import type { Workload } from '../latency/workload';

/** Per step, and behind the last: the bytes made before it that are read from it on. */
export function crossingBytes({ flow, graph }: Workload): Float64Array {
  const crossing = new Float64Array(flow.steps.length + 1);
  flow.storages.forEach(({ producer, readers }, storage) => {
    const last = readers.reduce(
      (latest, reader) => Math.max(latest, reader < 0 ? NONE : flow.stepOf[reader]),
      NONE,
    );
    const first = producer === NONE ? 0 : flow.stepOf[producer] + 1;
    for (let step = first; step <= last; step++) crossing[step] += graph.storages[storage].bytes ?? 0;
  });
  return crossing;
}
