import type { Box } from '../partition/partition';

/**
 * A file to be written, as pieces: bytes at hand, ranges copied from the model's own files, and boxes of
 * weights there. Whoever writes them streams, so a file of any size needs little memory.
 */
export type Chunk =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `file`: location of external data as the model names it; `undefined`: the model file itself. */
  | {
      readonly kind: 'copy';
      readonly file: string | undefined;
      readonly offset: number;
      readonly length: number;
    }
  /** The elements of `box` of a row-major tensor of `shape` that starts at `offset`. */
  | {
      readonly kind: 'box';
      readonly file: string | undefined;
      readonly offset: number;
      readonly elementBytes: number;
      readonly shape: readonly number[];
      readonly box: Box;
    };

export function bytesChunk(bytes: Uint8Array): Chunk {
  return { kind: 'bytes', bytes };
}

export function chunkLength(chunk: Chunk): number {
  if (chunk.kind === 'bytes') return chunk.bytes.length;
  if (chunk.kind === 'copy') return chunk.length;
  return boxElements(chunk.box) * chunk.elementBytes;
}

export function totalLength(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunkLength(chunk), 0);
}

export function boxElements(box: Box): number {
  let elements = 1;
  for (let at = 0; at < box.length; at += 2) elements *= box[at + 1] - box[at];
  return elements;
}

/** The contiguous byte ranges of a box of a tensor, in order, as `[offset, length]` from the tensor's start. */
export function* boxRuns(
  shape: readonly number[],
  box: Box,
  elementBytes: number,
): Generator<readonly [number, number]> {
  if (boxElements(box) === 0) return;
  // Trailing axes that are whole form one run together with the axis before them.
  let last = shape.length - 1;
  let run = elementBytes;
  while (last > 0 && box[2 * last] === 0 && box[2 * last + 1] === shape[last]) run *= shape[last--];
  const strides: number[] = new Array<number>(shape.length);
  let stride = elementBytes;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  if (shape.length === 0) return yield [0, elementBytes];
  const length = (box[2 * last + 1] - box[2 * last]) * run;
  const at = Array.from({ length: last }, (_unused, axis) => box[2 * axis]);
  for (;;) {
    let offset = box[2 * last] * strides[last];
    for (let axis = 0; axis < last; axis++) offset += at[axis] * strides[axis];
    yield [offset, length];
    let axis = last - 1;
    while (axis >= 0 && ++at[axis] === box[2 * axis + 1]) {
      at[axis] = box[2 * axis];
      axis--;
    }
    if (axis < 0) return;
  }
}
