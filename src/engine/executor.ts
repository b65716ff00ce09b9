import { createHash } from 'node:crypto';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { operatorModel, weightsModel } from '../core/export/operatorModel';
import type { ModelLayout } from '../core/export/modelLayout';
import type { ElementType } from '../core/graph/elementType';
import type { Graph, Operator } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import type { StorageId, TensorId } from '../core/graph/units';
import { NONE } from '../core/graph/units';
import { chunkBytes, type FileLookup } from './chunks';
import { DataFile } from './externalFiles';
import { type Feeds, RUNTIME_TYPES } from './inputs';
import { runtimeMessage, type Runtime } from './runtime';

/** An order, and where in one buffer each storage lies. */
export interface ArenaPlan {
  /** Operators in execution order, views among them. */
  readonly steps: readonly number[];
  /** Byte offset by storage. */
  readonly offsets: ArrayLike<number>;
  readonly bytes: number;
}

export interface ArenaRun {
  /** The model's outputs, as they lay in the arena at the end. */
  readonly outputs: Feeds;
  /** Most bytes that were live at one step, counted by releasing each storage behind its last reader. */
  readonly peakBytes: number;
  /** One past the highest byte that a tensor was placed at. */
  readonly arenaBytes: number;
  /** Sessions opened: equal operators share one. */
  readonly sessions: number;
}

/**
 * Runs a model operator by operator in one buffer, every tensor at the plan's offset and nowhere else: a
 * lifetime or an offset that is wrong shows as other outputs. Throws `InputError` where a tensor's size or
 * element type cannot be placed.
 */
export async function executeInArena(
  runtime: Runtime,
  model: { readonly layout: ModelLayout; readonly graph: Graph; readonly files: FileLookup },
  plan: ArenaPlan,
  feeds: Feeds,
): Promise<ArenaRun> {
  const run = new ArenaExecution(runtime, model, plan);
  try {
    await run.loadWeights();
    run.placeInputs(feeds);
    for (const step of plan.steps) {
      const operator = model.graph.operators[step];
      if (!operator.isView) await run.execute(operator);
      run.release(operator);
    }
    return run.result();
  } finally {
    await run.close();
  }
}

type NumberArray =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;
type ArrayMaker = new (buffer: ArrayBuffer, offset: number, length: number) => NumberArray;

const ARRAYS: Partial<Record<ElementType, ArrayMaker>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

class ArenaExecution {
  private readonly buffer: ArrayBuffer;
  private readonly sessions = new Map<string, InferenceSession>();
  private readonly weights = new Map<TensorId, Tensor>();
  /** Readers that a storage still waits for. */
  private readonly waiting: number[];
  private readonly isLive: boolean[];
  /** Storages that each operator reads. */
  private readonly readBy: StorageId[][];
  private live = 0;
  private peak = 0;
  private highest = 0;

  constructor(
    private readonly runtime: Runtime,
    private readonly model: {
      readonly layout: ModelLayout;
      readonly graph: Graph;
      readonly files: FileLookup;
    },
    private readonly plan: ArenaPlan,
  ) {
    this.buffer = new ArrayBuffer(plan.bytes);
    // What nobody wrote must not look like a zero.
    new Uint8Array(this.buffer).fill(0xa5);
    const { storages } = model.graph;
    this.waiting = storages.map((storage) => storage.consumers.length + Number(storage.isOutput));
    this.isLive = storages.map(() => false);
    this.readBy = model.graph.operators.map(() => []);
    for (const storage of storages)
      for (const reader of storage.consumers) this.readBy[reader].push(storage.id);
  }

  async loadWeights(): Promise<void> {
    const { layout, graph, files } = this.model;
    const data = new DataFile('weights.data');
    const { chunks, weights } = weightsModel(layout, graph, data);
    if (weights.size === 0) return;
    const session = await this.runtime.open(chunkBytes(chunks, files), {
      optimization: 'disabled',
      ...(data.chunks.length === 0
        ? {}
        : { externalData: [{ path: data.location, data: chunkBytes(data.chunks, files) }] }),
    });
    try {
      const results = await session.run({});
      for (const id of weights.values()) this.weights.set(id, results[`weight/${id}`]);
    } finally {
      await session.release();
    }
  }

  placeInputs(feeds: Feeds): void {
    for (const id of this.model.graph.inputs) this.place(id, feeds[this.model.graph.tensors[id].name]);
    this.peak = this.live;
  }

  async execute(operator: Operator): Promise<void> {
    const { layout, graph, files } = this.model;
    const { chunks, inputs, outputs } = operatorModel(layout, graph, operator, new DataFile('operator.data'));
    const session = await this.session(chunkBytes(chunks, files));
    const feeds: Feeds = {};
    for (const [name, tensor] of inputs) feeds[name] = this.weights.get(tensor) ?? this.view(tensor);
    let results: InferenceSession.ReturnType;
    try {
      results = await session.run(feeds);
    } catch (error) {
      throw new InputError(
        `ONNX Runtime cannot run operator ${operator.index} (${operator.type}) alone: ${runtimeMessage(error)}`,
      );
    }
    for (const [name, tensor] of outputs) this.place(tensor, results[name]);
    this.peak = Math.max(this.peak, this.live);
  }

  /** Behind its last reader a storage's bytes are anybody's. */
  release(operator: Operator): void {
    const { tensors } = this.model.graph;
    for (const storage of this.readBy[operator.id]) if (--this.waiting[storage] === 0) this.drop(storage);
    for (const id of operator.outputs) {
      if (id === NONE || operator.isView) continue;
      const { storage } = tensors[id];
      if (storage !== NONE && this.waiting[storage] === 0) this.drop(storage);
    }
  }

  result(): ArenaRun {
    const outputs: Feeds = {};
    for (const id of this.model.graph.outputs) {
      const tensor = this.model.graph.tensors[id];
      outputs[tensor.name] = this.weights.get(id) ?? this.view(id);
    }
    return { outputs, peakBytes: this.peak, arenaBytes: this.highest, sessions: this.sessions.size };
  }

  async close(): Promise<void> {
    for (const session of this.sessions.values()) await session.release();
    this.sessions.clear();
  }

  private drop(storage: StorageId): void {
    if (!this.isLive[storage]) return;
    this.isLive[storage] = false;
    this.live -= this.model.graph.storages[storage].bytes ?? 0;
  }

  private async session(bytes: Uint8Array): Promise<InferenceSession> {
    const signature = createHash('sha256').update(bytes).digest('hex');
    const found =
      this.sessions.get(signature) ?? (await this.runtime.open(bytes, { optimization: 'disabled' }));
    this.sessions.set(signature, found);
    return found;
  }

  /** Copies a result to where the plan wants it. */
  private place(id: TensorId, value: Tensor): void {
    const target = this.array(id);
    if (value.size !== target.length)
      throw new InputError(
        `Tensor "${this.model.graph.tensors[id].name}" has ${value.size} elements instead of ${target.length}.`,
      );
    const source = value.data as NumberArray;
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(
      new Uint8Array(source.buffer, source.byteOffset, source.byteLength),
    );
    const { storage } = this.model.graph.tensors[id];
    if (!this.isLive[storage]) this.live += this.model.graph.storages[storage].bytes ?? 0;
    this.isLive[storage] = true;
    this.highest = Math.max(this.highest, target.byteOffset + target.byteLength);
  }

  /** A tensor as it lies in the arena now. */
  private view(id: TensorId): Tensor {
    const { type, shape } = this.model.graph.tensors[id];
    // A copy: the runtime may keep what it is given beyond its call.
    const data = this.array(id).slice();
    return new this.runtime.Tensor(type as 'float32', data as Float32Array, shape as readonly number[]);
  }

  private array(id: TensorId): NumberArray {
    const { name, type, shape, storage } = this.model.graph.tensors[id];
    const make = type === undefined || !RUNTIME_TYPES.has(type) ? undefined : ARRAYS[type];
    if (make === undefined || shape === undefined || shape.includes(undefined))
      throw new InputError(`Tensor "${name}" cannot be placed in an arena: its size or type is not known.`);
    const length = (shape as readonly number[]).reduce((product, dim) => product * dim, 1);
    return new make(this.buffer, this.plan.offsets[storage], length);
  }
}
