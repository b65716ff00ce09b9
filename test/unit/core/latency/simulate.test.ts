import assert from 'node:assert/strict';
import { parseCluster } from '../../../../src/core/cluster/parse';
import { seededRandom } from '../../../../src/core/graph/random';
import { wholeGene } from '../../../../src/core/latency/gene';
import { simulate } from '../../../../src/core/latency/simulate';
import { createWorkload, type LatencyModel } from '../../../../src/core/latency/workload';
import { orderProblem } from '../../../../src/core/memory/problem';
import { peakOf } from '../../../../src/core/order/baselines';
import { partitionRules } from '../../../../src/core/partition/rules';
import { checkPlan } from '../../../../src/core/plan/check';
import { NetBuilder, randomNet } from '../../../support/netGraph';
import { planOf } from '../../../support/planOf';
import { randomCluster, randomGene, shuffledOrder } from '../../../support/randomPlan';

const MODELS: readonly LatencyModel[] = ['overlapped', 'synchronous'];

describe('timeline', () => {
  for (const model of MODELS) {
    it(`is accepted by the plan checker on random networks, clusters and partitions, ${model}`, () => {
      const random = seededRandom(11);
      for (let round = 0; round < 150; round++) {
        const graph = randomNet(random, 3 + random.below(12));
        const rules = partitionRules(graph);
        const workload = createWorkload(
          graph,
          rules,
          randomCluster(random),
          shuffledOrder(random, graph),
          model,
        );
        const { genes, cluster } = workload;
        const genome = graph.operators.map(({ id, isView }) =>
          isView
            ? undefined
            : genes.compile(id, randomGene(random, genes.splits(id), cluster.devices.length)),
        );
        const report = checkPlan(graph, rules, planOf(workload, genome, simulate(workload, genome)));
        assert.deepEqual(report.violations, []);
      }
    });
  }

  it('of one device is the sum of its operators, without a message', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.gemm(net.flatten(net.conv(net.input([1, 2, 4, 4]), 4, 3)), 10)]);
    const cluster = parseCluster({
      name: 'one',
      devices: [{ name: 'a', memory: '1 GB', compute: '1 MFLOP/s', operatorOverhead: '1 us' }],
      network: { kind: 'switched', bandwidth: '1 MB/s', latency: 0 },
    });
    for (const model of MODELS) {
      const workload = createWorkload(graph, partitionRules(graph), cluster, [0, 1, 2], model);
      const genome = graph.operators.map(({ id, isView }) =>
        isView ? undefined : workload.genes.compile(id, wholeGene(0, 1)),
      );
      const { latencyNs, devices, events } = simulate(workload, genome);
      // Convolution 2 * 64 * 2 * 9 FLOPs, product 2 * 64 * 10.
      assert.equal(latencyNs, 2 * 1000 + 2304_000 + 1280_000);
      assert.equal(events.length, 2);
      assert.equal(devices[0].weightBytes, 4 * (72 + 640 + 10));
      assert.equal(devices[0].peakBytes, devices[0].weightBytes + 4 * (32 + 64));
    }
  });

  it('of one device has the peak of its order, and no barrier or overlap changes its latency', () => {
    const random = seededRandom(17);
    for (let round = 0; round < 60; round++) {
      const graph = randomNet(random, 3 + random.below(15));
      const order = shuffledOrder(random, graph);
      const [device] = randomCluster(random).devices;
      const network = { kind: 'switched', bandwidth: 1, latency: 1, links: [] } as const;
      const cluster = { name: 'one', devices: [device], network, source: 0, sink: 0 };
      const peak = peakOf(orderProblem(graph, { inPlace: 'none' }), order);
      const latencies = MODELS.map((model) => {
        const workload = createWorkload(graph, partitionRules(graph), cluster, order, model);
        const genome = graph.operators.map(({ id, isView }) =>
          isView ? undefined : workload.genes.compile(id, wholeGene(0, 1)),
        );
        const { latencyNs, devices } = simulate(workload, genome);
        assert.equal(devices[0].peakBytes - devices[0].weightBytes - device.baseMemory, peak);
        assert.equal(latencyNs, devices[0].busyNs);
        return latencyNs;
      });
      assert.equal(latencies[0], latencies[1]);
    }
  });

  it('moves exactly the rows that a receiver lacks, once', () => {
    const net = new NetBuilder();
    const x = net.input([1, 1, 8, 8]);
    const a = net.conv(x, 1, 3);
    const graph = net.finish([net.sum(net.conv(a, 1, 3), net.conv(a, 1, 3))]);
    const cluster = parseCluster({
      name: 'two',
      devices: [
        { name: 'a', memory: '1 GB', compute: '1 MFLOP/s', operatorOverhead: 0 },
        { name: 'b', memory: '1 GB', compute: '1 MFLOP/s', operatorOverhead: 0 },
      ],
      network: { kind: 'switched', bandwidth: '1 MB/s', latency: '1 us' },
    });
    const rules = partitionRules(graph);
    const workload = createWorkload(graph, rules, cluster, [0, 1, 2, 3], 'overlapped');
    const split = rules.splits(0).findIndex(({ dimension }) => dimension === 'H');
    const genome = graph.operators.map(({ id }) =>
      workload.genes.compile(id, {
        split: rules.splits(id).findIndex(({ dimension }) => dimension === 'H'),
        cuts: [0, 5, 8],
        reduceOn: -1,
      }),
    );
    assert.ok(split >= 0);
    const transfers = simulate(workload, genome).events.filter((event) => event.kind === 'transfer');
    const rows = transfers.map(({ operator, from, bytes }) => [operator, from, bytes / 32]);
    // Input rows 4..8 to b; one row of halo each way for the first reader of `a`, none for the second; the result.
    assert.deepEqual(rows, [
      [0, 0, 4],
      [1, 1, 1],
      [1, 0, 1],
      [-1, 1, 3],
    ]);
  });
});
