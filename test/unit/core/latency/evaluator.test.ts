import assert from 'node:assert/strict';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { seededRandom, type Random } from '../../../../src/core/graph/random';
import { Evaluator } from '../../../../src/core/latency/evaluator';
import { simulate } from '../../../../src/core/latency/simulate';
import { createWorkload, type LatencyModel, type Workload } from '../../../../src/core/latency/workload';
import type { CompiledGene } from '../../../../src/core/latency/compiledGene';
import { partitionRules } from '../../../../src/core/partition/rules';
import { NetBuilder, randomNet } from '../../../support/netGraph';
import { randomCluster, randomGene, shuffledOrder } from '../../../support/randomPlan';

const MODELS: readonly LatencyModel[] = ['overlapped', 'synchronous'];

function randomWorkload(random: Random, model: LatencyModel, operators: number): Workload {
  const graph = randomNet(random, operators);
  const order = shuffledOrder(random, graph);
  return createWorkload(graph, partitionRules(graph), randomCluster(random, 30_000), order, model);
}

function compileRandom(random: Random, { genes, cluster }: Workload, operator: number): CompiledGene {
  return genes.compile(operator, randomGene(random, genes.splits(operator), cluster.devices.length));
}

describe('evaluator', () => {
  for (const model of MODELS) {
    it(`counts the gathering of a model of views alone, ${model}`, () => {
      const net = new NetBuilder();
      const graph = net.finish([net.flatten(net.input([1, 2, 4, 4]))]);
      const home = smartHome();
      const cluster = { ...home, sink: (home.source + 1) % home.devices.length };
      const workload = createWorkload(graph, partitionRules(graph), cluster, [0], model);
      const evaluator = new Evaluator(workload);
      const { latencyNs } = simulate(workload, [undefined]);
      assert.ok(latencyNs > 0);
      for (let time = 0; time < 2; time++) {
        evaluator.evaluate([undefined]);
        assert.equal(evaluator.latencyNs, latencyNs);
      }
    });

    it(`agrees with the reference timeline, ${model}, whatever changed before and was kept`, () => {
      const random = seededRandom(7);
      for (let round = 0; round < 60; round++) {
        const workload = randomWorkload(random, model, round % 10 === 9 ? 100 : 3 + random.below(12));
        const evaluator = new Evaluator(workload);
        const genome = workload.graph.operators.map(({ id, isView }) =>
          isView ? undefined : compileRandom(random, workload, id),
        );
        let kept = Infinity;
        for (let change = 0; change < 25; change++) {
          const { latencyNs, devices } = simulate(workload, genome);
          // Given up for the genes alone, on the way, never, or as in a search.
          const limit = [1, Infinity, latencyNs * 0.5, latencyNs, kept][random.below(5)];
          evaluator.evaluate(genome, limit, true);
          if (evaluator.latencyNs !== Infinity) {
            assert.equal(evaluator.latencyNs, latencyNs);
            assert.deepEqual(
              [...evaluator.peakBytes],
              devices.map(({ peakBytes }) => peakBytes),
            );
            const over = devices.map(({ peakBytes }, d) =>
              Math.max(0, peakBytes - workload.cluster.devices[d].memory),
            );
            assert.equal(
              evaluator.violation,
              over.reduce((sum, bytes) => sum + bytes, 0),
            );
            if (random.below(3) === 0) {
              evaluator.keep();
              kept = latencyNs;
            }
          } else {
            assert.ok(latencyNs > limit);
          }
          for (let times = random.below(3); times >= 0; times--) {
            const { steps } = workload.flow;
            const operator = steps[random.below(steps.length)];
            genome[operator] = compileRandom(random, workload, operator);
          }
        }
      }
    });
  }
});
