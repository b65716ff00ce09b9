import type { Bytes, Nanoseconds } from '../../graph/units';
import type { Explorer } from './explorer';
import type { Fitness } from './individual';

/** What exceeding the memories by as much as there is costs at first, in latencies. */
const FIRST_PRICE = 10;
/** Every so many tries it rises or falls by this factor, as more or fewer than half of the plans exceed. */
const TRIES_PER_PRICE = 200;
const PRICE_FACTOR = 1.1;
const EXCEEDING_SHARE = 0.5;

/** Shares of the latency by which a plan may get worse with probability 1/e. */
export interface Temperatures {
  readonly first: number;
  readonly last: number;
}

/**
 * Simulated annealing (Kirkpatrick et al., 1983): a walk through plans that may get worse, ever less so. What exceeds
 * the memories has a price that keeps about half of them within (strategic oscillation): under tight limits valid
 * plans lie far apart, with faster ones between them that lack a little.
 */
export class PricedWalk {
  private price = FIRST_PRICE;
  private readonly allMemory: Bytes;
  private tries = 0;
  private exceeding = 0;

  constructor(
    private readonly explorer: Explorer,
    private readonly temperatures: Temperatures,
  ) {
    const { devices } = explorer.space.workload.cluster;
    this.allMemory = devices.reduce((sum, { memory }) => sum + memory, 1);
  }

  /** @param passed share of the walk that lies behind it */
  temperature(passed: number): number {
    const { first, last } = this.temperatures;
    return first * (last / first) ** passed;
  }

  /** What a plan counts as. */
  ofPlan({ latencyNs, violation }: Fitness): Nanoseconds {
    return latencyNs * (1 + (this.price * violation) / this.allMemory);
  }

  /** Draws what the plan that is tried next may count at most. */
  limit(plan: Fitness, passed: number): Nanoseconds {
    return this.ofPlan(plan) * (1 - this.temperature(passed) * Math.log(1 - this.explorer.random.next()));
  }

  /** The price follows the plan that the walk stands at after a try. */
  follow({ violation }: Fitness): void {
    if (violation > 0) this.exceeding++;
    if (++this.tries < TRIES_PER_PRICE) return;
    this.price *= this.exceeding > EXCEEDING_SHARE * this.tries ? PRICE_FACTOR : 1 / PRICE_FACTOR;
    this.tries = this.exceeding = 0;
  }
}
