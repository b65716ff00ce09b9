/**
 * What a long computation is given from outside: the core has no clock, no signals and no console.
 * All three are called often and must be cheap.
 */
export interface Control<Progress> {
  /** True once the caller wants the best result so far. */
  cancelled(): boolean;
  /** Seconds on a monotonic clock with any origin; only used for safety stops, never for results. */
  now(): number;
  report(progress: Progress): void;
}

/** Why a search ended before its fixed budget; absent when it ran to its end. */
export type Stopped = 'time' | 'memory' | 'cancel';
