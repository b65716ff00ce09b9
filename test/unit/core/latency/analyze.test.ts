import assert from 'node:assert/strict';
import { parseCluster } from '../../../../src/core/cluster/parse';
import { OperatorAnalyzer } from '../../../../src/core/latency/analyze';
import { partitionRules } from '../../../../src/core/partition/rules';
import { NetBuilder } from '../../../support/netGraph';

const CLUSTER = parseCluster({
  name: 'two',
  devices: [
    { name: 'slow', memory: '1 GB', compute: '1 MFLOP/s', operatorOverhead: 0 },
    { name: 'fast', memory: '1 GB', compute: '3 MFLOP/s', operatorOverhead: 0 },
  ],
  network: { kind: 'switched', bandwidth: '1 MB/s', latency: '1 us' },
});

describe('memory-time cost analysis', () => {
  const net = new NetBuilder();
  const x = net.input([1, 4, 8, 8]);
  const graph = net.finish([net.flatten(net.conv(x, 4, 3))]);
  const { alternatives, cheapest } = new OperatorAnalyzer(graph, partitionRules(graph), CLUSTER).analyze(0);
  const found = (dimension: string): (typeof alternatives)[number] =>
    alternatives.find((alternative) => alternative.dimension === dimension)!;

  it('lists the whole operator and every dimension', () => {
    assert.deepEqual(alternatives.map(({ dimension, shares }) => [dimension, shares.length]).sort(), [
      ['C', 2],
      ['H', 2],
      ['K', 2],
      ['W', 2],
      ['none', 1],
    ]);
    assert.equal(alternatives[cheapest].totalNs, Math.min(...alternatives.map(({ totalNs }) => totalNs)));
  });

  it('counts halos, replicated and sliced weights, partial sums', () => {
    const row = 4 * 8 * 4;
    const weights = 4 * 4 * 9 * 4;
    // Rows [0, 2) on the slow device, [2, 8) on the fast one; each lacks one row of the other's.
    const rows = found('H').shares.map((share) => [
      share.weightBytes,
      share.inputBytes,
      share.haloBytes,
      share.outputBytes,
    ]);
    assert.deepEqual(rows, [
      [weights, 3 * row, row, 2 * row],
      [weights, 7 * row, row, 6 * row],
    ]);
    assert.equal(found('H').trafficBytes, 2 * row);
    assert.equal(found('H').trafficNs, 1000 + row * 1000);
    // Channel [0, 1) and [1, 4): each lacks all channels of the other.
    const channels = found('C').shares.map((share) => [
      share.weightBytes,
      share.haloBytes,
      share.outputBytes,
    ]);
    assert.deepEqual(channels, [
      [weights / 4, 6 * row, 2 * row],
      [(weights * 3) / 4, 2 * row, 6 * row],
    ]);
    const sums = found('K').shares.map((share) => [
      share.weightBytes,
      share.inputBytes,
      share.haloBytes,
      share.outputBytes,
    ]);
    assert.deepEqual(sums, [
      [weights / 4, 2 * row, 0, 8 * row],
      [(weights * 3) / 4, 6 * row, 0, 8 * row],
    ]);
    assert.equal(found('K').trafficBytes, 8 * row);
  });

  it('has nothing to say of a view', () => {
    assert.deepEqual(new OperatorAnalyzer(graph, partitionRules(graph), CLUSTER).analyze(1).alternatives, []);
  });
});
