import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../core/graph/problem';
import type { ByteSource } from '../core/onnx/model';

/** Ranges of a file on disk, read on demand with positioned reads; nothing else of the file is touched. */
export class FileByteSource implements ByteSource {
  readonly size: number;
  private readonly descriptor: number;

  /** Throws `InputError` where the path cannot be opened or is not a regular file. */
  constructor(path: string) {
    try {
      this.descriptor = openSync(path, 'r');
    } catch (error) {
      throw new InputError(`The file cannot be opened: ${reason(error)}.`);
    }
    const status = fstatSync(this.descriptor);
    if (!status.isFile()) {
      closeSync(this.descriptor);
      throw new InputError('Not a regular file, so it cannot be read as a model.');
    }
    this.size = status.size;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new InputError(`The file ends at byte ${this.size}, before byte ${offset + length}.`, offset);
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = readSync(this.descriptor, bytes, done, length - done, offset + done);
      if (count === 0) {
        throw new InputError(
          `The file became shorter while it was read, at byte ${offset + done}.`,
          offset + done,
        );
      }
      done += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return code ?? String(error);
}
