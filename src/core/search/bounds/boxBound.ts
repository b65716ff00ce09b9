/** The bound of the synchronous model from one start: boxes, prices of what devices lack, refinement. */
import type { Nanoseconds } from '../../graph/units';
import type { BoundCertificate } from './certificate';
import { minimize } from './elimination';
import { priceOfRooms } from './memoryPrices';
import { priceMessages } from './messagePrices';
import type { MemoryPrices } from './pricedStep';
import { PAIR_WORK, Refinement, type RefineLimits } from './refine';
import type { BoundScene } from './scene';
import { SynchronousProblem } from './synchronousProblem';

export interface LatencyBound {
  readonly ns: Nanoseconds;
  /** For people. */
  readonly method: string;
  /** Absent where it was stopped before there was a bound. */
  readonly certificate?: BoundCertificate;
  /** The safety stop ended it. */
  readonly stopped: boolean;
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

/** A bound that can be halted, and goes on as if it had not been. */
export class BoxBound {
  private readonly refinement: Refinement;
  private readonly messageTurns: number;
  private later: { readonly rounds: number; readonly incumbentNs: Nanoseconds } | undefined;
  private rounds = 0;
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
    const turns = messageTurns ?? turnsFor(problem, limits, areJoinsRelays, isStopped);
    const incumbent = incumbentNs ?? Infinity;
    const priceLimits = {
      turns,
      leastGain: LEAST_GAIN,
      enough: scene.flow.steps.length > FEW_OPERATORS ? ENOUGH * incumbent : Infinity,
      tableLimit: limits.tableLimit,
    };
    const priced =
      turns === 0 ? undefined : priceMessages(problem, prices, incumbent, priceLimits, isStopped);
    const isGained = priced?.isUseful ?? false;
    const isReady = priced === undefined || isGained;
    const memory = isGained ? priced?.memory : prices;
    this.messageTurns = isGained ? turns : 0;
    this.credit = memory === undefined ? 0 : priceOfRooms(scene.cluster, memory);
    this.refinement = new Refinement(
      isReady ? problem : new SynchronousProblem(scene, prices, isStopped, areJoinsRelays),
      incumbent + this.credit,
      limits,
      isStopped,
    );
  }

  /** A faster plan is known. */
  lower(incumbentNs: Nanoseconds): void {
    if (this.refinement.isOver || !(incumbentNs < (this.incumbentNs ?? Infinity))) return;
    this.later = { rounds: this.rounds, incumbentNs };
    this.refinement.lower(incumbentNs + this.credit);
  }

  /** @param work from the start, @param most rounds from the start */
  upTo(work: number, most = Infinity): LatencyBound {
    const { incumbentNs, limits, credit, messageTurns, later } = this;
    const { prices, areJoinsRelays } = this.start;
    const { bound, rounds, charges, isExact, stopped } = this.refinement.upTo(work, most);
    this.rounds = rounds;
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
        ...(later === undefined ? {} : { later }),
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

/** Turns at most, and the share of the work that they may take on top; fewer than the least number say nothing. */
export const MOST_TURNS = 250;
const TURNS_SHARE = 0.3;
const LEAST_TURNS = 10;
/** Prices of what devices lack that gain less on the first boxes are left out: the rounds cost more with them. */
const LEAST_GAIN = 0.04;
/** As near to the known plan boxes come by themselves, and sooner, in models of more operators than that. */
const ENOUGH = 0.92;
const FEW_OPERATORS = 100;
/** In larger models they cost too much where joins are kept. */
const MOST_PRICED = 330;

function turnsFor(
  problem: SynchronousProblem,
  { work, tableLimit }: RefineLimits,
  areJoinsRelays = false,
  isStopped: () => boolean,
): number {
  if (!areJoinsRelays && problem.scene.flow.steps.length > MOST_PRICED) return 0;
  const { cells } = minimize(problem.pairwise(), tableLimit, problem.order, isStopped);
  const turns = Math.floor((TURNS_SHARE * work) / (PAIR_WORK * problem.allPairs + cells));
  return turns < LEAST_TURNS ? 0 : Math.min(MOST_TURNS, turns);
}

/** Of sums of as many terms as there are operators. */
const NOISE = 1e-12;
export const NOTHING_PROVEN: LatencyBound = { ns: 0, method: 'none', stopped: true };
