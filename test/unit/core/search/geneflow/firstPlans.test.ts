import assert from 'node:assert/strict';
import { parseCluster } from '../../../../../src/core/cluster/parse';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { opponentSeeds, type IslandPool } from '../../../../../src/core/search/geneflow/islandPool';
import type { LatencyModel } from '../../../../../src/core/latency/workload';
import type { PartitionProblem, PartitionProgress } from '../../../../../src/core/search/geneflow/problem';
import { searchPartition } from '../../../../../src/core/search/geneflow/searchPartition';
import { freeControl } from '../../../../support/control';
import { NetBuilder } from '../../../../support/netGraph';

function problem(memory = '1 GB'): PartitionProblem {
  const net = new NetBuilder();
  let x = net.input([1, 8, 32, 32]);
  for (let i = 0; i < 4; i++) x = net.relu(net.conv(x, 8, 3));
  const graph = net.finish([x]);
  const device = { memory, compute: '100 MFLOP/s', operatorOverhead: '10 us' };
  const cluster = parseCluster({
    name: 'two',
    devices: [
      { name: 'a', ...device },
      { name: 'b', ...device },
    ],
    network: { kind: 'switched', bandwidth: '100 MB/s', latency: '10 us' },
  });
  return {
    ...{ graph, cluster, rules: partitionRules(graph), order: graph.operators.map(({ id }) => id) },
    options: { seed: 1, latency: 'overlapped', strategy: 'hybrid', evaluations: 1000, freeOrder: false },
  };
}

/** Opponents that never come: what a search that is stopped does not wait for. */
const deafPool = (_: PartitionProblem, stop: () => boolean): IslandPool => ({
  opponents: () =>
    new Promise((resolve) => {
      const poll = setInterval(() => {
        if (!stop()) return;
        clearInterval(poll);
        resolve(undefined);
      }, 1);
    }),
  start: () => Promise.reject(new Error('No island may start after a stop.')),
  run: () => Promise.reject(new Error('No island may run after a stop.')),
  dispose: () => undefined,
});

/** The same, but for the elimination's first plan. */
const tellingPool = (given: PartitionProblem, stop: () => boolean): IslandPool => {
  const pool = deafPool(given, stop);
  return {
    ...pool,
    opponents: (clusters, isLate, found) => {
      opponentSeeds(given, clusters[0], true, isLate, found);
      return pool.opponents(clusters, isLate, found);
    },
  };
};

describe('a search that is stopped while its opponents are computed', () => {
  it('keeps the best of the plans that need no search', async () => {
    const told: number[] = [];
    const control = {
      cancelled: () => told.length > 0,
      now: () => 0,
      report: ({ latencyNs }: { latencyNs: number | undefined }) => void told.push(latencyNs!),
    };
    const result = await searchPartition(problem(), control, deafPool);
    assert.equal(result.stopped, 'cancel');
    assert.ok(result.valid);
    assert.equal(result.timeline.latencyNs, told[told.length - 1]);
    assert.deepEqual(
      result.seeds.map(({ name }) => name),
      ['single a'],
    );
  });

  it('goes on to the first of them that is valid', async () => {
    const given = problem();
    const [a, b] = given.cluster.devices;
    const cluster = { ...given.cluster, devices: [{ ...a, memory: 1000 }, b], source: 1, sink: 1 };
    const control = { cancelled: () => true, now: () => 0, report: () => undefined };
    const result = await searchPartition({ ...given, cluster }, control, deafPool);
    assert.ok(result.valid);
    assert.deepEqual(
      result.seeds.map(({ name, valid }) => [name, valid]),
      [
        ['single a', false],
        ['single b', true],
      ],
    );
  });

  it('has tried every one of them when it is stopped later', async () => {
    const told: number[] = [];
    let asked = 0;
    const control = {
      cancelled: () => ++asked > 100,
      now: () => 0,
      report: ({ latencyNs }: { latencyNs: number | undefined }) => void told.push(latencyNs!),
    };
    const result = await searchPartition(problem(), control, tellingPool);
    const best = Math.min(...result.seeds.filter(({ valid }) => valid).map(({ latencyNs }) => latencyNs));
    assert.equal(result.timeline.latencyNs, best);
    assert.ok(result.seeds.length > 4);
    // The exact elimination's first plan too, which is ahead of all that share everything alike.
    const last = result.seeds[result.seeds.length - 1];
    assert.deepEqual([last.name, last.latencyNs], ['synchronous elimination', best]);
    assert.deepEqual(
      told,
      [...told].sort((a, b) => b - a),
      'every plan told is better than the last',
    );
  });
});

describe('a search tells when its first plans are near the best', () => {
  async function nearNs(given: PartitionProblem): Promise<number | undefined> {
    let asked = false;
    let near: number | undefined;
    const control = {
      cancelled: () => asked,
      now: () => 0,
      report: ({ isNearBest = false, latencyNs }: PartitionProgress) => {
        if (isNearBest) near ??= latencyNs;
      },
    };
    await searchPartition(given, control, (own, stop) => {
      const pool = tellingPool(own, stop);
      return {
        ...pool,
        opponents: (...all) => {
          setTimeout(() => (asked = true), 20);
          return pool.opponents(...all);
        },
      };
    });
    return near;
  }

  const withLatency = (latency: LatencyModel, memory?: string): PartitionProblem => {
    const given = problem(memory);
    return { ...given, options: { ...given.options, latency } };
  };

  it('where memory is not short, in the synchronous model', async () => {
    const roomy = withLatency('synchronous');
    const near = await nearNs(roomy);
    const { timeline } = await searchPartition(roomy, freeControl());
    assert.ok(near !== undefined && near >= timeline.latencyNs && near < 1.1 * timeline.latencyNs);
    assert.equal(await nearNs(withLatency('synchronous', '200 kB')), undefined);
    assert.equal(await nearNs(withLatency('overlapped')), undefined);
  });

  it('where the devices are not too many', async () => {
    const { cluster, ...given } = withLatency('synchronous');
    const devices = Array.from({ length: 20 }, (_, d) => ({ ...cluster.devices[0], name: `d${d}` }));
    assert.equal(await nearNs({ ...given, cluster: { ...cluster, devices } }), undefined);
  });
});
