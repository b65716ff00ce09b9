/**
 * A proven lower bound of the latency of every plan: any integer split along any axis, `K` splits and recomputed
 * halos included, over any devices in any order along the axis, within the devices' memories. The certificate
 * says how it was found; `verifyBound` derives it again from the model and the cluster.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import type { Nanoseconds } from '../../graph/units';
import type { LatencyModel } from '../../latency/workload';
import type { PartitionRules } from '../../partition/partition';
import type { BoundCertificate } from './certificate';
import { Interrupted } from './elimination';
import { memoryPrices, priceOfRooms } from './memoryPrices';
import { priceMessages } from './messagePrices';
import { pathBound } from './pathBound';
import type { MemoryPrices } from './pricedStep';
import { PAIR_WORK, refine, type RefineLimits } from './refine';
import { BoundScene } from './scene';
import { SynchronousProblem } from './synchronousProblem';
import { workBound } from './workBound';

export interface BoundRequest {
  readonly graph: Graph;
  readonly rules: PartitionRules;
  readonly cluster: Cluster;
  readonly latency: LatencyModel;
  /** Latency of a valid plan, if one is known: boxes that cannot hold a better one are dropped. */
  readonly incumbentNs?: Nanoseconds;
  readonly limits?: RefineLimits;
}

export interface LatencyBound {
  readonly ns: Nanoseconds;
  /** For people. */
  readonly method: string;
  /** Absent where it was stopped before there was a bound. */
  readonly certificate?: BoundCertificate;
  /** The safety stop ended it. */
  readonly stopped: boolean;
}

/** Some 10 to 20 s of one core for a CNN of 60 to 200 operators. */
export function defaultLimits(operators: number): RefineLimits {
  const tableLimit = Math.max(LEAST_TABLE, Math.min(MOST_TABLE, Math.floor(CELLS_PER_ROUND / operators)));
  const work = Math.min(MOST_WORK, WORK_PER_OPERATOR * operators);
  return { rounds: MOST_ROUNDS, work, tableLimit, gap: GAP };
}

export const MOST_ROUNDS = 1000;
const MOST_WORK = 450_000_000;
/** Small models are soon as well proven as they will be. */
const WORK_PER_OPERATOR = 10_000_000;
const CELLS_PER_ROUND = 2_000_000_000;
const LEAST_TABLE = 200_000;
export const MOST_TABLE = 30_000_000;
/** The bound is as good as the incumbent. */
const GAP = 0.001;

/** @param isStopped a safety stop; the bound then holds as well, but may differ from run to run */
export function latencyBound(request: BoundRequest, isStopped: () => boolean): LatencyBound {
  if (isStopped()) return NOTHING_PROVEN;
  try {
    return request.latency === 'overlapped'
      ? overlappedBound(request, isStopped)
      : refinedBound(request, isStopped);
  } catch (error) {
    if (error instanceof Interrupted) return NOTHING_PROVEN;
    throw error;
  }
}

/** The higher of two bounds, neither of which sees messages. */
function overlappedBound({ graph, rules, cluster }: BoundRequest, isStopped: () => boolean): LatencyBound {
  const scene = new BoundScene(graph, rules, cluster);
  const { ns, shares } = workBound(scene, isStopped);
  const pathNs = pathBound(scene, isStopped);
  if (pathNs > ns) {
    const method = 'mean path';
    return { ns: pathNs, method, certificate: { model: 'overlapped', method }, stopped: false };
  }
  const method = 'work over speed';
  return { ns, method, certificate: { model: 'overlapped', method, shares }, stopped: false };
}

function refinedBound(request: BoundRequest, isStopped: () => boolean): LatencyBound {
  const { graph, rules, cluster, incumbentNs, limits } = request;
  const scene = new BoundScene(graph, rules, cluster);
  const whole = limits ?? defaultLimits(scene.flow.steps.length);
  const found = memoryPrices(scene, incumbentNs, partOf(whole, PRICES_SHARE), isStopped);
  if (found === undefined) return boxBound(scene, {}, incumbentNs, whole, isStopped);
  const { prices, gain } = found;
  if (gain >= CLEAR_GAIN) return boxBound(scene, { prices }, incumbentNs, whole, isStopped);
  // Operators whose steps have prices cannot be left out, which may cost more than little prices gain.
  const part = partOf(whole, UNCLEAR_SHARE);
  const free = boxBound(scene, {}, incumbentNs, part, isStopped);
  const priced = boxBound(scene, { prices }, incumbentNs, part, isStopped);
  return { ...(priced.ns > free.ns ? priced : free), stopped: priced.stopped || free.stopped };
}

/** Of the work, for the boxes that the prices of memory are found on; it comes on top. */
const PRICES_SHARE = 0.3;
/** Prices that gain less may prove less than none: the work goes in two such shares to the bounds with and without. */
const CLEAR_GAIN = 0.01;
const UNCLEAR_SHARE = 0.8;

function partOf(limits: RefineLimits, share: number): RefineLimits {
  return { ...limits, work: share * limits.work };
}

/** What a bound starts from. */
export interface BoundStart {
  /** Of memory. */
  readonly prices?: MemoryPrices;
  /** Turns that look for prices of what devices lack; as many as the work allows where it is left out. */
  readonly messageTurns?: number;
}

export function boxBound(
  scene: BoundScene,
  { prices, messageTurns }: BoundStart,
  incumbentNs: Nanoseconds | undefined,
  limits: RefineLimits,
  isStopped: () => boolean,
): LatencyBound {
  let problem = new SynchronousProblem(scene, prices, isStopped);
  const turns = messageTurns ?? turnsFor(problem, limits);
  const { tableLimit } = limits;
  const priced =
    turns === 0
      ? undefined
      : priceMessages(problem, prices, incumbentNs ?? Infinity, turns, tableLimit, isStopped);
  const isGained = priced !== undefined && priced.gain >= leastGain(problem);
  if (priced !== undefined && !isGained) problem = new SynchronousProblem(scene, prices, isStopped);
  const memory = isGained ? priced.memory : prices;
  // A valid plan keeps within the rooms, so its priced cost is at most its latency plus their price.
  const credit = memory === undefined ? 0 : priceOfRooms(scene.cluster, memory);
  const refined = refine(problem, (incumbentNs ?? Infinity) + credit, limits, isStopped);
  const { bound, rounds, charges, isExact, stopped } = refined;
  if (bound === -Infinity) return NOTHING_PROVEN;
  const method = `box refinement${prices === undefined ? '' : ' with memory prices'}`;
  return {
    // Room for the noise that rounding up to whole nanoseconds forgives, and for that of what is taken off again.
    ns: Math.max(0, Math.floor(bound - credit - NOISE * (bound + credit) - 1)),
    method,
    certificate: {
      model: 'synchronous',
      method,
      ...(incumbentNs === undefined ? {} : { incumbentNs }),
      rounds,
      tableLimit,
      gap: limits.gap,
      isExact,
      charges,
      messageTurns: isGained ? turns : 0,
      ...(prices === undefined ? {} : { prices }),
    },
    stopped,
  };
}

/** Turns at most, and the share of the work that they may take on top; the least number that says anything. */
export const MOST_TURNS = 150;
const TURNS_SHARE = 0.3;
const LEAST_TURNS = 10;
/** Prices of what devices lack that gain less on the first boxes are left out: the rounds cost more with them, in large models most. */
const LEAST_GAIN = 0.05;
const LEAST_GAIN_PER_OPERATOR = 0.0006;

function leastGain({ scene }: SynchronousProblem): number {
  return Math.max(LEAST_GAIN, LEAST_GAIN_PER_OPERATOR * scene.flow.steps.length);
}

function turnsFor(problem: SynchronousProblem, { work }: RefineLimits): number {
  const perTurn = PAIR_WORK * problem.allPairs;
  return Math.min(MOST_TURNS, Math.max(LEAST_TURNS, Math.floor((TURNS_SHARE * work) / Math.max(1, perTurn))));
}

/** Of sums of as many terms as there are operators. */
const NOISE = 1e-12;
const NOTHING_PROVEN: LatencyBound = { ns: 0, method: 'none', stopped: true };
