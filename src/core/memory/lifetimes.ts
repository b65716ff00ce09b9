import { NONE, type Bytes, type OperatorId, type Step } from '../graph/units';
import type { OrderProblem } from './problem';

/**
 * When each storage is live under an order. Steps are inclusive; a graph input starts at step 0 and a graph
 * output ends at the last step; an input that nobody reads is live at step 0 only, an output that nobody reads
 * at its own step only.
 */
export interface Lifetimes {
  readonly firstStep: Int32Array;
  readonly lastStep: Int32Array;
  /** Per storage: the storage it is written over at its first step, or `NONE` (always under the rule `none`). */
  readonly writtenOver: Int32Array;
}

/** `steps` is every operator once, predecessors first. */
export function lifetimes(problem: OrderProblem, steps: ArrayLike<OperatorId>): Lifetimes {
  const stepOf = stepOfOperator(problem, steps);
  const { storageCount, consumers } = problem;
  const firstStep = new Int32Array(storageCount);
  const lastStep = new Int32Array(storageCount);
  for (let storage = 0; storage < storageCount; storage++) {
    const producer = problem.producer[storage];
    const first = producer === NONE ? 0 : stepOf[producer];
    let last = first;
    for (let at = consumers.start[storage]; at < consumers.start[storage + 1]; at++) {
      last = Math.max(last, stepOf[consumers.values[at]]);
    }
    firstStep[storage] = first;
    lastStep[storage] = problem.isOutput[storage] === 1 ? Math.max(0, steps.length - 1) : last;
  }
  return { firstStep, lastStep, writtenOver: storagesWrittenOver(problem, steps, lastStep) };
}

function stepOfOperator(problem: OrderProblem, steps: ArrayLike<OperatorId>): Int32Array {
  const stepOf = new Int32Array(problem.operatorCount);
  for (let step = 0; step < steps.length; step++) stepOf[steps[step]] = step;
  return stepOf;
}

function storagesWrittenOver(
  problem: OrderProblem,
  steps: ArrayLike<OperatorId>,
  lastStep: Int32Array,
): Int32Array {
  const writtenOver = new Int32Array(problem.storageCount).fill(NONE);
  const { overwritable, makes } = problem;
  for (let step: Step = 0; step < steps.length; step++) {
    const operator = steps[step];
    for (let at = overwritable.start[operator]; at < overwritable.start[operator + 1]; at++) {
      const storage = overwritable.values[at];
      if (lastStep[storage] !== step) continue;
      writtenOver[makes.values[makes.start[operator]]] = storage;
      break;
    }
  }
  return writtenOver;
}

export interface LiveBytes {
  /** Bytes live at each step: storages, the operator's own step bytes, less what is written in place. */
  readonly perStep: Float64Array;
  readonly peakBytes: Bytes;
  /** First step at which the peak is reached; 0 where there are no steps. */
  readonly peakStep: Step;
}

export function liveBytes(
  problem: OrderProblem,
  steps: ArrayLike<OperatorId>,
  lives: Lifetimes = lifetimes(problem, steps),
): LiveBytes {
  const change = new Float64Array(steps.length + 1);
  const saved = new Float64Array(steps.length);
  if (steps.length > 0) {
    for (let storage = 0; storage < problem.storageCount; storage++) {
      change[lives.firstStep[storage]] += problem.bytes[storage];
      change[lives.lastStep[storage] + 1] -= problem.bytes[storage];
      if (lives.writtenOver[storage] !== NONE) saved[lives.firstStep[storage]] += problem.bytes[storage];
    }
  }
  const perStep = new Float64Array(steps.length);
  let live = 0;
  let peakStep = 0;
  for (let step = 0; step < steps.length; step++) {
    live += change[step];
    perStep[step] = live + problem.stepBytes[steps[step]] - saved[step];
    if (perStep[step] > perStep[peakStep]) peakStep = step;
  }
  return { perStep, peakBytes: perStep[peakStep] ?? 0, peakStep };
}
