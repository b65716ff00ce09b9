/** Message phases where what devices lack has a price that is paid elsewhere (`messagePrices.ts`). */
import type { Nanoseconds } from '../../graph/units';
import type { MakeFacts, ReadFacts } from './lengthBox';
import type { Crossing } from './phase';
import type { PhaseLinks } from './phaseLinks';

export interface PricedCrossing extends Crossing {
  /** Of the phase's time. */
  readonly share: number;
  /** Per device, of an element that it lacks. */
  readonly prices: Float64Array;
}

export class PricedPhase {
  private readonly devices: number;
  /** Per device: what it may lack, latency and time per element of a message of it, what it lacks. */
  private readonly most: Float64Array;
  private readonly wait: Float64Array;
  private readonly pace: Float64Array;
  private readonly lack: Float64Array;
  private readonly shared: Float64Array;
  private readonly phases: Float64Array;
  /** Receivers that are ranked, the first brings most. */
  private readonly order: Int32Array;
  private readonly rates: Float64Array;
  private ranked = 0;

  constructor(private readonly links: PhaseLinks) {
    const { devices } = links;
    this.devices = devices;
    this.most = new Float64Array(devices);
    this.wait = new Float64Array(devices);
    this.pace = new Float64Array(devices);
    this.lack = new Float64Array(devices);
    this.shared = new Float64Array(devices);
    this.phases = new Float64Array(1 + 2 * devices);
    this.order = new Int32Array(devices);
    this.rates = new Float64Array(devices);
  }

  /**
   * Least of `share * phase - sum_d prices[d] * lack[d]` over all partitions in the two boxes, where `lack[d]` is what
   * the device needs at an end of the axis less what it holds, below zero if that is more. A phase of time `M` leaves
   * room for `(M - latency) * bandwidth` to each receiver, and for `M` per sender to all of them together: whichever
   * of the two says more.
   *
   * @param phaseNs the phase at least
   * @param lack receives what is lacked where that is attained
   */
  least(
    make: MakeFacts,
    read: ReadFacts,
    crossing: PricedCrossing,
    phaseNs: Nanoseconds,
    lack?: Float64Array,
  ): number {
    this.measure(make, read, crossing);
    const { share, prices, isRelayed } = crossing;
    const { devices, phases, wait, pace, most, order } = this;
    // The worth of a phase is concave between the times at which a device has all that it may lack.
    phases[0] = phaseNs;
    let count = 1;
    for (let d = 0; d < devices; d++) {
      if (prices[d] > 0 && most[d] > 0) phases[count++] = wait[d] + pace[d] * most[d];
    }
    let senders = 0;
    if (this.links.isShared) senders = 1;
    else if (!isRelayed && make.holderCount < devices) senders = make.holderCount;
    if (senders > 0) {
      this.rank(prices);
      let sum = 0;
      for (let k = 0; k < this.ranked; k++) {
        sum += wait[order[k]] + pace[order[k]] * most[order[k]];
        phases[count++] = sum / senders;
      }
    }
    let best = Infinity;
    let bestPhase = phaseNs;
    for (let c = 0; c < count; c++) {
      const phase = phases[c];
      if (c > 0 && phase <= phaseNs) continue;
      const value = share * phase - this.worth(prices, phase, senders);
      if (value < best) {
        best = value;
        bestPhase = phase;
      }
    }
    if (lack !== undefined) {
      this.worth(prices, bestPhase, senders);
      lack.set(this.lack);
    }
    return best;
  }

  /** What each device may lack, and how long a message of it takes. */
  private measure(make: MakeFacts, read: ReadFacts, { isRelayed }: Crossing): void {
    const { devices, most, wait, pace, links } = this;
    for (let d = 0; d < devices; d++) {
      most[d] = read.atEndMost[d] - make.least[d];
      const at = make.holders * devices + d;
      wait[d] = isRelayed ? links.leastLatency : links.latency[at];
      pace[d] = read.elementBytes * (isRelayed ? links.leastNsPerByte : links.nsPerByte[at]);
      // Nobody else may hold it: nothing to go by.
      if (wait[d] === Infinity) wait[d] = pace[d] = 0;
    }
  }

  /** Receivers by what they bring for their time, each a part of its latency for a part of what it may lack. */
  private rank(prices: Float64Array): void {
    const { devices, most, wait, pace, order, rates } = this;
    this.ranked = 0;
    for (let d = 0; d < devices; d++) {
      if (most[d] <= 0 || pace[d] === 0 || prices[d] === 0) continue;
      rates[d] = (prices[d] * most[d]) / (wait[d] + pace[d] * most[d]);
      let k = this.ranked++;
      for (; k > 0 && rates[order[k - 1]] < rates[d]; k--) order[k] = order[k - 1];
      order[k] = d;
    }
  }

  /** Prices of the most that is lacked in a phase of such a time. @param senders 0 where they set no limit */
  private worth(prices: Float64Array, phase: Nanoseconds, senders: number): number {
    const { devices, most, wait, pace, lack } = this;
    let alone = 0;
    for (let d = 0; d < devices; d++) {
      if (most[d] <= 0 || pace[d] === 0) lack[d] = most[d];
      else lack[d] = phase <= wait[d] ? 0 : Math.min(most[d], (phase - wait[d]) / pace[d]);
      alone += prices[d] * lack[d];
    }
    return senders === 0 ? alone : this.worthTogether(prices, senders * phase, alone);
  }

  /** Where the senders' time allows less than each receiver's own. @param left the time of all senders */
  private worthTogether(prices: Float64Array, left: Nanoseconds, alone: number): number {
    const { devices, most, wait, pace, lack, shared, order } = this;
    shared.set(lack);
    for (let k = 0; k < this.ranked; k++) {
      const d = order[k];
      const whole = wait[d] + pace[d] * most[d];
      shared[d] = most[d] * Math.max(0, Math.min(1, left / whole));
      left -= whole;
    }
    let together = 0;
    for (let d = 0; d < devices; d++) together += prices[d] * shared[d];
    if (together >= alone) return alone;
    lack.set(shared);
    return together;
  }
}
