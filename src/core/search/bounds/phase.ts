/**
 * Least length of one message phase of the synchronous model, given what each device needs at least and holds
 * at most. Every term counts what some device must receive whatever the places along the axis are:
 *
 *     cut along the same axis    received >= needed - held
 *     cut along different axes   received >= needed * (1 - share held)
 *     runs across the cut axis   the same, but for a part of one cycle of the axis each
 *     otherwise                  received >= needed - held, in elements
 *
 * and takes the best link and the fewest senders that could hold it.
 */
import type { Nanoseconds } from '../../graph/units';
import type { MakeFacts, ReadFacts } from './lengthBox';
import { MIXED_AXIS, WHOLE_AXIS } from './lengthTables';
import { MOST_DEVICES_BY_SET, type PhaseLinks } from './phaseLinks';
import { PlacedPhase, type ByOrder, type Places } from './placedPhase';

/** Below this share of an element nothing is missing: room for floating point. */
const NOTHING = 1e-6;
/** What crosses from a maker to a reader. */
export interface Crossing {
  /** Elements of the storage. */
  readonly size: number;
  /** Per factored axis of the storage the elements of one cycle: all places along the axis once. */
  readonly cycles: readonly number[];
  /** The same in the order in which the reader's runs go through them. */
  readonly readCycles: readonly number[];
  /** Handed on by others in between, each in a phase of its own. */
  readonly isRelayed: boolean;
}

export class PhaseBound {
  private readonly devices: number;
  private readonly atEnd: Float64Array;
  private readonly inside: Float64Array;
  private readonly lacking: Float64Array;
  private readonly gains: Float64Array;
  /** Elements of the storage at hand. */
  private size = 0;
  /** Devices hold their share of any part, and more of an incomplete cycle; negative where only sizes are known. */
  private cycle = -1;
  /** The parts that are made are runs, not those that are needed. */
  private isMadeRun = false;

  private readonly placed: PlacedPhase;

  /** @param areColumnsRows what is cut along rows at either end stands for what is cut along columns there as well */
  constructor(
    private readonly links: PhaseLinks,
    private readonly areColumnsRows: boolean,
  ) {
    this.devices = links.devices;
    this.placed = new PlacedPhase(links);
    this.atEnd = new Float64Array(this.devices);
    this.inside = new Float64Array(this.devices);
    this.lacking = new Float64Array(this.devices);
    this.gains = new Float64Array(this.devices);
  }

  /** Of one phase, or where the storage is relayed of all phases on its way. */
  least(make: MakeFacts, read: ReadFacts, crossing: Crossing): Nanoseconds {
    const least = this.anywhere(make, read, crossing);
    const places = crossing.size === 0 ? undefined : placesOf(make, read);
    if (places === undefined) return least;
    const limit = this.areColumnsRows ? Math.max(least, this.across(make, read, crossing)) : Infinity;
    return limit === least
      ? least
      : Math.min(
          limit,
          this.placed.least(...places, read.elementBytes, crossing.isRelayed, {
            least,
            reordered: this.reordered(make, read),
          }),
        );
  }

  /** The same by the devices' order. */
  leastByOrder(make: MakeFacts, read: ReadFacts, crossing: Crossing): ByOrder {
    const least = this.anywhere(make, read, crossing);
    const places = crossing.size === 0 ? undefined : placesOf(make, read);
    const { kept, reordered } =
      places === undefined
        ? { kept: least, reordered: Math.max(least, this.reordered(make, read)) }
        : this.placed.leastByOrder(...places, read.elementBytes, crossing.isRelayed, least);
    if (!this.areColumnsRows) return { kept, reordered };
    const limit = Math.max(least, this.across(make, read, crossing));
    return { kept: Math.min(kept, limit), reordered: Math.min(reordered, limit) };
  }

  /** Where rows meet columns: everybody lacks what lies along the others' rows. */
  private across(make: MakeFacts, read: ReadFacts, { size, isRelayed }: Crossing): Nanoseconds {
    const { leastLatency, leastNsPerByte } = this.links;
    let longest = 0;
    for (let d = 0; d < this.devices; d++) {
      const missing = read.atEnd[d] * (1 - make.most[d] / size);
      if (missing <= NOTHING) continue;
      let others = 0;
      if (make.doubled === 0) {
        for (let other = 0; other < this.devices; other++) if (other !== d && make.least[other] > 0) others++;
      }
      const messages = Math.max(1, isRelayed ? Math.min(2, others) : others);
      longest = Math.max(longest, messages * leastLatency + missing * read.elementBytes * leastNsPerByte);
    }
    return longest;
  }

  /**
   * Where the order is another, two devices changed places. Of what they need either both hold no more together than what
   * both hold or both need, so that one lacks half of the rest, or one of them holds nothing at all.
   */
  private reordered(make: MakeFacts, read: ReadFacts): Nanoseconds {
    if (make.axis < 0 || make.axis !== read.axis || this.devices > MOST_DEVICES_BY_SET) return 0;
    let least = Infinity;
    let next = Infinity;
    for (let d = 0; d < this.devices; d++) {
      const isReader = (read.active & (1 << d)) !== 0;
      if (!isReader && (read.most[d] > 0 || make.most[d] > 0)) return 0;
      if (!isReader) continue;
      const need = read.atEnd[d];
      next = Math.min(next, Math.max(need, least));
      least = Math.min(need, least);
    }
    if (next === Infinity) return 0;
    const missing = Math.min(least, (least + next - read.shared - make.doubled) / 2);
    if (missing <= NOTHING) return 0;
    const { leastLatency, leastNsPerByte } = this.links;
    return leastLatency + missing * read.elementBytes * leastNsPerByte;
  }

  /** Whatever the places are. */
  private anywhere(make: MakeFacts, read: ReadFacts, crossing: Crossing): Nanoseconds {
    if (crossing.size === 0) return 0;
    const { devices, atEnd, inside } = this;
    this.cross(make, read, crossing);
    let longest = 0;
    let sum = 0;
    for (let d = 0; d < devices; d++) {
      const need = read.atEnd[d];
      atEnd[d] = inside[d] = 0;
      if (need === 0) continue;
      atEnd[d] = this.receiving(make, read, d, need, crossing);
      inside[d] =
        read.inside[d] === need ? atEnd[d] : this.receiving(make, read, d, read.inside[d], crossing);
      if (atEnd[d] > longest) longest = atEnd[d];
      sum += inside[d];
    }
    // All devices that do not lie at an end of the axis need the halos of both sides.
    longest = Math.max(longest, this.largestInside(read.ends));
    sum -= this.savedAtEnds(read.ends);
    const together = this.together(make, read, crossing);
    if (this.links.isShared) return Math.max(0, sum, together);
    // Those that received it may send it on.
    if (crossing.isRelayed) return Math.max(longest, together, this.leaving(make, read));
    const sent = this.sending(make, read, crossing);
    const exchanged = this.exchanged(make, read);
    return Math.max(longest, sent, together, exchanged, make.holderCount > 0 ? sum / make.holderCount : 0);
  }

  /** How the parts that are made lie across those that are needed. */
  private cross(make: MakeFacts, read: ReadFacts, { size, cycles, readCycles }: Crossing): void {
    this.size = size;
    this.isMadeRun = false;
    this.cycle = -1;
    if (make.axis === WHOLE_AXIS || read.axis === WHOLE_AXIS) this.cycle = 0;
    else if (make.axis !== MIXED_AXIS && read.axis !== MIXED_AXIS) {
      if (make.axis !== read.axis) this.cycle = 0;
    } else if (make.axis !== MIXED_AXIS) {
      if (read.isRun) this.cycle = readCycles[make.axis];
    } else if (read.axis !== MIXED_AXIS && make.isRun) {
      this.cycle = cycles[read.axis];
      this.isMadeRun = true;
    }
  }

  /** What devices that hold a part of the whole hold of what is needed, at most. @param parts of how many devices */
  private heldOf(need: number, held: number, parts: number): number {
    const { size, cycle } = this;
    if (cycle < 0) return held;
    const share = Math.min(1, held / size);
    const beyond = this.isMadeRun ? parts * spread(need / size) : spread(share);
    return Math.min(held, need, need * share + cycle * beyond);
  }

  /** The largest that is left once the given number of larger ones lie at an end. */
  private largestInside(ends: number): number {
    const { inside, devices } = this;
    if (ends >= devices) return 0;
    for (let d = 0; ; d++) {
      let larger = 0;
      let equal = 0;
      for (let other = 0; other < devices; other++) {
        if (inside[other] > inside[d]) larger++;
        else if (inside[other] === inside[d]) equal++;
      }
      if (larger <= ends && larger + equal > ends) return inside[d];
    }
  }

  /** What lying at an end saves at most, of as many devices as may. */
  private savedAtEnds(ends: number): number {
    const { inside, atEnd, devices } = this;
    let sum = 0;
    for (let d = 0; d < devices; d++) {
      const saved = inside[d] - atEnd[d];
      if (saved <= 0) continue;
      let before = 0;
      for (let other = 0; other < devices; other++) {
        const theirs = inside[other] - atEnd[other];
        if (theirs > saved || (theirs === saved && other < d)) before++;
      }
      if (before < ends) sum += saved;
    }
    return sum;
  }

  /**
   * With one message at each device, every receiver has a sender of its own that holds all that it lacks. Where
   * there are too few such senders, one device receives or sends two messages.
   */
  private exchanged(make: MakeFacts, read: ReadFacts): number {
    const { devices, lacking } = this;
    for (let d = 0; d < devices; d++)
      lacking[d] = read.atEnd[d] - this.heldOf(read.atEnd[d], make.most[d], 1);
    let least = Infinity;
    let isPossible = true;
    for (let d = 0; d < devices; d++) {
      const missing = lacking[d];
      if (missing <= NOTHING) continue;
      if (missing < least) least = missing;
      let receivers = 0;
      let senders = 0;
      for (let other = 0; other < devices; other++) {
        if (make.most[other] >= missing - NOTHING) senders++;
        if (lacking[other] >= missing - NOTHING) receivers++;
      }
      if (senders < receivers) isPossible = false;
    }
    if (isPossible) return 0;
    return 2 * this.links.leastLatency + least * read.elementBytes * this.links.leastNsPerByte;
  }

  /** What all devices together lack: at the receiver of the largest part. */
  private together(make: MakeFacts, read: ReadFacts, { isRelayed }: Crossing): number {
    const missing = Math.max(
      this.cycle >= 0 ? this.missingByShare(make, read) : 0,
      read.total - Math.min(make.total, commonAtMost(make, read)),
      this.cycle < 0 ? this.missingUnits(make, read) : 0,
    );
    if (missing <= NOTHING) return 0;
    const senders = isRelayed ? Infinity : make.holderCount;
    const ends = this.links.isShared ? 1 : Math.min(read.receivers, senders);
    const messages = this.leastMessages(make, read, missing);
    const once =
      Math.max(1, messages / ends) * this.links.leastLatency +
      (missing / ends) * read.elementBytes * this.links.leastNsPerByte;
    return Math.max(once, this.twiceSomewhere(make, read));
  }

  /**
   * Where three devices or more lack something each and at every cut at least one of the two neighbours does
   * (both need more than both can hold), one device receives or sends two messages: with one message each,
   * neighbours would exchange theirs in pairs, and between two pairs nobody would lack anything. Unless the
   * order along the axis is another: then two devices that changed places share what they need and hold.
   */
  private twiceSomewhere(make: MakeFacts, read: ReadFacts): number {
    if (make.axis < 0 || make.axis !== read.axis || !make.isOrdered || !read.isOrdered) return 0;
    if (make.doubled >= read.overlap - NOTHING) return 0;
    if ((make.holders & ~read.active) !== 0 || this.devices > MOST_DEVICES_BY_SET) return 0;
    let lacking = 0;
    let least = Infinity;
    for (let d = 0; d < this.devices; d++) {
      if ((read.active & (1 << d)) === 0) continue;
      if (read.atEnd[d] - make.most[d] <= NOTHING) return 0;
      lacking++;
      if (read.atEnd[d] < least) least = read.atEnd[d];
    }
    if (lacking < 3) return 0;
    const { leastLatency, leastNsPerByte } = this.links;
    const elsewhere =
      Math.max(0, least - (read.shared + make.doubled) / 2) * read.elementBytes * leastNsPerByte;
    return leastLatency + Math.min(leastLatency, elsewhere);
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
  private missingByShare({ most }: MakeFacts, read: ReadFacts): number {
    const { size, cycle } = this;
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
    let beyond = 0;
    for (let d = 0; d < most.length; d++)
      beyond += cycle * (this.isMadeRun ? MOST_SPREAD : spread(Math.min(1, most[d] / size)));
    return Math.max(perUnit * missing + beside * receivers, this.missingOnce(most, read)) - beyond;
  }

  /**
   * Each device computes from what it holds as many units as that is enough for, halos included, within its lengths; what
   * is left of the units has to arrive. Lines that follow the needs hold up to `place.longest` units: one device has more,
   * and then needs almost all of it, or none has.
   */
  private missingUnits(make: MakeFacts, read: ReadFacts): number {
    const { place, hi, gathered, spread } = read;
    const apart = Math.max(spread - make.total, this.uncovered(make, read, place.longest, place.least));
    if (gathered === Infinity) return apart;
    let most = 0;
    for (let d = 0; d < hi.length; d++) if (hi[d] > place.longest && make.most[d] > most) most = make.most[d];
    const atOne = gathered - most;
    return atOne >= apart
      ? apart
      : Math.max(atOne, Math.min(apart, this.uncovered(make, read, Infinity, place.leastWhole)));
  }

  /** Elements that what is held leaves uncovered, at least, where the needs are `perUnit * n + beside` up to `longest`. */
  private uncovered(make: MakeFacts, read: ReadFacts, longest: number, beside: number): number {
    const { perUnit, units, lo, hi, ends, place } = read;
    const { devices, gains } = this;
    let covered = 0;
    for (let d = 0; d < devices; d++) {
      const most = perUnit * Math.min(longest, hi[d]);
      const least = lo[d] > 0 ? -Infinity : 0;
      const inside = Math.min(most, Math.max(least, make.most[d] - beside));
      const atEnd = Math.min(most, Math.max(least, make.most[d] - beside + place.saved));
      covered += inside;
      gains[d] = atEnd - inside;
    }
    for (let k = 0; k < ends; k++) {
      let at = 0;
      for (let d = 1; d < devices; d++) if (gains[d] > gains[at]) at = d;
      covered += gains[at];
      gains[at] = 0;
    }
    return perUnit * units - covered;
  }

  /** Each element that somebody needs goes to the device that holds most, as far as that may need so much. */
  private missingOnce(most: Float64Array, read: ReadFacts): number {
    let left = read.together;
    let missing = 0;
    for (let done = 0; left > 0;) {
      const next = largestLeft(most, done);
      if (next < 0) break;
      done |= 1 << next;
      const elements = Math.min(left, read.most[next]);
      left -= elements;
      missing += elements * Math.max(0, 1 - most[next] / this.size);
    }
    return missing;
  }

  /** What the busiest sender must send because nobody else may hold it. */
  private sending(make: MakeFacts, read: ReadFacts, { size }: Crossing): number {
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
        const only = need - this.heldOf(need, elsewhere, make.holderCount - 1);
        if (only <= NOTHING) continue;
        const pair = from * devices + to;
        ns += this.links.pairLatency[pair] + only * read.elementBytes * this.links.pairNsPerByte[pair];
      }
      if (ns > longest) longest = ns;
    }
    return longest;
  }

  /**
   * What must leave a device of the maker because nobody else may hold it: once at least, whoever sends it on, and in
   * two messages one after the other where two others need it, be it that one of them gets it from the other.
   */
  private leaving(make: MakeFacts, read: ReadFacts): number {
    let longest = 0;
    for (let from = 0; from < this.devices; from++) {
      if (make.most[from] === 0) continue;
      const only = read.together - read.most[from] - make.elsewhere[from];
      if (only <= NOTHING) continue;
      let others = 0;
      for (let d = 0; d < this.devices; d++) {
        if (d !== from && read.atEnd[d] - make.elsewhere[from] > NOTHING) others++;
      }
      const messages = Math.max(1, Math.min(2, others));
      longest = Math.max(
        longest,
        messages * this.links.leastLatency + only * read.elementBytes * this.links.leastNsPerByte,
      );
    }
    return longest;
  }

  private receiving(
    make: MakeFacts,
    { elementBytes }: ReadFacts,
    d: number,
    need: number,
    { isRelayed }: Crossing,
  ): number {
    const missing = need - this.heldOf(need, make.most[d], 1);
    if (missing <= NOTHING) return 0;
    let messages = 1;
    const row = d * this.devices;
    while (
      messages < this.devices - 1 &&
      this.heldOf(need, make.others[row + messages - 1], messages) < missing - NOTHING
    )
      messages++;
    const at = make.holders * this.devices + d;
    // Nobody else may hold it: there is no such partition, and no message either.
    if (this.links.latency[at] === Infinity) return 0;
    if (isRelayed) {
      // Less than two messages' time is room for one phase with one message, of what the maker's devices hold.
      // On a shared medium one of the two may be another receiver's.
      const counted = this.links.isShared ? 1 : Math.min(2, messages);
      return counted * this.links.leastLatency + missing * elementBytes * this.links.leastNsPerByte;
    }
    return messages * this.links.latency[at] + missing * elementBytes * this.links.nsPerByte[at];
  }
}

/** Where both are cut along the same axis at few places each. */
function placesOf(make: MakeFacts, read: ReadFacts): [Places, Places] | undefined {
  if (make.places === undefined || read.places === undefined || make.axis !== read.axis) return undefined;
  return make.places.spans.slab === read.places.spans.slab ? [make.places, read.places] : undefined;
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

/**
 * `share * (1 - share)`: a run passes through the places of an axis cycle by cycle; in its last, incomplete
 * cycle it can meet a part of the places with that share as much more often than with any part of its size.
 */
function spread(share: number): number {
  return share * (1 - share);
}

const MOST_SPREAD = 0.25;
