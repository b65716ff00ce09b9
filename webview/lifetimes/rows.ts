import type { ViewGraph, OrderMemory } from '../../src/protocol/webview';
import { TENSOR_FLAGS } from '../../src/protocol/webview';
import type { PlanIndex } from '../plan/planIndex';
import { shapeOf } from '../scene/sizes';

/** One tensor of the model, as the table and every export say it. */
export interface TensorRow {
  readonly tensor: number;
  readonly name: string;
  readonly kind: 'activation' | 'weight' | 'input' | 'output';
  readonly type: string;
  readonly shape: string;
  /** `NaN`: not known. */
  readonly bytes: number;
  /** Of its storage's life in the order; -1 for weights, which are resident throughout. */
  readonly firstStep: number;
  readonly lastStep: number;
  /** Address in the plan's arena; -1 without a plan. */
  readonly offset: number;
  /** Operators of the view graph; -1 where there is none. */
  readonly producer: number;
  readonly lastReader: number;
  /** Devices that make it, with a plan. */
  readonly devices: readonly string[];
}

/** Every tensor, in the order of the graph. */
export function tensorRows(graph: ViewGraph, memory: OrderMemory, plan: PlanIndex | null): TensorRow[] {
  const { tensors } = graph;
  const offsets = new Map(plan?.plan.tensors.map(({ name, offset }) => [name, offset]));
  return tensors.names.map((name, tensor) => {
    const producer = tensors.producers[tensor];
    const lastStep = memory.lastStep[tensor];
    const makers = plan === null || producer < 0 ? [] : plan.shares(producer);
    return {
      ...{ tensor, name, producer, lastStep },
      kind: kindOf(tensors.flags[tensor]),
      type: tensors.typeNames[tensors.types[tensor]],
      shape: shapeOf(graph, tensor),
      bytes: tensors.bytes[tensor],
      firstStep: memory.firstStep[tensor],
      offset: offsets.get(name) ?? -1,
      lastReader: lastStep < 0 ? -1 : memory.operators[lastStep],
      devices: plan === null ? [] : makers.map(({ device }) => plan.deviceNames[device]),
    };
  });
}

function kindOf(flags: number): TensorRow['kind'] {
  if ((flags & TENSOR_FLAGS.weight) !== 0) return 'weight';
  if ((flags & TENSOR_FLAGS.input) !== 0) return 'input';
  return (flags & TENSOR_FLAGS.output) !== 0 ? 'output' : 'activation';
}
