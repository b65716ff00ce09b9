import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { smartHome } from '../../../src/core/cluster/smartHome';
import { seededRandom } from '../../../src/core/graph/random';
import type { Control } from '../../../src/core/graph/control';
import { partitionRules } from '../../../src/core/partition/rules';
import type {
  PartitionOptions,
  PartitionProblem,
  PartitionProgress,
} from '../../../src/core/search/geneflow/problem';
import { searchPartition } from '../../../src/core/search/geneflow/searchPartition';
import { workerIslandPool } from '../../../src/engine/islandPool';
import { freeControl } from '../../support/control';
import { randomNet } from '../../support/netGraph';

describe('islands in workers', () => {
  let folder = '';
  let file = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memorianova-'));
    file = join(folder, 'islandWorker.js');
    const entry = resolve(__dirname, '../../../src/engine/islandWorker.ts');
    await build({ entryPoints: [entry], outfile: file, bundle: true, platform: 'node', logLevel: 'error' });
  });

  after(() => rm(folder, { recursive: true }));

  function problem(
    evaluations: number,
    latency: PartitionOptions['latency'] = 'overlapped',
  ): PartitionProblem {
    const graph = randomNet(seededRandom(9), 14);
    const order = graph.operators.map(({ id }) => id);
    const options = {
      seed: 3,
      latency,
      strategy: 'hybrid',
      evaluations,
      freeOrder: false,
    } as const;
    return { graph, rules: partitionRules(graph), cluster: smartHome(), order, options };
  }

  it('find the same plan as on one thread, whatever their number', async () => {
    const local = await searchPartition(problem(4000), freeControl());
    for (const workers of [1, 2, 3]) {
      const found = await searchPartition(problem(4000), freeControl(), workerIslandPool(file, workers));
      assert.deepEqual(found, local);
    }
  });

  it('find the same synchronous plan, opponents in other scenes included', async () => {
    const own = problem(60_000, 'synchronous');
    const told = (near: (number | undefined)[]): Control<PartitionProgress> => ({
      ...freeControl(),
      report: ({ isNearBest = false, latencyNs }) => {
        if (isNearBest) near.push(latencyNs);
      },
    });
    const near: (number | undefined)[] = [];
    const local = await searchPartition(own, told(near));
    // The elimination's first plan, and its last.
    const [first, last] = near;
    assert.ok(near.length === 2 && last !== undefined && last >= local.timeline.latencyNs);
    assert.ok(first !== undefined && first >= last && first < 1.2 * last);
    for (const workers of [1, 2, 3]) {
      const heard: (number | undefined)[] = [];
      const found = await searchPartition(own, told(heard), workerIslandPool(file, workers));
      assert.deepEqual(found, local);
      assert.deepEqual(heard, near);
    }
  });

  it('stop soon after they are told to', async () => {
    const end = performance.now() + 300;
    const control = { ...freeControl(), cancelled: () => performance.now() > end };
    const found = await searchPartition(problem(50_000_000), control, workerIslandPool(file, 2));
    assert.equal(found.stopped, 'cancel');
    assert.ok(performance.now() < end + 1000);
  });
});
