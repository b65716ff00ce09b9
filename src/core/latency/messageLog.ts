import type { Bytes, Nanoseconds } from '../graph/units';

const FIRST_CAPACITY = 1024;

/** The messages of a timeline in the order in which they take their links, as flat arrays that grow. */
export class MessageLog {
  count = 0;
  storage = new Int32Array(FIRST_CAPACITY);
  from = new Int32Array(FIRST_CAPACITY);
  to = new Int32Array(FIRST_CAPACITY);
  /** Position in `Flow.steps` of the reader; the number of steps for the gathering of outputs. */
  step = new Int32Array(FIRST_CAPACITY);
  /** Position in the storage's `Traffic`; `NONE` for a partial sum. */
  index = new Int32Array(FIRST_CAPACITY);
  bytes = new Float64Array(FIRST_CAPACITY);
  ns = new Float64Array(FIRST_CAPACITY);
  ready = new Float64Array(FIRST_CAPACITY);
  urgency = new Float64Array(FIRST_CAPACITY);
  start = new Float64Array(FIRST_CAPACITY);
  end = new Float64Array(FIRST_CAPACITY);

  /**
   * Inserts a message behind those from `first` on that are ready earlier or, when ready together, at least as
   * urgent. Returns its place, where the caller fills in the rest.
   */
  insert(first: number, ready: Nanoseconds, urgency: number): number {
    if (this.count === this.storage.length) this.grow();
    let place = this.count++;
    while (
      place > first &&
      (this.ready[place - 1] > ready ||
        (this.ready[place - 1] === ready && this.urgency[place - 1] < urgency))
    ) {
      this.move(place - 1, place);
      place--;
    }
    this.ready[place] = ready;
    this.urgency[place] = urgency;
    return place;
  }

  put(
    place: number,
    storage: number,
    from: number,
    to: number,
    step: number,
    index: number,
    bytes: Bytes,
    ns: Nanoseconds,
  ): void {
    this.storage[place] = storage;
    this.from[place] = from;
    this.to[place] = to;
    this.step[place] = step;
    this.index[place] = index;
    this.bytes[place] = bytes;
    this.ns[place] = ns;
  }

  private move(source: number, target: number): void {
    this.ready[target] = this.ready[source];
    this.urgency[target] = this.urgency[source];
    this.put(
      target,
      this.storage[source],
      this.from[source],
      this.to[source],
      this.step[source],
      this.index[source],
      this.bytes[source],
      this.ns[source],
    );
  }

  private grow(): void {
    for (const key of ['storage', 'from', 'to', 'step', 'index'] as const) {
      const larger = new Int32Array(this[key].length * 2);
      larger.set(this[key]);
      this[key] = larger;
    }
    for (const key of ['bytes', 'ns', 'ready', 'urgency', 'start', 'end'] as const) {
      const larger = new Float64Array(this[key].length * 2);
      larger.set(this[key]);
      this[key] = larger;
    }
  }
}
