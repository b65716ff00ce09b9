import { NONE, type OperatorId, type StorageId } from '../graph/units';
import type { OrderProblem } from '../memory/problem';
import { packRows, row, transpose } from '../memory/rows';

/**
 * Adds precedences that make interchangeable branches run in one canonical way. Two chains a1, a2, .. and b1, b2, ..
 * are twins where both start from the same storages, their operators are of equal bytes step by step, and the same
 * operators read their ends. In any order, call the first of {ai, bi} to run ai: predecessors still come first and
 * at every step as many bytes of each stage are live as before. So `ai before bi` for every i loses nothing.
 */
export function withTwinsInOrder(problem: OrderProblem): OrderProblem {
  const added: number[][] = Array.from({ length: problem.operatorCount }, () => []);
  let found = false;
  const heads = new Map<string, OperatorId[]>();
  for (let operator = 0; operator < problem.operatorCount; operator++) {
    const key = signature(problem, operator, NONE, NONE);
    const alike = heads.get(key);
    if (alike === undefined) heads.set(key, [operator]);
    else if (linkTwins(problem, alike[alike.length - 1], operator, added)) {
      alike.push(operator);
      found = true;
    }
  }
  if (!found) return problem;
  const predecessors = packRows(
    added.map((more, operator) =>
      Array.from(new Set([...row(problem.predecessors, operator), ...more])).sort((a, b) => a - b),
    ),
  );
  return { ...problem, predecessors, successors: transpose(predecessors, problem.operatorCount) };
}

/** Walks down both chains; where they are twins, notes that each of the first comes before its fellow. */
function linkTwins(problem: OrderProblem, first: OperatorId, second: OperatorId, added: number[][]): boolean {
  const links: [OperatorId, OperatorId][] = [[first, second]];
  for (let [a, b] = [first, second]; ;) {
    if (row(problem.makes, a).length !== 1) return false;
    const [fromA, fromB] = [row(problem.makes, a)[0], row(problem.makes, b)[0]];
    const [readersA, readersB] = [row(problem.consumers, fromA), row(problem.consumers, fromB)];
    if (`${row(problem.successors, a).join()}` === `${row(problem.successors, b).join()}`) {
      if (`${readersA.join()}` !== `${readersB.join()}` || !isReadAlike(problem, readersA, fromA, fromB))
        return false;
      for (const [before, after] of links) added[after].push(before);
      return true;
    }
    if (readersA.length !== 1 || readersB.length !== 1) return false;
    const [nextA, nextB] = [readersA[0], readersB[0]];
    if (signature(problem, nextA, fromA, a) !== signature(problem, nextB, fromB, b)) return false;
    if (row(problem.successors, a).length !== 1 || row(problem.successors, b).length !== 1) return false;
    links.push([nextA, nextB]);
    [a, b] = [nextA, nextB];
  }
}

/** An operator that may write over one end must be able to write over the other. */
function isReadAlike(problem: OrderProblem, readers: Int32Array, a: StorageId, b: StorageId): boolean {
  return readers.every((reader) => {
    const over = row(problem.overwritable, reader);
    return over.includes(a) === over.includes(b);
  });
}

/** All that counts of an operator, with the storage and the operator that it follows in its chain left without names. */
function signature(problem: OrderProblem, operator: OperatorId, from: StorageId, before: OperatorId): string {
  const { bytes, isOutput } = problem;
  const without = (values: Int32Array, own: number): string =>
    Array.from(values, (value) => (value === own ? 'own' : value))
      .sort()
      .join();
  const made = Array.from(
    row(problem.makes, operator),
    (storage) => `${bytes[storage]}/${isOutput[storage]}`,
  );
  return [
    without(row(problem.reads, operator), from),
    without(row(problem.predecessors, operator), before),
    Array.from(row(problem.overwritable, operator), (storage) => (storage === from ? 'own' : storage)).join(),
    problem.stepBytes[operator],
    made.join(),
  ].join(';');
}
