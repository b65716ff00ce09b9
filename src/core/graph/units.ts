/**
 * Ids and quantities with types of their own, so that a step is not taken for an operator and bytes are not
 * added to seconds by accident. They are plain numbers at run time; a literal or a computed `number` may be
 * given where one is wanted, but one kind is never accepted for another.
 */
declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]?: Name };

/** Position of an operator in `Graph.operators`. */
export type OperatorId = Unit<'OperatorId'>;
/** Position of a tensor in `Graph.tensors`. */
export type TensorId = Unit<'TensorId'>;
/** Position of a storage in `Graph.storages`. */
export type StorageId = Unit<'StorageId'>;
/** Position of a device in `Cluster.devices`. */
export type DeviceId = Unit<'DeviceId'>;
/** Position in an execution order, `0..n-1`. */
export type Step = Unit<'Step'>;
export type Bytes = Unit<'Bytes'>;
export type Flops = Unit<'Flops'>;
export type Seconds = Unit<'Seconds'>;
/** Whole nanoseconds: durations are rounded up to them, and sums are exact while below 2^53 (104 days). */
export type Nanoseconds = Unit<'Nanoseconds'>;

/** Stands where an id is absent (an omitted optional input, a graph input's producer). */
export const NONE = -1;
