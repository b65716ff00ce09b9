import type { FuseRule } from '../core/graph/graph';
import type { OperatorId, TensorId } from '../core/graph/units';
import type { PlanOptions } from '../core/plan/plan';
import type {
  BodyGraph,
  CostAnalysis,
  DocumentState,
  GraphId,
  OperatorDetails,
  PlanState,
  RunProgress,
  TensorDetails,
  SweepOf,
  SweepResult,
  VerificationResult,
  WebviewToHost,
  WhatIf,
} from './webview';

/** Messages between the extension host and its workers (`worker_threads`, structured clone). */
export interface HostToWorker {
  readonly requests: {
    /** Reads a model and its plan; what later requests of this worker speak of. */
    open: { params: OpenRequest; reply: OpenedModel };
    operatorDetails: { params: { operator: OperatorId; graph: GraphId }; reply: OperatorDetails };
    tensorDetails: { params: { tensor: TensorId; graph: GraphId }; reply: TensorDetails };
    costAnalysis: { params: { operator: OperatorId }; reply: CostAnalysis };
    body: { params: { operator: OperatorId; graph: GraphId; body: string }; reply: BodyGraph };
    /** What a cluster file says, for a picker. Rejects with its error's sentence. */
    cluster: { params: { text: string }; reply: ClusterSummary };
    /** Text of the built-in cluster, as a file that a user can edit. */
    exampleCluster: { params: Record<string, never>; reply: { text: string; summary: ClusterSummary } };
    replay: WebviewToHost['requests']['replay'];
    holdings: WebviewToHost['requests']['holdings'];
    /** Shows a plan of the open model that is not saved, or (`null`) the one it was opened with. */
    showPlan: { params: { text: string | null }; reply: PlanState };
    optimize: { params: OptimizeRequest; reply: OptimizeResult };
    whatIf: { params: WhatIfRequest; reply: { text: string } };
    sweep: { params: SweepRequest; reply: SweepResult };
    verify: { params: VerifyRequest; reply: VerificationResult };
    export: { params: ExportRequest; reply: { files: readonly string[] } };
  };
  readonly notices: object;
}

export interface WorkerToHost {
  readonly requests: object;
  readonly notices: { progress: RunProgress };
}

/** Only the path of a `file:` document travels; other file systems give their bytes. */
export type ModelSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array };

/** Where the plan is: looked for beside the model, given as text (an open document), or nowhere. */
export type PlanSource =
  | { readonly kind: 'beside' }
  | { readonly kind: 'text'; readonly name: string; readonly text: string }
  | { readonly kind: 'none' };

export interface OpenRequest {
  readonly model: ModelSource;
  readonly plan: PlanSource;
  /** A current plan's own rules and bindings go before these. */
  readonly fuse: FuseRule;
  readonly inPlace: PlanOptions['inPlace'];
  readonly bindings: Readonly<Record<string, number>>;
}

export interface OpenedModel {
  readonly document: Extract<DocumentState, { kind: 'opened' }>;
  readonly plan: PlanState;
}

export interface ClusterSummary {
  readonly name: string;
  readonly devices: readonly { readonly name: string; readonly memory: number; readonly compute: number }[];
}

export interface OptimizeRequest {
  readonly model: ModelSource;
  /** Text of the cluster file, and its name for messages; `null`: the built-in smart home. */
  readonly cluster: { readonly name: string; readonly text: string } | null;
  readonly bindings: Readonly<Record<string, number>>;
  readonly options: OptimizeOptions;
  /** Where the plan at hand is: one that belongs to this model hands on its pins. */
  readonly plan: PlanSource;
  /** An `Int32Array` of one element: anything but 0 asks to stop with the best so far. */
  readonly cancel: SharedArrayBuffer;
}

/** A search on another cluster that starts from a plan, and keeps the plan's own rules and bindings. */
export interface WhatIfRequest extends WhatIf {
  readonly model: ModelSource;
  /** Text of the plan to start from. */
  readonly start: string;
  readonly evaluations: number;
  readonly timeLimitSeconds?: number;
  readonly cancel: SharedArrayBuffer;
}

export type SweepRequest = WhatIfRequest & SweepOf;

/** Settings of the search; absent ones take the engine's defaults. */
export type OptimizeOptions = Partial<
  Pick<PlanOptions, 'seed' | 'latency' | 'strategy' | 'inPlace' | 'fuse' | 'evaluations'>
> & { readonly timeLimitSeconds?: number };

export interface OptimizeResult {
  readonly planName: string;
  /** The plan file's content where the worker could not save it itself (not a `file:` model). */
  readonly text: string | null;
  readonly summary: PlanSummary;
}

export interface PlanSummary {
  readonly latencySeconds: number;
  readonly bestSingleSeconds: number | null;
  readonly peakBytes: number;
  readonly randomPeakBytes: number | null;
  readonly stopped: 'time' | 'memory' | 'cancel' | null;
}

export interface VerifyRequest {
  readonly model: ModelSource;
  readonly plan: string;
  readonly cancel: SharedArrayBuffer;
}

/** Only models on disk are exported: their weights are streamed from there. */
export interface ExportRequest {
  readonly modelPath: string;
  readonly plan: string;
  /** One graph with every shard, the model in the plan's order, or a folder with the parts of each device. */
  readonly kind: 'partitioned' | 'reorder' | 'per-device';
  /** File or folder to write. */
  readonly to: string;
  /** The user has agreed that what is there be replaced. */
  readonly overwrite: boolean;
  readonly cancel: SharedArrayBuffer;
}
