import { seededRandom } from '../graph/random';
import { cellsOf, compressSteps, type Blocks } from './blocks';
import {
  ALL_PACK_RULES,
  ExactPacker,
  type PackOutcome,
  type PackRules,
  type PackTry,
  type Ranking,
} from './exactPack';

/** Nodes of one try at first; every other round it grows by as much again. */
const NODES_PER_TRY = 20_000;
/** Tries of a round, in this order. No ranking is good on all problems, so each gets its turn. */
const ROUND: readonly { readonly ranking: Ranking; readonly renew: boolean }[] = [
  { ranking: 'crowd, lifetime, area', renew: true },
  { ranking: 'crowd, area, lifetime', renew: true },
  { ranking: 'lifetime, area, crowd', renew: true },
  { ranking: 'crowd, lifetime, area', renew: false },
  { ranking: 'crowd, area, lifetime', renew: false },
  { ranking: 'lifetime, area, crowd', renew: false },
  { ranking: 'area, crowd, lifetime', renew: false },
];
/** Chance in the rankings from the second round on, over and over; the first has none. */
const NOISE = [0.15, 0.05, 0.4];

/** Cells (`cellsOf`) up to which a node counts as one; a larger problem's nodes count for as many more. */
const CELLS_PER_NODE = 20_000;

export interface PackEffort {
  nodes: number;
  readonly nodeLimit: number;
  interrupted(): boolean;
}

/**
 * Is there a placement below `capacity`? Exact search from many starts: its time has a heavy tail, so short
 * tries under several rankings, later with a little chance in them, find far more than one long one.
 */
export function packWithin(
  blocks: Blocks,
  capacity: number,
  effort: PackEffort,
  rules: PackRules = ALL_PACK_RULES,
): PackOutcome {
  const weight = Math.max(1, cellsOf(compressSteps(blocks)) / CELLS_PER_NODE);
  const packer = new ExactPacker(blocks, capacity, rules);
  const random = seededRandom(1);
  for (let attempt = 0; effort.nodes < effort.nodeLimit; attempt++) {
    const round = Math.floor(attempt / ROUND.length);
    const most = NODES_PER_TRY * (1 + Math.floor(round / 2));
    const how: PackTry = {
      ...ROUND[attempt % ROUND.length],
      noise: round === 0 ? 0 : NOISE[(round - 1) % NOISE.length],
      nodeLimit: Math.ceil(Math.min(most, effort.nodeLimit - effort.nodes) / weight),
    };
    const outcome = packer.pack(how, random, () => effort.interrupted());
    effort.nodes += Math.ceil(packer.nodes * weight);
    if (outcome.kind !== 'stopped' || effort.interrupted()) return outcome;
  }
  return { kind: 'stopped' };
}
