import { NONE } from '../../graph/units';
import { regionBytes, type Replay, storageName } from './replay';
import { EMPTY, intersect, overlaps, type Runs, subtract, unite } from './runs';
import type { Violations } from './violations';

/** A message that the plan must contain: the elements that `to` lacks of a storage, made on `from`. */
export interface ExpectedTransfer {
  readonly storage: number;
  readonly from: number;
  readonly to: number;
  /** Consumer, or `NONE` for gathering an output on the sink. */
  readonly consumer: number;
  readonly elements: Runs;
  readonly bytes: number;
  /** A partial sum on its way to `reduceOn`. */
  readonly isPartial: boolean;
}

/** Where each element of a storage is made, and by whom it is owned. */
interface Placement {
  readonly made: Runs[];
  readonly owned: Runs[];
}

/**
 * Every message that the plan's partitions require, in consumer order. In `overlapped` what a device received
 * for an earlier consumer stays there; in `synchronous` it is dropped after the step.
 */
export function expectedTransfers(
  replay: Replay,
  keepsReceived: boolean,
  violations: Violations,
): ExpectedTransfer[] {
  const { graph, devices, stepOf, shards, reduceOn, sink, grids } = replay;
  const transfers: ExpectedTransfer[] = [];
  graph.operators.forEach((operator) => {
    if (reduceOn[operator.id] === NONE) return;
    for (const shard of shards[operator.id]) {
      if (shard.device === reduceOn[operator.id]) continue;
      for (const [storage, bytes] of shard.partials) {
        const elements = grids[storage].whole;
        transfers.push({
          storage,
          from: shard.device,
          to: reduceOn[operator.id],
          consumer: operator.id,
          elements,
          bytes,
          isPartial: true,
        });
      }
    }
  });
  for (const storage of graph.storages) {
    const place = placement(replay, storage.id);
    const held = [...place.made];
    const deliver = (consumer: number, device: number, need: Runs): void => {
      let missing = subtract(need, keepsReceived ? held[device] : place.made[device]);
      if (missing.length === 0) return;
      held[device] = unite(held[device], missing);
      for (let from = 0; from < devices.length; from++) {
        const elements = from === device ? EMPTY : intersect(missing, place.owned[from]);
        if (elements.length === 0) continue;
        missing = subtract(missing, elements);
        const bytes = regionBytes(replay, storage.id, elements);
        transfers.push({
          storage: storage.id,
          from,
          to: device,
          consumer,
          elements,
          bytes,
          isPartial: false,
        });
      }
      if (missing.length > 0) {
        violations.add(
          'transfer',
          `Elements of "${storageName(graph, storage.id)}" that ${devices[device]} needs are made nowhere.`,
        );
      }
    };
    const consumers = [...storage.consumers].sort((a, b) => stepOf[a] - stepOf[b]);
    for (const consumer of consumers) {
      for (const shard of shards[consumer])
        deliver(consumer, shard.device, shard.needs.get(storage.id) ?? EMPTY);
    }
    if (storage.isOutput) deliver(NONE, sink, grids[storage.id].whole);
  }
  return transfers;
}

export function placement(replay: Replay, storageId: number): Placement {
  const { graph, devices, source, shards, reduceOn, grids } = replay;
  const storage = graph.storages[storageId];
  const { whole } = grids[storageId];
  const made = devices.map((): Runs => EMPTY);
  const owned = devices.map((): Runs => EMPTY);
  if (storage.producer === NONE) {
    made[source] = owned[source] = whole;
  } else if (reduceOn[storage.producer] !== NONE && shards[storage.producer].length > 1) {
    made[reduceOn[storage.producer]] = owned[reduceOn[storage.producer]] = whole;
  } else {
    for (const shard of shards[storage.producer]) {
      made[shard.device] = shard.makes.get(storageId) ?? EMPTY;
      owned[shard.device] = shard.owns.get(storageId) ?? EMPTY;
    }
    checkDisjoint(owned);
  }
  return { made, owned };

  function checkDisjoint(parts: Runs[]): void {
    for (let a = 0; a < parts.length; a++) {
      for (let b = a + 1; b < parts.length; b++) {
        // Outputs beside the first (a statistic, say) may be made by every shard: the first device owns them.
        if (overlaps(parts[a], parts[b])) parts[b] = subtract(parts[b], parts[a]);
      }
    }
  }
}
