import assert from 'node:assert/strict';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom } from '../../../../../src/core/graph/random';
import { Evaluator } from '../../../../../src/core/latency/evaluator';
import type { Gene } from '../../../../../src/core/latency/gene';
import { createWorkload, type LatencyModel, type Workload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { byOperator, GeneProblem } from '../../../../../src/core/search/opponents/geneProblem';
import { gridOptimum } from '../../../../../src/core/search/opponents/grid';
import { layerPipeline } from '../../../../../src/core/search/opponents/layerPipeline';
import { opponentPlans } from '../../../../../src/core/search/opponents/opponents';
import { randomSearch } from '../../../../../src/core/search/opponents/randomSearch';
import { randomNet } from '../../../../support/netGraph';
import { randomCluster, randomGene } from '../../../../support/randomPlan';

const TABLE_LIMIT = 1_000_000;

function workloadOf(seed: number, model: LatencyModel, size: number, memory?: number): Workload {
  const graph: Graph = randomNet(seededRandom(seed), size);
  const order = graph.operators.map(({ id }) => id);
  return createWorkload(
    graph,
    partitionRules(graph),
    randomCluster(seededRandom(50 + seed), memory),
    order,
    model,
  );
}

function latencyOf(workload: Workload, genes: readonly Gene[]): number {
  const evaluator = new Evaluator(workload);
  evaluator.evaluate(byOperator(workload, genes));
  return evaluator.latencyNs;
}

describe('opponents', () => {
  it('the pairwise problem over genes is the synchronous latency, and elimination finds its minimum', () => {
    for (let seed = 0; seed < 12; seed++) {
      const workload = workloadOf(seed, 'synchronous', 3);
      const random = seededRandom(seed);
      const { flow, genes, cluster } = workload;
      const candidates = flow.steps.map((operator) =>
        Array.from({ length: 2 }, () => randomGene(random, genes.splits(operator), cluster.devices.length)),
      );
      let least = Infinity;
      for (let choice = 0; choice < 2 ** candidates.length; choice++) {
        const plan = candidates.map((pair, step) => pair[(choice >> step) & 1]);
        least = Math.min(least, latencyOf(workload, plan));
      }
      const found = new GeneProblem(workload).fastest(candidates, TABLE_LIMIT);
      assert.ok(found.isExact);
      assert.equal(found.cost, least);
      assert.equal(latencyOf(workload, found.genes), least);
    }
  });

  it('the layer pipeline keeps within the memories, each device in one run', () => {
    let found = 0;
    for (let seed = 0; seed < 20; seed++) {
      const workload = workloadOf(seed, 'synchronous', 6, 12_000);
      const genes = layerPipeline(workload);
      if (genes === undefined) continue;
      found++;
      const evaluator = new Evaluator(workload);
      evaluator.evaluate(byOperator(workload, genes), Infinity, true);
      assert.equal(evaluator.violation, 0);
      const devices = genes.map(({ cuts }) => cuts.indexOf(1) - 1);
      const runs = devices.filter((device, step) => device !== devices[step - 1]);
      assert.equal(new Set(runs).size, runs.length);
    }
    assert.ok(found > 5);
  });

  it('the grid optimum is no slower than any plan on its grid, random search no faster than its best draw', () => {
    for (let seed = 0; seed < 4; seed++) {
      const workload = workloadOf(seed, 'synchronous', 4);
      const problem = new GeneProblem(workload);
      const coarse = gridOptimum(problem, 2);
      const fine = gridOptimum(problem, 4);
      assert.ok(fine.cost <= coarse.cost);
      assert.equal(latencyOf(workload, fine.genes), fine.cost);
      assert.deepEqual(randomSearch(workload, 20, 1), randomSearch(workload, 20, 1));
    }
  });

  it('every opponent is a plan of both latency models, the same each time', () => {
    for (let seed = 0; seed < 3; seed++) {
      const { graph, genes, cluster, order } = workloadOf(seed, 'overlapped', 6);
      const plans = opponentPlans(graph, genes.rules, cluster, order);
      assert.deepEqual(opponentPlans(graph, genes.rules, cluster, order), plans);
      for (const model of ['overlapped', 'synchronous'] as const) {
        const workload = createWorkload(graph, genes.rules, cluster, order, model);
        for (const plan of plans) {
          const evaluator = new Evaluator(workload);
          evaluator.evaluate(plan.genes.map((gene, id) => gene && workload.genes.compile(id, gene)));
          assert.ok(Number.isFinite(evaluator.latencyNs) && evaluator.latencyNs > 0, plan.name);
        }
      }
    }
  });
});
