import type { Tensor } from 'onnxruntime-common';
import { analyzeModel } from '../../src/engine/analyze';
import { runSeeded } from '../../src/engine/inputs';
import { buildGraph } from '../../src/core/analysis/buildGraph';
import { partitionedModel } from '../../src/core/export/partitioned';
import { GRAPH, MODEL, TENSOR } from '../../src/core/export/fields';
import { scanLayout } from '../../src/core/export/modelLayout';
import type { PlannedGraph } from '../../src/core/export/problem';
import { MessageWriter, records } from '../../src/core/export/wire';
import type { ElementType } from '../../src/core/graph/elementType';
import type { FuseRule, Graph } from '../../src/core/graph/graph';
import { MemoryByteSource } from '../../src/core/onnx/byteSources';
import { readModel } from '../../src/core/onnx/readModel';
import type { Partition, PartitionRules, Split } from '../../src/core/partition/partition';
import { partitionRules } from '../../src/core/partition/rules';
import type { InferredValue, ShapeResult } from '../../src/core/shape/types';
import { chunkBytes } from '../../src/engine/chunks';
import { compareTensors } from '../../src/engine/compare';
import { runtimeMessage, type Runtime } from '../../src/engine/runtime';
import type { ConformanceCase } from './conformance';
import { decodeCaseValue, type CaseValue } from './protoValues';

/** What became of one conformance case. */
export interface CaseResult {
  readonly name: string;
  /** Types of the operators that were split, each with `type H axis 2 into 3`. */
  readonly runs: readonly string[];
  readonly types: readonly string[];
  readonly failures: readonly string[];
  /** Why nothing was split. */
  readonly skipped?: string;
}

const SHARES: Readonly<Record<number, readonly number[]>> = {
  2: [0.37],
  3: [0.2, 0.65],
  4: [0.1, 0.45, 0.7],
};
export const DEVICES = ['camera', 'tv', 'speaker', 'lock'];

/** Uneven cuts into `count` shards at multiples of the unit, or `undefined` where there are not enough. */
export function unevenShards(split: Split, count: number): Partition['shards'] | undefined {
  const units = split.length / split.unit;
  if (units < count) return undefined;
  const cuts = [0, ...SHARES[count].map((share) => Math.round(share * units)), units];
  for (let at = 1; at < count; at++)
    cuts[at] = Math.min(Math.max(cuts[at], cuts[at - 1] + 1), units - (count - at));
  return Array.from({ length: count }, (_unused, device) => ({
    device,
    start: cuts[device] * split.unit,
    end: cuts[device + 1] * split.unit,
  }));
}

/** Runs every split of every operator of the case and compares with the case's own expected outputs. */
export async function runSplitCase(runtime: Runtime, one: ConformanceCase): Promise<CaseResult> {
  try {
    return await runSplits(runtime, one.name, await prepare(runtime, one));
  } catch (error) {
    if (error instanceof Skip)
      return { name: one.name, runs: [], types: [], failures: [], skipped: error.message };
    throw error;
  }
}

/** The same for a model of our own, on seeded inputs, against what ONNX Runtime makes of it whole. */
export async function runSplitModel(
  runtime: Runtime,
  name: string,
  bytes: Uint8Array,
  fuse: FuseRule = 'none',
): Promise<CaseResult> {
  const source = new MemoryByteSource(bytes);
  const { graph } = analyzeModel(source, { bindings: new Map(), fuse });
  const session = await runtime.open(bytes, { optimization: 'disabled' });
  const outputs = scanLayout(source).outputs.map((output) => output.name);
  const { feeds, results } = await runSeeded(runtime, graph, session, 1, outputs);
  await session.release();
  const expected = outputs.map((output) => results[output]);
  return runSplits(runtime, name, { bytes, graph, rules: partitionRules(graph), feeds, expected });
}

async function runSplits(runtime: Runtime, name: string, prepared: Prepared): Promise<CaseResult> {
  const result = { name, runs: [] as string[], types: [] as string[], failures: [] as string[] };
  const { graph, rules } = prepared;
  const cuttable = graph.operators.filter((operator) => rules.splits(operator.id).length > 0);
  if (cuttable.length === 0) return { ...result, skipped: whyWhole(graph) };
  for (const operator of cuttable) {
    for (const split of rules.splits(operator.id)) {
      for (const count of [2, 3, 4]) {
        const shards = unevenShards(split, count);
        if (shards === undefined) continue;
        const label = `${operator.type} ${split.dimension} axis ${split.axis} into ${count}`;
        const failure = await runSplit(runtime, prepared, operator.id, { split, shards });
        result.runs.push(label);
        result.types.push(operator.type);
        if (failure !== undefined) result.failures.push(`${label}: ${failure}`);
      }
    }
  }
  return result;
}

class Skip extends Error {}

interface Prepared {
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  readonly rules: PartitionRules;
  readonly feeds: Record<string, Tensor>;
  readonly expected: readonly Tensor[];
}

/** Constant parameters, known shapes: the first input stays an input, the others become initializers. */
async function prepare(runtime: Runtime, one: ConformanceCase): Promise<Prepared> {
  const layout = scanLayout(new MemoryByteSource(one.model));
  const tensors = new Map<string, Tensor>();
  const expected: Tensor[] = [];
  layout.inputs.forEach(({ name }, index) => {
    if (one.inputs[index] !== undefined) tensors.set(name, toTensor(runtime, plain(one.inputs[index])));
  });
  for (const bytes of one.outputs) expected.push(toTensor(runtime, plain(bytes!)));
  const frozen = layout.inputs.slice(1).map(({ name }) => name);
  const bytes = freeze(one, frozen);
  const feeds: Record<string, Tensor> = {};
  for (const [name, tensor] of tensors) if (!frozen.includes(name)) feeds[name] = tensor;
  const values = await measuredValues(runtime, bytes, feeds, tensors);
  await checkWhole(runtime, bytes, feeds, expected);
  const model = readModel(new MemoryByteSource(bytes));
  const order = model.graph.nodes.map((node) => node.index);
  const shapes: ShapeResult = {
    main: { values, order, bodies: new Map() },
    symbols: new Map(),
    problems: [],
  };
  const graph = buildGraph(model, shapes, { fuse: 'none' });
  return { bytes, graph, rules: partitionRules(graph), feeds, expected };
}

function plain(bytes: Uint8Array): CaseValue & { kind: 'tensor' } {
  try {
    const value = decodeCaseValue(bytes, 'tensor');
    if (value.kind === 'tensor') return value;
  } catch {
    // Not a tensor, or of a type that the reader does not know.
  }
  throw new Skip('values that are no plain tensors');
}

const ARRAYS: Partial<Record<ElementType, new (buffer: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

function toTensor(runtime: Runtime, value: CaseValue & { kind: 'tensor' }): Tensor {
  const { type, dims, raw, strings } = value;
  if (type === 'string') return new runtime.Tensor('string', [...strings], dims);
  const make = ARRAYS[type];
  if (make === undefined)
    throw new Skip(`values of type ${type}, which ONNX Runtime does not take from JavaScript`);
  const data = new make(Uint8Array.from(raw).buffer);
  if (data.length !== dims.reduce((product, dim) => product * dim, 1))
    throw new Skip('values that are no plain tensors');
  return new runtime.Tensor(type as 'float32', data as Float32Array, dims);
}

/** The case's model with the named inputs turned into initializers. */
function freeze(one: ConformanceCase, names: readonly string[]): Uint8Array {
  const layout = scanLayout(new MemoryByteSource(one.model));
  const graph = new MessageWriter();
  for (const record of layout.graphRecords) {
    const input = layout.inputs.find((found) => found.record === record);
    if (input === undefined || !names.includes(input.name))
      graph.raw(one.model.subarray(record.start, record.end));
  }
  layout.inputs.forEach(({ name }, index) => {
    const value = one.inputs[index];
    if (!names.includes(name) || value === undefined) return;
    const tensor = new MessageWriter();
    for (const record of records(value))
      if (record.field !== TENSOR.name) tensor.raw(value.subarray(record.start, record.end));
    graph.message(GRAPH.initializer, tensor.text(TENSOR.name, name));
  });
  return replaceGraph(one.model, graph);
}

function replaceGraph(bytes: Uint8Array, graph: MessageWriter): Uint8Array {
  const model = new MessageWriter();
  for (const record of records(bytes))
    if (record.field !== MODEL.graph) model.raw(bytes.subarray(record.start, record.end));
  return model.message(MODEL.graph, graph).finish();
}

/** Types and shapes of all values as ONNX Runtime computes them, and the values of small constants. */
async function measuredValues(
  runtime: Runtime,
  bytes: Uint8Array,
  feeds: Record<string, Tensor>,
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Map<string, InferredValue>> {
  const layout = scanLayout(new MemoryByteSource(bytes));
  const graph = new MessageWriter();
  for (const record of layout.graphRecords) {
    if (record.field !== GRAPH.output) graph.raw(bytes.subarray(record.start, record.end));
  }
  const made = layout.nodes.flatMap((node) => node.outputs).filter((name) => name !== '');
  for (const name of made) graph.message(GRAPH.output, new MessageWriter().text(1, name));
  const found = new Map(tensors);
  const ran = await run(runtime, replaceGraph(bytes, graph), feeds);
  if (typeof ran === 'string') throw new Skip(`ONNX Runtime refuses it: ${ran}`);
  for (const [name, tensor] of Object.entries(ran)) found.set(name, tensor);
  const values = new Map<string, InferredValue>();
  for (const [name, tensor] of found) {
    const isFed = name in feeds;
    const small = tensor.type !== 'string' && tensor.size <= 64 && !isFed && !made.includes(name);
    values.set(name, {
      type: { kind: 'tensor', type: tensor.type as ElementType, shape: tensor.dims },
      isConstant: !isFed && !made.includes(name),
      ...(small ? { values: Array.from(tensor.data as ArrayLike<number | bigint>, Number) } : {}),
    });
  }
  for (const [name, initializer] of layout.initializers) {
    if (values.has(name)) continue;
    values.set(name, {
      type: { kind: 'tensor', type: initializer.type, shape: initializer.dims },
      isConstant: true,
    });
  }
  return values;
}

async function run(
  runtime: Runtime,
  bytes: Uint8Array,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor> | string> {
  try {
    const session = await runtime.open(bytes, { optimization: 'disabled' });
    try {
      return (await session.run(feeds)) as Record<string, Tensor>;
    } finally {
      await session.release();
    }
  } catch (error) {
    return runtimeMessage(error);
  }
}

async function checkWhole(
  runtime: Runtime,
  bytes: Uint8Array,
  feeds: Record<string, Tensor>,
  expected: readonly Tensor[],
): Promise<void> {
  const ran = await run(runtime, bytes, feeds);
  if (typeof ran === 'string') throw new Skip(`ONNX Runtime refuses it: ${ran}`);
  const failure = firstDifference(ran, bytes, expected);
  if (failure !== undefined)
    throw new Skip(`ONNX Runtime differs from the case's output even whole: ${failure}`);
}

/** Expected outputs were computed with another library, in another order of sums. */
const LIBRARY_SLACK = 50;

function firstDifference(
  ran: Record<string, Tensor>,
  bytes: Uint8Array,
  expected: readonly Tensor[],
): string | undefined {
  const { outputs } = scanLayout(new MemoryByteSource(bytes));
  for (const [index, wanted] of expected.entries()) {
    const { isEqual, absolute, relative, reason } = compareTensors(
      ran[outputs[index].name],
      wanted,
      LIBRARY_SLACK,
    );
    if (!isEqual)
      return `output ${index}: ${reason ?? `differs by ${absolute} (${relative} of the largest value)`}`;
  }
  return undefined;
}

interface Cut {
  readonly split: Split;
  readonly shards: Partition['shards'];
}

async function runSplit(
  runtime: Runtime,
  prepared: Prepared,
  target: number,
  cut: Cut,
): Promise<string | undefined> {
  const { graph, rules, bytes, feeds, expected } = prepared;
  const { dimension, axis } = cut.split;
  const partitions = graph.operators.map((operator): Partition | undefined => {
    if (operator.isView) return undefined;
    if (operator.id !== target)
      return { dimension: 'none', axis: -1, shards: [{ device: 0, start: 0, end: 1 }] };
    return { dimension, axis, shards: cut.shards, ...(dimension === 'K' ? { reduceOn: 1 } : {}) };
  });
  const plan: PlannedGraph = {
    graph,
    rules,
    devices: DEVICES,
    source: 0,
    sink: 0,
    steps: graph.operators.map(({ id }) => id),
    partitions,
  };
  const source = new MemoryByteSource(bytes);
  const store = { takesAll: false, place: () => ({ location: '', offset: 0, length: 0 }) };
  const exported = chunkBytes(partitionedModel(scanLayout(source), plan, store), () => source);
  const ran = await run(runtime, exported, feeds);
  return typeof ran === 'string' ? ran : firstDifference(ran, bytes, expected);
}

function whyWhole(graph: Graph): string {
  if (graph.operators.length === 0) return 'everything is constant';
  if (graph.operators.every((operator) => operator.isView)) return 'views only';
  const types = [
    ...new Set(graph.operators.filter((operator) => !operator.isView).map((operator) => operator.type)),
  ];
  return `nothing to cut: ${types.join(', ')}`;
}
