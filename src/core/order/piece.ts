import { packRows, row, transpose, type Rows } from '../memory/rows';
import type { OrderProblem } from '../memory/problem';

/**
 * A part of an order problem in the symmetric form that the search works on: the operators between two states.
 * A storage is a set of members: the operator that makes it and those that read it. Between steps it is live
 * exactly when some but not all of its members have run; a graph input counts as having one member that ran
 * before the start, a graph output as having one that never runs. Read backwards (from the last operator to the
 * first) the same definition holds, so one search serves both directions.
 */
export interface Piece {
  /** The problem's operators that this piece orders, ascending; everything below numbers them by position. */
  readonly operators: Int32Array;
  readonly operatorCount: number;
  /** Backwards: `predecessors` and `successors` are exchanged and the first operator found is the last to run. */
  readonly backward: boolean;
  readonly predecessors: Rows;
  readonly successors: Rows;
  /** By the problem's storage ids, as all that is per storage. */
  readonly bytes: Float64Array;
  /** Members that have run before the start (in this direction), and members in all. */
  readonly touchedAtStart: Int32Array;
  readonly members: Int32Array;
  /** Per storage: the operators of this piece among its members. */
  readonly memberRows: Rows;
  /** Per operator: the storages it is a member of. */
  readonly touches: Rows;
  readonly stepBytes: Float64Array;
  readonly overwritable: Rows;
  /** Bytes that only the very first step in execution order adds (inputs that nobody reads). */
  readonly firstStepBytes: number;
}

export interface PieceOptions {
  readonly backward?: boolean;
  /** 1 for each operator of the piece. Default: all operators. */
  readonly inside?: Uint8Array;
  /** 1 for each operator that has run before the start (in this direction); the rest run after the end. Default: none. */
  readonly before?: Uint8Array;
}

export function pieceOf(
  problem: OrderProblem,
  { backward = false, inside, before }: PieceOptions = {},
): Piece {
  const operators = Int32Array.from(problem.stepBytes.keys()).filter((operator) => inside?.[operator] !== 0);
  const local = new Int32Array(problem.operatorCount).fill(-1);
  operators.forEach((operator, at) => (local[operator] = at));
  const localRow = (rows: Rows, operator: number): number[] =>
    Array.from(row(rows, operator), (other) => local[other]).filter((other) => other >= 0);
  const predecessors = packRows(
    Array.from(operators, (operator) => localRow(problem.predecessors, operator)),
  );
  const successors = transpose(predecessors, operators.length);
  return {
    operators,
    operatorCount: operators.length,
    backward,
    predecessors: backward ? successors : predecessors,
    successors: backward ? predecessors : successors,
    bytes: problem.bytes,
    stepBytes: Float64Array.from(operators, (operator) => problem.stepBytes[operator]),
    overwritable: packRows(
      Array.from(operators, (operator) => Array.from(row(problem.overwritable, operator))),
    ),
    firstStepBytes: unreadInputBytes(problem),
    ...membership(problem, local, operators.length, backward, before),
  };
}

function membership(
  problem: OrderProblem,
  local: Int32Array,
  operatorCount: number,
  backward: boolean,
  before: Uint8Array | undefined,
): Pick<Piece, 'touchedAtStart' | 'members' | 'memberRows' | 'touches'> {
  const { storageCount, producer, consumers, isInput, isOutput } = problem;
  const touchedAtStart = new Int32Array(storageCount);
  const members = new Int32Array(storageCount);
  const start = new Int32Array(storageCount + 1);
  const values: number[] = [];
  for (let storage = 0; storage < storageCount; storage++) {
    const all = Array.from(row(consumers, storage));
    if (producer[storage] >= 0) all.push(producer[storage]);
    touchedAtStart[storage] = (backward ? isOutput : isInput)[storage];
    for (const member of all) {
      if (local[member] >= 0) values.push(local[member]);
      else if (before?.[member] === 1) touchedAtStart[storage]++;
    }
    start[storage + 1] = values.length;
    members[storage] = all.length + isInput[storage] + isOutput[storage];
  }
  const memberRows = { start, values: Int32Array.from(values) };
  return { touchedAtStart, members, memberRows, touches: transpose(memberRows, operatorCount) };
}

/** Inputs that nobody reads are live at the first step, whatever it is. */
export function unreadInputBytes(problem: OrderProblem): number {
  let bytes = 0;
  for (let storage = 0; storage < problem.storageCount; storage++) {
    const unread = problem.consumers.start[storage] === problem.consumers.start[storage + 1];
    if (unread && problem.producer[storage] < 0 && problem.isOutput[storage] === 0)
      bytes += problem.bytes[storage];
  }
  return bytes;
}
