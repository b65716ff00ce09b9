import type { Dimension } from '../partition/partition';

/** The plan file: field names are fixed, more may be added. Seconds, bytes, half-open ranges. */
export interface Plan {
  readonly format: 'memorianova-plan';
  readonly version: 1;
  readonly model: {
    readonly file: string;
    readonly bytes: number;
    readonly structureSha256: string;
    readonly sha256: string;
    readonly bindings: Readonly<Record<string, number>>;
  };
  readonly cluster: PlanCluster;
  readonly options: PlanOptions;
  readonly stopped?: 'time' | 'memory' | 'cancel';
  readonly order: PlanOrder;
  readonly tensors: readonly PlanTensor[];
  readonly operators: readonly PlanOperator[];
  readonly devices: readonly PlanDevice[];
  readonly latency: PlanLatency;
  readonly timeline: readonly PlanEvent[];
}

export interface PlanCluster {
  readonly name: string;
  readonly devices: readonly {
    readonly name: string;
    readonly memory: number;
    readonly baseMemory: number;
    readonly compute: number;
    readonly memoryBandwidth?: number;
    readonly operatorOverhead: number;
    readonly efficiency?: Readonly<Record<string, number>>;
  }[];
  readonly network: {
    readonly kind: 'switched' | 'shared';
    readonly bandwidth: number;
    readonly latency: number;
    readonly links: readonly {
      readonly from: string;
      readonly to: string;
      readonly bandwidth?: number;
      readonly latency?: number;
    }[];
  };
  readonly source: string;
  readonly sink: string;
}

export interface PlanOptions {
  readonly seed: number;
  readonly latency: 'overlapped' | 'synchronous';
  readonly strategy: 'hybrid' | 'horizontal' | 'vertical';
  readonly inPlace: 'none' | 'elementwise';
  readonly fuse: 'none' | 'conv';
  readonly evaluations: number;
  readonly [more: string]: unknown;
}

export interface PlanOrder {
  readonly status: 'optimal' | 'feasible';
  readonly peakBytes: number;
  readonly lowerBoundBytes: number;
  readonly arenaBytes: number;
  readonly weightBytes: number;
  /** Operator indices (in `graph.node`) in execution order; every operator that is not folded. */
  readonly steps: readonly number[];
  readonly baselines: Readonly<Record<string, { readonly peakBytes: number }>>;
}

export interface PlanTensor {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly storage: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly offset: number;
}

export interface PlanShard {
  readonly device: string;
  readonly start: number;
  readonly end: number;
  readonly computeStart?: number;
  readonly computeEnd?: number;
}

export interface PlanOperator {
  /** Index in `graph.node`. */
  readonly index: number;
  readonly name: string;
  readonly type: string;
  readonly step: number;
  readonly flops: number;
  readonly weightBytes: number;
  /** Fused nodes, where there is more than one. */
  readonly members?: readonly number[];
  /** Memory inside it (subgraphs, a function) while it runs, and where in the arena; absent where there is none. */
  readonly body?: { readonly bytes: number; readonly offset: number };
  readonly partition: PlanPartition;
}

export interface PlanPartition {
  readonly dimension: Dimension;
  readonly axis: number;
  /** None for a view. */
  readonly shards: readonly PlanShard[];
  readonly reduceOn?: string;
}

export interface PlanDevice {
  readonly name: string;
  readonly limitBytes: number;
  readonly peakBytes: number;
  readonly peakStep: number;
  readonly weightBytes: number;
  readonly busySeconds: number;
}

/** An opponent, and what it takes to replay it. */
export interface PlanBaseline {
  readonly seconds: number;
  readonly valid: boolean;
  /** Per entry of `operators`, a position in `baselinePartitions`. */
  readonly partitions?: readonly number[];
}

export interface PlanLatency {
  readonly model: 'overlapped' | 'synchronous';
  readonly seconds: number;
  readonly lowerBoundSeconds: number;
  readonly boundMethod: string;
  readonly baselines: Readonly<Record<string, PlanBaseline>>;
  /** The partitions that the baselines use. */
  readonly baselinePartitions?: readonly PlanPartition[];
  /** The order that the baselines run in, where it is not the plan's own. */
  readonly baselineSteps?: readonly number[];
  readonly [more: string]: unknown;
}

export type PlanEvent =
  | {
      readonly kind: 'compute';
      readonly operator: number;
      readonly device: string;
      readonly start: number;
      readonly end: number;
    }
  | {
      readonly kind: 'reduce';
      readonly operator: number;
      readonly device: string;
      readonly start: number;
      readonly end: number;
    }
  | {
      readonly kind: 'transfer';
      readonly tensor: string;
      /** The consumer that it serves; `null` for the gathering of outputs on the sink. */
      readonly operator: number | null;
      readonly from: string;
      readonly to: string;
      readonly bytes: number;
      readonly start: number;
      readonly end: number;
    };
