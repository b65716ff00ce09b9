import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { smartHome } from '../../../src/core/cluster/smartHome';
import { seededRandom } from '../../../src/core/graph/random';
import { partitionRules } from '../../../src/core/partition/rules';
import { latencyBound, type BoundRequest } from '../../../src/core/search/bounds/lowerBound';
import { workerBound } from '../../../src/engine/searchWorkers';
import { randomNet } from '../../support/netGraph';

const NOTHING = Promise.resolve(undefined);

describe('a bound in a worker', () => {
  let folder = '';
  let file = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memorianova-'));
    file = join(folder, 'boundWorker.js');
    const entry = resolve(__dirname, '../../../src/engine/boundWorker.ts');
    await build({ entryPoints: [entry], outfile: file, bundle: true, platform: 'node', logLevel: 'error' });
  });

  after(() => rm(folder, { recursive: true }));

  function request(operators: number): BoundRequest {
    const graph = randomNet(seededRandom(5), operators);
    return { graph, rules: partitionRules(graph), cluster: smartHome(), latency: 'synchronous' };
  }

  it('is the same as on this thread', async () => {
    const asked = request(8);
    const limits = { rounds: 20, work: 1e8, tableLimit: 1e6, gap: 0.001 };
    const found = await workerBound(file)({ ...asked, limits }, NOTHING, () => false);
    assert.deepEqual(
      found,
      latencyBound({ ...asked, limits }, () => false),
    );
    assert.ok(found.ns > 0 && !found.stopped);
  });

  it('is the same as on this thread beside a better plan that is known later', async () => {
    const asked = { ...request(20), limits: { rounds: 1000, work: 3e5, tableLimit: 1e6, gap: 0.001 } };
    const { ns } = latencyBound(asked, () => false);
    const first = { ...asked, incumbentNs: Math.ceil(1.02 * ns) };
    const laterNs = Math.ceil(1.01 * ns);
    const found = await workerBound(file)(first, Promise.resolve(laterNs), () => false);
    assert.deepEqual(
      found,
      latencyBound({ ...first, laterNs }, () => false),
    );
    const { certificate } = found;
    assert.ok(certificate?.model === 'synchronous' && certificate.later?.incumbentNs === laterNs);
  });

  it('ends soon after it is told to', async () => {
    const end = performance.now() + 300;
    const limits = { rounds: 1e9, work: 1e15, tableLimit: 1e7, gap: 0 };
    const found = await workerBound(file)({ ...request(60), limits }, NOTHING, () => performance.now() > end);
    assert.ok(found.stopped);
    assert.ok(performance.now() < end + 2000);
  });

  it('proves nothing where it is stopped before it begins', async () => {
    const found = await workerBound('no such file')(request(8), NOTHING, () => true);
    assert.deepEqual(found, { ns: 0, method: 'none', stopped: true });
  });
});
