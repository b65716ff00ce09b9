/**
 * Fast synchronous plans within the devices' memories: each byte of weights on a device has a price, neighbourhood
 * optima are found for the priced problem, and the prices follow what the plans found need too much (subgradient
 * steps on the Lagrangian). Without a violation at price zero this is the plain neighbourhood optimum.
 */
import type { Bytes, Nanoseconds } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import type { Gene } from '../../latency/gene';
import { byOperator, type GeneProblem } from './geneProblem';
import { neighbourhoodOptimum, type Found } from './neighbourhood';

/** Adjustments of the prices, the first ones so small, as a share of the latency; twice as large every so many. */
const PRICE_STEPS = 32;
const FIRST_STEP = 0.002;
const STEPS_PER_DOUBLING = 10;

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
  const take = ({ genes }: Found): void => {
    evaluator.evaluate(byOperator(workload, genes), Infinity, true);
    const plan = { genes, latencyNs: evaluator.latencyNs, violation: evaluator.violation };
    if (best === undefined || isBetter(plan, best)) best = plan;
  };
  take(neighbourhoodOptimum(problem, undefined, 0));
  if (best!.violation > 0 && workload.graph.weightBytes.bytes > 0) {
    for (let step = 0; step < PRICE_STEPS; step++) {
      const excess = devices.map(({ memory }, device) => {
        const bytes = evaluator.peakBytes[device] - memory;
        return bytes < 0 && prices[device] === 0 ? 0 : bytes;
      });
      const square = excess.reduce((sum, bytes) => sum + bytes * bytes, 0);
      if (square === 0) break;
      const length = (FIRST_STEP * 2 ** Math.floor(step / STEPS_PER_DOUBLING) * evaluator.latencyNs) / square;
      excess.forEach((bytes, device) => (prices[device] = Math.max(0, prices[device] + length * bytes)));
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
