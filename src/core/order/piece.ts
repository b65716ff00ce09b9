import { row, transpose, type Rows } from '../memory/rows';
import type { OrderProblem } from '../memory/problem';

/**
 * An order problem in the symmetric form that the search works on. A storage is a set of members: the operator
 * that makes it and those that read it. Between steps it is live exactly when some but not all of its members
 * have run; a graph input counts as having one member that ran before the start, a graph output as having one
 * that never runs. Read backwards (from the last operator to the first) the same definition holds, so one
 * search serves both directions.
 */
export interface Piece {
  readonly operatorCount: number;
  /** Backwards: `predecessors` and `successors` are exchanged and the first operator found is the last to run. */
  readonly backward: boolean;
  readonly predecessors: Rows;
  readonly successors: Rows;
  readonly bytes: Float64Array;
  /** Per storage: members that have run before the start, and members in all. */
  readonly touchedAtStart: Int32Array;
  readonly members: Int32Array;
  /** Per storage: the operators among its members. */
  readonly memberRows: Rows;
  /** Per operator: the storages it is a member of. */
  readonly touches: Rows;
  readonly stepBytes: Float64Array;
  readonly overwritable: Rows;
  /** Bytes that only the very first step in execution order adds (inputs that nobody reads). */
  readonly firstStepBytes: number;
}

export function pieceOf(problem: OrderProblem, backward = false): Piece {
  const { storageCount, operatorCount, producer, consumers, isInput, isOutput } = problem;
  const touchedAtStart = new Int32Array(storageCount);
  const members = new Int32Array(storageCount);
  const rows: { start: Int32Array; values: number[] } = { start: new Int32Array(storageCount + 1), values: [] };
  let firstStepBytes = 0;
  for (let storage = 0; storage < storageCount; storage++) {
    if (producer[storage] >= 0) rows.values.push(producer[storage]);
    for (const reader of row(consumers, storage)) rows.values.push(reader);
    rows.start[storage + 1] = rows.values.length;
    const inside = rows.values.length - rows.start[storage];
    if (inside === 0 && isOutput[storage] === 0) firstStepBytes += problem.bytes[storage];
    touchedAtStart[storage] = (backward ? isOutput : isInput)[storage];
    members[storage] = inside + isInput[storage] + isOutput[storage];
  }
  const memberRows = { start: rows.start, values: Int32Array.from(rows.values) };
  return {
    operatorCount,
    backward,
    predecessors: backward ? problem.successors : problem.predecessors,
    successors: backward ? problem.predecessors : problem.successors,
    bytes: problem.bytes,
    touchedAtStart,
    members,
    memberRows,
    touches: transpose(memberRows, operatorCount),
    stepBytes: problem.stepBytes,
    overwritable: problem.overwritable,
    firstStepBytes,
  };
}
