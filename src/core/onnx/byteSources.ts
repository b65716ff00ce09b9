import { InputError } from '../graph/problem';
import type { ByteSource } from './model';

/** Bytes that are in memory already: small files, other file systems, tests. */
export class MemoryByteSource implements ByteSource {
  constructor(private readonly bytes: Uint8Array) {}

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.bytes.length) {
      throw new InputError(
        `The file ends at byte ${this.bytes.length}, before byte ${offset + length}.`,
        offset,
      );
    }
    return this.bytes.subarray(offset, offset + length);
  }
}
