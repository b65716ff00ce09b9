/**
 * Fast synchronous plans within the devices' memories: each byte of weights on a device has a price, neighbourhood
 * optima are found for the priced problem, and the prices follow what the plans found need too much (subgradient
 * steps on the Lagrangian). Without a violation at price zero this is the plain neighbourhood optimum.
 */
import type { Bytes, Nanoseconds } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import type { Gene } from '../../latency/gene';
import { byOperator, type FastestPlan, type GeneProblem } from './geneProblem';
import { neighbourhoodOptimum } from './neighbourhood';

/** Adjustments of the prices. The first move them by this share of the latency per weight byte for a device that
 * lacks as much as it has, later ones by more. */
const PRICE_STEPS = 40;
const FIRST_STEP = 0.05;
const STEPS_PER_DOUBLING = 8;
const LEAST_PUSH = 0.1;

export interface PricedPlan {
  /** In step order. */
  readonly genes: readonly Gene[];
  readonly latencyNs: Nanoseconds;
  /** Bytes by which memories are exceeded. */
  readonly violation: Bytes;
}

/** The least violation first, then the least latency. @param rounds neighbourhoods for the final polish */
export function pricedOptimum(problem: GeneProblem, rounds: number): PricedPlan {
  const { workload } = problem;
  const { devices } = workload.cluster;
  const evaluator = new Evaluator(workload);
  const prices = new Float64Array(devices.length);
  const priceOf = (gene: CompiledGene): number =>
    gene.ownWeightBytes.reduce((sum, bytes, device) => sum + bytes * prices[device], 0);
  let best: PricedPlan | undefined;
  const take = ({ genes }: FastestPlan): void => {
    evaluator.evaluate(byOperator(workload, genes), Infinity, true);
    const plan = { genes, latencyNs: evaluator.latencyNs, violation: evaluator.violation };
    if (best === undefined || isBetter(plan, best)) best = plan;
  };
  take(neighbourhoodOptimum(problem, undefined, 0));
  if (best!.violation > 0 && workload.graph.weightBytes.bytes > 0) {
    const perByte = evaluator.latencyNs / workload.graph.weightBytes.bytes;
    for (let step = 0; step < PRICE_STEPS; step++) {
      const size = FIRST_STEP * 2 ** Math.floor(step / STEPS_PER_DOUBLING) * perByte;
      devices.forEach(({ memory }, device) => {
        const excess = (evaluator.peakBytes[device] - memory) / Math.max(1, memory);
        // A device that lacks little would otherwise hardly be relieved.
        const push = excess > 0 ? excess + LEAST_PUSH : excess;
        prices[device] = Math.max(0, prices[device] + size * push);
      });
      take(neighbourhoodOptimum(problem, best!.genes, 0, priceOf));
    }
  }
  for (let round = 0; round < rounds; round += ROUNDS_AT_ONCE) {
    const before = best!;
    take(neighbourhoodOptimum(problem, before.genes, ROUNDS_AT_ONCE, priceOf));
    if (best === before) break;
  }
  return best!;
}

const ROUNDS_AT_ONCE = 8;

function isBetter(a: PricedPlan, b: PricedPlan): boolean {
  return a.violation !== b.violation ? a.violation < b.violation : a.latencyNs < b.latencyNs;
}
