import type { InferenceSession, Tensor } from 'onnxruntime-common';
import type { Chunk } from '../core/export/chunk';
import { totalLength } from '../core/export/chunk';
import { besideModel, partitionedModel } from '../core/export/partitioned';
import type { Control } from '../core/graph/control';
import type { Operator } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import type { TensorId } from '../core/graph/units';
import { NONE } from '../core/graph/units';
import type { Plan } from '../core/plan/plan';
import { chunkBytes } from './chunks';
import type { Difference } from './compare';
import { compareTensors } from './compare';
import { DataFile, ExternalFiles } from './externalFiles';
import type { Feeds } from './inputs';
import { nudgedFeeds, runSeeded, RUNTIME_TYPES } from './inputs';
import { openPlanned, type PlannedModel } from './plannedModel';
import { loadRuntime, runtimeMessage, type Runtime, type RuntimeKind } from './runtime';

export interface VerifyOptions {
  readonly seed?: number;
  readonly runtime?: RuntimeKind;
}

export interface VerifyProgress {
  readonly phase: 'model' | 'operators';
  /** Parts of the comparison done, of how many. */
  readonly done: number;
  readonly total: number;
}

/** An output of the model: how the partitioned model's differs from the whole model's. */
export interface OutputCheck extends Difference {
  readonly tensor: string;
}

/** A split operator: how what its shards make of the whole model's tensors differs from what it makes of them whole. */
export interface OperatorCheck extends Difference {
  /** Index in `graph.node`. */
  readonly index: number;
  readonly name: string;
  readonly type: string;
  readonly dimension: string;
  readonly axis: number;
  readonly shards: number;
}

export interface VerifyReport {
  readonly runtime: string;
  readonly seed: number;
  readonly isEqual: boolean;
  readonly outputs: readonly OutputCheck[];
  /** In the plan's order. */
  readonly operators: readonly OperatorCheck[];
  /** The first operator in the plan's order whose shards do not make what it makes whole. */
  readonly failing: OperatorCheck | undefined;
  /** Split operators whose tensors cannot be looked at from here (element types that JavaScript does not have). */
  readonly unseen: number;
  readonly cancelled: boolean;
}

type OpenModel = Pick<PlannedModel, 'path' | 'source' | 'layout' | 'planned'>;

/** Tensors compared in one run hold at most this much, so that large models are compared part by part. */
const GROUP_BYTES = 256 * 1024 * 1024;
/** ONNX's own limit for a model in one piece. */
const LARGEST_MODEL = 2 ** 31 - 1;
/**
 * Rounding differences grow on their way through a model. Its outputs may differ by so many times the tolerance
 * of one operator; beyond it, by no more than the model itself moves when its inputs move a little (an
 * ill-conditioned model has no better answer). Each operator alone must keep to its own tolerance.
 */
const WHOLE_MODEL_SLACK = 50;
const NUDGE = 1e-6;
const NUDGE_SLACK = 4;

/**
 * Runs the model and its partitioned graph on the same seeded inputs and compares their outputs; then, operator
 * by operator, what the shards and the whole operator make of the same tensors. Throws `InputError` for a plan
 * that does not fit and for a model that ONNX Runtime refuses, with its message.
 */
export async function verifyPlan(
  modelPath: string,
  plan: Plan,
  options: VerifyOptions,
  control: Control<VerifyProgress>,
): Promise<VerifyReport> {
  const model = openPlanned(modelPath, plan);
  try {
    const runtime = await loadRuntime(options.runtime);
    return await verifyPlanned(runtime, model, options.seed ?? plan.options.seed, control);
  } finally {
    model.source.close();
  }
}

/** The same for a model that is open. */
export async function verifyPlanned(
  runtime: Runtime,
  model: OpenModel,
  seed: number,
  control: Control<VerifyProgress>,
): Promise<VerifyReport> {
  const files = new ExternalFiles(model.path, model.source);
  try {
    const comparison = new Comparison(runtime, model, files);
    const groups = operatorGroups(model);
    const total = groups.length + 1;
    control.report({ phase: 'model', done: 0, total });
    const { feeds, outputs } = await comparison.wholeModel(seed, () => control.cancelled());
    const differences = new Map<TensorId, Difference>();
    for (const [done, group] of groups.entries()) {
      if (control.cancelled()) break;
      control.report({ phase: 'operators', done: done + 1, total });
      await comparison.operators(new Set(group), feeds, differences);
    }
    return report(runtime, model, seed, outputs, differences, control.cancelled());
  } finally {
    files.close();
  }
}

function report(
  runtime: Runtime,
  { planned }: OpenModel,
  seed: number,
  outputs: readonly OutputCheck[],
  differences: ReadonlyMap<TensorId, Difference>,
  cancelled: boolean,
): VerifyReport {
  const split = planned.steps.filter((step) => isSplit(planned, step));
  const operators = split.flatMap((step) =>
    operatorCheck(planned.graph.operators[step], planned, differences),
  );
  const failing = operators.find((operator) => !operator.isEqual);
  const isEqual = failing === undefined && outputs.every((output) => output.isEqual) && !cancelled;
  const unseen = cancelled ? 0 : split.length - operators.length;
  return { runtime: runtime.name, seed, isEqual, outputs, operators, failing, unseen, cancelled };
}

function isSplit(planned: OpenModel['planned'], step: number): boolean {
  const partition = planned.partitions[step];
  return partition !== undefined && partition.dimension !== 'none';
}

function operatorCheck(
  operator: Operator,
  planned: OpenModel['planned'],
  differences: ReadonlyMap<TensorId, Difference>,
): OperatorCheck[] {
  const found = operator.outputs.flatMap((id) => differences.get(id) ?? []);
  if (found.length === 0) return [];
  const { index, name, type } = operator;
  const { dimension, axis, shards } = planned.partitions[operator.id]!;
  const reason = found.find((difference) => difference.reason !== undefined)?.reason;
  return [
    {
      index,
      name,
      type,
      dimension,
      axis,
      shards: shards.length,
      absolute: Math.max(...found.map((difference) => difference.absolute)),
      relative: Math.max(...found.map((difference) => difference.relative)),
      isEqual: found.every((difference) => difference.isEqual),
      ...(reason === undefined ? {} : { reason }),
    },
  ];
}

/** Split operators whose outputs can be looked at, in groups whose outputs together have a bounded size. */
function operatorGroups({ planned }: OpenModel): number[][] {
  const groups: number[][] = [];
  let size = Infinity;
  for (const step of planned.steps) {
    if (!isSplit(planned, step)) continue;
    const outputs = planned.graph.operators[step].outputs
      .filter((id) => id !== NONE)
      .map((id) => planned.graph.tensors[id]);
    if (outputs.some(({ type }) => type === undefined || !RUNTIME_TYPES.has(type))) continue;
    const bytes = outputs.reduce((sum, tensor) => sum + (tensor.bytes ?? 0), 0);
    if (size + bytes > GROUP_BYTES) {
      groups.push([]);
      size = 0;
    }
    groups[groups.length - 1].push(step);
    size += bytes;
  }
  return groups;
}

/** Sessions of the model, of its partitioned graph, and of both beside each other. */
class Comparison {
  constructor(
    private readonly runtime: Runtime,
    private readonly model: OpenModel,
    private readonly files: ExternalFiles,
  ) {}

  /** Outputs of the whole and of the partitioned model, on inputs that the whole one accepts. */
  async wholeModel(
    seed: number,
    cancelled: () => boolean,
  ): Promise<{ feeds: Feeds; outputs: OutputCheck[] }> {
    const { layout, planned } = this.model;
    const names = layout.outputs.map((output) => output.name).filter((name) => this.isSeen(name));
    const { feeds, results, moved } = await this.original(seed, names);
    if (cancelled()) return { feeds, outputs: [] };
    const data = new DataFile('partitioned.data');
    const session = await this.open(partitionedModel(layout, planned, data), data);
    const partitioned = await this.run(session, feeds, names);
    const outputs = names.map((tensor): OutputCheck => {
      const found = compareTensors(partitioned[tensor], results[tensor], WHOLE_MODEL_SLACK);
      if (found.isEqual || found.reason !== undefined) return { tensor, ...found };
      const own = compareTensors(moved[tensor], results[tensor]);
      const isExplained = found.absolute <= NUDGE_SLACK * own.absolute;
      const reason = `the model's own output moves by ${own.absolute.toExponential(1)} when its inputs move by 1e-6`;
      return { tensor, ...found, isEqual: isExplained, ...(isExplained ? { reason } : {}) };
    });
    return { feeds, outputs };
  }

  /** The whole model on inputs that it accepts, and on the same moved a little. */
  private async original(
    seed: number,
    names: readonly string[],
  ): Promise<{ feeds: Feeds; results: Feeds; moved: Feeds }> {
    const copy: Chunk = { kind: 'copy', file: undefined, offset: 0, length: this.model.source.size };
    const session = await this.open([copy], this.originalData());
    try {
      const { feeds, results } = await runSeeded(
        this.runtime,
        this.model.planned.graph,
        session,
        seed,
        names,
      );
      const moved = (await session.run(nudgedFeeds(this.runtime, feeds, NUDGE), names)) as Feeds;
      return { feeds, results, moved };
    } finally {
      await session.release();
    }
  }

  /** Adds, for every output of the operators, how shards and whole differ. */
  async operators(steps: ReadonlySet<number>, feeds: Feeds, into: Map<TensorId, Difference>): Promise<void> {
    const { layout, planned } = this.model;
    const data = new DataFile('partitioned.data');
    const { chunks, shards } = besideModel(layout, planned, data, steps);
    const session = await this.open(chunks, data);
    const own = (tensor: TensorId): string => planned.graph.tensors[tensor].name;
    const results = await this.run(
      session,
      feeds,
      [...shards].flatMap(([tensor, name]) => [own(tensor), name]),
    );
    for (const [tensor, name] of shards)
      into.set(tensor, compareTensors(results[name], results[own(tensor)]));
  }

  private isSeen(name: string): boolean {
    const { graph } = this.model.planned;
    const tensor = graph.outputs.map((id) => graph.tensors[id]).find((one) => one.name === name);
    return tensor?.type !== undefined && RUNTIME_TYPES.has(tensor.type);
  }

  private async run(
    session: InferenceSession,
    feeds: Feeds,
    names: readonly string[],
  ): Promise<Record<string, Tensor>> {
    try {
      return (await session.run(feeds, names)) as Record<string, Tensor>;
    } catch (error) {
      throw new InputError(`ONNX Runtime cannot run the partitioned model: ${runtimeMessage(error)}`);
    } finally {
      await session.release();
    }
  }

  private async open(
    chunks: readonly Chunk[],
    external: DataFile | ExternalData[],
  ): Promise<InferenceSession> {
    if (totalLength(chunks) > LARGEST_MODEL)
      throw new InputError(
        'The model is larger than 2 GB in one piece, which ONNX Runtime does not read from memory.',
      );
    const files =
      external instanceof DataFile
        ? [{ path: external.location, data: chunkBytes(external.chunks, this.files.lookup) }]
        : external;
    return this.runtime.open(chunkBytes(chunks, this.files.lookup), {
      optimization: 'disabled',
      externalData: files.filter((file) => file.data.length > 0),
    });
  }

  private originalData(): ExternalData[] {
    const locations = new Set<string>();
    for (const { payload } of this.model.layout.initializers.values())
      if (payload.kind === 'external') locations.add(payload.location);
    return [...locations].map((path) => {
      const source = this.files.lookup(path);
      return { path, data: source.read(0, source.size) };
    });
  }
}

interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}
