import type { DeviceHoldings, OrderMemory, ViewGraph } from '../../src/protocol/webview';
import { TENSOR_FLAGS } from '../../src/protocol/webview';
import type { PlanIndex } from '../plan/planIndex';

/** One storage, or one region of it on a device, as a rectangle: steps or seconds across (half-open), bytes up. */
export interface LifetimeBox {
  /** -1 for weights and for the memory of an operator's body. */
  readonly storage: number;
  /** The tensor that made it; -1 where there is none. */
  readonly tensor: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Activations' storages from the graph alone, addresses by first fit in order of size (no plan says any). */
export function boxesOfModel(graph: ViewGraph, memory: OrderMemory): LifetimeBox[] {
  const seen = new Set<number>();
  const boxes: LifetimeBox[] = [];
  graph.tensors.storages.forEach((storage, tensor) => {
    const bytes = graph.tensors.bytes[tensor];
    if (storage < 0 || seen.has(storage) || memory.firstStep[tensor] < 0 || !(bytes > 0)) return;
    seen.add(storage);
    const [from, last] = [memory.firstStep[tensor], memory.lastStep[tensor]];
    boxes.push({ storage, tensor, from, to: last + 1, offset: 0, bytes });
  });
  return packed(boxes);
}

/** With the plan's own addresses. */
export function boxesOfPlan(plan: PlanIndex, graph: ViewGraph, device: number | null): LifetimeBox[] {
  return [...boxesOfTensors(plan, graph), ...boxesOfBodies(plan, device)];
}

function boxesOfTensors({ plan }: PlanIndex, graph: ViewGraph): LifetimeBox[] {
  const byName = new Map(graph.tensors.names.map((name, tensor) => [name, tensor]));
  const seen = new Set<number>();
  const boxes: LifetimeBox[] = [];
  for (const tensor of plan.tensors) {
    if (seen.has(tensor.storage) || tensor.bytes <= 0) continue;
    seen.add(tensor.storage);
    boxes.push({
      storage: tensor.storage,
      tensor: byName.get(tensor.name) ?? -1,
      from: tensor.firstStep,
      to: tensor.lastStep + 1,
      offset: tensor.offset,
      bytes: tensor.bytes,
    });
  }
  return boxes;
}

/** Memory inside operators, each for its own step: of all of them, or of those that run on a device. */
function boxesOfBodies({ plan, deviceNames }: PlanIndex, device: number | null): LifetimeBox[] {
  return plan.operators.flatMap(({ step, body, partition }): LifetimeBox[] => {
    if (body === undefined) return [];
    if (device !== null && !partition.shards.some((shard) => shard.device === deviceNames[device])) return [];
    return [{ storage: -1, tensor: -1, from: step, to: step + 1, ...body }];
  });
}

/** Weights are there throughout, the largest lowest. */
export function boxesOfWeights({ tensors }: ViewGraph, steps: number): LifetimeBox[] {
  const ids = Array.from(tensors.flags.keys()).filter(
    (t) => (tensors.flags[t] & TENSOR_FLAGS.weight) !== 0 && tensors.bytes[t] > 0,
  );
  ids.sort((a, b) => tensors.bytes[b] - tensors.bytes[a] || a - b);
  let offset = 0;
  return ids.map((tensor) => {
    const box = { storage: -1, tensor, from: 0, to: steps, offset, bytes: tensors.bytes[tensor] };
    offset += box.bytes;
    return box;
  });
}

/** What a device holds, in seconds; a storage that arrives in several messages has several boxes. */
export function boxesOfDevice(holdings: DeviceHoldings, graph: ViewGraph): LifetimeBox[] {
  const tensorOf = firstTensors(graph);
  return Array.from(holdings.storages, (storage, i) => ({
    storage,
    tensor: tensorOf.get(storage) ?? -1,
    ...{ from: holdings.from[i], to: holdings.to[i], offset: 0, bytes: holdings.bytes[i] },
  }));
}

/** Per storage the tensor that made it. */
function firstTensors({ tensors }: ViewGraph): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  tensors.storages.forEach((storage, tensor) => {
    if (storage >= 0 && !found.has(storage)) found.set(storage, tensor);
  });
  return found;
}

/** Largest first, each at the lowest address that is free throughout its life. */
function packed(boxes: readonly LifetimeBox[]): LifetimeBox[] {
  const placed: LifetimeBox[] = [];
  const order = [...boxes].sort((a, b) => b.bytes - a.bytes || a.from - b.from);
  for (const box of order.slice(0, MOST_PACKED)) {
    const neighbours = placed
      .filter((other) => other.from < box.to && box.from < other.to)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of neighbours) {
      if (offset + box.bytes <= other.offset) break;
      offset = Math.max(offset, other.offset + other.bytes);
    }
    placed.push({ ...box, offset });
  }
  return placed;
}

/** Beyond this many storages only the largest are placed: the rest are thinner than a pixel. */
const MOST_PACKED = 3000;
