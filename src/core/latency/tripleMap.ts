const FIRST_CAPACITY = 4096;
/** Integers of an entry: its key, and the position of its value behind 0. */
const WIDTH = 4;

/**
 * A map from three integers. Searches look messages up millions of times: one line of memory is read where nested
 * maps read many (open addressing, linear probing).
 */
export class TripleMap<Value> {
  private entries = new Int32Array(WIDTH * FIRST_CAPACITY);
  private values: Value[] = [];

  get size(): number {
    return this.values.length;
  }

  get(a: number, b: number, c: number): Value | undefined {
    const at = this.entries[this.find(a, b, c) + 3];
    return at === 0 ? undefined : this.values[at - 1];
  }

  /** The key must be new. */
  add(a: number, b: number, c: number, value: Value): void {
    this.values.push(value);
    this.put(a, b, c, this.values.length);
    if (WIDTH * 2 * this.values.length > this.entries.length) this.grow();
  }

  clear(): void {
    this.entries.fill(0);
    this.values = [];
  }

  /** Where the entry stands, or would stand. */
  private find(a: number, b: number, c: number): number {
    const { entries } = this;
    const mask = entries.length / WIDTH - 1;
    let slot = hash(a, b, c) & mask;
    for (;;) {
      const from = slot * WIDTH;
      if (entries[from + 3] === 0) return from;
      if (entries[from] === a && entries[from + 1] === b && entries[from + 2] === c) return from;
      slot = (slot + 1) & mask;
    }
  }

  private put(a: number, b: number, c: number, position: number): void {
    const from = this.find(a, b, c);
    this.entries[from] = a;
    this.entries[from + 1] = b;
    this.entries[from + 2] = c;
    this.entries[from + 3] = position;
  }

  private grow(): void {
    const before = this.entries;
    this.entries = new Int32Array(2 * before.length);
    for (let from = 0; from < before.length; from += WIDTH) {
      if (before[from + 3] !== 0)
        this.put(before[from], before[from + 1], before[from + 2], before[from + 3]);
    }
  }
}

/** Spread over all bits, of which the lowest are taken. */
function hash(a: number, b: number, c: number): number {
  let mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}
