import { InputError } from '../graph/problem';

/** Bytes that are appended to, up to a limit. */
export class GrowingBytes {
  buffer = new Uint8Array(1 << 16);
  length = 0;

  constructor(private readonly limit: number) {}

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.buffer.length) return;
    if (needed > this.limit) {
      throw new InputError(
        `The model's structure without its weights is over ${this.limit >> 20} MiB: too large.`,
      );
    }
    const larger = new Uint8Array(Math.min(this.limit, Math.max(needed, 2 * this.buffer.length)));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.reserve(1);
    this.buffer[this.length++] = value;
  }

  /** `value` below 2^32. */
  varint(value: number): void {
    for (; value >= 0x80; value >>>= 7) this.byte((value & 0x7f) | 0x80);
    this.byte(value);
  }

  /** A varint of always five bytes, to be set later. */
  reserveVarint(): number {
    const at = this.length;
    this.reserve(5);
    this.length += 5;
    return at;
  }

  setVarint(at: number, value: number): void {
    for (let i = 0; i < 4; i++, value >>>= 7) this.buffer[at + i] = (value & 0x7f) | 0x80;
    this.buffer[at + 4] = value;
  }

  uint32(value: number): void {
    for (let i = 0; i < 4; i++, value >>>= 8) this.byte(value & 0xff);
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
