import type { Bytes, Nanoseconds } from '../../graph/units';
import { TRIES_PER_LOOK, type Explorer, type Stop } from './explorer';
import type { Fitness, Individual } from './individual';

/** Share of the latency by which a plan may get worse with probability 1/e, at the beginning and at the end. */
const FIRST_TEMPERATURE = 0.03;
const LAST_TEMPERATURE = 0.00003;
/** A plan from elsewhere is walked on from where it is better by more than so many temperatures. */
const LOYALTY = 3;
/** What exceeding the memories by as much as there is costs at first, in latencies. */
const FIRST_PRICE = 10;
/** Every so many tries it rises or falls by this factor, as more or fewer than half of the plans exceed. */
const TRIES_PER_PRICE = 200;
const PRICE_FACTOR = 1.1;
const EXCEEDING_SHARE = 0.5;
/** Changes after which the operators that the latency waits for are looked up again. */
const CHANGES_PER_LOOK = 8;

/**
 * Simulated annealing (Kirkpatrick et al., 1983): one plan walks on through what may be worse, ever less so. It may
 * exceed the memories at a price that keeps about half of its plans within them (strategic oscillation): under
 * tight limits valid plans lie far apart, with faster ones between them that lack a little.
 */
export class Annealing {
  private price = FIRST_PRICE;
  private readonly allMemory: Bytes;
  private tries = 0;
  private exceeding = 0;

  constructor(
    private readonly explorer: Explorer,
    private current: Individual,
  ) {
    const { devices } = explorer.space.workload.cluster;
    this.allMemory = devices.reduce((sum, { memory }) => sum + memory, 1);
  }

  /** @param passed share of the whole walk that lies behind it */
  offer(plan: Individual, passed: number): void {
    const slack = 1 + LOYALTY * temperature(passed);
    if (this.pricedNs(this.current) > this.pricedNs(plan) * slack) this.current = plan;
  }

  /** Walks until `end` plans were evaluated, which is from `from` to `to` of the whole walk. */
  walk(end: number, from: number, to: number, stop: Stop): void {
    const { explorer } = this;
    const { evaluator, mutator, random } = explorer;
    const begin = evaluator.evaluations;
    explorer.individual(this.current.genome);
    let critical = evaluator.criticalSteps();
    let changes = 0;
    for (let i = 1; evaluator.evaluations < end && !(i % TRIES_PER_LOOK === 0 && stop()); i++) {
      const passed = from + ((to - from) * (evaluator.evaluations - begin)) / (end - begin);
      const before = this.pricedNs(this.current);
      const limit = before * (1 - temperature(passed) * Math.log(1 - random.next()));
      const genome = explorer.mutation(this.current, critical);
      // What exceeds nothing costs its latency alone.
      evaluator.evaluate(genome, limit);
      const after = evaluator.latencyNs === Infinity ? Infinity : this.pricedNs(evaluator);
      if (after <= limit) {
        evaluator.keep();
        this.current = explorer.taken([...genome]);
        if (after < before) mutator.reward(1 - after / before);
        if (++changes % CHANGES_PER_LOOK === 0) critical = evaluator.criticalSteps();
      }
      this.adaptPrice();
    }
  }

  private pricedNs({ latencyNs, violation }: Fitness): Nanoseconds {
    return latencyNs * (1 + (this.price * violation) / this.allMemory);
  }

  private adaptPrice(): void {
    if (this.current.violation > 0) this.exceeding++;
    if (++this.tries < TRIES_PER_PRICE) return;
    this.price *= this.exceeding > EXCEEDING_SHARE * this.tries ? PRICE_FACTOR : 1 / PRICE_FACTOR;
    this.tries = this.exceeding = 0;
  }
}

function temperature(passed: number): number {
  return FIRST_TEMPERATURE * (LAST_TEMPERATURE / FIRST_TEMPERATURE) ** passed;
}
