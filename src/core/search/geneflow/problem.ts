import type { Cluster } from '../../cluster/cluster';
import type { Stopped } from '../../graph/control';
import type { Graph } from '../../graph/graph';
import type { Bytes, DeviceId, Nanoseconds, OperatorId } from '../../graph/units';
import type { Gene } from '../../latency/gene';
import type { Timeline } from '../../latency/timeline';
import type { LatencyModel } from '../../latency/workload';
import type { Dimension, Partition, PartitionRules } from '../../partition/partition';

/**
 * Which plans the search may make. `horizontal`: every operator that can be split is split; `vertical`: whole
 * operators, contiguous runs of the order on one device after another; `hybrid`: each operator is free.
 */
export type Strategy = 'hybrid' | 'horizontal' | 'vertical';

/** What a user wants of one operator, whatever it costs. */
export interface Pin {
  /** Whole on this device. */
  readonly device?: DeviceId;
  /** Split along this dimension (`none`: whole). */
  readonly dimension?: Dimension;
}

export interface PartitionOptions {
  readonly seed: number;
  readonly latency: LatencyModel;
  readonly strategy: Strategy;
  /** Plans tried at most, over all islands. */
  readonly evaluations: number;
  /** May the search change the order where memory allows? */
  readonly freeOrder: boolean;
  /** Seconds after which the best plan so far is taken; a safety stop only. */
  readonly timeLimit?: number;
  readonly pins?: ReadonlyMap<OperatorId, Pin>;
  /** Parts of the algorithm; all on unless a benchmark measures what one of them is worth. */
  readonly parts?: SearchParts;
}

/** Each can be left out to see what it brings. */
export interface SearchParts {
  /** Start from known good plans; else from random ones. */
  readonly seeds: boolean;
  /** Cross two plans at cuts of the graph; else at random genes. */
  readonly cutCrossover: boolean;
  /** Improve the best plan systematically at the end of each epoch. */
  readonly localSearch: boolean;
  /** Let half of the islands anneal one plan, which may exceed the memories meanwhile. */
  readonly annealing: boolean;
}

export const ALL_PARTS: SearchParts = {
  seeds: true,
  cutCrossover: true,
  localSearch: true,
  annealing: true,
};
/** Exchanges between the islands; each epoch has the same number of evaluations. */
export const EPOCHS = 12;
export const DEFAULT_EVALUATIONS = 500_000;

export interface PartitionProblem {
  readonly graph: Graph;
  readonly rules: PartitionRules;
  readonly cluster: Cluster;
  /** Every operator, views included, in execution order. */
  readonly order: readonly OperatorId[];
  readonly options: PartitionOptions;
  /** Plans to start from besides the built-in ones: a gene per operator (views: anything). */
  readonly seeds?: readonly Seed[];
}

/** A plan to start from, under the name of the method that made it. */
export interface Seed {
  readonly name: string;
  readonly genes: readonly (Gene | undefined)[];
  /** An exact method found it. */
  readonly isExact?: boolean;
}

export interface PartitionProgress {
  readonly evaluations: number;
  /** Of the best valid plan so far. */
  readonly latencyNs: Nanoseconds | undefined;
  /** While there is none: the bytes by which the best plan so far exceeds the devices' memories. */
  readonly violation: Bytes;
  /** The best plan is hardly slower than the one that will be found: a bound that needs its latency may begin. */
  readonly isNearBest?: boolean;
}

export interface PartitionResult {
  /** Every operator, in the order that the plan runs. */
  readonly order: readonly OperatorId[];
  /** Per operator, `undefined` for views. */
  readonly partitions: readonly (Partition | undefined)[];
  readonly genes: readonly (Gene | undefined)[];
  readonly timeline: Timeline;
  /** No device needs more than its memory. */
  readonly valid: boolean;
  readonly evaluations: number;
  readonly stopped?: Stopped;
  /** Where no plan is valid: what the one that comes nearest still lacks. */
  readonly shortfall?: Shortfall;
  /** What each seed would take, under its method's name, in the order that was given. */
  readonly seeds: readonly JudgedPlan[];
  /** With `freeOrder`: the best plan in the given order. */
  readonly givenOrder?: JudgedPlan;
}

export interface Shortfall {
  /** Bytes by which the plan exceeds each device's memory; 0 where it fits. */
  readonly lackingBytes: readonly Bytes[];
  /** The least total memory of all devices at which a plan was found: theirs, and what the plan lacks. */
  readonly leastTotalBytes: Bytes;
}

/** A plan with its worth. */
export interface JudgedPlan extends SeedResult {
  /** Per operator, `undefined` for views. */
  readonly partitions: readonly (Partition | undefined)[];
}

export interface SeedResult {
  readonly name: string;
  readonly latencyNs: Nanoseconds;
  readonly valid: boolean;
}
