/** Seeded 32-bit generator (mulberry32): the only source of randomness in the core. */
export interface Random {
  /** Uniform in `[0, 1)`. */
  next(): number;
  /** Uniform integer in `[0, below)`. */
  below(below: number): number;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (below) => Math.floor(next() * below) };
}
