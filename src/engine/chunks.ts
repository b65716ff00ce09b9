import { closeSync, openSync, writeSync } from 'node:fs';
import type { Chunk } from '../core/export/chunk';
import { boxRuns, chunkLength, totalLength } from '../core/export/chunk';
import type { ByteSource } from '../core/onnx/model';

/** The model file (`undefined`) or a file of its external data, by the location that the model names. */
export type FileLookup = (location: string | undefined) => ByteSource;

const BLOCK = 4 * 1024 * 1024;

/** Hands every byte of the chunks to `sink` in order, in blocks of at most a few megabytes. */
export function streamChunks(
  chunks: readonly Chunk[],
  files: FileLookup,
  sink: (bytes: Uint8Array) => void,
): void {
  for (const chunk of chunks) {
    if (chunk.kind === 'bytes') sink(chunk.bytes);
    else if (chunk.kind === 'copy') copyRange(files(chunk.file), chunk.offset, chunk.length, sink);
    else copyBox(files(chunk.file), chunk, sink);
  }
}

function copyRange(
  source: ByteSource,
  offset: number,
  length: number,
  sink: (bytes: Uint8Array) => void,
): void {
  for (let done = 0; done < length; done += BLOCK)
    sink(source.read(offset + done, Math.min(BLOCK, length - done)));
}

/** Short runs (columns of a matrix) are gathered from blocks that cover many of them. */
function copyBox(
  source: ByteSource,
  chunk: Chunk & { kind: 'box' },
  sink: (bytes: Uint8Array) => void,
): void {
  const out = new Uint8Array(Math.min(BLOCK, chunkLength(chunk)));
  let filled = 0;
  let window = new Uint8Array(0);
  let windowStart = 0;
  const windowEnd = chunk.offset + chunk.shape.reduce((product, dim) => product * dim, chunk.elementBytes);
  for (const [runOffset, length] of boxRuns(chunk.shape, chunk.box, chunk.elementBytes)) {
    const offset = chunk.offset + runOffset;
    if (length >= BLOCK) {
      sink(out.slice(0, filled));
      filled = 0;
      copyRange(source, offset, length, sink);
      continue;
    }
    if (filled + length > out.length) {
      sink(out.slice(0, filled));
      filled = 0;
    }
    if (offset < windowStart || offset + length > windowStart + window.length) {
      windowStart = offset;
      window = new Uint8Array(source.read(offset, Math.min(BLOCK, windowEnd - offset)));
    }
    out.set(window.subarray(offset - windowStart, offset - windowStart + length), filled);
    filled += length;
  }
  if (filled > 0) sink(out.subarray(0, filled));
}

/** The whole file in memory. */
export function chunkBytes(chunks: readonly Chunk[], files: FileLookup): Uint8Array {
  const bytes = new Uint8Array(totalLength(chunks));
  let at = 0;
  streamChunks(chunks, files, (part) => {
    bytes.set(part, at);
    at += part.length;
  });
  return bytes;
}

/** Writes a file that must not exist yet. */
export function writeChunks(path: string, chunks: readonly Chunk[], files: FileLookup): void {
  const descriptor = openSync(path, 'wx');
  try {
    streamChunks(chunks, files, (part) => {
      for (let done = 0; done < part.length;) done += writeSync(descriptor, part, done);
    });
  } finally {
    closeSync(descriptor);
  }
}
