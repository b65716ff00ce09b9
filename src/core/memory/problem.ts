import type { Graph, Operator, Tensor } from '../graph/graph';
import { NONE, type OperatorId, type StorageId, type TensorId } from '../graph/units';
import { packRows, transpose, type Rows } from './rows';

export type InPlaceRule = 'none' | 'elementwise';

/** `resident`: all weights are in memory throughout; `streamed`: an operator's own weights during its step only. */
export type WeightsRule = 'resident' | 'streamed';

/**
 * What ordering and arena need of a graph, as flat arrays. Operators and storages keep the graph's ids.
 * Sizes that are not known count as 0 and set `known` to false: every figure derived from the problem then
 * says "at least".
 */
export interface OrderProblem {
  readonly operatorCount: number;
  readonly storageCount: number;
  readonly inPlace: InPlaceRule;
  readonly weights: WeightsRule;
  readonly known: boolean;
  /** Per operator: operators that must run before it / after it, ascending, each once. */
  readonly predecessors: Rows;
  readonly successors: Rows;
  /** Bytes per storage. */
  readonly bytes: Float64Array;
  /** Operator that makes a storage; `NONE` for graph inputs. */
  readonly producer: Int32Array;
  /** Per storage: operators that read it (through views too), ascending, each once. */
  readonly consumers: Rows;
  /** Per operator: storages it reads / makes. */
  readonly reads: Rows;
  readonly makes: Rows;
  readonly isInput: Uint8Array;
  readonly isOutput: Uint8Array;
  /** Per operator: bytes needed during its own step only (peak inside its body, streamed weights). */
  readonly stepBytes: Float64Array;
  /**
   * Per operator: storages that its single output may be written over once it is their last consumer
   * (empty under the rule `none`), in the order of its inputs.
   */
  readonly overwritable: Rows;
}

/** The order problem of a graph under an in-place rule. */
export function orderProblem(
  graph: Graph,
  options: { readonly inPlace: InPlaceRule; readonly weights?: WeightsRule },
): OrderProblem {
  const { operators, storages } = graph;
  const weights = options.weights ?? 'resident';
  const consumers = packRows(storages.map((storage) => storage.consumers));
  const predecessors = packRows(operators.map((operator) => predecessorsOf(graph, operator)));
  const makes = packRows(storagesByProducer(graph));
  const stepBytes = operators.map((operator) => stepBytesOf(graph, operator, weights));
  return {
    operatorCount: operators.length,
    storageCount: storages.length,
    inPlace: options.inPlace,
    weights,
    known: storages.every((storage) => storage.bytes !== undefined) && stepBytes.every((step) => step.known),
    predecessors,
    successors: transpose(predecessors, operators.length),
    bytes: Float64Array.from(storages, (storage) => storage.bytes ?? 0),
    producer: Int32Array.from(storages, (storage) => storage.producer),
    consumers,
    reads: transpose(consumers, operators.length),
    makes,
    isInput: Uint8Array.from(storages, (storage) => Number(storage.isInput)),
    isOutput: Uint8Array.from(storages, (storage) => Number(storage.isOutput)),
    stepBytes: Float64Array.from(stepBytes, (step) => step.bytes),
    overwritable: packRows(
      operators.map((operator) => (options.inPlace === 'none' ? [] : overwritableBy(graph, operator))),
    ),
  };
}

function predecessorsOf(graph: Graph, operator: Operator): OperatorId[] {
  const found = new Set<OperatorId>();
  for (const input of operator.inputs) {
    if (input === NONE) continue;
    const { producer } = graph.tensors[input];
    if (producer !== NONE && producer !== operator.id) found.add(producer);
  }
  return [...found].sort((a, b) => a - b);
}

function storagesByProducer(graph: Graph): StorageId[][] {
  const made: StorageId[][] = graph.operators.map(() => []);
  for (const storage of graph.storages)
    if (storage.producer !== NONE) made[storage.producer].push(storage.id);
  return made;
}

function stepBytesOf(
  graph: Graph,
  operator: Operator,
  weights: WeightsRule,
): { bytes: number; known: boolean } {
  let { bytes, known }: { bytes: number; known: boolean } = operator.bodyPeak;
  if (weights === 'resident') return { bytes, known };
  for (const id of new Set(operator.inputs)) {
    if (id === NONE || !graph.tensors[id].isWeight) continue;
    const size = graph.tensors[id].bytes;
    bytes += size ?? 0;
    known &&= size !== undefined;
  }
  return { bytes, known };
}

/** A graph output is never overwritten: it stays live through the last step. */
function overwritableBy(graph: Graph, operator: Operator): StorageId[] {
  const outputs = operator.outputs.filter((id) => id !== NONE);
  if (!operator.isElementwise || operator.isView || outputs.length !== 1) return [];
  const output = graph.tensors[outputs[0]];
  if (output.storage === NONE || graph.storages[output.storage].producer !== operator.id) return [];
  const found = new Set<StorageId>();
  for (const id of operator.inputs) {
    if (id === NONE) continue;
    const { storage } = graph.tensors[id];
    if (storage !== NONE && !graph.storages[storage].isOutput && sameSize(graph, id, output.id))
      found.add(storage);
  }
  return [...found];
}

/** Equal element counts too: equal bytes alone would let a broadcast input of a wider type be overwritten. */
function sameSize(graph: Graph, a: TensorId, b: TensorId): boolean {
  const [left, right] = [graph.tensors[a], graph.tensors[b]];
  return left.bytes !== undefined && left.bytes === right.bytes && elements(left) === elements(right);
}

function elements(tensor: Tensor): number | undefined {
  let product: number | undefined = 1;
  for (const size of tensor.shape ?? [undefined]) {
    product = size === undefined || product === undefined ? undefined : product * size;
  }
  return product;
}
