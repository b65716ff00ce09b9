import type { Bytes, DeviceId, Nanoseconds } from '../graph/units';

/** Room that a step's messages get at first, in messages. */
const LEAST_ROOM = 4;

/**
 * The messages of every step in flat arrays that grow: first those that its operator waits for (the inbox), then
 * the partial sums of its reduction. Each step has two places; what is packed anew goes to the spare one, so that
 * the messages of the plan at hand come back by exchanging the two.
 */
export class MessageSlots {
  /** Per step: the first message, the end of its inbox, the end of all. */
  readonly first: Int32Array;
  readonly inboxEnd: Int32Array;
  readonly end: Int32Array;
  from = new Int32Array(0);
  to = new Int32Array(0);
  /** Where the kernel keeps the time at which the message's elements are made. */
  readyAt = new Int32Array(0);
  ns = new Float64Array(0);
  bytes = new Float64Array(0);
  /** The last step on the receiver that reads any of it; `NONE` where it stays. */
  lastStep = new Int32Array(0);
  /** `storage * devices + sender`; `NONE` for a partial sum. */
  source = new Int32Array(0);
  /** 1 where it brings a part of an output to the sink. */
  isOutput = new Uint8Array(0);
  /** Positions of the step's messages in the order in which they take their links; of the plan being tried. */
  order = new Int32Array(0);
  start = new Float64Array(0);
  finish = new Float64Array(0);
  /** The same three of the plan at hand. */
  keptOrder = new Int32Array(0);
  keptStart = new Float64Array(0);
  keptFinish = new Float64Array(0);
  private readonly room: Int32Array;
  private readonly spareFirst: Int32Array;
  private readonly spareInboxEnd: Int32Array;
  private readonly spareEnd: Int32Array;
  private readonly spareRoom: Int32Array;
  private used = 0;

  constructor(steps: number) {
    const perStep = (): Int32Array => new Int32Array(steps);
    this.first = perStep();
    this.inboxEnd = perStep();
    this.end = perStep();
    this.room = perStep();
    this.spareFirst = perStep();
    this.spareInboxEnd = perStep();
    this.spareEnd = perStep();
    this.spareRoom = perStep();
  }

  /** Empties the step's spare place and makes it the one in use, with room for `count` messages. */
  open(step: number, count: number): void {
    this.exchange(step);
    if (this.room[step] < count) {
      this.room[step] = Math.max(LEAST_ROOM, 2 * count);
      this.first[step] = this.used;
      this.used += this.room[step];
      if (this.used > this.ns.length) this.grow();
    }
    this.inboxEnd[step] = this.end[step] = this.first[step];
  }

  /** The messages before the last `open` of this step. */
  exchange(step: number): void {
    swap(this.first, this.spareFirst, step);
    swap(this.inboxEnd, this.spareInboxEnd, step);
    swap(this.end, this.spareEnd, step);
    swap(this.room, this.spareRoom, step);
  }

  add(
    step: number,
    from: DeviceId,
    to: DeviceId,
    readyAt: number,
    ns: Nanoseconds,
    bytes: Bytes,
    lastStep: number,
    source: number,
    isOutput: number,
  ): void {
    const place = this.end[step]++;
    this.from[place] = from;
    this.to[place] = to;
    this.readyAt[place] = readyAt;
    this.ns[place] = ns;
    this.bytes[place] = bytes;
    this.lastStep[place] = lastStep;
    this.source[place] = source;
    this.isOutput[place] = isOutput;
  }

  /** The times of steps `[from, to)` of the plan being tried become those of the plan at hand. */
  keep(from: number, to: number): void {
    for (let step = from; step < to; step++) {
      for (let m = this.first[step]; m < this.end[step]; m++) {
        this.keptOrder[m] = this.order[m];
        this.keptStart[m] = this.start[m];
        this.keptFinish[m] = this.finish[m];
      }
    }
  }

  /** The step's messages were packed anew without a change of their times. */
  carryTimes(step: number): void {
    const shift = this.first[step] - this.spareFirst[step];
    for (let m = this.first[step]; m < this.end[step]; m++) {
      this.keptOrder[m] = this.keptOrder[m - shift] + shift;
      this.keptStart[m] = this.keptStart[m - shift];
      this.keptFinish[m] = this.keptFinish[m - shift];
    }
  }

  private grow(): void {
    const size = 2 * this.used;
    const integers = ['from', 'to', 'readyAt', 'lastStep', 'source', 'order', 'keptOrder'] as const;
    for (const key of integers) {
      const larger = new Int32Array(size);
      larger.set(this[key]);
      this[key] = larger;
    }
    for (const key of ['ns', 'bytes', 'start', 'finish', 'keptStart', 'keptFinish'] as const) {
      const larger = new Float64Array(size);
      larger.set(this[key]);
      this[key] = larger;
    }
    const flags = new Uint8Array(size);
    flags.set(this.isOutput);
    this.isOutput = flags;
  }
}

function swap(a: Int32Array, b: Int32Array, position: number): void {
  const kept = a[position];
  a[position] = b[position];
  b[position] = kept;
}
