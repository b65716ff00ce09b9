import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GRAPH, MODEL, NODE } from '../../../src/core/export/fields';
import { scanLayout } from '../../../src/core/export/modelLayout';
import type { PlannedGraph } from '../../../src/core/export/problem';
import { validateModel } from '../../../src/core/export/validate';
import { MessageWriter, records } from '../../../src/core/export/wire';
import type { FuseRule } from '../../../src/core/graph/graph';
import { MemoryByteSource } from '../../../src/core/onnx/byteSources';
import { readModel } from '../../../src/core/onnx/readModel';
import { compareTensors } from '../../../src/engine/compare';
import { exportPlanned, type ExportKind, type ExportReport } from '../../../src/engine/export';
import { runSeeded } from '../../../src/engine/inputs';
import { loadRuntime, type Runtime } from '../../../src/engine/runtime';
import { freeControl } from '../../support/control';
import { openCorpusModel, type OpenCorpusModel } from '../../support/corpusModels';
import { fusedLayers, network } from '../../support/layerModels';
import { runDevices } from '../../support/runDevices';
import { inTemporaryFolder } from '../../support/temporary';
import { unevenPlan } from '../../support/unevenPlan';

const MODEL_FILE = 'model.onnx';

interface Case {
  readonly folder: string;
  readonly model: OpenCorpusModel;
  readonly plan: PlannedGraph;
}

/** Writes the model into a folder of its own, with a three-device plan that uses every kind of split. */
async function withModel(
  bytes: Uint8Array,
  fuse: FuseRule,
  work: (one: Case) => Promise<void>,
): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, MODEL_FILE), bytes);
    const model = openCorpusModel(folder, MODEL_FILE, fuse);
    try {
      await work({ folder, model, plan: unevenPlan(model.graph) });
    } finally {
      model.source.close();
    }
  });
}

function exported(
  { folder, model, plan }: Case,
  name: string,
  kind: ExportKind,
  force = false,
): ExportReport {
  return exportPlanned({ ...model, planned: plan }, join(folder, name), { kind, force }, freeControl());
}

describe('export', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await loadRuntime();
  });

  const whole = async ({ model, folder }: Case) => {
    const session = await runtime.open(join(folder, MODEL_FILE), { optimization: 'disabled' });
    const outputs = model.layout.outputs.map(({ name }) => name);
    const ran = await runSeeded(runtime, model.graph, session, 1, outputs);
    await session.release();
    return { ...ran, outputs };
  };

  for (const [label, bytes, fuse] of [
    ['a network', network(), 'none'],
    ['a fused network', fusedLayers().bytes, 'conv'],
  ] as const) {
    it(`${label}: one graph with every shard gives the same, and is a valid model`, () =>
      withModel(bytes, fuse, async (one) => {
        const report = exported(one, 'out.onnx', 'partitioned');
        const written = readFileSync(join(one.folder, 'out.onnx'));
        assert.equal(report.files[0].bytes, written.length);
        const read = readModel(new MemoryByteSource(written));
        assert.deepEqual(
          read.problems.filter(({ severity }) => severity === 'error'),
          [],
        );
        assert.ok(read.graph.nodes.some((node) => node.name.startsWith('tv/')));
        const { feeds, results, outputs } = await whole(one);
        const session = await runtime.open(join(one.folder, 'out.onnx'));
        const got = await session.run(feeds);
        for (const name of outputs) assert.ok(compareTensors(got[name], results[name]).isEqual);
        await session.release();
      }));

    it(`${label}: models per device, run as the manifest says, give the same`, () =>
      withModel(bytes, fuse, async (one) => {
        exported(one, 'devices', 'per-device');
        const { feeds, results, outputs } = await whole(one);
        const got = await runDevices(runtime, join(one.folder, 'devices'), feeds, outputs);
        for (const name of outputs) assert.ok(compareTensors(got[name], results[name]).isEqual);
      }));
  }

  it('reorders nodes and keeps every other byte, unknown fields too', () =>
    withModel(withUnknownFields(network()), 'none', async (one) => {
      const { graph } = one.model;
      const relu = graph.operators.findIndex(({ type }) => type === 'Relu');
      const steps = graph.operators.map(({ id }) => id);
      [steps[relu + 1], steps[relu + 2]] = [steps[relu + 2], steps[relu + 1]];
      const before = readFileSync(join(one.folder, MODEL_FILE));
      exported({ ...one, plan: { ...one.plan, steps } }, 'out.onnx', 'reorder');
      const after = readFileSync(join(one.folder, 'out.onnx'));
      assert.equal(after.length, before.length);
      assert.notDeepEqual(after, before);
      assert.deepEqual(sortedRecords(after), sortedRecords(before));
      exported(
        { ...one, plan: { ...one.plan, steps: graph.operators.map(({ id }) => id) } },
        'same.onnx',
        'reorder',
      );
      assert.deepEqual(readFileSync(join(one.folder, 'same.onnx')), before);
    }));

  it('cuts external weights in their file and keeps them external', () =>
    inTemporaryFolder(async (folder) => {
      const { bytes, data } = withExternalWeights(network(), 'weights.bin');
      writeFileSync(join(folder, MODEL_FILE), bytes);
      writeFileSync(join(folder, 'weights.bin'), data);
      const model = openCorpusModel(folder, MODEL_FILE);
      const one = { folder, model, plan: unevenPlan(model.graph) };
      const report = exported(one, 'out.onnx', 'partitioned');
      assert.deepEqual(report.files.map(({ name }) => name).sort(), ['out.onnx', 'out.onnx.data']);
      const { feeds, results } = await whole(one);
      const session = await runtime.open(join(folder, 'out.onnx'));
      assert.ok(compareTensors((await session.run(feeds))['y'], results['y']).isEqual);
      await session.release();
      model.source.close();
    }));

  it('never overwrites the model, nor an older export without force, and leaves nothing behind', () =>
    withModel(network(), 'none', async (one) => {
      assert.throws(() => exported(one, MODEL_FILE, 'partitioned', true), /overwrite "model.onnx"/);
      writeFileSync(join(one.folder, 'old.onnx'), 'kept');
      assert.throws(() => exported(one, 'old.onnx', 'partitioned'), /exists already/);
      assert.equal(readFileSync(join(one.folder, 'old.onnx'), 'utf8'), 'kept');
      exported(one, 'old.onnx', 'partitioned', true);
      assert.notEqual(readFileSync(join(one.folder, 'old.onnx'), 'utf8'), 'kept');
      assert.throws(() => exported(one, 'nowhere/out.onnx', 'partitioned'), /does not exist/);
      const control = { ...freeControl(), cancelled: () => true };
      const target = join(one.folder, 'cancelled.onnx');
      const report = exportPlanned(
        { ...one.model, planned: one.plan },
        target,
        { kind: 'partitioned', force: false },
        control,
      );
      assert.ok(report.cancelled && !existsSync(target));
      assert.deepEqual(readdirSync(one.folder).sort(), [MODEL_FILE, 'old.onnx']);
    }));

  const broken: readonly (readonly [string, (shards: readonly Range[]) => readonly Range[], RegExp])[] = [
    [
      'a gap',
      ([first, ...rest]) => [{ ...first, end: first.end - 1 }, ...rest],
      /leaves a gap in operator \d+ \(Conv/,
    ],
    ['an overlap', ([first, ...rest]) => [{ ...first, end: first.end + 1 }, ...rest], /overlap at/],
    ['an unknown device', ([first, ...rest]) => [{ ...first, device: 9 }, ...rest], /cluster does not have/],
    ['nobody', () => [], /to no device/],
  ];
  for (const [label, change, sentence] of broken) {
    it(`refuses a plan with ${label} in one sentence`, () =>
      withModel(network(), 'none', async (one) => {
        const partitions = one.plan.partitions.slice();
        const first = partitions[0]!;
        partitions[0] = { ...first, shards: change(first.shards) };
        const plan = { ...one.plan, partitions };
        assert.throws(() => exported({ ...one, plan }, 'out.onnx', 'partitioned'), {
          name: 'InputError',
          message: sentence,
        });
      }));
  }

  it('finds annotations that say the impossible', () => {
    const spec = new MessageWriter().text(1, 'nothing').int(2, 7);
    const node = new MessageWriter().text(1, 'x').text(2, 'y').text(NODE.name, 'n').text(NODE.type, 'Relu');
    node.message(NODE.deviceConfigurations, new MessageWriter().text(1, 'pair').message(2, spec));
    node.message(NODE.deviceConfigurations, new MessageWriter().text(1, 'other'));
    const graph = new MessageWriter()
      .message(GRAPH.node, node)
      .message(GRAPH.input, new MessageWriter().text(1, 'x'));
    graph.message(GRAPH.output, new MessageWriter().text(1, 'z'));
    const configuration = new MessageWriter().text(1, 'pair').int(2, 2).text(3, 'a');
    const model = new MessageWriter()
      .int(MODEL.irVersion, 10)
      .message(MODEL.configuration, configuration)
      .message(MODEL.graph, graph);
    const problems = validateModel(scanLayout(new MemoryByteSource(model.finish())));
    for (const expected of [
      /not imported/,
      /nothing makes output "z"/,
      /says 2 devices and names 1/,
      /IR version 10/,
      /neither reads nor makes/,
      /device 7 is not/,
      /configuration "other"/,
    ])
      assert.ok(
        problems.some((problem) => expected.test(problem)),
        `${expected} in ${problems.join('; ')}`,
      );
  });
});

interface Range {
  readonly device: number;
  readonly start: number;
  readonly end: number;
}

function graphBytes(model: Uint8Array): Uint8Array {
  for (const record of records(model))
    if (record.field === MODEL.graph) return model.subarray(record.valueStart, record.end);
  throw new Error('no graph');
}

function rebuilt(model: Uint8Array, graph: MessageWriter): MessageWriter {
  const message = new MessageWriter();
  for (const record of records(model))
    if (record.field === MODEL.graph) message.message(MODEL.graph, graph);
    else message.raw(model.subarray(record.start, record.end));
  return message;
}

/** Fields that no version of the format has, in the model, in the graph and in every node. */
function withUnknownFields(model: Uint8Array): Uint8Array {
  const body = graphBytes(model);
  const graph = new MessageWriter();
  for (const record of records(body)) {
    const value = body.subarray(record.valueStart, record.end);
    if (record.field === GRAPH.node)
      graph.message(GRAPH.node, new MessageWriter().raw(value).text(901, 'node'));
    else graph.raw(body.subarray(record.start, record.end));
  }
  return rebuilt(model, graph.text(902, 'graph')).text(903, 'model').finish();
}

function sortedRecords(model: Uint8Array): string[] {
  const texts = [...records(model)].flatMap((record) => {
    const value = model.subarray(record.valueStart, record.end);
    const inner =
      record.field === MODEL.graph
        ? [...records(value)].map((one) => value.subarray(one.start, one.end))
        : [model.subarray(record.start, record.end)];
    return inner.map((bytes) => Buffer.from(bytes).toString('hex'));
  });
  return texts.sort();
}

/** Moves every weight of a model into a data file. */
function withExternalWeights(model: Uint8Array, location: string): { bytes: Uint8Array; data: Uint8Array } {
  const body = graphBytes(model);
  const graph = new MessageWriter();
  const data: Uint8Array[] = [];
  let offset = 0;
  for (const record of records(body)) {
    if (record.field !== GRAPH.initializer) {
      graph.raw(body.subarray(record.start, record.end));
      continue;
    }
    const tensor = new MessageWriter();
    const value = body.subarray(record.valueStart, record.end);
    for (const field of records(value)) {
      if (field.field !== 9) {
        tensor.raw(value.subarray(field.start, field.end));
        continue;
      }
      const raw = value.subarray(field.valueStart, field.end);
      for (const [key, text] of [
        ['location', location],
        ['offset', String(offset)],
        ['length', String(raw.length)],
      ])
        tensor.message(13, new MessageWriter().text(1, key).text(2, text));
      tensor.int(14, 1);
      data.push(raw);
      offset += raw.length;
    }
    graph.message(GRAPH.initializer, tensor);
  }
  return { bytes: rebuilt(model, graph).finish(), data: Buffer.concat(data) };
}
