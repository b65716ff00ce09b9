/** SHA-256 (FIPS 180-4), incremental, in plain code: the core has no access to a platform's own. */
const BLOCK = 64;

/** First 32 bits of the fractional parts of `root`-th roots of the first primes, derived as the standard says. */
function primeRootBits(count: number, root: (prime: number) => number): Int32Array {
  const bits = new Int32Array(count);
  for (let prime = 2, found = 0; found < count; prime++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= prime; divisor++) {
      if (prime % divisor === 0) isPrime = false;
    }
    if (isPrime) bits[found++] = (root(prime) % 1) * 2 ** 32;
  }
  return bits;
}

const ROUND_CONSTANTS = primeRootBits(64, Math.cbrt);
const INITIAL_STATE = primeRootBits(8, Math.sqrt);

export class Sha256 {
  private readonly state = Int32Array.from(INITIAL_STATE);
  private readonly block = new Uint8Array(BLOCK);
  private readonly schedule = new Int32Array(64);
  private filled = 0;
  private total = 0;

  update(bytes: Uint8Array): this {
    let at = 0;
    this.total += bytes.length;
    if (this.filled > 0) {
      at = Math.min(BLOCK - this.filled, bytes.length);
      this.block.set(bytes.subarray(0, at), this.filled);
      this.filled += at;
      if (this.filled < BLOCK) return this;
      this.compress(this.block, 0);
      this.filled = 0;
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.compress(bytes, at);
    this.block.set(bytes.subarray(at), 0);
    this.filled = bytes.length - at;
    return this;
  }

  /** The digest in hexadecimal; nothing may be added afterwards. */
  digest(): string {
    const total = this.total;
    const padding = new Uint8Array(this.filled < 56 ? BLOCK - this.filled : 2 * BLOCK - this.filled);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(total / 2 ** 29));
    view.setUint32(padding.length - 4, (total * 8) % 2 ** 32);
    this.update(padding);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private compress(bytes: Uint8Array, at: number): void {
    const w = this.schedule;
    const state = this.state;
    for (let i = 0; i < 16; i++, at += 4) {
      w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let a = state[0];
    let b = state[1];
    let c = state[2];
    let d = state[3];
    let e = state[4];
    let f = state[5];
    let g = state[6];
    let h = state[7];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
}
