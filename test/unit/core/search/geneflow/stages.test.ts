import assert from 'node:assert/strict';
import { parseCluster } from '../../../../../src/core/cluster/parse';
import { geneDevices, type Gene } from '../../../../../src/core/latency/gene';
import { createWorkload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { GraphCuts } from '../../../../../src/core/search/geneflow/crossover';
import { Explorer } from '../../../../../src/core/search/geneflow/explorer';
import { PricedWalk } from '../../../../../src/core/search/geneflow/pricedWalk';
import { SearchSpace } from '../../../../../src/core/search/geneflow/space';
import { StageSearch } from '../../../../../src/core/search/geneflow/stages';
import { NetBuilder } from '../../../../support/netGraph';

/** Rows are large at first and weights at last; neither device has room for all weights. */
function space(): SearchSpace {
  const net = new NetBuilder();
  let x = net.input([1, 8, 64, 64]);
  for (let i = 0; i < 3; i++) x = net.relu(net.conv(x, 8, 3));
  x = net.maxPool(net.maxPool(net.maxPool(x, 2, 2), 2, 2), 2, 2);
  for (let i = 0; i < 3; i++) x = net.relu(net.conv(x, 64, 3));
  const graph = net.finish([x]);
  const device = { memory: '400 kB', compute: '100 MFLOP/s', operatorOverhead: '10 us' };
  const cluster = parseCluster({
    name: 'two',
    devices: [
      { name: 'a', ...device },
      { name: 'b', ...device },
    ],
    network: { kind: 'switched', bandwidth: '10 MB/s', latency: '10 us' },
  });
  const order = graph.operators.map(({ id }) => id);
  const workload = createWorkload(graph, partitionRules(graph), cluster, order, 'overlapped');
  return new SearchSpace(workload, {
    ...{ seed: 1, latency: 'overlapped', strategy: 'hybrid', evaluations: 1, freeOrder: false },
  });
}

interface Walk {
  genes: readonly (Gene | undefined)[];
  latencyNs: number;
  violation: number;
}

/** @param parts of one walk of 2,000 plans */
function walks(own: SearchSpace, seed: number, parts: number): Walk[] {
  const explorer = new Explorer(own, seed);
  const stages = new StageSearch(explorer, new GraphCuts(own));
  return Array.from({ length: parts }, (_, part) => {
    const end = (2000 * (part + 1)) / parts;
    const { genome, ...worth } = stages.walk(end, part / parts, (part + 1) / parts, () => false);
    assert.equal(explorer.evaluator.evaluations, end);
    const genes = genome.map((gene) => gene?.gene);
    const { latencyNs, violation } = new Explorer(own, 0).individualOf(genes);
    assert.deepEqual([worth.latencyNs, worth.violation], [latencyNs, violation]);
    return { genes, latencyNs, violation };
  });
}

describe('plans of stages', () => {
  it('find a layout that fits where weights must be spread, better ones from part to part', () => {
    const own = space();
    for (const seed of [1, 2, 3]) {
      const [first, second] = walks(own, seed, 2);
      assert.ok(second.violation < first.violation || second.latencyNs <= first.latencyNs);
      assert.equal(second.violation, 0);
      const dimensions = second.genes.map((gene, id) =>
        gene === undefined || gene.split < 0 ? 'none' : own.splits[id][gene.split].dimension,
      );
      // Rows at first, where halos are far smaller than what channels would need.
      assert.equal(dimensions[0], 'H', `seed ${seed}`);
      const devices = second.genes.flatMap((gene) => (gene === undefined ? [] : [geneDevices(gene)]));
      assert.ok(devices.some((among) => among.length === 2));
      assert.deepEqual(walks(own, seed, 2)[1], second);
    }
  });

  it('end when they are told to', () => {
    const own = space();
    const explorer = new Explorer(own, 1);
    const stages = new StageSearch(explorer, new GraphCuts(own));
    stages.walk(100_000, 0, 1, () => explorer.evaluator.evaluations >= 100);
    assert.equal(explorer.evaluator.evaluations, 100);
  });
});

describe('places in the order that few bytes cross', () => {
  it('are looked for nearby', () => {
    const own = space();
    // Behind the third of the poolings, steps 6 to 8.
    assert.equal(own.narrowest(6, 3), 9);
    assert.equal(own.narrowest(6, 2), 8);
    assert.equal(own.narrowest(6, 0), 6);
    // Behind the last step nothing is read any more.
    assert.equal(own.narrowest(own.steps.length - 1, 5), own.steps.length);
  });
});

describe('a walk through plans that may exceed the memories', () => {
  const TEMPERATURES = { first: 0.1, last: 0.001 };

  it('takes worse ones, ever less so', () => {
    const explorer = new Explorer(space(), 1);
    const walk = new PricedWalk(explorer, TEMPERATURES);
    const plan = { latencyNs: 1000, violation: 0 };
    for (const [passed, temperature] of [
      [0, 0.1],
      [0.5, 0.01],
      [1, 0.001],
    ]) {
      assert.ok(Math.abs(walk.temperature(passed) / temperature - 1) < 1e-9);
      const limits = Array.from({ length: 2000 }, () => walk.limit(plan, passed));
      assert.ok(limits.every((limit) => limit >= 1000));
      // Exponentially distributed: one temperature above the plan in the mean.
      const mean = limits.reduce((sum, limit) => sum + limit / 1000 - 1, 0) / limits.length;
      assert.ok(Math.abs(mean / temperature - 1) < 0.1, `${mean} for ${temperature}`);
    }
  });

  it('raises their price while most plans exceed them, and lowers it while most do not', () => {
    const explorer = new Explorer(space(), 1);
    const exceeding = { latencyNs: 1000, violation: 8000 };
    const fitting = { latencyNs: 1000, violation: 0 };
    const priced = (after: readonly { latencyNs: number; violation: number }[]): number => {
      const walk = new PricedWalk(explorer, TEMPERATURES);
      for (const plan of after) for (let i = 0; i < 200; i++) walk.follow(plan);
      return walk.ofPlan(exceeding);
    };
    // Ten latencies for all of 800,000 bytes.
    assert.ok(Math.abs(priced([]) - 1100) < 0.01);
    assert.ok(Math.abs(priced([exceeding]) - 1110) < 0.01);
    assert.ok(Math.abs(priced([fitting]) - (1000 + 100 / 1.1)) < 0.01);
    assert.ok(Math.abs(priced([exceeding, fitting]) - 1100) < 0.01);
    assert.equal(new PricedWalk(explorer, TEMPERATURES).ofPlan(fitting), 1000);
  });
});
