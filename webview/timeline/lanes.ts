import type { PlanIndex } from '../plan/planIndex';

export interface Lane {
  readonly kind: 'device' | 'link';
  readonly label: string;
  /** Index of the device; of the sender for a link. */
  readonly device: number;
  /** That device; for a link the sender and the receiver. */
  readonly devices: readonly number[];
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
  const lane = (kind: Lane['kind'], label: string, of: readonly number[], list: number[]): Lane => {
    list.sort((a, b) => timeline[a].start - timeline[b].start);
    const busy = list.reduce((sum, i) => sum + timeline[i].end - timeline[i].start, 0);
    return { kind, label, device: of[0], devices: of, events: Int32Array.from(list), busy };
  };
  const devices = byDevice.map((list, device) => lane('device', plan.deviceNames[device], [device], list));
  const links = [...byLink]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([key, list]) => {
      const [from, to] = key.split('>').map(Number);
      return lane('link', `${plan.deviceNames[from]} → ${plan.deviceNames[to]}`, [from, to], list);
    });
  return [...devices, ...links];
}
