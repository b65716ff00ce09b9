import type { Control } from '../core/graph/control';

/** A `Control` on the process's own clock. */
export function controlWith<Progress>(
  cancelled: () => boolean,
  report: (progress: Progress) => void,
): Control<Progress> {
  return { cancelled, report, now: () => performance.now() / 1000 };
}
