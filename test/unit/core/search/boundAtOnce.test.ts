import assert from 'node:assert/strict';
import type { Cluster } from '../../../../src/core/cluster/cluster';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { seededRandom } from '../../../../src/core/graph/random';
import { partitionRules } from '../../../../src/core/partition/rules';
import { canBoundAtOnce, proveBound } from '../../../../src/core/search/boundAtOnce';
import { latencyBound } from '../../../../src/core/search/bounds/lowerBound';
import { searchPartition } from '../../../../src/core/search/geneflow/searchPartition';
import { freeControl } from '../../../support/control';
import { randomNet } from '../../../support/netGraph';

const LIMITS = { rounds: 20, work: 1e8, tableLimit: 1e6, gap: 0.001 };

describe('a bound that begins before the search', () => {
  const graph = randomNet(seededRandom(5), 8);
  const rules = partitionRules(graph);
  const request = (cluster: Cluster) =>
    ({ graph, rules, cluster, latency: 'synchronous', limits: LIMITS }) as const;

  it('starts from a plan of its own, and lies below the one that the search finds', async () => {
    const cluster = smartHome();
    const order = graph.operators.map(({ id }) => id);
    const options = {
      seed: 1,
      latency: 'synchronous',
      strategy: 'hybrid',
      evaluations: 2000,
      freeOrder: false,
    } as const;
    const { timeline } = await searchPartition({ graph, rules, cluster, order, options }, freeControl());
    assert.ok(canBoundAtOnce(graph, cluster, 'synchronous'));
    const { ns, certificate } = proveBound(request(cluster), () => false);
    assert.ok(certificate?.model === 'synchronous' && certificate.incumbentNs !== undefined);
    assert.ok(certificate.incumbentNs >= timeline.latencyNs);
    assert.ok(ns > 0 && ns <= timeline.latencyNs);
  });

  it('takes the plan that it is given', () => {
    const given = { ...request(smartHome()), incumbentNs: 1e9 };
    assert.deepEqual(
      proveBound(given, () => false),
      latencyBound(given, () => false),
    );
  });

  it('waits where memory is short, or devices are many', () => {
    const home = smartHome();
    const short = { ...home, devices: home.devices.map((device) => ({ ...device, memory: 1 })) };
    const many = { ...home, devices: Array.from({ length: 20 }, () => home.devices[0]) };
    for (const cluster of [short, many]) {
      assert.ok(!canBoundAtOnce(graph, cluster, 'synchronous'));
      assert.ok(canBoundAtOnce(graph, cluster, 'overlapped'));
    }
    const { certificate } = proveBound(request(short), () => false);
    assert.ok(certificate?.model === 'synchronous' && certificate.incumbentNs === undefined);
  });
});
