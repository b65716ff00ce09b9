import { TRIES_PER_LOOK, type Explorer, type Stop } from './explorer';
import type { Individual } from './individual';
import { PricedWalk } from './pricedWalk';

const TEMPERATURES = { first: 0.03, last: 0.00003 };
/** Of a larger model each operator is a smaller part: with this power of its excess it begins colder. */
const COOLER = 1.5;
/** A plan from elsewhere is walked on from where it is better by more than so many temperatures. */
const LOYALTY = 3;
/** Changes after which the operators that the latency waits for are looked up again. */
const CHANGES_PER_LOOK = 8;

/** One plan walks on by mutations. */
export class Annealing {
  private readonly priced: PricedWalk;

  constructor(
    private readonly explorer: Explorer,
    private current: Individual,
  ) {
    const { first, last } = TEMPERATURES;
    this.priced = new PricedWalk(explorer, { first: first / explorer.space.excess ** COOLER, last });
  }

  /** @param passed share of the whole walk that lies behind it */
  offer(plan: Individual, passed: number): void {
    const { priced } = this;
    const slack = 1 + LOYALTY * priced.temperature(passed);
    if (priced.ofPlan(this.current) > priced.ofPlan(plan) * slack) this.current = plan;
  }

  /** Walks until `end` plans were evaluated, which is from `from` to `to` of the whole walk. */
  walk(end: number, from: number, to: number, stop: Stop): void {
    const { explorer, priced } = this;
    const { evaluator, mutator } = explorer;
    const begin = evaluator.evaluations;
    explorer.individual(this.current.genome);
    let critical = evaluator.criticalSteps();
    let changes = 0;
    for (let i = 1; evaluator.evaluations < end && !(i % TRIES_PER_LOOK === 0 && stop()); i++) {
      const passed = from + ((to - from) * (evaluator.evaluations - begin)) / (end - begin);
      const before = priced.ofPlan(this.current);
      const limit = priced.limit(this.current, passed);
      const genome = explorer.mutation(this.current, critical);
      // What exceeds nothing costs its latency alone.
      evaluator.evaluate(genome, limit);
      const after = evaluator.latencyNs === Infinity ? Infinity : priced.ofPlan(evaluator);
      if (after <= limit) {
        evaluator.keep();
        this.current = explorer.taken([...genome]);
        if (after < before) mutator.reward(1 - after / before);
        if (++changes % CHANGES_PER_LOOK === 0) critical = evaluator.criticalSteps();
      }
      priced.follow(this.current);
    }
  }
}
