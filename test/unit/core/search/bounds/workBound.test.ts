import assert from 'node:assert/strict';
import type { Cluster } from '../../../../../src/core/cluster/cluster';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom } from '../../../../../src/core/graph/random';
import { Evaluator } from '../../../../../src/core/latency/evaluator';
import { createWorkload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { verifyBound } from '../../../../../src/core/search/bounds/certificate';
import { latencyBound } from '../../../../../src/core/search/bounds/lowerBound';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { workBound } from '../../../../../src/core/search/bounds/workBound';
import { NetBuilder, randomNet } from '../../../../support/netGraph';
import { randomCluster, randomGene } from '../../../../support/randomPlan';

/** As much as given on each device. */
function withMemory({ devices, ...rest }: Cluster, bytes: readonly number[]): Cluster {
  return { ...rest, devices: devices.map((device, d) => ({ ...device, memory: bytes[d] })) };
}

/** Ten layers of equal weights; the second device is ten times as slow. */
function slowHelper(): { graph: Graph; cluster: Cluster; layerBytes: number } {
  const net = new NetBuilder();
  let x = net.flatten(net.input([1, 64, 1, 1]));
  for (let layer = 0; layer < 10; layer++) x = net.gemm(x, 64);
  const graph = net.finish([x]);
  const { devices, network, ...rest } = randomCluster(seededRandom(0));
  const [device] = devices;
  const two = [1e9, 1e8].map((compute, d) => ({
    ...{
      ...device,
      name: `d${d}`,
      compute,
      efficiency: new Map<string, number>(),
      memoryBandwidth: undefined,
    },
    ...{ operatorOverhead: 0, baseMemory: 0, memory: 0 },
  }));
  const cluster = { ...rest, devices: two, network: { ...network, links: [] }, source: 0, sink: 0 };
  return { graph, cluster, layerBytes: 4 * 64 * 64 };
}

describe('the bound of work and weights', () => {
  it('is no more than a plan takes whose peaks just fit', () => {
    let priced = 0;
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(seed);
      const graph = randomNet(random, 4 + (seed % 8));
      const rules = partitionRules(graph);
      const cluster = randomCluster(random);
      const order = graph.operators.map(({ id }) => id);
      const workload = createWorkload(graph, rules, cluster, order, 'overlapped');
      const evaluator = new Evaluator(workload);
      for (let plan = 0; plan < 6; plan++) {
        const genome = graph.operators.map(({ id }) =>
          workload.flow.stepOf[id] < 0
            ? undefined
            : workload.genes.compile(
                id,
                randomGene(random, workload.genes.splits(id), cluster.devices.length),
              ),
        );
        evaluator.evaluate(genome, Infinity, true);
        const fitting = withMemory(cluster, [...evaluator.peakBytes]);
        const { ns, weightPrices } = workBound(new BoundScene(graph, rules, fitting), () => false);
        assert.ok(ns <= evaluator.latencyNs, `seed ${seed}: ${ns} > ${evaluator.latencyNs}`);
        if (weightPrices !== undefined) priced++;
      }
    }
    assert.ok(priced > 60, `${priced} priced`);
  });

  it('sees that a slow device must hold what the fast one has no room for', () => {
    const { graph, cluster, layerBytes } = slowHelper();
    const timeOf = (memory: number): number =>
      workBound(new BoundScene(graph, partitionRules(graph), withMemory(cluster, [memory, 1e9])), () => false)
        .ns;
    const all = timeOf(0);
    // In a tenth of the time the fast one can hold and compute as much.
    const half = timeOf(5 * layerBytes);
    assert.ok(half > 0.49 * all && half < 0.51 * all, `${half} of ${all}`);
    const roomy = timeOf(1e9);
    assert.ok(roomy > 0.09 * all && roomy < 0.092 * all, `${roomy} of ${all}`);
  });

  it('follows from its certificate, and from no prices that are none', () => {
    const { graph, cluster, layerBytes } = slowHelper();
    const rules = partitionRules(graph);
    const short = withMemory(cluster, [3 * layerBytes, 1e9]);
    const { ns, certificate } = latencyBound(
      { graph, rules, cluster: short, latency: 'overlapped' },
      () => false,
    );
    const copy = JSON.parse(JSON.stringify(certificate)) as typeof certificate;
    assert.ok(copy?.model === 'overlapped' && copy.weightPrices !== undefined);
    assert.equal(verifyBound(graph, rules, short, copy), ns);
    assert.ok(verifyBound(graph, rules, cluster, copy)! > ns);
    for (const weightPrices of [[1], [-1, 0], [NaN, 0], [1e300, 0]])
      assert.equal(verifyBound(graph, rules, short, { ...copy, weightPrices }), undefined);
    for (const shares of [[1], [0, 0], [-1, 1], [NaN, 1], [2, 1]])
      assert.equal(verifyBound(graph, rules, short, { ...copy, shares }), undefined);
    // A device that has hardly any share may have none at all.
    assert.ok(verifyBound(graph, rules, short, { ...copy, shares: [0, 1] })! > 0);
  });
});
