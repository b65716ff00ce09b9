import assert from 'node:assert/strict';
import { loadRuntime, type Runtime } from '../../../../src/engine/runtime';
import { conformanceCases } from '../../../support/conformance';
import { fusedLayers, LAYERS } from '../../../support/layerModels';
import { runSplitCase, runSplitModel } from '../../../support/splitCases';

/** Every so-manieth conformance case; the benchmark runs all. */
const SAMPLE = 16;

describe('partition rules, by execution', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await loadRuntime();
  });

  for (const { name, bytes } of LAYERS) {
    it(`${name}: shards of every split recombine to the whole`, async () => {
      const { runs, failures } = await runSplitModel(runtime, name, bytes);
      assert.deepEqual(failures, []);
      assert.ok(runs.length > 0);
    });
  }

  it('fused operators are cut as one, members following', async () => {
    const { name, bytes } = fusedLayers();
    const { runs, failures } = await runSplitModel(runtime, name, bytes, 'conv');
    assert.deepEqual(failures, []);
    const kinds = new Set(runs.map((run) => run.replace(/ into .*/, '')));
    assert.deepEqual([...kinds].sort(), ['Conv C axis 1', 'Conv H axis 2', 'Conv W axis 3']);
  });

  it('splits a sample of the conformance cases into what they expect', async function () {
    this.timeout(120_000);
    const cases = (conformanceCases() ?? []).filter((_one, index) => index % SAMPLE === 0);
    let runs = 0;
    let skipped = 0;
    for (const one of cases) {
      const result = await runSplitCase(runtime, one);
      assert.deepEqual(result.failures, [], one.name);
      runs += result.runs.length;
      if (result.skipped !== undefined) skipped++;
    }
    process.stdout.write(
      `  conformance cases: ${cases.length} of every ${SAMPLE}th, ${cases.length - skipped} split in ${runs} ways\n`,
    );
  });
});
