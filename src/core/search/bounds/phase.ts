/**
 * Least length of one message phase of the synchronous model, given what each device needs at least and holds
 * at most. Every term counts what some device must receive whatever the places along the axis are:
 *
 *     cut along the same axis    received >= needed - held
 *     cut along different axes   received >= needed * (1 - share held)
 *     otherwise                  received >= needed - held, in elements
 *
 * and takes the best link and the fewest senders that could hold it.
 */
import type { Cluster } from '../../cluster/cluster';
import type { MakeFacts, ReadFacts } from './lengthBox';
import { MIXED_AXIS, WHOLE_AXIS } from './lengthTables';

/** Below this share of an element nothing is missing: room for floating point. */
const NOTHING = 1e-6;
/** Up to so many devices the best link is taken over the devices that may hold something, beyond over all. */
export const MOST_DEVICES_BY_SET = 12;

/** What crosses from a maker to a reader. */
export interface Crossing {
  /** Elements of the storage. */
  readonly size: number;
  /** May be a fraction for packed types. */
  readonly elementBytes: number;
  /** Handed on by others in between, each in a phase of its own. */
  readonly isRelayed: boolean;
}

export class PhaseBound {
  private readonly devices: number;
  private readonly isShared: boolean;
  /** By `holders * devices + receiver`: the least over the possible senders. */
  private readonly latency: Float64Array;
  private readonly nsPerByte: Float64Array;
  private readonly pairLatency: Float64Array;
  private readonly pairNsPerByte: Float64Array;
  /** Of any link. */
  private readonly leastLatency: number;
  private readonly leastNsPerByte: number;
  private readonly atEnd: Float64Array;
  private readonly inside: Float64Array;

  constructor(cluster: Cluster) {
    this.devices = cluster.devices.length;
    this.isShared = cluster.network.kind === 'shared';
    this.atEnd = new Float64Array(this.devices);
    this.inside = new Float64Array(this.devices);
    this.pairLatency = new Float64Array(this.devices ** 2);
    this.pairNsPerByte = new Float64Array(this.devices ** 2);
    cluster.devices.forEach((_, from) =>
      cluster.devices.forEach((__, to) => {
        const { latency, bandwidth } = linkOf(cluster, from, to);
        this.pairLatency[from * this.devices + to] = latency * 1e9;
        this.pairNsPerByte[from * this.devices + to] = 1e9 / bandwidth;
      }),
    );
    const links = cluster.devices.flatMap((_, from) =>
      cluster.devices.flatMap((__, to) => (from === to ? [] : [linkOf(cluster, from, to)])),
    );
    this.leastLatency = Math.min(...links.map(({ latency }) => latency * 1e9));
    this.leastNsPerByte = Math.min(...links.map(({ bandwidth }) => 1e9 / bandwidth));
    const sets = this.devices <= MOST_DEVICES_BY_SET ? 1 << this.devices : 1;
    this.latency = new Float64Array(sets * this.devices).fill(Infinity);
    this.nsPerByte = new Float64Array(sets * this.devices).fill(Infinity);
    for (let holders = 0; holders < sets; holders++) {
      for (let to = 0; to < this.devices; to++) {
        for (let from = 0; from < this.devices; from++) {
          if (from === to || (sets > 1 && (holders & (1 << from)) === 0)) continue;
          const at = holders * this.devices + to;
          const { latency, bandwidth } = linkOf(cluster, from, to);
          this.latency[at] = Math.min(this.latency[at], latency * 1e9);
          this.nsPerByte[at] = Math.min(this.nsPerByte[at], 1e9 / bandwidth);
        }
      }
    }
  }

  /** Of one phase, or where the storage is relayed of all phases on its way. */
  least(make: MakeFacts, read: ReadFacts, crossing: Crossing): number {
    const { devices, atEnd, inside } = this;
    const byShare = isByShare(make.axis, read.axis);
    let longest = 0;
    let sum = 0;
    for (let d = 0; d < devices; d++) {
      const need = read.atEnd[d];
      atEnd[d] = inside[d] = 0;
      if (need === 0) continue;
      atEnd[d] = this.receiving(make, d, need, byShare, crossing);
      inside[d] =
        read.inside[d] === need ? atEnd[d] : this.receiving(make, d, read.inside[d], byShare, crossing);
      if (atEnd[d] > longest) longest = atEnd[d];
      sum += inside[d];
    }
    // One device at most lies at either end of the axis: all others need the halos of both sides.
    let first = 0;
    let second = 0;
    let third = 0;
    let saved = 0;
    let savedNext = 0;
    for (let d = 0; d < devices; d++) {
      const ns = inside[d];
      if (ns > first) [first, second, third] = [ns, first, second];
      else if (ns > second) [second, third] = [ns, second];
      else if (ns > third) third = ns;
      const less = ns - atEnd[d];
      if (less > saved) [saved, savedNext] = [less, saved];
      else if (less > savedNext) savedNext = less;
    }
    sum -= saved + savedNext;
    const together = this.together(make, read, byShare, crossing);
    if (this.isShared) return Math.max(0, sum, together);
    // Those that received it may send it on.
    if (crossing.isRelayed) return Math.max(longest, third, together);
    const sent = this.sending(make, read, byShare, crossing);
    return Math.max(longest, third, sent, together, make.holderCount > 0 ? sum / make.holderCount : 0);
  }

  /**
   * What all devices together lack: at the receiver of the largest part. Where three devices or more lack
   * something each, one of them receives or sends two messages: disjoint neighbours along the axis that
   * all lack one side only would all lie shifted the same way, and then the first or last of them lacks nothing.
   * Unless a device's part lies nearly all elsewhere, because the order along the axis is another.
   */
  private together(
    make: MakeFacts,
    read: ReadFacts,
    byShare: boolean,
    { size, elementBytes, isRelayed }: Crossing,
  ): number {
    const missing = Math.max(
      byShare ? this.missingByShare(make, read, size) : 0,
      read.total - Math.min(make.total, commonAtMost(make, read)),
    );
    if (missing <= NOTHING) return 0;
    const { leastLatency, leastNsPerByte } = this;
    const nsPerElement = elementBytes * leastNsPerByte;
    const senders = isRelayed ? Infinity : make.holderCount;
    const ends = this.isShared ? 1 : Math.min(read.receivers, senders);
    const messages = this.leastMessages(make, read, missing);
    const bytesNs = (missing / ends) * nsPerElement;
    const once = Math.max(1, messages / ends) * leastLatency + bytesNs;
    if (make.axis < 0 || make.axis !== read.axis || !make.isDisjoint || read.shared === Infinity) return once;
    if ((make.holders & ~read.active) !== 0 || this.devices > MOST_DEVICES_BY_SET) return once;
    let lacking = 0;
    let least = Infinity;
    for (let d = 0; d < this.devices; d++) {
      if ((read.active & (1 << d)) === 0) continue;
      if (read.atEnd[d] - make.most[d] <= NOTHING) return once;
      lacking++;
      if (read.atEnd[d] < least) least = read.atEnd[d];
    }
    if (lacking < 3) return once;
    const twice = 2 * leastLatency;
    const elsewhere = leastLatency + Math.max(0, least - read.shared + read.slab) * nsPerElement;
    return Math.max(once, Math.min(twice, elsewhere));
  }

  /** Receivers that it takes for all of what is missing. */
  private leastMessages(make: MakeFacts, read: ReadFacts, missing: number): number {
    if (this.devices > MOST_DEVICES_BY_SET) return 1;
    let left = missing;
    let messages = 0;
    // One that holds everything receives nothing.
    for (
      let done = make.holderCount === 1 ? make.holders : 0;
      left > NOTHING && messages < this.devices;
      messages++
    ) {
      const next = largestLeft(read.most, done);
      if (next < 0) break;
      done |= 1 << next;
      left -= read.most[next];
    }
    return messages;
  }

  /** Units go to the devices that hold most of each. */
  private missingByShare({ most }: MakeFacts, read: ReadFacts, size: number): number {
    if (this.devices > MOST_DEVICES_BY_SET) return 0;
    const { perUnit, lo, hi, beside, receivers } = read;
    let left = read.units;
    let missing = 0;
    for (let d = 0; d < lo.length; d++) {
      left -= lo[d];
      missing += lo[d] * Math.max(0, 1 - most[d] / size);
    }
    for (let done = 0; left > 0;) {
      const next = largestLeft(most, done);
      if (next < 0) break;
      done |= 1 << next;
      const units = Math.min(left, hi[next] - lo[next]);
      left -= units;
      missing += units * Math.max(0, 1 - most[next] / size);
    }
    return perUnit * missing + beside * receivers;
  }

  /** What the busiest sender must send because nobody else may hold it. */
  private sending(
    make: MakeFacts,
    read: ReadFacts,
    byShare: boolean,
    { size, elementBytes }: Crossing,
  ): number {
    const { devices } = this;
    let longest = 0;
    for (let from = 0; from < devices; from++) {
      if (make.most[from] === 0) continue;
      const elsewhere = make.elsewhere[from];
      if (elsewhere >= size) continue;
      let ns = 0;
      for (let to = 0; to < devices; to++) {
        const need = read.atEnd[to];
        if (to === from || need === 0) continue;
        const only = need - (byShare ? (need * elsewhere) / size : elsewhere);
        if (only <= NOTHING) continue;
        const pair = from * devices + to;
        ns += this.pairLatency[pair] + only * elementBytes * this.pairNsPerByte[pair];
      }
      if (ns > longest) longest = ns;
    }
    return longest;
  }

  private receiving(
    make: MakeFacts,
    d: number,
    need: number,
    byShare: boolean,
    { size, elementBytes, isRelayed }: Crossing,
  ): number {
    const held = byShare ? need * Math.min(1, make.most[d] / size) : make.most[d];
    const missing = need - held;
    if (missing <= NOTHING) return 0;
    const scale = byShare ? need / size : 1;
    let messages = 1;
    const row = d * this.devices;
    while (messages < this.devices - 1 && make.others[row + messages - 1] * scale < missing - NOTHING)
      messages++;
    const at = make.holders * this.devices + d;
    // Nobody else may hold it: there is no such partition, and no message either.
    if (this.latency[at] === Infinity) return 0;
    if (isRelayed) {
      // Less than two messages' time is room for one phase with one message, of what the maker's devices hold.
      return Math.min(2, messages) * this.leastLatency + missing * elementBytes * this.leastNsPerByte;
    }
    return messages * this.latency[at] + missing * elementBytes * this.nsPerByte[at];
  }
}

/** The device with the most of those whose bit is not set in `done`; -1 where none is left. */
function largestLeft(most: Float64Array, done: number): number {
  let next = -1;
  for (let d = 0; d < most.length; d++) {
    if ((done & (1 << d)) === 0 && (next < 0 || most[d] > most[next])) next = d;
  }
  return next;
}

/** Elements that devices both hold and need. */
function commonAtMost({ most }: MakeFacts, read: ReadFacts): number {
  let common = 0;
  for (let d = 0; d < most.length; d++) common += Math.min(most[d], read.most[d]);
  return common;
}

function isByShare(made: number, read: number): boolean {
  if (made === WHOLE_AXIS) return true;
  return made !== MIXED_AXIS && read !== MIXED_AXIS && made !== read;
}

function linkOf({ network }: Cluster, from: number, to: number): { latency: number; bandwidth: number } {
  const link = network.links.find((candidate) => candidate.from === from && candidate.to === to);
  return { latency: link?.latency ?? network.latency, bandwidth: link?.bandwidth ?? network.bandwidth };
}
