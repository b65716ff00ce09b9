import type { Bytes, DeviceId, Nanoseconds, OperatorId, Step, StorageId } from '../graph/units';

export type TimelineEvent = ComputeEvent | TransferEvent;

/** A shard (`compute`) or the adding of partial sums (`reduce`). */
export interface ComputeEvent {
  readonly kind: 'compute' | 'reduce';
  readonly operator: OperatorId;
  readonly device: DeviceId;
  readonly start: Nanoseconds;
  readonly end: Nanoseconds;
}

export interface TransferEvent {
  readonly kind: 'transfer';
  readonly storage: StorageId;
  /** The operator that it serves; `NONE` for the gathering of outputs on the sink. */
  readonly operator: OperatorId;
  readonly from: DeviceId;
  readonly to: DeviceId;
  readonly bytes: Bytes;
  readonly start: Nanoseconds;
  readonly end: Nanoseconds;
}

/** A plan in time: when everything happens and what each device holds at most. */
export interface Timeline {
  /** From the inputs' arrival on the source until the outputs are whole on the sink. */
  readonly latencyNs: Nanoseconds;
  /** By start, then end. */
  readonly events: readonly TimelineEvent[];
  readonly devices: readonly DeviceLoad[];
}

export interface DeviceLoad {
  readonly peakBytes: Bytes;
  /** Step (views counted) of the event that brings the device to its peak. */
  readonly peakStep: Step;
  readonly weightBytes: Bytes;
  /** Computing and adding. */
  readonly busyNs: Nanoseconds;
}
