import { NONE, type Bytes, type OperatorId } from '../graph/units';
import type { Arena } from './arena';
import type { OrderProblem } from './problem';

/** What a replay of an order (and an arena) found. */
export interface OrderReplay {
  readonly peakBytes: Bytes;
  /** Every rule that is broken, one sentence each; empty for a valid order and arena. */
  readonly violations: readonly string[];
}

/**
 * Runs an order as a machine would: allocate what an operator makes, free what nobody will read again, and,
 * with an arena, write bytes at the offsets. Deliberately slow and plain: shares no code with lifetimes,
 * search or packer.
 */
export function replayOrder(problem: OrderProblem, steps: readonly OperatorId[], arena?: Arena): OrderReplay {
  const violations = orderViolations(problem, steps);
  if (violations.length > 0) return { peakBytes: 0, violations };
  const readersLeft = Array.from(
    { length: problem.storageCount },
    (_, storage) => new Set(readersOf(problem, storage)),
  );
  const live = new Set<number>();
  for (let storage = 0; storage < problem.storageCount; storage++) {
    if (problem.isInput[storage] === 1) live.add(storage);
  }
  let peakBytes = 0;
  if (arena) violations.push(...arenaShape(problem, arena));
  for (const operator of steps) {
    const made = storagesMadeBy(problem, operator);
    const overwritten = overwrittenBy(problem, operator, readersLeft, arena, made[0]);
    for (const storage of made) live.add(storage);
    let bytes = problem.stepBytes[operator];
    for (const storage of live) if (storage !== overwritten) bytes += problem.bytes[storage];
    peakBytes = Math.max(peakBytes, bytes);
    if (arena) {
      violations.push(...overlaps(problem, live, overwritten, made[0], arena, operator));
      violations.push(...stepOverlaps(problem, live, arena, operator));
    }
    for (const readers of readersLeft) readers.delete(operator);
    for (const storage of live) {
      if (readersLeft[storage].size === 0 && problem.isOutput[storage] === 0) live.delete(storage);
    }
  }
  return { peakBytes, violations };
}

function orderViolations(problem: OrderProblem, steps: readonly OperatorId[]): string[] {
  const done = new Set<number>();
  const violations: string[] = [];
  for (const operator of steps) {
    if (!(operator >= 0 && operator < problem.operatorCount)) {
      violations.push(`The order names operator ${operator}, which does not exist.`);
      continue;
    }
    if (done.has(operator)) violations.push(`Operator ${operator} runs twice.`);
    const { start, values } = problem.predecessors;
    for (let at = start[operator]; at < start[operator + 1]; at++) {
      if (!done.has(values[at]))
        violations.push(`Operator ${operator} runs before operator ${values[at]}, which it needs.`);
    }
    done.add(operator);
  }
  for (let operator = 0; operator < problem.operatorCount; operator++) {
    if (!done.has(operator)) violations.push(`Operator ${operator} never runs.`);
  }
  return violations;
}

function readersOf(problem: OrderProblem, storage: number): number[] {
  return [
    ...problem.consumers.values.slice(problem.consumers.start[storage], problem.consumers.start[storage + 1]),
  ];
}

function storagesMadeBy(problem: OrderProblem, operator: OperatorId): number[] {
  const made: number[] = [];
  for (let storage = 0; storage < problem.storageCount; storage++) {
    if (problem.producer[storage] === operator) made.push(storage);
  }
  return made;
}

/** The storage whose place the operator's output takes; with an arena, the one at the output's own offset. */
function overwrittenBy(
  problem: OrderProblem,
  operator: OperatorId,
  readersLeft: readonly ReadonlySet<number>[],
  arena: Arena | undefined,
  output: number,
): number {
  const { start, values } = problem.overwritable;
  const allowed = [...values.slice(start[operator], start[operator + 1])].filter(
    (storage) => readersLeft[storage].size === 1 && readersLeft[storage].has(operator),
  );
  const placed = arena && allowed.find((storage) => arena.offsets[storage] === arena.offsets[output]);
  return placed ?? allowed[0] ?? NONE;
}

function arenaShape(problem: OrderProblem, arena: Arena): string[] {
  const violations: string[] = [];
  for (let storage = 0; storage < problem.storageCount; storage++) {
    const offset = arena.offsets[storage];
    if (!(offset >= 0) || offset % 64 !== 0)
      violations.push(`Storage ${storage} has no 64-byte aligned offset.`);
    if (offset + problem.bytes[storage] > arena.bytes)
      violations.push(`Storage ${storage} ends outside the arena.`);
  }
  for (let operator = 0; operator < problem.operatorCount; operator++) {
    const offset = arena.stepOffsets[operator];
    if (!(offset >= 0) || offset % 64 !== 0)
      violations.push(`The step bytes of operator ${operator} have no 64-byte aligned offset.`);
    if (offset + problem.stepBytes[operator] > arena.bytes)
      violations.push(`The step bytes of operator ${operator} end outside the arena.`);
  }
  return violations;
}

function overlaps(
  problem: OrderProblem,
  live: ReadonlySet<number>,
  overwritten: number,
  output: number,
  arena: Arena,
  operator: OperatorId,
): string[] {
  const placed = [...live]
    .filter((storage) => problem.bytes[storage] > 0)
    .sort((a, b) => arena.offsets[a] - arena.offsets[b]);
  const violations: string[] = [];
  const inPlace = (a: number, b: number): boolean =>
    (a === overwritten && b === output) || (a === output && b === overwritten);
  for (let i = 0; i < placed.length; i++) {
    const end = arena.offsets[placed[i]] + problem.bytes[placed[i]];
    for (let j = i + 1; j < placed.length && arena.offsets[placed[j]] < end; j++) {
      if (inPlace(placed[i], placed[j]) && arena.offsets[placed[i]] === arena.offsets[placed[j]]) continue;
      violations.push(`Storages ${placed[i]} and ${placed[j]} overlap while operator ${operator} runs.`);
    }
  }
  return violations;
}

function stepOverlaps(
  { bytes, stepBytes }: OrderProblem,
  live: ReadonlySet<number>,
  arena: Arena,
  operator: OperatorId,
): string[] {
  const start = arena.stepOffsets[operator];
  const end = start + stepBytes[operator];
  if (start === end) return [];
  const isUnder = (storage: number): boolean =>
    bytes[storage] > 0 && arena.offsets[storage] < end && start < arena.offsets[storage] + bytes[storage];
  return [...live]
    .filter(isUnder)
    .map((storage) => `Storage ${storage} and the step bytes of operator ${operator} overlap.`);
}
