import type { Graph } from '../graph/graph';
import { NONE, type OperatorId, type Step, type StorageId, type TensorId } from '../graph/units';

/** Stands in `StorageFlow.readers` for the gathering of an output on the sink. */
export const GATHER = -2;

/**
 * What moves between operators in a given order, with views resolved: which storages each operator reads and
 * makes, and in which order the readers of a storage come. Views have no step of their own here.
 */
export interface Flow {
  /** Operators that run (no views), in execution order. */
  readonly steps: readonly OperatorId[];
  /** Operator -> position in `steps`, `NONE` for a view. */
  readonly stepOf: readonly Step[];
  readonly operators: readonly OperatorFlow[];
  readonly storages: readonly StorageFlow[];
  /** Storages of the model's outputs, each once, in the outputs' order. */
  readonly outputs: readonly StorageId[];
}

export interface OperatorFlow {
  /** Distinct storages that it reads, in the order of its inputs, with its position among their readers. */
  readonly reads: readonly { readonly storage: StorageId; readonly reader: number }[];
  /** Distinct storages that it makes, in the order of its outputs. */
  readonly makes: readonly StorageId[];
  /** Distinct weights that it reads. */
  readonly weights: readonly TensorId[];
}

export interface StorageFlow {
  /** `NONE` for a model input. */
  readonly producer: OperatorId;
  /** Operators in execution order, then `GATHER` where the storage is an output. */
  readonly readers: readonly OperatorId[];
  readonly isOutput: boolean;
}

/** @param order every operator of the graph, in execution order */
export function flowOf(graph: Graph, order: readonly OperatorId[]): Flow {
  const steps = order.filter((id) => !graph.operators[id].isView);
  const stepOf = new Array<Step>(graph.operators.length).fill(NONE);
  steps.forEach((id, step) => (stepOf[id] = step));
  const storages = graph.storages.map(({ producer, consumers, isOutput }): StorageFlow => {
    const readers = consumers.filter((id) => stepOf[id] !== NONE).sort((a, b) => stepOf[a] - stepOf[b]);
    return { producer, readers: isOutput ? [...readers, GATHER] : readers, isOutput };
  });
  // A view makes nothing: what it lists beside its first output (the mask of a dropout) is never there.
  const isMade = (storage: StorageId): boolean => {
    const { producer } = graph.storages[storage];
    return producer === NONE || stepOf[producer] !== NONE;
  };
  const operators = graph.operators.map((operator): OperatorFlow => {
    const isRun = stepOf[operator.id] !== NONE;
    const read = isRun ? storagesOf(graph, operator.inputs).filter(isMade) : [];
    return {
      reads: read.map((storage) => ({ storage, reader: storages[storage].readers.indexOf(operator.id) })),
      makes: isRun ? storagesOf(graph, operator.outputs) : [],
      weights: isRun ? unique(operator.inputs.filter((id) => id !== NONE && graph.tensors[id].isWeight)) : [],
    };
  });
  return { steps, stepOf, operators, storages, outputs: storagesOf(graph, graph.outputs) };
}

function storagesOf(graph: Graph, tensors: readonly TensorId[]): StorageId[] {
  const present = tensors.filter((id) => id !== NONE && graph.tensors[id].storage !== NONE);
  return unique(present.map((id) => graph.tensors[id].storage));
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}
