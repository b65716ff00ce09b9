import assert from 'node:assert/strict';
import { lifetimes, liveBytes } from '../../../src/core/memory/lifetimes';
import { orderProblem } from '../../../src/core/memory/problem';
import { findOrder } from '../../../src/core/order/btsearch';
import type { PartitionRules } from '../../../src/core/partition/partition';
import { partitionRules } from '../../../src/core/partition/rules';
import { compareTensors } from '../../../src/engine/compare';
import { type ArenaRun, executeInArena } from '../../../src/engine/executor';
import { ExternalFiles } from '../../../src/engine/externalFiles';
import { runSeeded } from '../../../src/engine/inputs';
import { loadRuntime, type Runtime } from '../../../src/engine/runtime';
import { verifyPlanned } from '../../../src/engine/verify';
import { freeControl } from '../../support/control';
import { corpusFolder } from '../../support/corpus';
import { type OpenCorpusModel, openCorpusModel } from '../../support/corpusModels';
import { fusedLayers, network } from '../../support/layerModels';
import { inTemporaryFolder } from '../../support/temporary';
import { unevenPlan } from '../../support/unevenPlan';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Small ones of different kinds; the benchmark takes all. */
const CORPUS = [
  'ultraface_rfb320.onnx',
  'tribuo_tinybert.onnx',
  'zoo_shufflenet_v2_12_int8.onnx',
  'dtln_2.onnx',
];

function onOwnModel(
  work: (model: OpenCorpusModel) => Promise<void>,
  bytes = fusedLayers().bytes,
): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'model.onnx'), bytes);
    const model = openCorpusModel(folder, 'model.onnx');
    try {
      await work(model);
    } finally {
      model.source.close();
    }
  });
}

describe('verify', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await loadRuntime();
  });

  it('finds a partitioned model equal, operator by operator, in both builds of ONNX Runtime', () =>
    onOwnModel(async (model) => {
      for (const kind of [undefined, 'wasm'] as const) {
        const report = await verifyPlanned(
          await loadRuntime(kind),
          { ...model, planned: unevenPlan(model.graph) },
          1,
          freeControl(),
        );
        assert.ok(report.isEqual, JSON.stringify(report.failing));
        assert.ok(report.operators.length >= 4);
      }
    }));

  it('names the operator whose halo is wrong', () =>
    onOwnModel(async (model) => {
      const last = model.graph.operators.findLast(({ type }) => type === 'Conv')!;
      const rules = withWrongHalo(partitionRules(model.graph), last.id);
      const split = rules.splits(last.id).find(({ dimension }) => dimension === 'H')!;
      const planned = unevenPlan(model.graph, rules);
      const partitions = planned.partitions.slice();
      const shards = [
        { device: 0, start: 0, end: 2 },
        { device: 1, start: 2, end: split.length },
      ];
      partitions[last.id] = { dimension: 'H', axis: split.axis, shards };
      const report = await verifyPlanned(
        runtime,
        { ...model, planned: { ...planned, partitions } },
        1,
        freeControl(),
      );
      assert.ok(!report.isEqual);
      assert.equal(report.failing?.index, last.index);
    }));

  it('stops when cancelled and does not call that equal', () =>
    onOwnModel(async (model) => {
      const control = { ...freeControl(), cancelled: () => true };
      const report = await verifyPlanned(runtime, { ...model, planned: unevenPlan(model.graph) }, 1, control);
      assert.ok(report.cancelled && !report.isEqual);
    }));

  it('finds corpus models equal on three devices with unequal shares', async function () {
    this.timeout(120_000);
    const folder = corpusFolder('public');
    for (const file of folder === undefined ? [] : CORPUS) {
      const model = openCorpusModel(folder!, file);
      const report = await verifyPlanned(
        runtime,
        { ...model, planned: unevenPlan(model.graph) },
        1,
        freeControl(),
      );
      model.source.close();
      assert.ok(report.isEqual, `${file}: ${JSON.stringify(report.failing ?? report.outputs)}`);
    }
    process.stdout.write(`  corpus models verified: ${folder === undefined ? 0 : CORPUS.length}\n`);
  });
});

/** Rules that shift the input of one operator's lower shards by a row. */
function withWrongHalo(rules: PartitionRules, target: number): PartitionRules {
  return {
    splits: (operator) => rules.splits(operator),
    work: (operator, split, start, end) => {
      const work = rules.work(operator, split, start, end);
      if (operator !== target || start === 0 || split === undefined) return work;
      const box = work.inputs[0]!.slice();
      box[2 * split.axis]--;
      box[2 * split.axis + 1]--;
      return { ...work, inputs: [box, ...work.inputs.slice(1)] };
    },
  };
}

describe('executor in the arena', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await loadRuntime();
  });

  const run = async (model: OpenCorpusModel, move: (offsets: Float64Array) => Float64Array) => {
    const problem = orderProblem(model.graph, { inPlace: 'none', weights: 'resident' });
    const { steps, arena } = findOrder(problem, {}, freeControl());
    const session = await runtime.open(model.path, { optimization: 'disabled' });
    const names = model.layout.outputs.map(({ name }) => name);
    const { feeds, results } = await runSeeded(runtime, model.graph, session, 1, names);
    await session.release();
    const files = new ExternalFiles(model.path, model.source);
    const plan = { steps, offsets: move(arena.offsets), bytes: arena.bytes };
    const ran: ArenaRun = await executeInArena(runtime, { ...model, files: files.lookup }, plan, feeds);
    files.close();
    const isEqual = names.every((name) => compareTensors(ran.outputs[name], results[name]).isEqual);
    const { peakBytes } = liveBytes(problem, steps, lifetimes(problem, steps));
    return { ran, isEqual, peakBytes, arena };
  };

  it('gives the same outputs, needs the predicted peak and keeps inside the arena', () =>
    onOwnModel(async (model) => {
      const { ran, isEqual, peakBytes, arena } = await run(model, (offsets) => offsets);
      assert.ok(isEqual);
      assert.equal(ran.peakBytes, peakBytes);
      assert.ok(ran.arenaBytes <= arena.bytes);
    }));

  it('shows offsets that let two live tensors overlap', () =>
    onOwnModel(async (model) => {
      const { isEqual } = await run(model, (offsets) => offsets.map(() => 0));
      assert.ok(!isEqual);
    }, network()));
});
