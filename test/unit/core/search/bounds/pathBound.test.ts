import assert from 'node:assert/strict';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom, type Random } from '../../../../../src/core/graph/random';
import type { Gene } from '../../../../../src/core/latency/gene';
import { simulate } from '../../../../../src/core/latency/simulate';
import { createWorkload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { leastMean, pathBound } from '../../../../../src/core/search/bounds/pathBound';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { workBound } from '../../../../../src/core/search/bounds/workBound';
import { alongDimension } from '../../../../../src/core/search/opponents/opponents';
import { byOperator } from '../../../../../src/core/search/opponents/geneProblem';
import { NetBuilder, randomNet } from '../../../../support/netGraph';
import { randomCluster, randomGene } from '../../../../support/randomPlan';

/** Layers that add to what was before, as DenseNet does, between strided and unpadded ones. */
function denseNet(random: Random): Graph {
  const net = new NetBuilder();
  let x = net.conv(net.input([1, 3, 17, 13]), 6, 3, 1 + random.below(2));
  for (let layer = 0; layer < 3; layer++) {
    const grown = net.conv(net.relu(net.conv(net.relu(x), 4, 1)), 3, 3);
    x = random.below(3) === 0 ? net.sum(net.conv(x, 5, 1), net.conv(grown, 5, 1)) : net.concat([x, grown]);
    const isLarge = Math.min(...net.shape(x).slice(2)) > 6;
    const kind = random.below(4);
    if (isLarge && kind === 0) x = net.maxPool(x, 3, 2);
    if (isLarge && kind === 1) x = net.conv(x, 4, 1, 2);
    if (random.below(4) === 0) x = net.sliceChannels(x, 1, 4);
  }
  return net.finish([random.below(2) === 0 ? net.gemm(net.flatten(net.globalPool(x)), 5) : x]);
}

describe('the path bound', () => {
  it('is no more than any plan takes', () => {
    let near = 0;
    for (let seed = 0; seed < 120; seed++) {
      const random = seededRandom(seed);
      const graph = seed % 2 === 0 ? denseNet(random) : randomNet(random, 4 + (seed % 8));
      const rules = partitionRules(graph);
      const cluster = randomCluster(random);
      const order = graph.operators.map(({ id }) => id);
      const workload = createWorkload(graph, rules, cluster, order, 'overlapped');
      const bound = pathBound(new BoundScene(graph, rules, cluster), () => false);
      const speeds = cluster.devices.map(({ compute }) => compute);
      const count = cluster.devices.length;
      const draw = (): Gene[] =>
        workload.flow.steps.map((operator) => randomGene(random, workload.genes.splits(operator), count));
      const plans = [
        alongDimension(workload, 'H', speeds),
        alongDimension(workload, 'C', speeds),
        ...Array.from({ length: 25 }, draw),
      ];
      let best = Infinity;
      for (const genes of plans) {
        const { latencyNs } = simulate(workload, byOperator(workload, genes));
        assert.ok(bound <= latencyNs, `seed ${seed}: ${bound} > ${latencyNs}`);
        best = Math.min(best, latencyNs);
      }
      if (bound > 0.7 * best) near++;
    }
    assert.ok(near > 10, `${near} near`);
  });

  it('sees the overheads of a chain that the work over speed spreads over the devices', () => {
    const net = new NetBuilder();
    let x = net.input([1, 4, 16, 16]);
    for (let layer = 0; layer < 20; layer++) x = net.relu(net.conv(x, 4, 3));
    const graph = net.finish([x]);
    const cluster = { ...randomCluster(seededRandom(0)) };
    const [device] = cluster.devices;
    const devices = ['a', 'b', 'c'].map((name) => ({ ...device, name, operatorOverhead: 1e-4 }));
    const scene = new BoundScene(graph, partitionRules(graph), {
      ...cluster,
      devices,
      source: 0,
      sink: 0,
      network: { ...cluster.network, links: [] },
    });
    const steps = 40;
    const path = pathBound(scene, () => false);
    const work = workBound(scene, () => false).ns;
    assert.ok(path >= steps * 1e5 && work < 0.9 * path, `${path}, ${work}`);
  });

  it('follows axes of any length', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.relu(net.input([1, 1, 300_000, 1]))]);
    const scene = new BoundScene(graph, partitionRules(graph), randomCluster(seededRandom(0)));
    assert.ok(pathBound(scene, () => false) > 0);
  });

  it('finds the least mean time over all probabilities', () => {
    const random = seededRandom(5);
    for (let turn = 0; turn < 50; turn++) {
      const fixed = Float64Array.from({ length: 3 }, () => 1 + random.below(50));
      const work = Float64Array.from({ length: 3 }, () => random.below(4) * 30);
      const share = [1, 0.5, 0.1][turn % 3];
      let best = Infinity;
      const parts = 60;
      for (let a = 0; a <= parts; a++) {
        for (let b = 0; a + b <= parts; b++) {
          const p = [a, b, parts - a - b].map((n) => n / parts);
          const mean = p.reduce((sum, own, d) => sum + own * (fixed[d] + share * own * work[d]), 0);
          best = Math.min(best, mean);
        }
      }
      const found = leastMean(fixed, work, share);
      assert.ok(found <= best + 1e-5 && found >= best - 0.1, `${found} for ${best}`);
    }
  });
});
