import { NONE, type Nanoseconds } from '../graph/units';
import type { OverlappedKernel } from './overlappedKernel';

/** Only what was made this many steps ago or fewer counts in a row: what is older is seldom on the longest path. */
const WINDOW = 64;

/**
 * How long the plan at hand takes from each step on at least, whatever came before it: per step, the longest chain
 * of shards and messages from the moment at which a device, a link or what an operator made is free, to the last
 * output. A plan being tried that differs only in earlier steps can be given up as soon as the times that it has
 * reached and these tails add up to more than it may take. Messages of one step may take their links in any order.
 */
export class OverlappedTails {
  private readonly tails: Float64Array;
  /** Per row: operators' steps whose results are read at or after it, `[liveFirst[row], liveFirst[row + 1])`. */
  private readonly liveFirst: Int32Array;
  private readonly liveSteps: Int32Array;
  /** As `liveSteps`, times the number of devices. */
  private readonly liveTails: Float64Array;
  /** `step * devices + device`: of what the step made, as seen from the row reached last. */
  private readonly madeTails: Float64Array;
  private readonly shardTail: Float64Array;
  /** Per uplink, then per downlink: of a step's messages, all their times, the least and the longest tail. */
  private readonly linkSum: Float64Array;
  private readonly leastTail: Float64Array;
  private readonly longestTail: Float64Array;
  /** Rows from it on are known. */
  private knownFrom: number;

  constructor(private readonly kernel: OverlappedKernel) {
    const { steps, stateSize, devices } = kernel;
    this.tails = new Float64Array((steps + 2) * stateSize).fill(-Infinity);
    const live = liveResults(kernel);
    this.liveFirst = live.first;
    this.liveSteps = live.steps;
    this.liveTails = new Float64Array(live.steps.length * devices);
    this.madeTails = new Float64Array((steps + 1) * devices);
    this.shardTail = new Float64Array(devices);
    this.linkSum = new Float64Array(2 * devices);
    this.leastTail = new Float64Array(2 * devices);
    this.longestTail = new Float64Array(2 * devices);
    this.knownFrom = steps + 1;
  }

  /** The steps up to `step` have changed. */
  forget(step: number): void {
    this.knownFrom = Math.min(this.kernel.steps + 1, Math.max(this.knownFrom, step + 1));
  }

  /**
   * @param row of the plan being tried, which has no changes from that step on
   * @returns what its latency is at least; `NONE` where it has come to what the plan at hand was at that row
   */
  bound(row: number): Nanoseconds {
    if (row < this.knownFrom) this.extend(row);
    const { state, stateSize, triedState, devices } = this.kernel;
    const { tails } = this;
    const own = row * stateSize;
    const tried = triedState + own;
    let bound = state[tried + 3 * devices];
    let isSame = bound === state[own + 3 * devices];
    for (let i = 0; i < 3 * devices; i++) {
      const at = state[tried + i];
      if (at !== state[own + i]) isSame = false;
      if (at + tails[own + i] > bound) bound = at + tails[own + i];
    }
    return this.boundOfResults(row, bound, isSame);
  }

  private boundOfResults(row: number, least: Nanoseconds, isSameState: boolean): Nanoseconds {
    const { events, eventSize, triedEvents, devices, firstStep } = this.kernel;
    const { liveFirst, liveSteps, liveTails } = this;
    let bound = least;
    let isSame = isSameState;
    for (let index = liveFirst[row]; index < liveFirst[row + 1]; index++) {
      const step = liveSteps[index];
      if (step < firstStep) continue;
      const own = step * eventSize + 2 * devices;
      for (let d = 0; d < devices; d++) {
        const tail = liveTails[index * devices + d];
        // No message of it is left to come.
        if (tail === -Infinity) continue;
        const at = events[triedEvents + own + d];
        if (at !== events[own + d]) isSame = false;
        if (at + tail > bound) bound = at + tail;
      }
    }
    return isSame && row - firstStep < WINDOW ? NONE : bound;
  }

  /** Works out the rows down to `row`. */
  private extend(row: number): void {
    const { devices } = this.kernel;
    const { liveFirst, liveSteps, liveTails, madeTails } = this;
    madeTails.fill(-Infinity);
    const from = this.knownFrom;
    for (let index = liveFirst[from]; index < liveFirst[from + 1]; index++) {
      for (let d = 0; d < devices; d++)
        madeTails[liveSteps[index] * devices + d] = liveTails[index * devices + d];
    }
    for (let step = from - 1; step >= row; step--) {
      this.stepBack(step);
      for (let index = liveFirst[step]; index < liveFirst[step + 1]; index++) {
        for (let d = 0; d < devices; d++)
          liveTails[index * devices + d] = madeTails[liveSteps[index] * devices + d];
      }
    }
    this.knownFrom = row;
  }

  /** The row of `step` from the one behind it. */
  private stepBack(step: number): void {
    const { kernel, tails, shardTail } = this;
    const { stateSize, steps, slots } = kernel;
    const row = step * stateSize;
    for (let i = 0; i < stateSize; i++) tails[row + i] = tails[row + stateSize + i];
    shardTail.fill(-Infinity);
    if (step < steps) this.shards(step, row);
    this.messages(slots.first[step], slots.inboxEnd[step], row);
  }

  private shards(step: number, row: number): void {
    const { kernel, tails, shardTail, madeTails } = this;
    const { devices, parts, partCount, computeNs, reduceOn, reduceNs, makesOutput, sink, slots } = kernel;
    const own = step * devices;
    const reducer = reduceOn[step];
    if (reducer !== NONE) {
      let tail = Math.max(tails[row + reducer], madeTails[own + reducer]);
      if (makesOutput[step] === 1 && reducer === sink && tail < 0) tail = 0;
      tail += reduceNs[step];
      shardTail[reducer] = tail;
      tails[row + reducer] = tail;
      // From here on they are the tails of the shards' ends.
      for (let d = 0; d < devices; d++) madeTails[own + d] = -Infinity;
      this.messages(slots.inboxEnd[step], slots.end[step], row);
      shardTail.fill(-Infinity);
    }
    for (let index = own; index < own + partCount[step]; index++) {
      const device = parts[index];
      let tail = Math.max(tails[row + device], madeTails[own + device]);
      if (reducer === NONE && makesOutput[step] === 1 && device === sink && tail < 0) tail = 0;
      tail += computeNs[own + device];
      shardTail[device] = tail;
      tails[row + device] = tail;
    }
  }

  /** Messages `[begin, end)`, before what is known of the row so far. */
  private messages(begin: number, end: number, row: number): void {
    if (begin === end) return;
    const { tails, shardTail, madeTails, linkSum, leastTail, longestTail, kernel } = this;
    const { devices, slots, isShared, eventSize } = kernel;
    const { from, to, ns, isOutput, readyAt } = slots;
    const links = row + devices;
    for (let link = 0; link < 2 * devices; link++) {
      linkSum[link] = 0;
      leastTail[link] = Infinity;
      longestTail[link] = -Infinity;
    }
    for (let m = begin; m < end; m++) {
      const up = isShared ? 0 : from[m];
      const down = devices + (isShared ? 0 : to[m]);
      let tail = shardTail[to[m]];
      if (tails[links + up] > tail) tail = tails[links + up];
      if (tails[links + down] > tail) tail = tails[links + down];
      if (isOutput[m] === 1 && tail < 0) tail = 0;
      // Of what nobody waits for nothing is known.
      if (tail === -Infinity) continue;
      const whole = ns[m] + tail;
      linkSum[up] += ns[m];
      linkSum[down] += ns[m];
      if (tail < leastTail[up]) leastTail[up] = tail;
      if (tail < leastTail[down]) leastTail[down] = tail;
      if (whole > longestTail[up]) longestTail[up] = whole;
      if (whole > longestTail[down]) longestTail[down] = whole;
      const made = Math.floor(readyAt[m] / eventSize) * devices + from[m];
      if (whole > madeTails[made]) madeTails[made] = whole;
    }
    // Whichever message comes last on a link comes after all the others there.
    for (let link = 0; link < 2 * devices; link++) {
      if (linkSum[link] === 0) continue;
      tails[links + link] = Math.max(longestTail[link], linkSum[link] + leastTail[link]);
    }
  }
}

function liveResults({ workload, steps }: OverlappedKernel): { first: Int32Array; steps: Int32Array } {
  const { flow } = workload;
  const lastRead = flow.steps.map((operator) =>
    flow.operators[operator].makes.reduce((last, storage) => {
      const { readers, isOutput } = flow.storages[storage];
      return isOutput
        ? steps
        : readers.reduce((latest, reader) => Math.max(latest, flow.stepOf[reader]), last);
    }, NONE),
  );
  const first = new Int32Array(steps + 3);
  const live: number[] = [];
  for (let row = 0; row <= steps; row++) {
    first[row] = live.length;
    for (let step = Math.max(0, row - WINDOW); step < row; step++) if (lastRead[step] >= row) live.push(step);
  }
  first[steps + 1] = first[steps + 2] = live.length;
  return { first, steps: Int32Array.from(live) };
}
