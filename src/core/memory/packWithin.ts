import { seededRandom } from '../graph/random';
import type { Blocks } from './blocks';
import {
  ALL_PACK_RULES,
  ExactPacker,
  RANKINGS,
  type PackOutcome,
  type PackRules,
  type Ranking,
} from './exactPack';

/** Nodes of one try; every `TRIES_PER_GROWTH` tries it grows by as much again. */
const NODES_PER_TRY = 20_000;
const TRIES_PER_GROWTH = 16;
/** Chance in the rankings, round by round; then the rounds from `0.15` on again. The round `LONG` takes its time. */
const NOISE = [0, 0.15, 0.05, 0.4, 0];
const LONG = 4;
const LONG_ROUND_NODES = 120_000;

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
  const packer = new ExactPacker(blocks, capacity, rules);
  const random = seededRandom(1);
  const rankings = Object.keys(RANKINGS) as Ranking[];
  for (let attempt = 0; effort.nodes < effort.nodeLimit; attempt++) {
    const round = Math.floor(attempt / rankings.length);
    const noise = round < NOISE.length ? NOISE[round] : NOISE[1 + (round % 3)];
    const most =
      round === LONG ? LONG_ROUND_NODES : NODES_PER_TRY * (1 + Math.floor(attempt / TRIES_PER_GROWTH));
    const nodeLimit = Math.min(most, effort.nodeLimit - effort.nodes);
    const interrupted = (): boolean => effort.interrupted();
    const outcome = packer.pack(rankings[attempt % rankings.length], noise, random, nodeLimit, interrupted);
    effort.nodes += packer.nodes;
    if (outcome.kind !== 'stopped' || effort.interrupted()) return outcome;
  }
  return { kind: 'stopped' };
}
