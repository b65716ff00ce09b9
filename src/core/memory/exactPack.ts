import type { Random } from '../graph/random';
import { ALIGNMENT, type Blocks } from './blocks';
import { packRows, row, type Rows } from './rows';

/** Which of the blocks that could lie lowest is tried first. */
export const RANKINGS = {
  /** Most crowded steps first, then long lifetimes, then large areas; and two other orders of the same three. */
  'crowd, lifetime, area': (t) => [t.crowd, t.lifetime, t.area],
  'crowd, area, lifetime': (t) => [t.crowd, t.area, t.lifetime],
  'lifetime, area, crowd': (t) => [t.lifetime, t.area, t.crowd],
  'area, crowd, lifetime': (t) => [t.area, t.crowd, t.lifetime],
} as const satisfies Record<string, (traits: Traits) => number[]>;

export type Ranking = keyof typeof RANKINGS;

interface Traits {
  readonly crowd: number;
  readonly lifetime: number;
  readonly area: number;
}

export interface PackRules {
  /** Solve groups of blocks apart once no unplaced block is live together with both. */
  readonly split: boolean;
  /** Never leave a gap into which an unplaced block would fit whole. */
  readonly dominance: boolean;
  /** Give up when, in some section, the lowest place still free plus all that must lie there exceeds the capacity. */
  readonly fragmentation: boolean;
  /** Remember groups of blocks, with the places left to them, that could not be placed. */
  readonly remember: boolean;
}

export const ALL_PACK_RULES: PackRules = {
  split: true,
  dominance: true,
  fragmentation: true,
  remember: true,
};

export type PackOutcome =
  | { readonly kind: 'packed'; readonly offsets: Float64Array }
  | { readonly kind: 'impossible' }
  /** The nodes allowed are used up, or `interrupted` said so. */
  | { readonly kind: 'stopped' };

/** How one try goes about it. */
export interface PackTry {
  readonly ranking: Ranking;
  /** Rank the blocks of a group anew, by what is left of it, when it falls off from the rest. */
  readonly renew: boolean;
  /** How far, as a share of all ranks of a group, a rank may be thrown back by chance (0: not at all). */
  readonly noise: number;
  readonly nodeLimit: number;
}

/** Nodes between two looks at the clock. */
const NODES_PER_LOOK = 1 << 7;
const MOST_FAILURES = 1 << 19;

/**
 * Is there a placement of the blocks below `capacity`? Backtracking over the canonical solutions, in which
 * every block rests on the floor or on another block: blocks are placed in rising order of (offset, rank), each
 * at the lowest offset that is free above all blocks placed so far. Sections, canonical order and the bounds are
 * those of the offset-assignment literature (M. D. Moffitt, MiniMalloc, ASPLOS 2023, doi 10.1145/3623278.3624752).
 */
export class ExactPacker {
  nodes = 0;
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  private readonly rank: Int32Array;
  private readonly offsets: Float64Array;
  /** Per block that is not placed: lowest offset above everything placed that is live together with it. */
  private readonly lowest: Float64Array;
  /** Per section: bytes of unplaced blocks. */
  private readonly left: Float64Array;
  /** Per block: least size of a block that it is ever live together with. */
  private readonly leastNeighbour: Float64Array;
  private readonly neighbours: Rows;
  private readonly placed: Uint8Array;
  private readonly floor: Float64Array;
  private readonly failures = new Map<number, number>();
  private how: PackTry = { ranking: 'crowd, lifetime, area', renew: false, noise: 0, nodeLimit: 0 };
  private random: Random = { next: () => 0, below: () => 0 };
  private groupKey = 0;
  private interrupted: () => boolean = () => false;
  private isStopped = false;

  constructor(
    private readonly blocks: Blocks,
    private readonly capacity: number,
    private readonly rules: PackRules = ALL_PACK_RULES,
  ) {
    const { count, lower, upper, size } = blocks;
    const edges = Array.from(new Set([...lower, ...upper])).sort((a, b) => a - b);
    const section = new Map(edges.map((edge, index) => [edge, index]));
    this.from = lower.map((edge) => section.get(edge)!);
    this.to = upper.map((edge) => section.get(edge)!);
    this.rank = new Int32Array(count);
    this.offsets = new Float64Array(count);
    this.lowest = new Float64Array(count);
    this.left = new Float64Array(edges.length);
    this.neighbours = neighboursOf(blocks);
    this.placed = new Uint8Array(count);
    this.leastNeighbour = leastNeighbours(blocks, this.neighbours);
    this.floor = new Float64Array(edges.length);
    for (let block = 0; block < count; block++) {
      for (let at = this.from[block]; at < this.to[block]; at++) this.left[at] += size[block];
    }
  }

  pack(how: PackTry, random: Random, interrupted: () => boolean): PackOutcome {
    this.how = how;
    this.random = random;
    this.nodes = 0;
    this.interrupted = interrupted;
    this.isStopped = false;
    this.failures.clear();
    this.lowest.fill(0);
    this.placed.fill(0);
    const all = Int32Array.from(this.rank.keys()).sort((a, b) => this.from[a] - this.from[b] || a - b);
    const isPlaced = this.rules.split ? this.placeGroups(all, 0, -1) : this.placeAnew(all);
    if (isPlaced) return { kind: 'packed', offsets: this.offsets.slice() };
    return { kind: this.isStopped ? 'stopped' : 'impossible' };
  }

  private setRanks(group: Int32Array): void {
    const { lower, upper, size } = this.blocks;
    const { ranking, noise } = this.how;
    const keys = new Map<number, number[]>();
    for (const block of group) {
      let crowd = 0;
      for (let at = this.from[block]; at < this.to[block]; at++) crowd = Math.max(crowd, this.left[at]);
      const lifetime = upper[block] - lower[block];
      keys.set(block, RANKINGS[ranking]({ crowd, lifetime, area: lifetime * size[block] }));
    }
    const order = group.slice().sort((a, b) => {
      const [x, y] = [keys.get(a)!, keys.get(b)!];
      return y[0] - x[0] || y[1] - x[1] || y[2] - x[2] || a - b;
    });
    if (noise > 0) {
      const thrown = new Map<number, number>();
      order.forEach((block, rank) => thrown.set(block, rank + noise * order.length * this.random.next()));
      order.sort((a, b) => thrown.get(a)! - thrown.get(b)!);
    }
    order.forEach((block, rank) => (this.rank[block] = rank));
  }

  /** Places the blocks (sorted by first section) group by group, the group with the least room to spare first. */
  private placeGroups(unplaced: Int32Array, atOffset: number, atRank: number): boolean {
    const groups = this.groupsOf(unplaced);
    if (groups.length === 1 && atRank >= 0) return this.placeNext(unplaced, atOffset, atRank);
    if (groups.length > 1) {
      const spare = new Map(groups.map((group) => [group, this.spareOf(group)]));
      groups.sort((a, b) => spare.get(a)! - spare.get(b)!);
    }
    const isAnew = this.how.renew || atRank < 0;
    for (let at = 0; at < groups.length; at++) {
      if (isAnew ? this.placeAnew(groups[at]) : this.placeNext(groups[at], atOffset, atRank)) continue;
      for (const group of groups.slice(0, at)) this.unplaceAll(group);
      return false;
    }
    return true;
  }

  /** Runs of blocks such that no block of one is live together with a block of another. */
  private groupsOf(unplaced: Int32Array): Int32Array[] {
    const groups: Int32Array[] = [];
    let start = 0;
    let end = 0;
    for (let at = 0; at <= unplaced.length; at++) {
      if (at > start && (at === unplaced.length || this.from[unplaced[at]] >= end)) {
        groups.push(unplaced.subarray(start, at));
        start = at;
      }
      if (at < unplaced.length) end = Math.max(end, this.to[unplaced[at]]);
    }
    return groups;
  }

  /** Places a group as a problem of its own, with ranks of its own and any block first. */
  private placeAnew(group: Int32Array): boolean {
    const { rank, groupKey } = this;
    const ranks = Int32Array.from(group, (block) => rank[block]);
    this.setRanks(group);
    this.groupKey = group.reduce((key, block) => Math.imul(key ^ block, 0x9e3779b1) ^ (key >>> 15), 17);
    const isPlaced = this.placeNext(group, 0, -1);
    this.groupKey = groupKey;
    group.forEach((block, at) => (rank[block] = ranks[at]));
    return isPlaced;
  }

  private placeNext(unplaced: Int32Array, atOffset: number, atRank: number): boolean {
    if (unplaced.length === 0) return true;
    if (!this.mayGoOn() || (this.rules.fragmentation && !this.fits(unplaced, atOffset, atRank))) return false;
    if (!this.rules.remember) return this.tryCandidates(unplaced, atOffset, atRank);
    const key = this.keyOf(unplaced, atRank < 0 ? 0 : this.groupKey);
    const position = atOffset * this.blocks.count + atRank;
    const failedAt = this.failures.get(key);
    if (failedAt !== undefined && failedAt <= position) return false;
    if (this.tryCandidates(unplaced, atOffset, atRank)) return true;
    if (this.failures.size >= MOST_FAILURES) this.failures.clear();
    if (!this.isStopped) this.failures.set(key, position);
    return false;
  }

  /**
   * A number for the unplaced blocks and the lowest offset of each, which together are the whole problem left;
   * within a group also for that group, since its ranks say which positions are still open.
   * Two problems could share a number (about once in 2^52 pairs): a placement might then be missed, never a
   * wrong one made.
   */
  private keyOf(unplaced: Int32Array, groupKey: number): number {
    let [high, low] = [0x9e3779b9 ^ groupKey, 0x85ebca6b ^ groupKey];
    for (const block of unplaced) {
      const offset = this.lowest[block] / ALIGNMENT;
      high = Math.imul(high ^ block, 0xcc9e2d51) ^ offset;
      high ^= high >>> 15;
      low = Math.imul(low ^ offset, 0x1b873593) ^ block;
      low ^= low >>> 13;
    }
    return (high >>> 0) * 0x100000 + (low >>> 12);
  }

  /** Tries every block that can come next in rising order of (offset, rank). */
  private tryCandidates(unplaced: Int32Array, atOffset: number, atRank: number): boolean {
    const { lowest, rank } = this;
    const candidates = this.candidates(unplaced, atOffset, atRank);
    const rest = new Int32Array(unplaced.length - 1);
    const saved = new Float64Array(unplaced.length);
    for (const block of candidates) {
      const offset = lowest[block];
      if (offset + this.blocks.size[block] > this.capacity) return false;
      this.place(block, offset, unplaced, rest, saved);
      if (
        this.rules.split
          ? this.placeGroups(rest, offset, rank[block])
          : this.placeNext(rest, offset, rank[block])
      )
        return true;
      this.unplace(block, unplaced, saved);
      if (this.isStopped) return false;
    }
    return false;
  }

  private mayGoOn(): boolean {
    this.nodes++;
    if (this.nodes > this.how.nodeLimit || (this.nodes % NODES_PER_LOOK === 0 && this.interrupted()))
      this.isStopped = true;
    return !this.isStopped;
  }

  /**
   * Lowest offset that an unplaced block can still take. A block that was passed over has to rest on one that
   * is placed later, so it lies at least that block's size higher.
   */
  private reachable(block: number, atOffset: number, atRank: number): number {
    const offset = this.lowest[block];
    const isOpen = offset > atOffset || (offset === atOffset && this.rank[block] > atRank);
    return isOpen ? offset : this.leastSupport(block, atOffset, atRank);
  }

  private leastSupport(block: number, atOffset: number, atRank: number): number {
    const { neighbours, placed, lowest, rank, leastNeighbour } = this;
    const { size } = this.blocks;
    let least = Infinity;
    for (let at = neighbours.start[block]; at < neighbours.start[block + 1]; at++) {
      const other = neighbours.values[at];
      if (placed[other] === 1) continue;
      const offset = lowest[other];
      const isOpen = offset > atOffset || (offset === atOffset && rank[other] > atRank);
      const top = (isOpen ? offset : atOffset + leastNeighbour[other]) + size[other];
      if (top < least) least = top;
    }
    return least;
  }

  /** Section by section: nothing unplaced can lie below the lowest place that one of its blocks can take. */
  private fits(unplaced: Int32Array, atOffset: number, atRank: number): boolean {
    const { floor, from, to, left, capacity } = this;
    const first = from[unplaced[0]];
    const last = this.clearFloor(unplaced);
    for (const block of unplaced) {
      const offset = this.reachable(block, atOffset, atRank);
      for (let at = from[block]; at < to[block]; at++) if (offset < floor[at]) floor[at] = offset;
    }
    for (let at = first; at < last; at++) if (left[at] > 0 && floor[at] + left[at] > capacity) return false;
    return true;
  }

  /** Bytes that a group has to spare in the section where they are fewest. */
  private spareOf(group: Int32Array): number {
    const { floor, from, to, left, lowest, capacity } = this;
    const last = this.clearFloor(group);
    for (const block of group) {
      for (let at = from[block]; at < to[block]; at++) floor[at] = Math.min(floor[at], lowest[block]);
    }
    let least = Infinity;
    for (let at = from[group[0]]; at < last; at++) least = Math.min(least, capacity - floor[at] - left[at]);
    return least;
  }

  /** Opens `floor` in the sections of the blocks (sorted by first section); returns the end of the last. */
  private clearFloor(unplaced: Int32Array): number {
    let last = 0;
    for (const block of unplaced) if (this.to[block] > last) last = this.to[block];
    this.floor.fill(Infinity, this.from[unplaced[0]], last);
    return last;
  }

  private candidates(unplaced: Int32Array, atOffset: number, atRank: number): number[] {
    const { lowest, rank } = this;
    const { size } = this.blocks;
    let lid = Infinity;
    for (const block of unplaced) lid = Math.min(lid, lowest[block] + size[block]);
    const found: number[] = [];
    for (const block of unplaced) {
      const offset = lowest[block];
      if (this.rules.dominance && offset >= lid) continue;
      if (offset > atOffset || (offset === atOffset && rank[block] > atRank)) found.push(block);
    }
    return found.sort((a, b) => lowest[a] - lowest[b] || rank[a] - rank[b]);
  }

  private place(
    block: number,
    offset: number,
    unplaced: Int32Array,
    rest: Int32Array,
    saved: Float64Array,
  ): void {
    const { from, to, lowest, left } = this;
    const size = this.blocks.size[block];
    const top = offset + size;
    this.offsets[block] = offset;
    this.placed[block] = 1;
    let count = 0;
    for (let at = 0; at < unplaced.length; at++) {
      const other = unplaced[at];
      saved[at] = lowest[other];
      if (other === block) continue;
      rest[count++] = other;
      if (from[other] < to[block] && to[other] > from[block] && lowest[other] < top) lowest[other] = top;
    }
    for (let at = from[block]; at < to[block]; at++) left[at] -= size;
  }

  private unplace(block: number, unplaced: Int32Array, saved: Float64Array): void {
    for (let at = 0; at < unplaced.length; at++) this.lowest[unplaced[at]] = saved[at];
    this.placed[block] = 0;
    for (let at = this.from[block]; at < this.to[block]; at++) this.left[at] += this.blocks.size[block];
  }

  /** Takes a solved group off again: what lay below it is restored by the caller's own `unplace`. */
  private unplaceAll(group: Int32Array): void {
    for (const block of group) {
      this.placed[block] = 0;
      for (let at = this.from[block]; at < this.to[block]; at++) this.left[at] += this.blocks.size[block];
    }
  }
}

function neighboursOf({ count, lower, upper }: Blocks): Rows {
  const rows = Array.from({ length: count }, (_, block) => {
    const found: number[] = [];
    for (let other = 0; other < count; other++) {
      if (other !== block && lower[other] < upper[block] && upper[other] > lower[block]) found.push(other);
    }
    return found;
  });
  return packRows(rows);
}

function leastNeighbours({ count, size }: Blocks, neighbours: Rows): Float64Array {
  const least = new Float64Array(count).fill(Infinity);
  for (let block = 0; block < count; block++) {
    for (const other of row(neighbours, block)) least[block] = Math.min(least[block], size[other]);
  }
  return least;
}
