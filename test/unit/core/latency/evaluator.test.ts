import assert from 'node:assert/strict';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { seededRandom, type Random } from '../../../../src/core/graph/random';
import { wholeGene } from '../../../../src/core/latency/gene';
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

    it(`stays exact behind a plan that takes longer than whole numbers count, ${model}`, () => {
      const net = new NetBuilder();
      let last = net.input([1, 4, 16, 16]);
      for (let layer = 0; layer < 20; layer++) last = net.conv(last, 4, 3);
      const graph = net.finish([last]);
      const home = smartHome();
      // Each operator takes close to 2^53 ns there.
      const never = { ...home.devices[0], name: 'never', compute: 0.009, memoryBandwidth: undefined };
      const cluster = { ...home, devices: [...home.devices, never] };
      const devices = cluster.devices.length;
      const order = graph.operators.map(({ id }) => id);
      const workload = createWorkload(graph, partitionRules(graph), cluster, order, model);
      const whole = (device: number): CompiledGene[] =>
        order.map((operator) => workload.genes.compile(operator, wholeGene(device, devices)));
      const evaluator = new Evaluator(workload);
      for (const device of [0, devices - 1, 1, devices - 1, 0]) {
        evaluator.evaluate(whole(device));
        evaluator.keep();
        const { latencyNs } = simulate(workload, whole(device));
        assert.equal(latencyNs > Number.MAX_SAFE_INTEGER, device === devices - 1);
        if (device !== devices - 1) assert.equal(evaluator.latencyNs, latencyNs);
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
