import type { Bytes, Flops, OperatorId, Seconds, Step, TensorId } from '../core/graph/units';
import type { FuseRule, KnownBytes } from '../core/graph/graph';
import type { Problem } from '../core/graph/problem';
import type { Dimension } from '../core/partition/partition';
import type { Plan } from '../core/plan/plan';

/**
 * Messages between the host and a webview. VS Code carries them as JSON with typed arrays passed as bytes, so
 * they hold no `Map`, `undefined` inside arrays, or `NaN` outside typed arrays. In typed arrays an unknown
 * quantity is `NaN` and an absent id is `NONE` (-1).
 */
export interface HostToWebview {
  readonly requests: object;
  readonly notices: {
    /** What the editor shows; sent after `ready` and whenever it changes. */
    document: DocumentState;
    /** The plan's state; sent after `document` of kind `opened`, and whenever it changes. */
    plan: PlanState;
    /** A running optimization, verification or export; `null` when none runs. */
    progress: RunProgress | null;
    /** Result of a verification, to be marked in the graph; `null` once model or plan have changed. */
    verification: VerificationResult | null;
    /** Bring an operator into view and select it. */
    reveal: { readonly operator: OperatorId };
  };
}

export interface WebviewToHost {
  readonly requests: {
    operatorDetails: { params: { operator: OperatorId; graph: GraphId }; reply: OperatorDetails };
    tensorDetails: { params: { tensor: TensorId; graph: GraphId }; reply: TensorDetails };
    /** The memory-time cost analysis of one operator on the plan's cluster (or the built-in one). */
    costAnalysis: { params: { operator: OperatorId }; reply: CostAnalysis };
    /** A subgraph or function body of an operator, as a graph of its own. */
    body: { params: { operator: OperatorId; graph: GraphId; body: string }; reply: BodyGraph };
    /** The shown plan in the other latency model, beside its own. */
    replay: { params: Record<string, never>; reply: PlanReplay };
    /** What each device holds, and from when to when, in the shown plan. */
    holdings: { params: Record<string, never>; reply: readonly DeviceHoldings[] };
    /** Searches on another cluster from the shown plan; the result is shown as a plan that is not saved. */
    whatIf: { params: WhatIf; reply: WhatIfOutcome };
    sweep: { params: WhatIf & SweepOf; reply: SweepResult };
    /** Asks where, and writes; `false`: the user turned away. */
    saveFile: { params: SavedFile; reply: { readonly saved: boolean } };
  };
  readonly notices: {
    /** The shown plan takes the saved one's place. */
    keepPlan: Record<string, never>;
    /** The saved plan is shown again. */
    discardPlan: Record<string, never>;
    ready: Record<string, never>;
    optimize: Record<string, never>;
    cancel: Record<string, never>;
    verify: Record<string, never>;
    export: Record<string, never>;
    /** The user asked to open a file over the size limit all the same. */
    openAnyway: Record<string, never>;
    /** New sizes of symbolic dimensions; the host analyses again and sends `document`. */
    bindDimensions: { readonly bindings: Readonly<Record<string, number>> };
    /** Open the plan file beside the model as text. */
    openPlanFile: Record<string, never>;
    /** The selection, for the status bar; `null` when nothing is selected. */
    selected: { readonly operator: OperatorId | null };
    copy: { readonly text: string };
    /** An error of the webview's own script, for the log. */
    scriptError: { readonly message: string };
  };
}

/** 0 is the main graph; bodies get the next numbers as they are asked for. */
export type GraphId = number;

export type DocumentState =
  | { readonly kind: 'loading'; readonly fileName: string }
  /** The file is over the size limit: the webview asks, and sends `openAnyway`. */
  | { readonly kind: 'confirm'; readonly fileName: string; readonly bytes: Bytes; readonly limitBytes: Bytes }
  | { readonly kind: 'failed'; readonly fileName: string; readonly message: string }
  | {
      readonly kind: 'opened';
      readonly fileName: string;
      readonly graph: ViewGraph;
      readonly properties: ModelProperties;
      readonly problems: readonly Problem[];
      readonly dimensions: readonly SymbolicDimension[];
      /** Memory in the model's own order. */
      readonly memory: OrderMemory;
    };

export type PlanState =
  | { readonly kind: 'none' }
  /** A plan is there but does not belong to this file any more: shown as such, never as annotations. */
  | {
      readonly kind: 'stale';
      readonly fileName: string;
      /** The end of a sentence: `its structure or size has changed since.` */
      readonly reason: string;
    }
  | { readonly kind: 'unreadable'; readonly fileName: string; readonly message: string }
  | {
      readonly kind: 'current';
      readonly fileName: string;
      readonly plan: ViewPlan;
      /** False: the result of a what-if, which nobody has kept yet. */
      readonly saved: boolean;
    };

/**
 * A graph in flat arrays. Operators are in a valid execution order; `firstInput[i]..firstInput[i+1]` are the
 * positions of operator `i` in `inputs`, likewise for outputs.
 */
export interface ViewGraph {
  readonly id: GraphId;
  readonly name: string;
  readonly fuse: FuseRule;
  readonly operators: {
    readonly names: readonly string[];
    /** Distinct operator types, `domain.type` outside `ai.onnx`. */
    readonly typeNames: readonly string[];
    /** Index into `typeNames`. */
    readonly types: Uint32Array;
    /** Index in `graph.node` of the file. */
    readonly nodes: Uint32Array;
    readonly flops: Float64Array;
    readonly weightBytes: Float64Array;
    /** `OPERATOR_FLAGS`. */
    readonly flags: Uint8Array;
    readonly firstInput: Uint32Array;
    readonly inputs: Int32Array;
    readonly firstOutput: Uint32Array;
    readonly outputs: Int32Array;
    /** Operators that fuse several nodes: operator id -> types of the later members, in order. */
    readonly members: Readonly<Record<number, readonly string[]>>;
    /** Operators with bodies: operator id -> names for the `body` request. */
    readonly bodies: Readonly<Record<number, readonly string[]>>;
  };
  readonly tensors: {
    readonly names: readonly string[];
    /** Distinct shapes as the model writes them: `[batch, 3, 224, 224]`. */
    readonly shapeNames: readonly string[];
    /** Index into `shapeNames`. */
    readonly shapes: Uint32Array;
    readonly typeNames: readonly string[];
    readonly types: Uint8Array;
    readonly bytes: Float64Array;
    readonly producers: Int32Array;
    /** Index of the storage; tensors that share one are views of it. `NONE` for weights. */
    readonly storages: Int32Array;
    /** `TENSOR_FLAGS`. */
    readonly flags: Uint8Array;
  };
  readonly inputs: Int32Array;
  readonly outputs: Int32Array;
  readonly weightBytes: KnownBytes;
}

export const OPERATOR_FLAGS = { view: 1, elementwise: 2, opaque: 4, body: 8 } as const;
export const TENSOR_FLAGS = { weight: 1, input: 2, output: 4, unknownShape: 8 } as const;

/** Memory of an order on one device: live bytes at each step. */
export interface OrderMemory {
  /** Operator executed at each step. */
  readonly operators: Int32Array;
  /** Live bytes at each step (known part). */
  readonly liveBytes: Float64Array;
  readonly peakBytes: Bytes;
  readonly peakStep: Step;
  /** False: some size is unknown, so all sums say "at least". */
  readonly known: boolean;
  readonly inPlace: 'none' | 'elementwise';
  /** Per tensor of the main graph: first and last step of its storage's life; `NONE` for weights. */
  readonly firstStep: Int32Array;
  readonly lastStep: Int32Array;
}

/** A plan's timeline in one latency model, with what its devices need there. */
export interface PlanReplay {
  readonly plan: Plan;
  readonly deviceMemory: ViewPlan['deviceMemory'];
}

/**
 * Regions on one device in flat arrays: bytes of a storage, held over `[from, to)` in seconds. Base memory and
 * weights are held throughout.
 */
export interface DeviceHoldings {
  readonly baseBytes: Bytes;
  readonly weightBytes: Bytes;
  /** As in the view graph's `tensors.storages`; `NONE` for what an operator's body needs. */
  readonly storages: Int32Array;
  readonly bytes: Float64Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
}

/** Another cluster and wishes for operators; the start is the plan that is shown. */
export interface WhatIf {
  /** A cluster as in a cluster file: quantities are numbers or texts with a unit. */
  readonly cluster: unknown;
  /** By index in `graph.node`. */
  readonly pins: Readonly<Record<number, OperatorPin>>;
}

/** An operator kept whole on a device, or split along a dimension (`none`: whole), whatever it costs. */
export interface OperatorPin {
  readonly device?: string;
  readonly dimension?: Dimension;
}

/** `cancelled`: the user stopped it before there was a plan. `refused`: one sentence says what is missing. */
export type WhatIfOutcome =
  | { readonly kind: 'shown' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'refused'; readonly message: string };

export interface SweepOf {
  readonly of: 'bandwidth' | 'memory';
  /** B/s, or factors on every device's memory. */
  readonly values: readonly number[];
}

export type SweepResult =
  | {
      readonly kind: 'swept';
      readonly points: readonly {
        readonly value: number;
        /** `null`: no plan fits. */
        readonly seconds: Seconds | null;
        /** Of the best single device that fits. */
        readonly singleSeconds: Seconds | null;
      }[];
      /** The least value from which on splitting pays at every larger one too: saves `leastGain` of a single device. */
      readonly splittingPaysFrom: number | null;
      readonly leastGain: number;
      /** Searches met the time limit, and may have missed better plans. */
      readonly isTimedOut: boolean;
    }
  | Exclude<WhatIfOutcome, { kind: 'shown' }>;

export interface SavedFile {
  /** Suggested name, beside the model. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** The plan file and what is derived from it for drawing. */
export interface ViewPlan {
  readonly plan: Plan;
  /** Memory in the plan's order. */
  readonly memory: OrderMemory;
  /** Per device of the plan's cluster: bytes held from `times[i]` (seconds) on. */
  readonly deviceMemory: readonly { readonly times: Float64Array; readonly bytes: Float64Array }[];
  /** Per operator of the view graph: position in `plan.operators`, `NONE` where it is not there. */
  readonly planOperators: Int32Array;
}

export interface ModelProperties {
  readonly fileBytes: Bytes;
  readonly irVersion: number;
  readonly producer: string;
  readonly domain: string;
  readonly modelVersion: number;
  readonly docString: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly metadata: readonly (readonly [string, string])[];
  readonly functions: readonly string[];
  readonly totalFlops: { readonly flops: Flops; readonly known: boolean };
}

export interface SymbolicDimension {
  readonly name: string;
  /** `null`: nobody has bound it, sizes that depend on it are unknown. */
  readonly value: number | null;
}

export interface OperatorDetails {
  readonly type: string;
  readonly name: string;
  readonly docString: string;
  readonly opset: number;
  readonly attributes: readonly { readonly name: string; readonly text: string }[];
  readonly inputs: readonly OperandDetails[];
  readonly outputs: readonly OperandDetails[];
  readonly opaqueReason: string | null;
  readonly metadata: readonly (readonly [string, string])[];
}

export interface OperandDetails {
  /** `NONE` where an optional one is omitted. */
  readonly tensor: TensorId;
  readonly name: string;
  readonly type: string;
  readonly shape: string;
  readonly bytes: Bytes | null;
  readonly isWeight: boolean;
}

export interface TensorDetails extends OperandDetails {
  readonly producer: OperatorId;
  readonly consumers: readonly OperatorId[];
  /** Small values as text; `null` where they were not loaded. */
  readonly values: string | null;
  /** Where a weight's bytes are: `in the file`, `weights.bin (absent)`, ...; `null` for activations. */
  readonly location: string | null;
}

export interface CostAnalysis {
  readonly cluster: string;
  /** Empty for a view, which costs nothing. */
  readonly alternatives: readonly CostAlternative[];
  /** Position of the alternative with the least time, `NONE` where there is none. */
  readonly cheapest: number;
}

export interface CostAlternative {
  readonly dimension: Dimension;
  readonly axis: number;
  readonly shares: number;
  /** `computeSeconds + transferSeconds`. */
  readonly seconds: Seconds;
  readonly computeSeconds: Seconds;
  readonly transferSeconds: Seconds;
  readonly trafficBytes: Bytes;
  readonly devices: readonly {
    readonly device: string;
    readonly start: number;
    readonly end: number;
    readonly computeSeconds: Seconds;
    readonly weightBytes: Bytes;
    readonly inputBytes: Bytes;
    readonly haloBytes: Bytes;
    readonly outputBytes: Bytes;
  }[];
}

export interface BodyGraph {
  readonly graph: ViewGraph;
  readonly title: string;
}

export interface RunProgress {
  readonly task: 'optimize' | 'verify' | 'export' | 'whatIf' | 'sweep';
  /** For people, e.g. `Partitioning`. */
  readonly phase: string;
  /** 0 to 1, or `null` where unknown. */
  readonly fraction: number | null;
  readonly bestSeconds: Seconds | null;
  readonly boundSeconds: Seconds | null;
  readonly bestPeakBytes: Bytes | null;
  readonly boundPeakBytes: Bytes | null;
}

export interface VerificationResult {
  readonly passed: boolean;
  /** One sentence. */
  readonly summary: string;
  readonly tensors: readonly {
    readonly name: string;
    /** A split operator; `null` for an output of the model. */
    readonly operator: OperatorId | null;
    readonly largestAbsolute: number;
    readonly largestRelative: number;
    readonly passed: boolean;
  }[];
}
