/** Random plans, the best kept: what any search must beat with the same number of evaluations. */
import { seededRandom, type Random } from '../../graph/random';
import { NONE, type OperatorId } from '../../graph/units';
import { Evaluator } from '../../latency/evaluator';
import { wholeGene, type Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import type { CompiledGene } from '../../latency/compiledGene';

export interface RandomPlan {
  readonly latencyNs: number;
  /** Bytes by which memories are exceeded. */
  readonly violation: number;
}

/** Random genes per operator that its plans are drawn from: compiling a new one for every plan takes far longer. */
const POOL = 16;

export function randomSearch(workload: Workload, evaluations: number, seed: number): RandomPlan {
  const random = seededRandom(seed);
  const evaluator = new Evaluator(workload);
  const { steps } = workload.flow;
  const pools = steps.map((operator) =>
    Array.from({ length: POOL }, () =>
      workload.genes.compile(operator, randomGene(workload, operator, random)),
    ),
  );
  const genome = new Array<CompiledGene | undefined>(workload.graph.operators.length);
  let best: RandomPlan = { latencyNs: Infinity, violation: Infinity };
  for (let trial = 0; trial < evaluations; trial++) {
    steps.forEach((operator, step) => (genome[operator] = pools[step][random.below(POOL)]));
    evaluator.evaluate(genome, best.violation === 0 ? best.latencyNs : Infinity);
    const { latencyNs, violation } = evaluator;
    if (violation < best.violation || (violation === best.violation && latencyNs < best.latencyNs)) {
      best = { latencyNs, violation };
    }
  }
  return best;
}

function randomGene(workload: Workload, operator: OperatorId, random: Random): Gene {
  const devices = workload.cluster.devices.length;
  const splits = workload.genes.splits(operator);
  const position = random.below(splits.length + 1) - 1;
  if (position === NONE) return wholeGene(random.below(devices), devices);
  const { dimension, length, unit } = splits[position];
  const inner = Array.from({ length: devices - 1 }, () => random.below(length / unit + 1) * unit);
  const cuts = [0, ...inner.sort((a, b) => a - b), length];
  return { split: position, cuts, reduceOn: dimension === 'K' ? random.below(devices) : NONE };
}
