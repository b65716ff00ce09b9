/**
 * Least costs of the pairs of boxes of two variables, worked out where they matter. What a pair of boxes costs at least,
 * pairs of parts of these cost as well: that stands for them until they come within reach.
 */
import { NONE, type Nanoseconds } from '../../graph/units';

/** Where the boxes of a variable stand in tables, so that others can come and go without moving them. */
export class BoxSlots {
  /** Per box. */
  taken: number[];
  capacity: number;
  private readonly free: number[] = [];

  constructor(boxes: number) {
    this.taken = Array.from({ length: boxes }, (_, i) => i);
    this.capacity = boxes;
  }

  /** @param staying positions, ascending @returns the slots of boxes that follow them */
  replace(staying: readonly number[], added: number): number[] {
    const { taken, free } = this;
    const stays = new Set(staying);
    taken.forEach((slot, i) => {
      if (!stays.has(i)) free.push(slot);
    });
    while (free.length < added) {
      const next = Math.ceil(GROWTH * this.capacity) + 1;
      for (let slot = next - 1; slot >= this.capacity; slot--) free.push(slot);
      this.capacity = next;
    }
    const renewed = Array.from({ length: added }, () => free.pop()!);
    this.taken = [...staying.map((i) => taken[i]), ...renewed];
    return renewed;
  }
}

const GROWTH = 1.5;

/** States of a pair: worked out; part of such a one; part of one that was out of reach; nothing is known of it. */
const WORKED_OUT = 0;
const NEW = 1;
const OUT_OF_REACH = 2;
const UNKNOWN = 3;

/** Pairs that need not be worked out, as long as something is known of them. */
export type Left = 'none' | 'out of reach' | 'all';

/** Slots of boxes, and of what they are parts of: `NONE` where nothing is known of that. */
export interface Renewed {
  readonly slots: readonly number[];
  readonly parents: readonly number[];
}

export class PairTable {
  /** Row-major over the slots. */
  private costs = new Float64Array(0);
  private states = new Uint8Array(0);
  private width = 0;

  /** @param valueOf positions of boxes: what they cost at least, to the best of what is known of them alone */
  constructor(
    private readonly rows: BoxSlots,
    private readonly columns: BoxSlots,
    private readonly valueOf: (row: number, column: number) => Nanoseconds,
  ) {
    this.enlarge();
  }

  /** Costs of some boxes, row-major. @param rows positions, as `columns` */
  among(rows: readonly number[], columns: readonly number[], left: Left): Float64Array {
    const { costs, states } = this;
    const [starts, places] = this.placesOf(rows, columns);
    const part = new Float64Array(rows.length * columns.length);
    let at = 0;
    for (let i = 0; i < starts.length; i++) {
      for (let j = 0; j < places.length; j++) {
        const pair = starts[i] + places[j];
        if (isWanted(states[pair], left)) this.workOut(pair, rows[i], columns[j]);
        part[at++] = costs[pair];
      }
    }
    return part;
  }

  /** How many of these pairs were not worked out. */
  leftAmong(rows: readonly number[], columns: readonly number[]): number {
    const [starts, places] = this.placesOf(rows, columns);
    let left = 0;
    for (const start of starts)
      for (const place of places) if (this.states[start + place] !== WORKED_OUT) left++;
    return left;
  }

  /**
   * Works out those of some boxes' pairs that are within reach; the others may be left from now on.
   * @param least per pair, row-major: no assignment with it costs less
   * @param chosen position of a pair in that
   * @returns whether that pair costs more now
   */
  workOutReached(
    rows: readonly number[],
    columns: readonly number[],
    least: Float64Array,
    level: Nanoseconds,
    chosen: number,
  ): boolean {
    const { costs, states } = this;
    const [starts, places] = this.placesOf(rows, columns);
    let isRaised = false;
    let at = 0;
    for (let i = 0; i < starts.length; i++) {
      for (let j = 0; j < places.length; j++, at++) {
        const pair = starts[i] + places[j];
        if (states[pair] === WORKED_OUT) continue;
        if (least[at] >= level) {
          states[pair] = OUT_OF_REACH;
          continue;
        }
        const before = costs[pair];
        this.workOut(pair, rows[i], columns[j]);
        if (at === chosen && costs[pair] > before) isRaised = true;
      }
    }
    return isRaised;
  }

  /** After boxes were replaced. */
  inherit(rows: Renewed, columns: Renewed): void {
    this.enlarge();
    this.inheritRows(rows);
    if (columns.slots.length > 0) this.inheritColumns(columns);
  }

  forget(): void {
    this.states.fill(UNKNOWN);
  }

  /** From here on pairs may cost less than they did, by that much at most. */
  discount(by: Nanoseconds): void {
    const { costs, states } = this;
    for (let pair = 0; pair < costs.length; pair++) {
      costs[pair] -= by;
      if (states[pair] === WORKED_OUT) states[pair] = NEW;
    }
  }

  private workOut(pair: number, row: number, column: number): void {
    const { costs, states } = this;
    const own = this.valueOf(row, column);
    costs[pair] = states[pair] === UNKNOWN ? own : Math.max(own, costs[pair]);
    states[pair] = WORKED_OUT;
  }

  /** Where rows begin, and columns in them. */
  private placesOf(rows: readonly number[], columns: readonly number[]): [Int32Array, Int32Array] {
    return [
      Int32Array.from(rows, (i) => this.width * this.rows.taken[i]),
      Int32Array.from(columns, (i) => this.columns.taken[i]),
    ];
  }

  private inheritRows({ slots, parents }: Renewed): void {
    const { costs, states, width } = this;
    // First all of them: a slot may be taken by a part of another.
    const rows = parents.map((slot) =>
      slot === NONE
        ? { own: new Float64Array(width), ownStates: new Uint8Array(width).fill(UNKNOWN) }
        : {
            own: costs.slice(slot * width, (slot + 1) * width),
            ownStates: states.slice(slot * width, (slot + 1) * width).map(inherited),
          },
    );
    slots.forEach((slot, i) => {
      costs.set(rows[i].own, slot * width);
      states.set(rows[i].ownStates, slot * width);
    });
  }

  /** Of every row. */
  private inheritColumns({ slots, parents }: Renewed): void {
    const { costs, states, width } = this;
    const own = new Float64Array(slots.length);
    const ownStates = new Uint8Array(slots.length);
    for (let start = 0; start < costs.length; start += width) {
      for (let i = 0; i < slots.length; i++) {
        own[i] = parents[i] === NONE ? 0 : costs[start + parents[i]];
        ownStates[i] = parents[i] === NONE ? UNKNOWN : inherited(states[start + parents[i]]);
      }
      for (let i = 0; i < slots.length; i++) {
        costs[start + slots[i]] = own[i];
        states[start + slots[i]] = ownStates[i];
      }
    }
  }

  /** To the capacity of the slots. */
  private enlarge(): void {
    const width = this.columns.capacity;
    const size = this.rows.capacity * width;
    const { costs, states, width: before } = this;
    if (costs.length === size) return;
    this.costs = new Float64Array(size);
    this.states = new Uint8Array(size).fill(UNKNOWN);
    this.width = width;
    for (let row = 0; row * before < costs.length; row++) {
      this.costs.set(costs.subarray(row * before, (row + 1) * before), row * width);
      this.states.set(states.subarray(row * before, (row + 1) * before), row * width);
    }
  }
}

function inherited(state: number): number {
  return state === WORKED_OUT ? NEW : state;
}

function isWanted(state: number, left: Left): boolean {
  switch (state) {
    case UNKNOWN:
      return true;
    case NEW:
      return left !== 'all';
    case OUT_OF_REACH:
      return left === 'none';
    default:
      return false;
  }
}
