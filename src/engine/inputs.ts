import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { ElementType } from '../core/graph/elementType';
import type { Graph } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import { seededRandom } from '../core/graph/random';
import { halfBits } from '../core/export/tensorBytes';
import { runtimeMessage, type Runtime } from './runtime';

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

/** What inputs are drawn from. */
interface InputRange {
  /** Real numbers lie in `[lowest, 1)`. */
  readonly lowest: number;
  /** Integers lie in `[0, integers)`. */
  readonly integers: number;
}

/**
 * Integers may be token ids, class numbers or masks, and numbers may have to be fractions: the first range that
 * the model accepts is taken.
 */
const INPUT_RANGES: readonly InputRange[] = [
  { lowest: -1, integers: 8 },
  { lowest: -1, integers: 2 },
  { lowest: -1, integers: 1 },
  { lowest: 0, integers: 8 },
  { lowest: 0, integers: 1 },
];

/** Runs a model on the first seeded inputs that it accepts. Throws `InputError` with ONNX Runtime's message. */
export async function runSeeded(
  runtime: Runtime,
  graph: Graph,
  session: InferenceSession,
  seed: number,
  outputs: readonly string[],
): Promise<{ readonly feeds: Feeds; readonly results: Feeds }> {
  let refusal: unknown;
  for (const range of INPUT_RANGES) {
    const feeds = seededFeeds(runtime, graph, seed, range);
    try {
      return { feeds, results: (await session.run(feeds, outputs)) as Feeds };
    } catch (error) {
      refusal ??= error;
    }
  }
  throw new InputError(`ONNX Runtime cannot run this model: ${runtimeMessage(refusal)}`);
}

/** Throws `InputError` where a size is unknown. */
function seededFeeds(runtime: Runtime, graph: Graph, seed: number, range: InputRange): Feeds {
  const random = seededRandom(seed);
  const feeds: Feeds = {};
  for (const id of graph.inputs) {
    const { name, type, shape } = graph.tensors[id];
    if (type === undefined || shape === undefined || shape.includes(undefined))
      throw new InputError(`Input "${name}" cannot be made: its shape is not known.`);
    if (!RUNTIME_TYPES.has(type))
      throw new InputError(`Input "${name}" is of type ${type}, which cannot be fed from here.`);
    const dims = shape as readonly number[];
    const count = dims.reduce((product, dim) => product * dim, 1);
    const real = (): number => range.lowest + (1 - range.lowest) * random.next();
    const integer = (): number => random.below(range.integers);
    const data = values(type, count, real, integer);
    feeds[name] = new runtime.Tensor(type as 'float32', data as Float32Array, dims);
  }
  return feeds;
}

/** The same inputs with every single- and double-precision number moved by `part` of itself, up and down in turn. */
export function nudgedFeeds(runtime: Runtime, feeds: Feeds, part: number): Feeds {
  const nudged: Feeds = {};
  for (const [name, tensor] of Object.entries(feeds)) {
    const { data, type, dims } = tensor;
    const isReal = data instanceof Float32Array || data instanceof Float64Array;
    const moved = isReal ? data.map((value, index) => value * (1 + (index % 2 === 0 ? part : -part))) : data;
    nudged[name] = new runtime.Tensor(type as 'float32', moved as Float32Array, dims);
  }
  return nudged;
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
