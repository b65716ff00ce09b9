import { InputError } from '../graph/problem';
import type { GrowingBytes } from './growingBytes';
import type { ByteSource } from './model';
import { Sha256 } from './sha256';

/** First read after a jump; sequential reading doubles it up to `LARGEST_WINDOW`. */
const SMALLEST_WINDOW = 4 * 1024;
const LARGEST_WINDOW = 256 * 1024;
const LONGEST_VARINT = 10;

/**
 * Reads a file forward through a window. Bytes that are passed over with `skipUnread` are neither read nor
 * hashed; all others go into `hash`, in file order.
 */
export class Cursor {
  /** Offset of the next byte in the file. */
  position = 0;
  readonly hash = new Sha256();
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;
  private windowSize = SMALLEST_WINDOW;
  private hashedTo = 0;

  constructor(private readonly source: ByteSource) {}

  get size(): number {
    return this.source.size;
  }

  byte(): number {
    let index = this.position - this.windowStart;
    if (index >= this.window.length) {
      this.advanceWindow();
      index = 0;
    }
    this.position++;
    return this.window[index];
  }

  /** Unsigned value of a varint; exact below 2^53, which covers every tag and length that a file can have. */
  varint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    const start = this.position - 1;
    let value = first & 0x7f;
    let scale = 128;
    for (let i = 1; i < LONGEST_VARINT; i++) {
      const next = this.byte();
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value;
      scale *= 128;
    }
    throw new InputError(`The number at byte ${start} does not end: the file is damaged there.`, start);
  }

  /** Copies a varint as it stands; its value as a signed 64-bit number, rounded where it is beyond 2^53. */
  copyVarint(out: GrowingBytes): number {
    const start = this.position;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < LONGEST_VARINT; i++) {
      const next = this.byte();
      out.byte(next);
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value >= 2 ** 63 ? value - 2 ** 64 : value;
      scale *= 128;
    }
    throw new InputError(`The number at byte ${start} does not end: the file is damaged there.`, start);
  }

  /** Copies the next `length` bytes to `target` at `at`. */
  copy(length: number, target: Uint8Array, at: number): void {
    for (let left = length; left > 0;) {
      if (this.position - this.windowStart >= this.window.length) this.advanceWindow();
      const from = this.position - this.windowStart;
      const count = Math.min(left, this.window.length - from);
      if (count < 32) for (let i = 0; i < count; i++) target[at + i] = this.window[from + i];
      else target.set(this.window.subarray(from, from + count), at);
      this.position += count;
      at += count;
      left -= count;
    }
  }

  /** Passes over bytes that are hashed but not kept. */
  skipHashed(length: number): void {
    for (const end = this.position + length; this.position < end;) {
      if (this.position - this.windowStart >= this.window.length) this.advanceWindow();
      this.position = Math.min(end, this.windowStart + this.window.length);
    }
  }

  /** Passes over bytes without reading them. */
  skipUnread(length: number): void {
    this.flushHash();
    this.position += length;
    this.hashedTo = this.position;
    if (this.position > this.windowStart + this.window.length) {
      this.window = new Uint8Array(0);
      this.windowStart = this.position;
      this.windowSize = SMALLEST_WINDOW;
    }
  }

  /** Bytes of an earlier place, for instance a small payload that was passed over; adds them to the hash. */
  readBack(offset: number, length: number): Uint8Array {
    this.flushHash();
    const inWindow = offset >= this.windowStart && offset + length <= this.windowStart + this.window.length;
    const from = offset - this.windowStart;
    const bytes = inWindow ? this.window.slice(from, from + length) : this.source.read(offset, length);
    this.hash.update(bytes);
    return bytes;
  }

  /** SHA-256 of everything that was read, once the end is reached. */
  digest(): string {
    this.flushHash();
    return this.hash.digest();
  }

  private advanceWindow(): void {
    this.flushHash();
    if (this.position >= this.source.size) {
      throw new InputError(
        `The file ends at byte ${this.source.size} in the middle of a record.`,
        this.source.size,
      );
    }
    const length = Math.min(this.windowSize, this.source.size - this.position);
    this.window = this.source.read(this.position, length);
    this.windowStart = this.position;
    this.windowSize = Math.min(2 * this.windowSize, LARGEST_WINDOW);
  }

  private flushHash(): void {
    if (this.hashedTo < this.position) {
      this.hash.update(
        this.window.subarray(this.hashedTo - this.windowStart, this.position - this.windowStart),
      );
      this.hashedTo = this.position;
    }
  }
}
