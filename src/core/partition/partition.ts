import type { AttributeValue } from '../graph/attributes';
import type { DeviceId, Flops, OperatorId } from '../graph/units';

/** Letters by role (docs/cost-model.md); the axis number always stands beside the letter. */
export type Dimension = 'none' | 'H' | 'W' | 'C' | 'K';

/** One way to split an operator. */
export interface Split {
  readonly dimension: Exclude<Dimension, 'none'>;
  /** Axis of the operator's first output; for `K` the reduction axis of its first input. */
  readonly axis: number;
  /** Length of that axis: shards cover `[0, length)`. */
  readonly length: number;
  /** Cuts must be multiples of it (whole groups, whole blocks); divides `length`. */
  readonly unit: number;
  /** `K` only: the input (a weight) that is left out of the partial sums and added once, by `reduceOn`, after them. */
  readonly bias?: number;
}

/** One device's part `[start, end)`; a wider `[computeStart, computeEnd)` recomputes halos. */
export interface Shard {
  readonly device: DeviceId;
  readonly start: number;
  readonly end: number;
  readonly computeStart?: number;
  readonly computeEnd?: number;
}

/** The gene of one operator. For `none`, one shard with `start` 0 and `end` 1 (axis -1). */
export interface Partition {
  readonly dimension: Dimension;
  readonly axis: number;
  readonly shards: readonly Shard[];
  /** `K` only: the device that adds the partial sums and alone holds the output. */
  readonly reduceOn?: DeviceId;
}

/** Half-open interval per axis: `[start0, end0, start1, end1, ...]`. An empty array is a scalar's one element. */
export type Box = readonly number[];

/**
 * What one shard is: which part of every input it reads, which part of every output it makes, and how the
 * node runs on those parts alone. The search counts with it; export and verification run it literally.
 */
export interface ShardWork {
  /** Per operator input: the box needed, or `undefined` where the input is omitted or not needed. */
  readonly inputs: readonly (Box | undefined)[];
  /** Per operator output: the box made (for `K`: the whole, as a partial sum). */
  readonly outputs: readonly (Box | undefined)[];
  readonly flops: Flops;
  /** Per member of the operator: attributes to replace when it runs on the boxes (pads, group, ...). */
  readonly attributes: readonly ReadonlyMap<string, AttributeValue>[];
  /** Constant inputs (by operator input position) to replace: a Slice's starts, a Reshape's shape, ... */
  readonly constants: ReadonlyMap<number, readonly number[]>;
  /** `K` of a mean: what the shard's own mean is multiplied with to be a partial sum; 1 where absent. */
  readonly scale?: number;
  /**
   * Where the node makes more of its first output than the shard owns (an interpolated axis, whose margins come
   * from halos that are cut off again): the box that it makes. Absent: it makes its box of `outputs`.
   */
  readonly made?: Box;
}

/** Implemented in `rules.ts`: see there. */
export interface PartitionRules {
  /** All ways to split the operator, none for an operator that runs whole. */
  splits(operator: OperatorId): readonly Split[];
  /** The work of one shard `[start, end)` of `split`; `undefined` for the whole operator (`none`). */
  work(operator: OperatorId, split: Split | undefined, start: number, end: number): ShardWork;
}
