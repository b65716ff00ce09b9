import { TRIES_PER_LOOK, type Explorer, type Stop } from './explorer';
import type { Individual } from './individual';
import { cooled, ViolationPrice } from './violationPrice';

/** Share of the latency by which a plan may get worse with probability 1/e, at the beginning and at the end. */
const FIRST_TEMPERATURE = 0.03;
const LAST_TEMPERATURE = 0.00003;
/** A plan from elsewhere is walked on from where it is better by more than so many temperatures. */
const LOYALTY = 3;
/** Changes after which the operators that the latency waits for are looked up again. */
const CHANGES_PER_LOOK = 8;

/**
 * Simulated annealing (Kirkpatrick et al., 1983): one plan walks on through what may be worse, ever less so. It may
 * exceed the memories at a price.
 */
export class Annealing {
  private readonly price: ViolationPrice;

  constructor(
    private readonly explorer: Explorer,
    private current: Individual,
  ) {
    this.price = new ViolationPrice(explorer.space);
  }

  /** @param passed share of the whole walk that lies behind it */
  offer(plan: Individual, passed: number): void {
    const slack = 1 + LOYALTY * temperature(passed);
    if (this.price.ofPlan(this.current) > this.price.ofPlan(plan) * slack) this.current = plan;
  }

  /** Walks until `end` plans were evaluated, which is from `from` to `to` of the whole walk. */
  walk(end: number, from: number, to: number, stop: Stop): void {
    const { explorer, price } = this;
    const { evaluator, mutator, random } = explorer;
    const begin = evaluator.evaluations;
    explorer.individual(this.current.genome);
    let critical = evaluator.criticalSteps();
    let changes = 0;
    for (let i = 1; evaluator.evaluations < end && !(i % TRIES_PER_LOOK === 0 && stop()); i++) {
      const passed = from + ((to - from) * (evaluator.evaluations - begin)) / (end - begin);
      const before = price.ofPlan(this.current);
      const limit = before * (1 - temperature(passed) * Math.log(1 - random.next()));
      const genome = explorer.mutation(this.current, critical);
      // What exceeds nothing costs its latency alone.
      evaluator.evaluate(genome, limit);
      const after = evaluator.latencyNs === Infinity ? Infinity : price.ofPlan(evaluator);
      if (after <= limit) {
        evaluator.keep();
        this.current = explorer.taken([...genome]);
        if (after < before) mutator.reward(1 - after / before);
        if (++changes % CHANGES_PER_LOOK === 0) critical = evaluator.criticalSteps();
      }
      price.follow(this.current);
    }
  }
}

function temperature(passed: number): number {
  return cooled(FIRST_TEMPERATURE, LAST_TEMPERATURE, passed);
}
