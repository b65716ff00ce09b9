import type { Stopped } from '../graph/control';
import { NONE, type Bytes, type OperatorId } from '../graph/units';
import { cellsOf, compressSteps, heightOf, liveBoundBytes, storageBlocks, type Blocks } from './blocks';
import { FIRST_FIT_ORDERS, firstFit, type FirstFitOrder } from './firstFit';
import { packWithin, type PackEffort } from './packWithin';
import type { OrderProblem } from './problem';

/** Offsets for every activation storage, 64-byte aligned. */
export interface Arena {
  readonly bytes: Bytes;
  /** The peak with every size rounded up to 64 bytes: no arena for this order is smaller. */
  readonly lowerBoundBytes: Bytes;
  /** `optimal`: `bytes` equals the bound. */
  readonly status: 'optimal' | 'feasible';
  /** Per storage; 0 for a storage without bytes. */
  readonly offsets: Float64Array;
  /** Per operator: where its own step bytes (body, streamed weights) lie; 0 where it has none. */
  readonly stepOffsets: Float64Array;
  readonly stopped?: Stopped;
}

/** Exact search goes one call deeper with every block; above this many the heuristics' answer stands. */
const MOST_BLOCKS_FOR_EXACT = 4_000;
/** And each of its nodes looks at every section of every block: so many pairs at most. */
const MOST_CELLS_FOR_EXACT = 2_000_000;

/** Places all storages of an order: first fit in several orders, then exact search where none meets the bound. */
export function packArena(problem: OrderProblem, steps: ArrayLike<OperatorId>, effort: PackEffort): Arena {
  const { blocks, ofStorage, ofStep } = storageBlocks(problem, steps);
  const { offsets, lowerBoundBytes } = placeBlocks(blocks, effort);
  const at = (block: number): number => (block === NONE ? 0 : offsets[block]);
  const bytes = heightOf(blocks, offsets);
  return {
    bytes,
    lowerBoundBytes,
    status: bytes === lowerBoundBytes ? 'optimal' : 'feasible',
    offsets: Float64Array.from(ofStorage, at),
    stepOffsets: Float64Array.from(ofStep, at),
  };
}

export interface Placement {
  readonly offsets: Float64Array;
  /** Most bytes live in any one step. */
  readonly lowerBoundBytes: Bytes;
}

/** Offsets for blocks, as low as heuristics and then exact search get within `effort`. */
export function placeBlocks(given: Blocks, effort: PackEffort): Placement {
  const blocks = compressSteps(given);
  const lowerBoundBytes = liveBoundBytes(blocks);
  const offsets = bestFirstFit(blocks, lowerBoundBytes);
  const isLarge = blocks.count > MOST_BLOCKS_FOR_EXACT || cellsOf(blocks) > MOST_CELLS_FOR_EXACT;
  if (isLarge || heightOf(blocks, offsets) === lowerBoundBytes) {
    return { offsets, lowerBoundBytes };
  }
  const packed = packWithin(blocks, lowerBoundBytes, effort);
  return { offsets: packed.kind === 'packed' ? packed.offsets : offsets, lowerBoundBytes };
}

function bestFirstFit(blocks: Blocks, bound: Bytes): Float64Array {
  let best: Float64Array = new Float64Array(blocks.count);
  let bestHeight = Infinity;
  for (const name of Object.keys(FIRST_FIT_ORDERS) as FirstFitOrder[]) {
    const offsets = firstFit(blocks, name);
    const height = heightOf(blocks, offsets);
    if (height >= bestHeight) continue;
    best = offsets;
    bestHeight = height;
    if (height === bound) break;
  }
  return best;
}
