import { NONE } from '../../graph/units';
import type { Timeline } from './timeline';
import { Grid, type TensorBox } from './grid';
import { regionBytes, type Replay } from './replay';
import { EMPTY, overlaps, type Runs, unite } from './runs';
import { tensorBytes } from '../../graph/elementType';
import { placement } from './transfers';

/** Bytes held on a device over `[from, to)`, in nanoseconds or (synchronous) in steps. */
export interface Holding {
  readonly device: number;
  /** The storage that they belong to; `NONE` for what an operator's body needs. */
  readonly storage: number;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/** An event's place on the axis along which memory is counted. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Peak bytes per device: base memory, all weight slices it uses (each element once), and every region from the
 * start of the event that makes it there to the end of the last event there that reads it. In `synchronous`
 * an operator's messages and shards are one event, its step.
 */
export function peakBytes(replay: Replay, timeline: Timeline, synchronous: boolean): number[] {
  return memoryCurves(replay, timeline, synchronous).map(({ bytes }) =>
    bytes.reduce((most, held) => Math.max(most, held), 0),
  );
}

/** Per device the steps of the events that start when its peak does (step 0: the inputs' arrival). */
export function peakSteps(replay: Replay, timeline: Timeline, synchronous: boolean): Set<number>[] {
  const { stepOf, steps } = replay;
  const events = [
    ...timeline.shards.map(({ shard, start }) => ({ device: shard.device, step: shard.step, start })),
    ...timeline.reductions.map((at) => ({ ...at, step: stepOf[at.operator.id] })),
    ...timeline.transfers.flatMap(({ transfer, start }) => {
      const step = transfer.consumer === NONE ? steps.length : stepOf[transfer.consumer];
      return [transfer.from, transfer.to].map((device) => ({ device, step, start }));
    }),
  ];
  return memoryCurves(replay, timeline, synchronous).map(({ at, bytes }, device) => {
    const peak = bytes.reduce((most, held) => Math.max(most, held), 0);
    const moments = new Set(at.filter((_, position) => bytes[position] === peak));
    const found = new Set(moments.has(0) ? [0] : []);
    for (const event of events) {
      if (event.device === device && moments.has(synchronous ? event.step : event.start))
        found.add(event.step);
    }
    return found;
  });
}

/** What a device holds from each moment on: nanoseconds, or steps in `synchronous`, ascending. */
export interface MemoryCurve {
  readonly at: readonly number[];
  readonly bytes: readonly number[];
}

export function memoryCurves(replay: Replay, timeline: Timeline, synchronous: boolean): MemoryCurve[] {
  const holdings = regionHoldings(replay, timeline, synchronous);
  const weights = residentWeights(replay);
  return replay.plan.cluster.devices.map((device, index) =>
    curve(
      device.baseMemory + weights[index],
      holdings.filter((holding) => holding.device === index),
    ),
  );
}

/** Bytes of the weight elements that a device's shards use, each element once. */
export function residentWeights(replay: Replay): number[] {
  const resident = replay.devices.map(() => 0);
  for (const [id, uses] of usesOfWeights(replay)) {
    const { type = 'float32', shape } = replay.graph.tensors[id];
    const elements = (shape as number[]).reduce((product, length) => product * length, 1);
    const grid = new Grid(elements, uses.flat());
    uses.forEach((boxes, device) => {
      const used = boxes.reduce((runs, box) => unite(runs, grid.runs(box)), EMPTY);
      resident[device] += tensorBytes(type, grid.count(used)) ?? 0;
    });
  }
  return resident;
}

/** Per weight of known shape and device the boxes that its shards use. */
function usesOfWeights({ graph, devices, shards }: Replay): ReadonlyMap<number, TensorBox[][]> {
  const uses = new Map<number, TensorBox[][]>();
  for (const { operator, device, work } of shards.flat()) {
    operator.inputs.forEach((id, position) => {
      const box = work.inputs[position];
      if (id === NONE || !graph.tensors[id].isWeight || box === undefined) return;
      const shape = graph.tensors[id].shape as number[] | undefined;
      if (shape === undefined) return;
      const own = uses.get(id) ?? devices.map(() => []);
      own[device].push({ shape, box });
      uses.set(id, own);
    });
  }
  return uses;
}

export function regionHoldings(replay: Replay, timeline: Timeline, synchronous: boolean): Holding[] {
  const { graph, stepOf, sink, source, reduceOn } = replay;
  const lastStep = replay.steps.length;
  const span = (event: Span, step: number): Span => (synchronous ? { start: step, end: step + 1 } : event);
  const end = synchronous ? lastStep + 1 : timeline.end;
  const transferSpan = (at: Timeline['transfers'][number]): Span =>
    span(at, at.transfer.consumer === NONE ? lastStep : stepOf[at.transfer.consumer]);

  const holdings: Holding[] = [];
  const readersOf = new Map<number, { device: number; elements: Runs; end: number; consumer: number }[]>();
  const addReader = (
    storage: number,
    reader: { device: number; elements: Runs; end: number; consumer: number },
  ): void => {
    readersOf.set(storage, [...(readersOf.get(storage) ?? []), reader]);
  };
  for (const at of timeline.shards) {
    for (const [storage, elements] of at.shard.needs) {
      addReader(storage, {
        device: at.shard.device,
        elements,
        end: span(at, at.shard.step).end,
        consumer: at.shard.operator.id,
      });
    }
  }
  for (const at of timeline.transfers) {
    if (at.transfer.isPartial) continue;
    addReader(at.transfer.storage, {
      device: at.transfer.from,
      elements: at.transfer.elements,
      end: transferSpan(at).end,
      consumer: NONE,
    });
  }
  const lastRead = (storage: number, device: number, elements: Runs, from: number, only?: number): number => {
    let last = from;
    for (const reader of readersOf.get(storage) ?? []) {
      const reads = reader.device === device && (only === undefined || reader.consumer === only);
      if (reads && reader.end > last && overlaps(reader.elements, elements)) last = reader.end;
    }
    if (graph.storages[storage].isOutput && device === sink && only === undefined) last = end;
    return last;
  };

  for (const storage of graph.storages) {
    if (storage.producer !== NONE) continue;
    const whole = placement(replay, storage.id).made[source];
    const to = lastRead(storage.id, source, whole, 0);
    holdings.push({
      device: source,
      storage: storage.id,
      bytes: regionBytes(replay, storage.id, whole),
      from: 0,
      to,
    });
  }
  for (const at of timeline.shards) {
    const { shard } = at;
    const own = span(at, shard.step);
    for (const [storage, elements] of shard.makes) {
      const to = lastRead(storage, shard.device, elements, own.end);
      holdings.push({
        device: shard.device,
        storage,
        bytes: regionBytes(replay, storage, elements),
        from: own.start,
        to,
      });
    }
    if (shard.operator.bodyPeak.bytes > 0) {
      holdings.push({
        device: shard.device,
        storage: NONE,
        bytes: shard.operator.bodyPeak.bytes,
        from: own.start,
        to: own.end,
      });
    }
    for (const [storage, bytes] of shard.partials) {
      holdings.push({
        device: shard.device,
        storage,
        bytes,
        from: own.start,
        to: partialEnd(shard.operator.id, shard.device, storage, own.end),
      });
    }
  }
  for (const at of timeline.transfers) {
    const { transfer } = at;
    const own = transferSpan(at);
    const to = transfer.isPartial
      ? reductionSpan(transfer.consumer).end
      : lastRead(
          transfer.storage,
          transfer.to,
          transfer.elements,
          own.end,
          synchronous && transfer.consumer !== NONE ? transfer.consumer : undefined,
        );
    holdings.push({
      device: transfer.to,
      storage: transfer.storage,
      bytes: transfer.bytes,
      from: own.start,
      to,
    });
  }
  for (const at of timeline.reductions) {
    const own = span(at, stepOf[at.operator.id]);
    const storage = graph.tensors[at.operator.outputs[0]].storage;
    const whole = placement(replay, storage).made[at.device];
    const to = lastRead(storage, at.device, whole, own.end);
    holdings.push({
      device: at.device,
      storage,
      bytes: regionBytes(replay, storage, whole),
      from: own.start,
      to,
    });
  }
  return holdings;

  function reductionSpan(operator: number): Span {
    const at = timeline.reductions.find((reduction) => reduction.operator.id === operator);
    return at === undefined ? { start: 0, end } : span(at, stepOf[operator]);
  }

  function partialEnd(operator: number, device: number, storage: number, from: number): number {
    if (reduceOn[operator] === device) return reductionSpan(operator).end;
    const sent = timeline.transfers.find(
      ({ transfer }) =>
        transfer.isPartial &&
        transfer.consumer === operator &&
        transfer.from === device &&
        transfer.storage === storage,
    );
    return sent === undefined ? from : transferSpan(sent).end;
  }
}

/** Running sum of holdings over a constant part; at equal moments what ends goes before what begins. */
function curve(constant: number, holdings: readonly Holding[]): MemoryCurve {
  const changes = holdings
    .filter(({ from, to }) => to > from)
    .flatMap(({ bytes, from, to }) => [
      { at: from, bytes },
      { at: to, bytes: -bytes },
    ]);
  changes.sort((a, b) => a.at - b.at);
  const at = [0];
  const bytes = [constant];
  for (const change of changes) {
    const last = at.length - 1;
    if (at[last] === change.at) bytes[last] += change.bytes;
    else {
      at.push(change.at);
      bytes.push(bytes[last] + change.bytes);
    }
  }
  return { at, bytes };
}
