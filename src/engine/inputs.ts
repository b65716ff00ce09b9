import type { Tensor } from 'onnxruntime-common';
import type { ElementType } from '../core/graph/elementType';
import type { Graph } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import { seededRandom } from '../core/graph/random';
import { halfBits } from '../core/export/tensorBytes';
import type { Runtime } from './runtime';

/** Inputs of a model by name. */
export type Feeds = Record<string, Tensor>;

/** Element types whose values pass between JavaScript and ONNX Runtime. */
export const RUNTIME_TYPES: ReadonlySet<ElementType> = new Set<ElementType>([
  'float32',
  'float64',
  'float16',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'string',
]);

/**
 * Seeded values for every input: numbers in [-1, 1), integers in `[0, integerRange)` (they may be indices or
 * masks, so small ones are tried where large ones are refused). Throws `InputError` where a size is unknown.
 */
export function seededFeeds(runtime: Runtime, graph: Graph, seed: number, integerRange: number): Feeds {
  const random = seededRandom(seed);
  const feeds: Feeds = {};
  for (const id of graph.inputs) {
    const { name, type, shape } = graph.tensors[id];
    if (type === undefined || shape === undefined || shape.includes(undefined))
      throw new InputError(`The size of input "${name}" is unknown: bind its dimensions first.`);
    if (!RUNTIME_TYPES.has(type))
      throw new InputError(`Input "${name}" is of type ${type}, which cannot be fed from here.`);
    const dims = shape as readonly number[];
    const count = dims.reduce((product, dim) => product * dim, 1);
    const real = (): number => 2 * random.next() - 1;
    const integer = (): number => random.below(integerRange);
    const data = values(type, count, real, integer);
    feeds[name] = new runtime.Tensor(type as 'float32', data as Float32Array, dims);
  }
  return feeds;
}

function values(type: ElementType, count: number, real: () => number, integer: () => number): unknown {
  switch (type) {
    case 'float32':
      return Float32Array.from({ length: count }, real);
    case 'float64':
      return Float64Array.from({ length: count }, real);
    case 'float16':
      return Uint16Array.from({ length: count }, () => halfBits(real()));
    case 'int64':
      return BigInt64Array.from({ length: count }, () => BigInt(integer()));
    case 'uint64':
      return BigUint64Array.from({ length: count }, () => BigInt(integer()));
    case 'int32':
      return Int32Array.from({ length: count }, integer);
    case 'uint32':
      return Uint32Array.from({ length: count }, integer);
    case 'int16':
      return Int16Array.from({ length: count }, integer);
    case 'uint16':
      return Uint16Array.from({ length: count }, integer);
    case 'int8':
      return Int8Array.from({ length: count }, integer);
    case 'bool':
      return Uint8Array.from({ length: count }, () => integer() & 1);
    case 'string':
      return Array.from({ length: count }, () => String(integer()));
    default:
      return Uint8Array.from({ length: count }, integer);
  }
}
