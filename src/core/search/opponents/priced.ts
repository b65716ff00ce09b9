/**
 * Fast synchronous plans within the devices' memories (Lagrangian relaxation): every byte that a device holds has a
 * price, the fastest priced plan is found among the genes of nearly as fast ones, and the prices follow what it needs
 * too much. Without a violation at price zero this is the plain neighbourhood optimum.
 */
import { seededRandom } from '../../graph/random';
import type { Bytes, Nanoseconds } from '../../graph/units';
import type { Gene } from '../../latency/gene';
import { simulate } from '../../latency/simulate';
import type { DeviceLoad } from '../../latency/timeline';
import { byOperator, type FastestPlan, type GeneProblem } from './geneProblem';
import { HeldPrices } from './heldPrices';
import { commonGenes, neighbourhoodOptimum, RankedGenes } from './neighbourhood';

/** Adjustments of the prices for every neighbourhood of the plain optimum. */
const STEPS_PER_ROUND = 5 / 3;
/** Of the way to the best valid plan that a step aims at, halved where so many steps in a row do not help. */
const FIRST_STRIDE = 1;
const PATIENCE = 4;
/** While no valid plan is known: to so many times the priced cost. */
const AIM = 1.1;
const LEAST_AIM = 0.001;
/** Every so many steps the common genes are candidates as well. */
const STEPS_PER_COMMON = 6;
/** Genes that are kept of each operator, and drawn around each that is looked around. */
const KEPT = 12;
const DRAWN = 6;
const SEED = 1;
/** Neighbourhoods of the plain optimum after which the first plan is told. */
const NEAR_ROUNDS = 2;
/** The same before the draws begin anew. */
const ROUNDS_AT_ONCE = 8;
/** So much work (operators and pairs of devices, in each round) is done whatever the number of rounds. */
const CHEAP = 51_200;
/** Plans that are handed on at most. */
const MOST_PLANS = 8;

export interface PricedPlan {
  /** In step order. */
  readonly genes: readonly Gene[];
  readonly latencyNs: Nanoseconds;
  /** Bytes by which memories are exceeded. */
  readonly violation: Bytes;
  /** It is the fastest of all combinations of the genes that it was found among. */
  readonly isExact: boolean;
}

/**
 * The plan of the least violation and then the least latency first; behind it those found on the way that are
 * faster, each lacking more than the one before.
 * @param rounds neighbourhoods of the plain optimum, and none any more from when `isLate` on
 * @param found hears of the plan that the others follow from: the fastest of a few genes for each operator, and where it is
 * valid of some neighbourhoods of it
 */
export function pricedPlans(
  problem: GeneProblem,
  rounds: number,
  isLate: () => boolean = () => false,
  found: (first: PricedPlan) => void = () => undefined,
): PricedPlan[] {
  const free = judged(problem, neighbourhoodOptimum(problem, undefined, 0));
  if (free.violation === 0) {
    if (isLate()) {
      found(free);
      return [free];
    }
    const first = Math.min(NEAR_ROUNDS, rounds);
    const tell = (plan: FastestPlan): void => found(judged(problem, plan));
    const near = judged(problem, neighbourhoodOptimum(problem, free.genes, first, isLate, tell));
    return [polished(problem, near, rounds - first, isLate)];
  }
  found(free);
  const walk = new PriceWalk(problem, free);
  const plans = [free];
  const steps = Math.ceil(rounds * STEPS_PER_ROUND);
  for (let step = 0; step < steps && !isLate(); step++) plans.push(walk.next());
  return undominated(plans);
}

/** Again and again with draws that begin anew: where one series ends the next may go on. */
function polished(problem: GeneProblem, plan: JudgedPlan, rounds: number, isLate: () => boolean): JudgedPlan {
  const { flow, cluster } = problem.workload;
  const cheap = Math.floor(CHEAP / (flow.steps.length * cluster.devices.length ** 2));
  let best = plan;
  for (let round = 0; round < rounds && !isLate(); round += ROUNDS_AT_ONCE) {
    const atOnce = Math.min(ROUNDS_AT_ONCE, Math.max(rounds - round, cheap));
    const next = judged(problem, neighbourhoodOptimum(problem, best.genes, atOnce, isLate));
    if (next.latencyNs >= best.latencyNs) break;
    best = next;
  }
  return best;
}

interface JudgedPlan extends PricedPlan {
  readonly devices: readonly DeviceLoad[];
}

function judged({ workload }: GeneProblem, { genes, isExact }: FastestPlan): JudgedPlan {
  const { latencyNs, devices } = simulate(workload, byOperator(workload, genes));
  const violation = devices.reduce(
    (sum, { peakBytes }, d) => sum + Math.max(0, peakBytes - workload.cluster.devices[d].memory),
    0,
  );
  return { genes, latencyNs, violation, devices, isExact };
}

/** Subgradient steps on the prices (Polyak's rule, towards the best valid plan), a plan for each. */
class PriceWalk {
  private readonly prices: HeldPrices;
  private readonly nearby: RankedGenes;
  private readonly common: readonly (readonly Gene[])[];
  private best: JudgedPlan;
  private stride = FIRST_STRIDE;
  private idle = 0;
  private steps = 0;
  /** The most that a priced plan cost, less the price of all memory, and at which prices. */
  private top: { value: Nanoseconds; prices: Float64Array };

  constructor(
    private readonly problem: GeneProblem,
    private current: JudgedPlan,
  ) {
    const { workload } = problem;
    this.best = current;
    this.prices = new HeldPrices(workload);
    this.top = { value: -Infinity, prices: this.prices.perByte.slice() };
    this.nearby = new RankedGenes(problem, current.genes.length, KEPT, DRAWN, seededRandom(SEED));
    this.common = workload.flow.steps.map((operator) => commonGenes(workload, operator));
  }

  /** The fastest plan that is found at the next prices. */
  next(): JudgedPlan {
    this.adjust();
    const { current, best, prices, common } = this;
    const isCommon = this.steps++ % STEPS_PER_COMMON === 0;
    const fastest = this.nearby.fastest(
      [current.genes, best.genes],
      this.pricedNs(),
      prices.of,
      isCommon ? (step) => common[step] : undefined,
    );
    this.current = judged(this.problem, fastest);
    if (isBetter(this.current, best)) this.best = this.current;
    return this.current;
  }

  private adjust(): void {
    const { best, current, prices, problem } = this;
    const value = this.pricedNs() - prices.ofRooms();
    this.idle = value > this.top.value ? 0 : this.idle + 1;
    if (value > this.top.value) this.top = { value, prices: prices.perByte.slice() };
    if (this.idle > PATIENCE) {
      this.stride /= 2;
      this.idle = 0;
    }
    prices.follow(current.devices.map(({ peakStep }) => peakStep));
    const { devices } = problem.workload.cluster;
    const lacking = current.devices.map(({ peakBytes }, d) => peakBytes - devices[d].memory);
    const slope = lacking.map((bytes, d) => (bytes < 0 && prices.perByte[d] === 0 ? 0 : bytes));
    const square = slope.reduce((sum, bytes) => sum + bytes * bytes, 0);
    if (square === 0) {
      // The last step led beyond where memory has a price at all.
      this.stride /= 2;
      prices.perByte.set(this.top.prices);
      return;
    }
    const aim = (best.violation === 0 ? best.latencyNs : AIM * this.top.value) - value;
    const length = (this.stride * Math.max(aim, LEAST_AIM * Math.abs(value))) / square;
    prices.move(slope.map((bytes) => length * bytes));
  }

  /** What the plan at hand costs. */
  private pricedNs(): Nanoseconds {
    const { genes, flow } = this.problem.workload;
    const priceOf = (gene: Gene, step: number): Nanoseconds =>
      this.prices.of(genes.compile(flow.steps[step], gene));
    return this.current.genes.reduce((sum, gene, step) => sum + priceOf(gene, step), this.current.latencyNs);
  }
}

/** Each faster and lacking more than the one before; of more the ones that lack least. */
function undominated(found: readonly PricedPlan[]): PricedPlan[] {
  const sorted = [...found].sort((a, b) => a.violation - b.violation || a.latencyNs - b.latencyNs);
  const kept: PricedPlan[] = [];
  for (const plan of sorted) {
    if (kept.length < MOST_PLANS && (kept.at(-1)?.latencyNs ?? Infinity) > plan.latencyNs) kept.push(plan);
  }
  return kept;
}

function isBetter(a: PricedPlan, b: PricedPlan): boolean {
  return a.violation !== b.violation ? a.violation < b.violation : a.latencyNs < b.latencyNs;
}
