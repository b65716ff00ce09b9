/** Protocol-buffer records at the level of bytes: what splicing a model file needs, unknown fields included. */

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** One field record inside a message: `[start, end)` with its tag, its value in `[valueStart, end)`. */
export interface FieldRecord {
  readonly field: number;
  readonly wireType: number;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

export function textBytes(text: string): Uint8Array {
  return utf8.encode(text);
}

export function bytesText(bytes: Uint8Array): string {
  return fromUtf8.decode(bytes);
}

/** Unsigned value at `at` (64-bit values lose precision above 2^53) and the position behind it. */
export function readVarint(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let value = 0;
  let factor = 1;
  for (let index = at; index < bytes.length && index < at + 10; index++) {
    value += (bytes[index] & 0x7f) * factor;
    if (bytes[index] < 0x80) return [value, index + 1];
    factor *= 128;
  }
  throw new RangeError('varint runs past its message');
}

/** The exact 64 bits of a varint as a signed integer. */
export function readSignedVarint(bytes: Uint8Array, at: number): readonly [value: bigint, next: number] {
  let value = 0n;
  for (let index = at, shift = 0n; index < bytes.length && index < at + 10; index++, shift += 7n) {
    value |= BigInt(bytes[index] & 0x7f) << shift;
    if (bytes[index] < 0x80) return [BigInt.asIntN(64, value), index + 1];
  }
  throw new RangeError('varint runs past its message');
}

/** The records of a message in memory, in order. */
export function* records(bytes: Uint8Array): Generator<FieldRecord> {
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const [tag, valueAt] = readVarint(bytes, at);
    const wireType = tag % 8;
    let valueStart = valueAt;
    if (wireType === VARINT) at = readVarint(bytes, valueAt)[1];
    else if (wireType === FIXED64) at = valueAt + 8;
    else if (wireType === FIXED32) at = valueAt + 4;
    else if (wireType === BYTES) {
      const [length, bodyAt] = readVarint(bytes, valueAt);
      valueStart = bodyAt;
      at = bodyAt + length;
    } else throw new RangeError(`wire type ${wireType} is not in use`);
    if (at > bytes.length) throw new RangeError('a field runs past its message');
    yield { field: Math.floor(tag / 8), wireType, start, valueStart, end: at };
  }
}

const LARGEST_INT64 = 2n ** 63n - 1n;

/** A number as 64 bits; those that were rounded up past the largest ("to the end" markers) become the largest. */
export function int64(value: number): bigint {
  const exact = BigInt(value);
  return exact > LARGEST_INT64 ? LARGEST_INT64 : exact;
}

export function varintBytes(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

/** A message under construction. */
export class MessageWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  int(field: number, value: number | bigint): this {
    return this.raw(Uint8Array.from([...varintBytes(field * 8 + VARINT), ...varintBytes(value)]));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.raw(Uint8Array.from(varintBytes(field * 8 + FIXED32))).raw(bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, textBytes(value));
  }

  message(field: number, value: MessageWriter): this {
    return this.bytes(field, value.finish());
  }

  bytes(field: number, value: Uint8Array): this {
    return this.raw(recordHeader(field, value.length)).raw(value);
  }

  /** Whole records as they are. */
  raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  finish(): Uint8Array {
    const joined = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
}

/** Tag and length of a length-delimited record. */
export function recordHeader(field: number, length: number): Uint8Array {
  return Uint8Array.from([...varintBytes(field * 8 + BYTES), ...varintBytes(length)]);
}
