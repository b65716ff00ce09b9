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
import { PAIR_WORK, Refinement, type RefineLimits } from './refine';
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
  const kinds = areJoinsMet(scene, isStopped) ? [false, true] : [false];
  let best = NOTHING_PROVEN;
  // The others' boxes are let go.
  let favourite: { run: BoxBound; promise: Nanoseconds } | undefined;
  try {
    for (const areJoinsRelays of kinds) {
      const starts = startsOf(scene, areJoinsRelays, incumbentNs, whole, isStopped);
      const trial = kinds.length * starts.length > 1 ? TRIAL_SHARE : 1;
      for (const start of starts) {
        const run = new BoxBound(scene, start, incumbentNs, whole, isStopped);
        const found = run.upTo(trial * whole.work);
        best = higher(best, found);
        if (isNear(best, incumbentNs, whole)) return best;
        const promise = found.ns * (areJoinsRelays ? 1 : LATER_GAIN);
        if (favourite === undefined || promise > favourite.promise) favourite = { run, promise };
      }
    }
    if (favourite !== undefined) best = higher(best, favourite.run.upTo(whole.work));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
  return { ...best, stopped: isStopped() };
}

function higher(a: LatencyBound, b: LatencyBound): LatencyBound {
  return b.ns > a.ns ? b : a;
}

function isNear({ ns }: LatencyBound, incumbentNs = Infinity, { gap }: RefineLimits): boolean {
  return incumbentNs - ns <= gap * incumbentNs;
}

/** There are sums or concatenations that can be left out. */
function areJoinsMet(scene: BoundScene, isStopped: () => boolean): boolean {
  const [without, all] = [false, true].map(
    (areJoinsRelays) => new SynchronousProblem(scene, undefined, isStopped, areJoinsRelays).operators.length,
  );
  return without !== all;
}

/** Bounds that start in several ways get so much of the work each, and the most promising one the rest of it. */
const TRIAL_SHARE = 0.3;
/** Without joins the eliminations go faster, with them the bound rises further in the end. */
const LATER_GAIN = 1.015;

/** Those worth a try: where prices of memory gain little with and without. */
function startsOf(
  scene: BoundScene,
  areJoinsRelays: boolean,
  incumbentNs: Nanoseconds | undefined,
  limits: RefineLimits,
  isStopped: () => boolean,
): BoundStart[] {
  const found = memoryPrices(scene, areJoinsRelays, incumbentNs, partOf(limits, PRICES_SHARE), isStopped);
  if (found === undefined) return [{ areJoinsRelays }];
  const priced = { areJoinsRelays, prices: found.prices };
  // Operators whose steps have prices cannot be left out, which may cost more than little prices gain.
  return found.gain >= CLEAR_GAIN ? [priced] : [{ areJoinsRelays }, priced];
}

/** Of the work, for the boxes that the prices of memory are found on; it comes on top. */
const PRICES_SHARE = 0.3;
/** Prices that gain less may prove less than none. */
const CLEAR_GAIN = 0.01;

function partOf(limits: RefineLimits, share: number): RefineLimits {
  return { ...limits, work: share * limits.work };
}

/** What a bound starts from. */
export interface BoundStart {
  /** Sums and concatenations are left out as well (`relays.ts`). */
  readonly areJoinsRelays?: boolean;
  /** Of memory. */
  readonly prices?: MemoryPrices;
  /** Turns that look for prices of what devices lack; as many as the work allows where it is left out. */
  readonly messageTurns?: number;
}

export function boxBound(
  scene: BoundScene,
  start: BoundStart,
  incumbentNs: Nanoseconds | undefined,
  limits: RefineLimits,
  isStopped: () => boolean,
): LatencyBound {
  return new BoxBound(scene, start, incumbentNs, limits, isStopped).upTo(limits.work);
}

/** A bound that can be halted, and goes on as if it had not been. */
class BoxBound {
  private readonly refinement: Refinement;
  private readonly messageTurns: number;
  /** A valid plan keeps within the rooms, so its priced cost is at most its latency plus their price. */
  private readonly credit: Nanoseconds;

  constructor(
    scene: BoundScene,
    private readonly start: BoundStart,
    private readonly incumbentNs: Nanoseconds | undefined,
    private readonly limits: RefineLimits,
    isStopped: () => boolean,
  ) {
    const { prices, messageTurns, areJoinsRelays } = start;
    const problem = new SynchronousProblem(scene, prices, isStopped, areJoinsRelays);
    const turns = messageTurns ?? turnsFor(problem, limits);
    const incumbent = incumbentNs ?? Infinity;
    const priced =
      turns === 0
        ? undefined
        : priceMessages(problem, prices, incumbent, turns, limits.tableLimit, isStopped);
    const isGained = priced !== undefined && priced.gain >= leastGain(problem);
    const isReady = priced === undefined || isGained;
    const memory = isGained ? priced.memory : prices;
    this.messageTurns = isGained ? turns : 0;
    this.credit = memory === undefined ? 0 : priceOfRooms(scene.cluster, memory);
    this.refinement = new Refinement(
      isReady ? problem : new SynchronousProblem(scene, prices, isStopped, areJoinsRelays),
      incumbent + this.credit,
      limits,
      isStopped,
    );
  }

  /** @param work from the start */
  upTo(work: number): LatencyBound {
    const { incumbentNs, limits, credit, messageTurns } = this;
    const { prices, areJoinsRelays } = this.start;
    const { bound, rounds, charges, isExact, stopped } = this.refinement.upTo(work);
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
        tableLimit: limits.tableLimit,
        gap: limits.gap,
        isExact,
        charges,
        messageTurns,
        ...(areJoinsRelays === true ? { areJoinsRelays } : {}),
        ...(prices === undefined ? {} : { prices }),
      },
      stopped,
    };
  }
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
