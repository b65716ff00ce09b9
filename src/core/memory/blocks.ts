import { NONE, type OperatorId } from '../graph/units';
import { lifetimes } from './lifetimes';
import type { OrderProblem } from './problem';

/** Every offset and every reserved size is a multiple of this many bytes. */
export const ALIGNMENT = 64;

/**
 * Rectangles to be placed: block `i` is `size[i]` bytes (a multiple of `ALIGNMENT`) during the half-open range
 * of steps `[lower[i], upper[i])`.
 */
export interface Blocks {
  readonly count: number;
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly size: Float64Array;
}

export function packBlocks(blocks: readonly { lower: number; upper: number; size: number }[]): Blocks {
  return {
    count: blocks.length,
    lower: Int32Array.from(blocks, (block) => block.lower),
    upper: Int32Array.from(blocks, (block) => block.upper),
    size: Float64Array.from(blocks, (block) => block.size),
  };
}

/** Which block holds each storage (`NONE`: no bytes), and each operator's own step bytes. */
export interface StorageBlocks {
  readonly blocks: Blocks;
  readonly ofStorage: Int32Array;
  readonly ofStep: Int32Array;
}

/** One block per storage, written-over storages sharing one, and one per operator with bytes of its own. */
export function storageBlocks(problem: OrderProblem, steps: ArrayLike<OperatorId>): StorageBlocks {
  const { firstStep, lastStep, writtenOver } = lifetimes(problem, steps);
  const ofStorage = new Int32Array(problem.storageCount).fill(NONE);
  const ofStep = new Int32Array(problem.operatorCount).fill(NONE);
  const found: { lower: number; upper: number; size: number }[] = [];
  const byFirstStep = Array.from(firstStep.keys()).sort((a, b) => firstStep[a] - firstStep[b] || a - b);
  for (const storage of steps.length === 0 ? [] : byFirstStep) {
    if (problem.bytes[storage] === 0) continue;
    const below = writtenOver[storage];
    if (below !== NONE && ofStorage[below] !== NONE) {
      ofStorage[storage] = ofStorage[below];
      found[ofStorage[below]].upper = lastStep[storage] + 1;
      continue;
    }
    ofStorage[storage] = found.length;
    const [lower, upper] = [firstStep[storage], lastStep[storage] + 1];
    found.push({ lower, upper, size: aligned(problem.bytes[storage]) });
  }
  for (let step = 0; step < steps.length; step++) {
    if (problem.stepBytes[steps[step]] === 0) continue;
    ofStep[steps[step]] = found.length;
    found.push({ lower: step, upper: step + 1, size: aligned(problem.stepBytes[steps[step]]) });
  }
  return { blocks: packBlocks(found), ofStorage, ofStep };
}

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Most bytes live in any one step: no placement needs less. */
export function liveBoundBytes(blocks: Blocks): number {
  const { count, lower, upper, size } = blocks;
  const ends = new Float64Array(upper.reduce((most, end) => Math.max(most, end), 0) + 1);
  for (let block = 0; block < count; block++) {
    ends[lower[block]] += size[block];
    ends[upper[block]] -= size[block];
  }
  let live = 0;
  let most = 0;
  for (const change of ends) most = Math.max(most, (live += change));
  return most;
}

/** Bytes up to the highest end of any block. */
export function heightOf(blocks: Blocks, offsets: Float64Array): number {
  let height = 0;
  for (let block = 0; block < blocks.count; block++)
    height = Math.max(height, offsets[block] + blocks.size[block]);
  return height;
}

/** The same blocks with steps numbered by the edges that occur: equal overlaps, small numbers. */
export function compressSteps(blocks: Blocks): Blocks {
  const edges = Float64Array.from(new Set([...blocks.lower, ...blocks.upper])).sort();
  const number = new Map(Array.from(edges, (edge, index) => [edge, index]));
  const renumber = (edge: number): number => number.get(edge)!;
  return { ...blocks, lower: blocks.lower.map(renumber), upper: blocks.upper.map(renumber) };
}

/** Pairs of a block and a step at which it is live: what one look at everything costs. */
export function cellsOf({ count, lower, upper }: Blocks): number {
  let cells = 0;
  for (let block = 0; block < count; block++) cells += upper[block] - lower[block];
  return cells;
}
