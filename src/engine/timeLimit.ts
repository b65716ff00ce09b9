import type { Seconds } from '../core/graph/units';

/** Of a limit, at most for the order, and at least for the proof of a bound. */
export const ORDER_SHARE = 0.25;
export const PROOF_SHARE = 0.15;

/** One limit for a whole run: every part of it ends by the clock that began with the first. */
export class TimeLimit {
  private readonly started: Seconds;

  /** @param now seconds on a monotonic clock */
  constructor(
    private readonly now: () => Seconds,
    private readonly limit: Seconds = Infinity,
  ) {
    this.started = now();
  }

  /** Seconds left of a share of the limit, counted from the start of the run; none once they are over. */
  left(share = 1): Seconds {
    return Math.max(0, this.started + share * this.limit - this.now());
  }
}
