import { NONE } from '../../graph/units';
import { describeOperator, type Replay } from './replay';
import type { Interval, Timeline, TransferAt } from './timeline';
import type { Violations } from './violations';

/**
 * One barrier per operator: per distinct input a message phase as long as the largest sum on one uplink or
 * downlink (`shared`: the sum of all), then the slowest shard; with partial sums a phase and the reduction.
 * Returns the latency in nanoseconds that this makes; events must lie in their phase.
 */
export function checkSynchronous(replay: Replay, timeline: Timeline, violations: Violations): number {
  const incoming = groupBy(timeline.transfers, (at) => at.transfer.consumer);
  const shards = groupBy(timeline.shards, (at) => at.shard.operator.id);
  const reductions = groupBy(timeline.reductions, (at) => at.operator.id);
  let now = 0;
  const advance = (events: readonly Interval[], length: number, what: string): void => {
    for (const event of events) {
      if (event.start < now || event.end > now + length) {
        violations.add(
          'timeline',
          `An event of ${what} lies at [${event.start}, ${event.end}) ns, outside its phase [${now}, ${now + length}).`,
        );
      }
    }
    now += length;
  };
  for (const operator of replay.steps) {
    const what = describeOperator(operator);
    const messages = incoming.get(operator.id) ?? [];
    const byStorage = groupBy(
      messages.filter((at) => !at.transfer.isPartial),
      (at) => at.transfer.storage,
    );
    const inputs = operator.inputs.filter((id) => id !== NONE).map((id) => replay.graph.tensors[id].storage);
    for (const storage of new Set(inputs)) {
      const phase = byStorage.get(storage) ?? [];
      advance(phase, phaseLength(replay, phase), what);
    }
    const parts = shards.get(operator.id) ?? [];
    advance(parts, longest(parts), what);
    const partials = messages.filter((at) => at.transfer.isPartial);
    advance(partials, phaseLength(replay, partials), what);
    const reduction = reductions.get(operator.id) ?? [];
    advance(reduction, longest(reduction), what);
  }
  const gathered = groupBy(incoming.get(NONE) ?? [], (at) => at.transfer.storage);
  const outputs = replay.graph.outputs.map((id) => replay.graph.tensors[id].storage);
  for (const storage of new Set(outputs)) {
    const phase = gathered.get(storage) ?? [];
    advance(phase, phaseLength(replay, phase), 'the gathering of outputs');
  }
  return now;
}

function longest(events: readonly Interval[]): number {
  return events.reduce((most, event) => Math.max(most, event.end - event.start), 0);
}

function phaseLength(replay: Replay, phase: readonly TransferAt[]): number {
  const load = new Map<string, number>();
  const isShared = replay.plan.cluster.network.kind === 'shared';
  for (const { transfer, start, end } of phase) {
    for (const port of isShared ? ['medium'] : [`up ${transfer.from}`, `down ${transfer.to}`]) {
      load.set(port, (load.get(port) ?? 0) + end - start);
    }
  }
  return Math.max(0, ...load.values());
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => number): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
