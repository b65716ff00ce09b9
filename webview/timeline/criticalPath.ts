import type { PlanEvent, PlanIndex } from '../plan/planIndex';

/** Durations are whole nanoseconds; starts are sums of them in seconds, exact to much less than half of one. */
const SAME_INSTANT = 0.5e-9;

/**
 * The events that decide the latency, as positions in `plan.timeline`. `overlapped`: from the event that ends
 * last always back to the latest event that it had to wait for (its inputs' arrival or making, or what ran before
 * it on the same device or link). `synchronous`: what each barrier waits for.
 * `producerOf` gives the index in `graph.node` of a tensor's producer, or -1.
 */
export function criticalPath(plan: PlanIndex, producerOf: (tensor: string) => number): Set<number> {
  if (plan.plan.latency.model === 'synchronous') return barrierPath(plan.plan.timeline);
  const { timeline } = plan.plan;
  const waits = new Waits(plan, producerOf);
  const path = new Set<number>();
  let at = timeline.reduce(
    (last, event, i) => (last === -1 || event.end > timeline[last].end ? i : last),
    -1,
  );
  while (at !== -1 && !path.has(at)) {
    path.add(at);
    at = waits.before(at);
  }
  return path;
}

/** Looks up what an event had to wait for, in time logarithmic in the number of events. */
class Waits {
  private readonly timeline: readonly PlanEvent[];
  private readonly byOperator = new Map<number, number[]>();
  /** Positions by end; one thing at a time on each resource, so by start as well. */
  private readonly byResource = new Map<string, number[]>();
  private readonly isShared: boolean;

  constructor(
    plan: PlanIndex,
    private readonly producerOf: (tensor: string) => number,
  ) {
    this.timeline = plan.plan.timeline;
    this.isShared = plan.plan.cluster.network.kind === 'shared';
    this.timeline.forEach((event, i) => {
      if (event.operator !== null) add(this.byOperator, event.operator, i);
      for (const resource of this.resources(event)) add(this.byResource, resource, i);
    });
    for (const list of this.byResource.values())
      list.sort((a, b) => this.timeline[a].end - this.timeline[b].end);
  }

  before(i: number): number {
    const event = this.timeline[i];
    const until = event.start + SAME_INSTANT;
    const queued = this.resources(event).map((resource) =>
      this.lastUntil(this.byResource.get(resource)!, until, i),
    );
    const source = event.kind === 'transfer' ? this.producerOf(event.tensor) : event.operator;
    const needed = (this.byOperator.get(source) ?? []).filter((other) => {
      const earlier = this.timeline[other];
      return other !== i && earlier.end <= until && feeds(earlier, event);
    });
    let best = -1;
    for (const other of [...queued, ...needed]) {
      if (other !== -1 && (best === -1 || this.timeline[other].end > this.timeline[best].end)) best = other;
    }
    return best;
  }

  private lastUntil(list: readonly number[], until: number, except: number): number {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeline[list[middle]].end <= until) low = middle + 1;
      else high = middle;
    }
    const found = list[low - 1] === except ? list[low - 2] : list[low - 1];
    return found ?? -1;
  }

  private resources(event: PlanEvent): string[] {
    if (event.kind !== 'transfer') return [`device ${event.device}`];
    return this.isShared ? ['medium'] : [`up ${event.from}`, `down ${event.to}`];
  }
}

/** A transfer needs what its sender made; a shard or a sum needs what arrived at, or was made on, its device. */
function feeds(earlier: PlanEvent, later: PlanEvent): boolean {
  if (later.kind === 'transfer') return earlier.kind !== 'transfer' && earlier.device === later.from;
  return earlier.kind === 'transfer' ? earlier.to === later.device : earlier.device === later.device;
}

/** Everything between two barriers starts with the first: the longest shard, or the fullest link's messages. */
function barrierPath(timeline: readonly PlanEvent[]): Set<number> {
  const path = new Set<number>();
  for (let first = 0; first < timeline.length;) {
    let next = first;
    const load = new Map<string, { seconds: number; events: number[] }>();
    for (; next < timeline.length && timeline[next].start <= timeline[first].start + SAME_INSTANT; next++) {
      const event = timeline[next];
      const lanes = event.kind === 'transfer' ? [`up ${event.from}`, `down ${event.to}`] : [event.device];
      for (const lane of lanes) {
        const sum = load.get(lane) ?? { seconds: 0, events: [] };
        sum.seconds += event.end - event.start;
        sum.events.push(next);
        load.set(lane, sum);
      }
    }
    const fullest = [...load.values()].reduce((most, sum) => (sum.seconds > most.seconds ? sum : most));
    for (const i of fullest.events) path.add(i);
    first = next;
  }
  return path;
}

function add<Key>(map: Map<Key, number[]>, key: Key, i: number): void {
  const list = map.get(key);
  if (list) list.push(i);
  else map.set(key, [i]);
}
