import type { Stopped } from '../graph/control';
import { NONE, type Bytes, type OperatorId } from '../graph/units';
import { heightOf, liveBoundBytes, storageBlocks, type Blocks } from './blocks';
import { FIRST_FIT_ORDERS, firstFit, type FirstFitOrder } from './firstFit';
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

/** Places all storages of an order. */
export function packArena(problem: OrderProblem, steps: ArrayLike<OperatorId>): Arena {
  const { blocks, ofStorage, ofStep } = storageBlocks(problem, steps);
  const lowerBoundBytes = liveBoundBytes(blocks);
  const placed = placeBlocks(blocks, lowerBoundBytes);
  const at = (block: number): number => (block === NONE ? 0 : placed[block]);
  const bytes = heightOf(blocks, placed);
  return {
    bytes,
    lowerBoundBytes,
    status: bytes === lowerBoundBytes ? 'optimal' : 'feasible',
    offsets: Float64Array.from(ofStorage, at),
    stepOffsets: Float64Array.from(ofStep, at),
  };
}

function placeBlocks(blocks: Blocks, bound: Bytes): Float64Array {
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

