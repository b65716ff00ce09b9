import assert from 'node:assert/strict';
import { parseCluster } from '../../../../src/core/cluster/parse';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { InputError } from '../../../../src/core/graph/problem';
import { wholeGene } from '../../../../src/core/latency/gene';
import { partitionRules } from '../../../../src/core/partition/rules';
import type { PartitionProblem } from '../../../../src/core/search/geneflow/problem';
import { searchPartition } from '../../../../src/core/search/geneflow/searchPartition';
import { atBandwidth, carryOver, changeCluster, searchFrom, sweep } from '../../../../src/core/search/whatIf';
import { freeControl } from '../../../support/control';
import { NetBuilder } from '../../../support/netGraph';

function problem(rows = 32): PartitionProblem {
  const net = new NetBuilder();
  let x = net.input([1, 8, rows, 32]);
  for (let i = 0; i < 6; i++) x = net.relu(net.conv(x, 16, 3));
  const graph = net.finish([net.gemm(net.flatten(net.globalPool(x)), 10)]);
  const cluster = parseCluster({
    name: 'two',
    devices: ['a', 'b'].map((name) => ({
      name,
      memory: '1 GB',
      compute: '100 MFLOP/s',
      operatorOverhead: '10 us',
    })),
    network: { kind: 'switched', bandwidth: '100 MB/s', latency: '10 us' },
  });
  const options = {
    seed: 1,
    latency: 'overlapped',
    strategy: 'hybrid',
    evaluations: 1500,
    freeOrder: false,
  } as const;
  return {
    graph,
    rules: partitionRules(graph),
    cluster,
    order: graph.operators.map(({ id }) => id),
    options,
  };
}

describe('what if', () => {
  it('changes one thing of a cluster', () => {
    const home = smartHome();
    assert.equal(
      changeCluster(home, { kind: 'device', name: 'tv', change: { memory: 5 } }).devices[1].memory,
      5,
    );
    const linked = changeCluster(home, { kind: 'link', from: 'tv', to: 'door lock', bandwidth: 7 });
    assert.deepEqual(linked.network.links.at(-1), { from: 1, to: 3, bandwidth: 7, latency: 1e-3 });
    assert.equal(linked.network.links.length, 2);
    const dropped = changeCluster(home, { kind: 'drop', name: 'speaker' });
    assert.deepEqual(
      dropped.devices.map(({ name }) => name),
      ['camera', 'tv', 'door lock'],
    );
    assert.deepEqual(
      dropped.network.links.map(({ from, to }) => [from, to]),
      [
        [1, 2],
        [2, 1],
      ],
    );
    assert.throws(() => changeCluster(home, { kind: 'drop', name: 'camera' }), InputError);
    assert.throws(() => changeCluster(home, { kind: 'drop', name: 'fridge' }), InputError);
  });

  it('carries a plan over to the devices that are left', () => {
    const home = smartHome();
    const smaller = changeCluster(home, { kind: 'drop', name: 'speaker' });
    const genes = [
      { split: 0, cuts: [0, 4, 10, 13, 14], reduceOn: -1 },
      undefined,
      wholeGene(2, 4),
      wholeGene(3, 4),
      { split: 0, cuts: [0, 1, 4, 9, 14], reduceOn: -1, order: [3, 1, 2, 0] },
      { split: 0, cuts: [0, 1, 4, 9, 14], reduceOn: 1, order: [2, 1, 0, 3] },
    ];
    assert.deepEqual(carryOver(genes, home, smaller), [
      { split: 0, cuts: [0, 4, 13, 14], reduceOn: -1 },
      undefined,
      wholeGene(1, 3),
      wholeGene(2, 3),
      { split: 0, cuts: [0, 1, 9, 14], reduceOn: -1, order: [2, 1, 0] },
      { split: 0, cuts: [0, 4, 9, 14], reduceOn: 1, order: [1, 0, 2] },
    ]);
  });

  it('searches again from the plan at hand', async () => {
    const given = problem();
    const before = await searchPartition(given, freeControl());
    const faster = changeCluster(given.cluster, { kind: 'device', name: 'b', change: { compute: 3e8 } });
    const after = await searchFrom(given, before.genes, faster, freeControl());
    assert.ok(after.timeline.latencyNs < before.timeline.latencyNs);
    assert.ok(after.seeds.some(({ name }) => name === 'plan at hand'));
  });

  it('keeps the points of a cancelled sweep that are done', async () => {
    const values = [1e5, 1e7, 1e9];
    const whole = await sweep(problem(), atBandwidth, values, freeControl());
    for (let most = 1; ; most *= 2) {
      let asked = 0;
      const control = { ...freeControl(), cancelled: () => ++asked > most };
      const { points } = await sweep(problem(), atBandwidth, values, control);
      // Of the first pass; the second may better all but the last.
      assert.deepEqual(
        points.map(({ value, singleDeviceNs }) => [value, singleDeviceNs]),
        whole.points.slice(0, points.length).map(({ value, singleDeviceNs }) => [value, singleDeviceNs]),
      );
      for (const [at, { latencyNs }] of points.entries()) assert.ok(latencyNs >= whole.points[at].latencyNs);
      if (most === 1) assert.equal(points.length, 0);
      if (points.length === values.length) break;
    }
  });

  it('finds the bandwidth from which on splitting pays', async () => {
    const { points, splittingPaysFrom } = await sweep(problem(), atBandwidth, [1e9, 1e5, 1e7], freeControl());
    assert.deepEqual(
      points.map(({ value }) => value),
      [1e5, 1e7, 1e9],
    );
    assert.ok(points.every(({ valid, latencyNs, singleDeviceNs }) => valid && latencyNs <= singleDeviceNs!));
    assert.equal(points[0].latencyNs, points[0].singleDeviceNs);
    assert.equal(splittingPaysFrom, 1e7);
  });

  it('does not call it paying where nobody would notice', async () => {
    for (const [compute, from] of [
      [0.8e6, undefined],
      [8e6, 1e9],
    ] as const) {
      const { cluster, ...rest } = problem(400);
      const [fast, slow] = cluster.devices;
      const devices = [fast, { ...slow, compute }];
      const given = { ...rest, cluster: { ...cluster, devices } };
      const { points, splittingPaysFrom } = await sweep(given, atBandwidth, [1e9], freeControl());
      assert.ok(points[0].latencyNs < points[0].singleDeviceNs!);
      assert.equal(splittingPaysFrom, from);
    }
  });

  it('has one time limit for all of its searches, and says that it was met', async () => {
    let clock = 0;
    const ticking = { ...freeControl(), now: () => ++clock };
    const { options, ...rest } = problem();
    const limited = { ...rest, options: { ...options, evaluations: 1e6, timeLimit: 1000 } };
    const { points, stopped } = await sweep(limited, atBandwidth, [1e5, 1e7, 1e9], ticking);
    assert.equal(points.length, 3);
    assert.ok(points.every(({ valid, latencyNs, singleDeviceNs }) => valid && latencyNs <= singleDeviceNs!));
    assert.equal(stopped, 'time');
    assert.ok(clock < 1200, `${clock}`);
  });
});
