import assert from 'node:assert/strict';
import { parseCluster } from '../../../../../src/core/cluster/parse';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom } from '../../../../../src/core/graph/random';
import { NONE } from '../../../../../src/core/graph/units';
import { Evaluator } from '../../../../../src/core/latency/evaluator';
import { wholeGene, type Gene } from '../../../../../src/core/latency/gene';
import { simulate } from '../../../../../src/core/latency/simulate';
import { createWorkload, type LatencyModel, type Workload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import {
  byOperator,
  GeneProblem,
  type FastestPlan,
  type RankedPlan,
} from '../../../../../src/core/search/opponents/geneProblem';
import { gridOptimum } from '../../../../../src/core/search/opponents/grid';
import { hiddenMessagesPlan } from '../../../../../src/core/search/opponents/hiddenMessages';
import { HeldPrices } from '../../../../../src/core/search/opponents/heldPrices';
import { layerPipeline } from '../../../../../src/core/search/opponents/layerPipeline';
import { opponentPlans } from '../../../../../src/core/search/opponents/opponents';
import { pricedPlans } from '../../../../../src/core/search/opponents/priced';
import { randomSearch } from '../../../../../src/core/search/opponents/randomSearch';
import { NetBuilder, randomNet } from '../../../../support/netGraph';
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

function wholeOnSource({ flow, cluster }: Workload): Gene[] {
  return flow.steps.map(() => wholeGene(cluster.source, cluster.devices.length));
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

  it('phases are those of the plan, whichever parts a gene leaves and the next one needs', () => {
    for (let seed = 0; seed < 150; seed++) {
      const workload = workloadOf(seed, 'synchronous', 2 + (seed % 9));
      const random = seededRandom(seed);
      const { flow, genes, cluster } = workload;
      const plan = flow.steps.map((operator) => {
        const splits = genes.splits(operator);
        const gene = randomGene(random, splits, cluster.devices.length);
        if (gene.split === NONE || gene.reduceOn !== NONE) return gene;
        // Some of the halos are computed where they are needed.
        const { unit } = splits[gene.split];
        return { ...gene, halos: gene.cuts.slice(1).flatMap(() => [0, 0].map(() => unit * random.below(3))) };
      });
      const { cost } = new GeneProblem(workload).fastest(
        plan.map((gene) => [gene]),
        TABLE_LIMIT,
      );
      assert.equal(cost, latencyOf(workload, plan), `seed ${seed}`);
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

  it('the layer pipeline of a very large model is cut where little crosses', () => {
    const net = new NetBuilder();
    let x = net.input([1, 4, 4, 4]);
    // Every second tensor is half as large.
    for (let i = 0; i < 1100; i++) x = net.conv(net.conv(x, 2, 1), 4, 1);
    const graph = net.finish([x]);
    const order = graph.operators.map(({ id }) => id);
    const memory = Math.ceil(0.6 * graph.weightBytes.bytes) + 512;
    const device = (name: string, compute: string): unknown => ({
      name,
      memory,
      compute,
      operatorOverhead: '0 s',
    });
    const cluster = parseCluster({
      name: 'two',
      devices: [device('a', '2 GFLOP/s'), device('b', '1 GFLOP/s')],
      network: { kind: 'switched', bandwidth: '1 Mbit/s', latency: '1 ms' },
    });
    const workload = createWorkload(graph, partitionRules(graph), cluster, order, 'synchronous');
    const genes = layerPipeline(workload);
    assert.ok(genes !== undefined);
    const evaluator = new Evaluator(workload);
    evaluator.evaluate(byOperator(workload, genes), Infinity, true);
    assert.equal(evaluator.violation, 0);
    // The faster one has as much as fits, and what is passed on is one of the smaller tensors.
    const { length } = genes.filter(({ cuts }) => cuts.indexOf(1) === 1);
    assert.ok(length > 0.58 * genes.length && length % 2 === 1, String(length));
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
      const hidden = hiddenMessagesPlan(graph, genes.rules, cluster, order);
      const plans = [...opponentPlans(graph, genes.rules, cluster, order), hidden];
      assert.deepEqual(opponentPlans(graph, genes.rules, cluster, order), plans.slice(0, -1));
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

  it('a price of one per byte makes what one device holds at its peak, but for inputs that wait', () => {
    let exact = 0;
    for (let seed = 0; seed < 20; seed++) {
      const workload = workloadOf(seed, 'synchronous', 8);
      const { flow, genes, cluster, graph, order } = workload;
      const { source } = cluster;
      const plan = wholeOnSource(workload);
      // Weights of several operators have no price.
      if (flow.steps.some((operator) => genes.sharedWeights(operator).length > 0)) continue;
      exact++;
      const { devices } = simulate(workload, byOperator(workload, plan));
      const prices = new HeldPrices(workload);
      prices.follow(devices.map(({ peakStep }) => peakStep));
      prices.move(cluster.devices.map((_, d) => (d === source ? 1 : 0)));
      const price = plan.reduce(
        (sum, gene, step) => sum + prices.of(genes.compile(flow.steps[step], gene)),
        0,
      );
      const peak = flow.stepOf[order[devices[source].peakStep]];
      const waiting = flow.storages.reduce((sum, { producer, readers }, storage) => {
        const steps = readers.map((reader) => flow.stepOf[reader]);
        const waits = producer === NONE && !steps.includes(peak) && steps.some((step) => step > peak);
        return sum + (waits ? graph.storages[storage].bytes! : 0);
      }, 0);
      const { memory, baseMemory } = cluster.devices[source];
      assert.equal(prices.ofRooms(), memory - baseMemory);
      assert.equal(price + waiting, devices[source].peakBytes - baseMemory);
    }
    assert.ok(exact > 10);
  });

  it('priced plans keep within tight memories more often than fast ones, each faster than the one before', () => {
    let short = 0;
    let solved = 0;
    for (let seed = 0; seed < 20; seed++) {
      const roomy = workloadOf(seed, 'synchronous', 8);
      const { source } = roomy.cluster;
      const needed = simulate(roomy, byOperator(roomy, wholeOnSource(roomy))).devices[source].peakBytes;
      const workload = workloadOf(seed, 'synchronous', 8, needed);
      const problem = new GeneProblem(workload);
      const plans = pricedPlans(problem, 6);
      plans.forEach(({ genes, latencyNs, violation }, i) => {
        const evaluator = new Evaluator(workload);
        evaluator.evaluate(byOperator(workload, genes), Infinity, true);
        assert.equal(evaluator.latencyNs, latencyNs);
        assert.equal(evaluator.violation, violation);
        if (i > 0) assert.ok(latencyNs < plans[i - 1].latencyNs && violation > plans[i - 1].violation);
      });
      if (plans.length === 1) continue;
      short++;
      if (plans[0].violation === 0) solved++;
    }
    assert.ok(short >= 5 && solved >= short / 2);
  });

  it('the elimination looks at no more genes for more devices, and around no more plans than it is told to', () => {
    const net = new NetBuilder();
    let last = net.input([1, 4, 96, 96]);
    for (let layer = 0; layer < 12; layer++) last = net.relu(net.conv(last, 4, 3));
    const graph = net.finish([last]);
    const home = smartHome();
    const devices = Array.from({ length: 48 }, (_, d) => ({ ...home.devices[0], name: `d${d}` }));
    const cluster = { ...home, devices, network: { ...home.network, links: [] } };
    const order = graph.operators.map(({ id }) => id);
    const problem = new CountingProblem(
      createWorkload(graph, partitionRules(graph), cluster, order, 'synchronous'),
    );
    pricedPlans(problem, 1);
    // The best of common genes, that again, and one neighbourhood.
    const [common, , around, ...ranked] = problem.most;
    assert.ok(common < 250, `${common}`);
    assert.ok(around <= 100, `${around}`);
    assert.ok(ranked.length <= 8, `${ranked.length}`);
    // Told that it is late from the start: the common genes alone.
    problem.most.length = 0;
    const [plan] = pricedPlans(problem, 24, () => true);
    assert.deepEqual(problem.most, [common]);
    assert.ok(plan.latencyNs > 0);
  });
});

/** Notes how many genes an operator had at most, each time. */
class CountingProblem extends GeneProblem {
  readonly most: number[] = [];

  override fastest(...[candidates, ...rest]: Parameters<GeneProblem['fastest']>): FastestPlan {
    this.most.push(Math.max(...candidates.map(({ length }) => length)));
    return super.fastest(candidates, ...rest);
  }

  override ranked(...[candidates, ...rest]: Parameters<GeneProblem['ranked']>): RankedPlan {
    this.most.push(Math.max(...candidates.map(({ length }) => length)));
    return super.ranked(candidates, ...rest);
  }
}
