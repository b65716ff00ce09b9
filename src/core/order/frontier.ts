import type { Piece } from './piece';

/**
 * The state of a partly executed piece: which operators have run, which are ready, what is live. Every change
 * has its restore: `undo` reverses the latest `run`.
 */
export class Frontier {
  /** Bytes live between steps. */
  live = 0;
  /** Number of operators that have run; they are `history[0 .. count)`. */
  count = 0;
  readonly history: Int32Array;
  /** Ready operators are `ready[0 .. readyCount)`, in no particular order. */
  readyCount = 0;
  readonly ready: Int32Array;
  /** Bit set of the operators that have run. */
  readonly executed: Int32Array;
  private readonly readyAt: Int32Array;
  private readonly waiting: Int32Array;
  /** Members that have run, per storage. */
  readonly touched: Int32Array;

  constructor(private readonly piece: Piece) {
    const { operatorCount, bytes } = piece;
    this.history = new Int32Array(operatorCount);
    this.ready = new Int32Array(operatorCount);
    this.executed = new Int32Array((operatorCount + 31) >>> 5);
    this.readyAt = new Int32Array(operatorCount);
    this.waiting = new Int32Array(operatorCount);
    this.touched = new Int32Array(bytes.length);
    this.restart();
  }

  /** Back to the start, where nothing has run. */
  restart(): void {
    const { operatorCount, predecessors, touchedAtStart, members, bytes } = this.piece;
    this.count = 0;
    this.readyCount = 0;
    this.live = 0;
    this.executed.fill(0);
    this.readyAt.fill(-1);
    this.touched.set(touchedAtStart);
    for (let operator = 0; operator < operatorCount; operator++) {
      this.waiting[operator] = predecessors.start[operator + 1] - predecessors.start[operator];
      if (this.waiting[operator] === 0) this.addReady(operator);
    }
    for (let storage = 0; storage < bytes.length; storage++) {
      if (touchedAtStart[storage] > 0 && touchedAtStart[storage] < members[storage])
        this.live += bytes[storage];
    }
  }

  /** Bytes live after a ready operator has run, less bytes live now. */
  change(operator: number): number {
    const { bytes, members, touches } = this.piece;
    let change = 0;
    for (let at = touches.start[operator]; at < touches.start[operator + 1]; at++) {
      const storage = touches.values[at];
      const touched = this.touched[storage];
      if (touched === 0) change += bytes[storage];
      if (touched + 1 === members[storage]) change -= bytes[storage];
    }
    return change;
  }

  /** Bytes needed during a ready operator's step. */
  need(operator: number): number {
    const { bytes, touches, stepBytes, firstStepBytes, backward, operatorCount } = this.piece;
    let need = this.live + stepBytes[operator] - this.savedInPlace(operator);
    for (let at = touches.start[operator]; at < touches.start[operator + 1]; at++) {
      if (this.touched[touches.values[at]] === 0) need += bytes[touches.values[at]];
    }
    if (firstStepBytes > 0 && this.count === (backward ? operatorCount - 1 : 0)) need += firstStepBytes;
    return need;
  }

  hasRun(operator: number): boolean {
    return (this.executed[operator >>> 5] & (1 << (operator & 31))) !== 0;
  }

  /** Predecessors of an operator that have not run. */
  waitingOf(operator: number): number {
    return this.waiting[operator];
  }

  run(operator: number): void {
    const { bytes, members, touches, successors } = this.piece;
    const { touched, waiting } = this;
    let live = this.live;
    for (let at = touches.start[operator]; at < touches.start[operator + 1]; at++) {
      const storage = touches.values[at];
      if (touched[storage] === 0) live += bytes[storage];
      if (++touched[storage] === members[storage]) live -= bytes[storage];
    }
    this.live = live;
    this.removeReady(operator);
    for (let at = successors.start[operator]; at < successors.start[operator + 1]; at++) {
      if (--waiting[successors.values[at]] === 0) this.addReady(successors.values[at]);
    }
    this.executed[operator >>> 5] |= 1 << (operator & 31);
    this.history[this.count++] = operator;
  }

  undo(): void {
    const { bytes, members, touches, successors } = this.piece;
    const { touched, waiting } = this;
    const operator = this.history[--this.count];
    this.executed[operator >>> 5] &= ~(1 << (operator & 31));
    for (let at = successors.start[operator + 1] - 1; at >= successors.start[operator]; at--) {
      if (waiting[successors.values[at]]++ === 0) this.removeReady(successors.values[at]);
    }
    this.addReady(operator);
    let live = this.live;
    for (let at = touches.start[operator]; at < touches.start[operator + 1]; at++) {
      const storage = touches.values[at];
      if (touched[storage]-- === members[storage]) live += bytes[storage];
      if (touched[storage] === 0) live -= bytes[storage];
    }
    this.live = live;
  }

  private savedInPlace(operator: number): number {
    const { overwritable, members, bytes, backward } = this.piece;
    for (let at = overwritable.start[operator]; at < overwritable.start[operator + 1]; at++) {
      const storage = overwritable.values[at];
      const isLastReader = backward
        ? this.touched[storage] === 0
        : this.touched[storage] + 1 === members[storage];
      if (isLastReader) return bytes[storage];
    }
    return 0;
  }

  private addReady(operator: number): void {
    this.readyAt[operator] = this.readyCount;
    this.ready[this.readyCount++] = operator;
  }

  private removeReady(operator: number): void {
    const at = this.readyAt[operator];
    const last = this.ready[--this.readyCount];
    this.ready[at] = last;
    this.readyAt[last] = at;
    this.readyAt[operator] = -1;
  }
}
