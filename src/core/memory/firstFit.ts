import type { Blocks } from './blocks';

/** Steps per bucket of the index of placed blocks. */
const BUCKET_STEPS = 32;

/** Orders in which first fit places blocks, under the names that the literature gives them. */
export const FIRST_FIT_ORDERS = {
  'greedy by size': (blocks: Blocks, a: number, b: number) =>
    blocks.size[b] - blocks.size[a] || length(blocks, b) - length(blocks, a),
  'greedy by lifetime': (blocks: Blocks, a: number, b: number) =>
    length(blocks, b) - length(blocks, a) || blocks.size[b] - blocks.size[a],
  'greedy by area': (blocks: Blocks, a: number, b: number) => area(blocks, b) - area(blocks, a),
  'in execution order': (blocks: Blocks, a: number, b: number) =>
    blocks.lower[a] - blocks.lower[b] || length(blocks, b) - length(blocks, a),
  'in reverse execution order': (blocks: Blocks, a: number, b: number) =>
    blocks.upper[b] - blocks.upper[a] || length(blocks, b) - length(blocks, a),
} as const satisfies Record<string, (blocks: Blocks, a: number, b: number) => number>;

export type FirstFitOrder = keyof typeof FIRST_FIT_ORDERS;

/** Places blocks one after another at the lowest offset that is free throughout their steps. */
export function firstFit(blocks: Blocks, name: FirstFitOrder): Float64Array {
  const compare = FIRST_FIT_ORDERS[name];
  const order = Array.from({ length: blocks.count }, (_, block) => block);
  order.sort((a, b) => compare(blocks, a, b) || a - b);
  return placeInOrder(blocks, order);
}

export function placeInOrder(blocks: Blocks, order: ArrayLike<number>): Float64Array {
  const { count, lower, upper, size } = blocks;
  const offsets = new Float64Array(count);
  const buckets: number[][] = [];
  const seen = new Int32Array(count).fill(-1);
  for (let at = 0; at < order.length; at++) {
    const block = order[at];
    const [first, last] = [
      Math.floor(lower[block] / BUCKET_STEPS),
      Math.floor((upper[block] - 1) / BUCKET_STEPS),
    ];
    const overlapping: number[] = [];
    for (let bucket = first; bucket <= last; bucket++) {
      for (const other of (buckets[bucket] ??= [])) {
        if (seen[other] === block || lower[other] >= upper[block] || upper[other] <= lower[block]) continue;
        seen[other] = block;
        overlapping.push(other);
      }
      buckets[bucket].push(block);
    }
    overlapping.sort((a, b) => offsets[a] - offsets[b]);
    let offset = 0;
    for (const other of overlapping) {
      if (offset + size[block] <= offsets[other]) break;
      offset = Math.max(offset, offsets[other] + size[other]);
    }
    offsets[block] = offset;
  }
  return offsets;
}

function length(blocks: Blocks, block: number): number {
  return blocks.upper[block] - blocks.lower[block];
}

function area(blocks: Blocks, block: number): number {
  return blocks.size[block] * length(blocks, block);
}
