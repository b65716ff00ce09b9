/** Share of slots in use above which the table grows. */
const FULL = 0.6;
const FIRST_SLOTS = 1 << 10;

/**
 * Exact set of bit sets of `words` 32-bit words (open addressing, linear probing). Grows until it would need
 * more than `limitBytes`.
 */
export class StateTable {
  count = 0;
  private mask = FIRST_SLOTS - 1;
  /** Position of the state in `states` plus 1; 0 marks a free slot. */
  private slots = new Int32Array(FIRST_SLOTS);
  private states: Int32Array;

  constructor(
    private readonly words: number,
    private readonly limitBytes: number,
  ) {
    this.states = new Int32Array(words * 256);
  }

  has(state: Int32Array): boolean {
    return this.slots[this.find(state)] !== 0;
  }

  /** False when the state is new but there is no memory left for it. */
  add(state: Int32Array): boolean {
    const slot = this.find(state);
    if (this.slots[slot] !== 0) return true;
    if ((this.count + 1) * this.words > this.states.length && !this.growStates()) return false;
    this.states.set(state, this.count * this.words);
    this.slots[slot] = ++this.count;
    return this.count < FULL * (this.mask + 1) || this.growSlots();
  }

  private find(state: Int32Array): number {
    const { slots, states, words, mask } = this;
    let slot = hashOf(state, 0, words) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const base = (slots[slot] - 1) * words;
      let word = 0;
      while (word < words && states[base + word] === state[word]) word++;
      if (word === words) break;
    }
    return slot;
  }

  private growStates(): boolean {
    if (4 * (2 * this.states.length + this.slots.length) > this.limitBytes) return false;
    const states = new Int32Array(2 * this.states.length);
    states.set(this.states);
    this.states = states;
    return true;
  }

  private growSlots(): boolean {
    if (4 * (this.states.length + 2 * this.slots.length) > this.limitBytes) return false;
    this.mask = 2 * this.slots.length - 1;
    this.slots = new Int32Array(this.mask + 1);
    for (let index = 0; index < this.count; index++) {
      let slot = hashOf(this.states, index * this.words, this.words) & this.mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = index + 1;
    }
    return true;
  }
}

function hashOf(states: Int32Array, base: number, words: number): number {
  let hash = 0x9e3779b9;
  for (let at = base; at < base + words; at++) {
    hash = Math.imul(hash ^ states[at], 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0xc2b2ae35) >>> 3;
}
