import type { OrderMemory, ViewGraph, ViewPlan } from '../../src/protocol/webview';

/** One storage as a rectangle: steps across (half-open), addresses up. */
export interface LifetimeBox {
  readonly storage: number;
  /** The tensor that made it. */
  readonly tensor: number;
  readonly firstStep: number;
  /** Exclusive. */
  readonly endStep: number;
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
    const [firstStep, lastStep] = [memory.firstStep[tensor], memory.lastStep[tensor]];
    boxes.push({ storage, tensor, firstStep, endStep: lastStep + 1, offset: 0, bytes });
  });
  return packed(boxes);
}

/** With the plan's own addresses. */
export function boxesOfPlan({ plan }: ViewPlan, graph: ViewGraph): LifetimeBox[] {
  const byName = new Map(graph.tensors.names.map((name, tensor) => [name, tensor]));
  const seen = new Set<number>();
  const boxes: LifetimeBox[] = [];
  for (const tensor of plan.tensors) {
    if (seen.has(tensor.storage) || tensor.bytes <= 0) continue;
    seen.add(tensor.storage);
    boxes.push({
      storage: tensor.storage,
      tensor: byName.get(tensor.name) ?? -1,
      firstStep: tensor.firstStep,
      endStep: tensor.lastStep + 1,
      offset: tensor.offset,
      bytes: tensor.bytes,
    });
  }
  return boxes;
}

/** Largest first, each at the lowest address that is free throughout its life. */
function packed(boxes: readonly LifetimeBox[]): LifetimeBox[] {
  const placed: LifetimeBox[] = [];
  const order = [...boxes].sort((a, b) => b.bytes - a.bytes || a.firstStep - b.firstStep);
  for (const box of order.slice(0, MOST_PACKED)) {
    const neighbours = placed
      .filter((other) => other.firstStep < box.endStep && box.firstStep < other.endStep)
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
