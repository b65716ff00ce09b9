import type { OrderProblem } from '../../src/core/memory/problem';

/**
 * The least peak over all orders, by dynamic programming over every set of operators that can have run, with
 * memory computed from the definition for each state. Only for small problems (at most 20 operators).
 */
export function leastPeak(problem: OrderProblem): number {
  const { operatorCount } = problem;
  const best = new Map<number, number>([[0, 0]]);
  let layer = [0];
  for (let step = 0; step < operatorCount; step++) {
    const next = new Set<number>();
    for (const state of layer) {
      for (let operator = 0; operator < operatorCount; operator++) {
        if (state & (1 << operator) || !isReady(problem, state, operator)) continue;
        const after = state | (1 << operator);
        const peak = Math.max(best.get(state)!, need(problem, state, operator));
        best.set(after, Math.min(best.get(after) ?? Infinity, peak));
        next.add(after);
      }
    }
    layer = [...next];
  }
  return best.get(2 ** operatorCount - 1)!;
}

function isReady({ predecessors }: OrderProblem, state: number, operator: number): boolean {
  for (let at = predecessors.start[operator]; at < predecessors.start[operator + 1]; at++) {
    if (!(state & (1 << predecessors.values[at]))) return false;
  }
  return true;
}

function need(problem: OrderProblem, state: number, operator: number): number {
  const { storageCount, consumers, producer, isInput, isOutput, bytes, overwritable, stepBytes } = problem;
  const after = state | (1 << operator);
  let sum = stepBytes[operator];
  const endsHere = new Uint8Array(storageCount);
  for (let storage = 0; storage < storageCount; storage++) {
    const readers = [...consumers.values.slice(consumers.start[storage], consumers.start[storage + 1])];
    const exists = isInput[storage] === 1 || (after & (1 << producer[storage])) !== 0;
    const neededNow = readers.some((reader) => !(state & (1 << reader))) || isOutput[storage] === 1;
    const unreadNow =
      readers.length === 0 && (isInput[storage] === 1 ? state === 0 : producer[storage] === operator);
    if (exists && (neededNow || unreadNow)) sum += bytes[storage];
    endsHere[storage] = Number(readers.every((reader) => after & (1 << reader)) && isOutput[storage] === 0);
  }
  for (let at = overwritable.start[operator]; at < overwritable.start[operator + 1]; at++) {
    if (endsHere[overwritable.values[at]]) return sum - bytes[overwritable.values[at]];
  }
  return sum;
}
