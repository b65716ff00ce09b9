import { NONE } from '../../graph/units';
import type { Replay } from './replay';
import {
  computeSeconds,
  messageSeconds,
  reduceSeconds,
  type Interval,
  type ReduceAt,
  type ShardAt,
  type Timeline,
  type TransferAt,
} from './timeline';
import type { ExpectedTransfer } from './transfers';

/** What floating point may add to a whole number of nanoseconds before it is rounded up. */
const ROUNDING_NOISE = 1e-4;

/** As the cost model rounds: up to whole nanoseconds. */
function duration(seconds: number): number {
  return Math.ceil(seconds * 1e9 - ROUNDING_NOISE);
}

/**
 * The timeline that partitions without one have in `overlapped`: operator by operator, its messages in the order
 * in which their elements are ready (equal: the receiver that computes longest first, then the order of inputs,
 * receivers and senders), each as soon as both its links are free, then its shards, each as soon as its device
 * is free and its messages are there.
 */
export function schedule(replay: Replay, expected: readonly ExpectedTransfer[]): Timeline {
  const scheduler = new Scheduler(replay, expected);
  for (const operator of replay.steps) if (!operator.isView) scheduler.step(operator.id);
  scheduler.gather();
  return scheduler.timeline();
}

/** The same events with nothing but their durations: all that `synchronous` looks at. */
export function durations(replay: Replay, expected: readonly ExpectedTransfer[]): Timeline {
  const lasting = (seconds: number): Interval => ({ start: 0, end: duration(seconds) });
  return {
    shards: replay.shards.flat().map((shard) => ({ shard, ...lasting(computeSeconds(replay, shard)) })),
    transfers: expected.map((transfer) => ({
      transfer,
      ...lasting(messageSeconds(replay, transfer.from, transfer.to, transfer.bytes)),
    })),
    reductions: reduced(replay).map((id) => {
      const operator = replay.graph.operators[id];
      const device = replay.reduceOn[id];
      return { operator, device, ...lasting(reduceSeconds(replay, operator, device)) };
    }),
    end: 0,
  };
}

/** Operators whose partial sums are added. */
function reduced({ reduceOn, shards }: Replay): number[] {
  return [...reduceOn.keys()].filter((id) => reduceOn[id] !== NONE && shards[id].length > 1);
}

class Scheduler {
  private readonly deviceFree: number[];
  private readonly linkFree = new Map<string, number>();
  /** `storage device` -> when what the device makes of it is made. */
  private readonly madeAt = new Map<string, number>();
  private readonly shards: ShardAt[] = [];
  private readonly transfers: TransferAt[] = [];
  private readonly reductions: ReduceAt[] = [];
  private readonly incoming = new Map<number, ExpectedTransfer[]>();

  constructor(
    private readonly replay: Replay,
    expected: readonly ExpectedTransfer[],
  ) {
    this.deviceFree = replay.devices.map(() => 0);
    for (const transfer of expected) {
      const own = this.incoming.get(transfer.consumer);
      if (own === undefined) this.incoming.set(transfer.consumer, [transfer]);
      else own.push(transfer);
    }
  }

  step(id: number): void {
    const { replay } = this;
    const shards = replay.shards[id];
    const messages = this.incoming.get(id) ?? [];
    const lasting = new Map(
      shards.map((shard) => [shard.device, duration(computeSeconds(replay, shard))] as const),
    );
    const inputs = this.sorted(
      messages.filter(({ isPartial }) => !isPartial),
      this.storages(replay.graph.operators[id].inputs),
    );
    const arrived = this.send(inputs, ({ to }) => lasting.get(to) ?? 0);
    for (const shard of [...shards].sort((a, b) => a.device - b.device)) {
      const start = Math.max(this.deviceFree[shard.device], arrived[shard.device]);
      const end = start + lasting.get(shard.device)!;
      this.shards.push({ shard, start, end });
      this.made(id, shard.device, end);
    }
    if (reduced(replay).includes(id)) this.reduce(id, messages);
  }

  private reduce(id: number, messages: readonly ExpectedTransfer[]): void {
    const operator = this.replay.graph.operators[id];
    const device = this.replay.reduceOn[id];
    const partials = messages.filter(({ isPartial }) => isPartial);
    const arrived = this.send(this.sorted(partials, this.storages(operator.outputs)), () => 0);
    const start = Math.max(this.deviceFree[device], arrived[device]);
    const end = start + duration(reduceSeconds(this.replay, operator, device));
    this.reductions.push({ operator, device, start, end });
    this.made(id, device, end);
  }

  gather(): void {
    const { graph } = this.replay;
    this.send(this.sorted(this.incoming.get(NONE) ?? [], this.storages(graph.outputs)), () => 0);
  }

  timeline(): Timeline {
    const { shards, transfers, reductions } = this;
    const end = [...shards, ...transfers, ...reductions].reduce((last, at) => Math.max(last, at.end), 0);
    return { shards, transfers, reductions, end };
  }

  private storages(tensors: readonly number[]): number[] {
    return tensors.map((id) => (id === NONE ? NONE : this.replay.graph.tensors[id].storage));
  }

  private made(id: number, device: number, end: number): void {
    this.deviceFree[device] = end;
    for (const storage of this.storages(this.replay.graph.operators[id].outputs))
      this.madeAt.set(`${storage} ${device}`, end);
  }

  /** By input, receiver, sender. */
  private sorted(messages: readonly ExpectedTransfer[], inputs: readonly number[]): ExpectedTransfer[] {
    const at = ({ storage }: ExpectedTransfer): number => inputs.indexOf(storage);
    return [...messages].sort((a, b) => at(a) - at(b) || a.to - b.to || a.from - b.from);
  }

  private send(messages: readonly ExpectedTransfer[], computes: (of: ExpectedTransfer) => number): number[] {
    const { devices, plan } = this.replay;
    const isShared = plan.cluster.network.kind === 'shared';
    const ready = (of: ExpectedTransfer): number => this.madeAt.get(`${of.storage} ${of.from}`) ?? 0;
    const arrived = devices.map(() => 0);
    const inOrder = [...messages].sort((a, b) => ready(a) - ready(b) || computes(b) - computes(a));
    for (const transfer of inOrder) {
      const { from, to, bytes } = transfer;
      const links = isShared ? ['medium'] : [`up ${from}`, `down ${to}`];
      const start = Math.max(ready(transfer), ...links.map((link) => this.linkFree.get(link) ?? 0));
      const end = start + duration(messageSeconds(this.replay, from, to, bytes));
      for (const link of links) this.linkFree.set(link, end);
      arrived[to] = Math.max(arrived[to], end);
      this.transfers.push({ transfer, start, end });
    }
    return arrived;
  }
}
