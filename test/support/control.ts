import type { Control } from '../../src/core/graph/control';

/** A control that never cancels, and whose clock stands still. */
export function freeControl<Progress>(): Control<Progress> {
  return { cancelled: () => false, now: () => 0, report: () => undefined };
}
