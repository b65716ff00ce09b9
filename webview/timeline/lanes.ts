import type { PlanEvent, PlanIndex } from '../plan/planIndex';

export interface Lane {
  readonly kind: 'device' | 'link';
  readonly label: string;
  /** Index of the device; of the sender for a link. */
  readonly device: number;
  /** Positions in `plan.timeline`, by start. */
  readonly events: Int32Array;
  /** Seconds in which something runs here. */
  readonly busy: number;
}

/** One lane per device, then one per direction between two devices that is used, in the cluster's order. */
export function lanesOf(plan: PlanIndex): Lane[] {
  const { timeline } = plan.plan;
  const byDevice: number[][] = plan.deviceNames.map(() => []);
  const byLink = new Map<string, number[]>();
  timeline.forEach((event, i) => {
    if (event.kind !== 'transfer') byDevice[plan.deviceIndex(event.device)]?.push(i);
    else {
      const key = `${plan.deviceIndex(event.from)}>${plan.deviceIndex(event.to)}`;
      const known = byLink.get(key);
      if (known) known.push(i);
      else byLink.set(key, [i]);
    }
  });
  const lane = (kind: Lane['kind'], label: string, device: number, list: number[]): Lane => {
    list.sort((a, b) => timeline[a].start - timeline[b].start);
    const busy = list.reduce((sum, i) => sum + timeline[i].end - timeline[i].start, 0);
    return { kind, label, device, events: Int32Array.from(list), busy };
  };
  const devices = byDevice.map((list, device) => lane('device', plan.deviceNames[device], device, list));
  const links = [...byLink]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, list]) => {
      const [from, to] = key.split('>').map(Number);
      return lane('link', `${plan.deviceNames[from]} → ${plan.deviceNames[to]}`, from, list);
    });
  return [...devices, ...links];
}

/** Durations are whole nanoseconds; starts are sums of them in seconds, exact to much less than half of one. */
const SAME_INSTANT = 0.5e-9;

/**
 * The chain of events that decides the latency: from the event that ends last, always back to the latest event
 * that it had to wait for (its inputs' arrival or making, or what ran before it on the same device or link).
 */
export function criticalPath(plan: PlanIndex, producerOf: (tensor: string) => number): Set<number> {
  const { timeline, cluster } = plan.plan;
  const byOperator = new Map<number, number[]>();
  const byResource = new Map<string, number[]>();
  const add = <K>(map: Map<K, number[]>, key: K, i: number): void => {
    const list = map.get(key);
    if (list) list.push(i);
    else map.set(key, [i]);
  };
  timeline.forEach((event, i) => {
    if (event.operator !== null) add(byOperator, event.operator, i);
    for (const resource of resources(event, cluster.network.kind)) add(byResource, resource, i);
  });
  const before = (i: number): number => {
    const event = timeline[i];
    const candidates = [
      ...resources(event, cluster.network.kind).flatMap((resource) => byResource.get(resource) ?? []),
      ...(event.kind === 'transfer'
        ? (byOperator.get(producerOf(event.tensor)) ?? [])
        : (byOperator.get(event.operator) ?? [])),
    ];
    let best = -1;
    for (const c of candidates) {
      if (c === i || timeline[c].end > event.start + SAME_INSTANT || !feeds(timeline[c], event)) continue;
      if (best === -1 || timeline[c].end > timeline[best].end) best = c;
    }
    return best;
  };
  const path = new Set<number>();
  let at = timeline.reduce(
    (last, event, i) => (last === -1 || event.end > timeline[last].end ? i : last),
    -1,
  );
  while (at !== -1 && !path.has(at)) {
    path.add(at);
    at = before(at);
  }
  return path;
}

function resources(event: PlanEvent, network: 'switched' | 'shared'): string[] {
  if (event.kind !== 'transfer') return [`device ${event.device}`];
  return network === 'shared' ? ['medium'] : [`up ${event.from}`, `down ${event.to}`];
}

function feeds(earlier: PlanEvent, later: PlanEvent): boolean {
  if (later.kind === 'transfer') {
    return earlier.kind === 'transfer' || earlier.device === later.from;
  }
  return earlier.kind === 'transfer' ? earlier.to === later.device : true;
}
