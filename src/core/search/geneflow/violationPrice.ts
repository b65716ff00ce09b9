import type { Bytes, Nanoseconds } from '../../graph/units';
import type { Fitness } from './individual';
import type { SearchSpace } from './space';

/** What exceeding the memories by as much as there is costs at first, in latencies. */
const FIRST_PRICE = 10;
/** Every so many tries it rises or falls by this factor, as more or fewer than half of the plans exceed. */
const TRIES_PER_PRICE = 200;
const PRICE_FACTOR = 1.1;
const EXCEEDING_SHARE = 0.5;

/**
 * A price of what exceeds the memories that keeps about half of the plans of a walk within them (strategic
 * oscillation): under tight limits valid plans lie far apart, with faster ones between them that lack a little.
 */
export class ViolationPrice {
  private price = FIRST_PRICE;
  private readonly allMemory: Bytes;
  private tries = 0;
  private exceeding = 0;

  constructor({ workload }: SearchSpace) {
    this.allMemory = workload.cluster.devices.reduce((sum, { memory }) => sum + memory, 1);
  }

  /** What a plan counts as. */
  ofPlan({ latencyNs, violation }: Fitness): Nanoseconds {
    return latencyNs * (1 + (this.price * violation) / this.allMemory);
  }

  /** Follows the plan that the walk stands at after a try. */
  follow({ violation }: Fitness): void {
    if (violation > 0) this.exceeding++;
    if (++this.tries < TRIES_PER_PRICE) return;
    this.price *= this.exceeding > EXCEEDING_SHARE * this.tries ? PRICE_FACTOR : 1 / PRICE_FACTOR;
    this.tries = this.exceeding = 0;
  }
}

/** The temperature of a walk that cools geometrically. @param passed share of it that lies behind */
export function cooled(first: number, last: number, passed: number): number {
  return first * (last / first) ** passed;
}
