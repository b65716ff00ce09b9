import assert from 'node:assert';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InputError } from '../../../src/core/graph/problem';
import { encodePlan } from '../../../src/core/plan/codec';
import type { Plan } from '../../../src/core/plan/plan';
import { doorbellModel } from '../../../src/engine/example/doorbell';
import { exampleClusterText } from '../../../src/engine/example/folder';
import type { RunProgress } from '../../../src/protocol/webview';
import type { OpenedModel, OpenRequest, OptimizeRequest, WhatIfRequest } from '../../../src/protocol/worker';
import { workerHandlers } from '../../../src/worker/handlers';
import { chainModel } from '../../e2e/support/fixtures';

const INPUT_ERROR = (pattern: RegExp) => (error: InputError) =>
  error.name === 'InputError' && pattern.test(error.message);

describe('worker', () => {
  let folder: string;
  let model: string;
  const progress: RunProgress[] = [];
  const { requests } = workerHandlers({ report: (one) => void progress.push(one) });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memorianova-worker-'));
    model = join(folder, 'door.onnx');
    writeFileSync(model, doorbellModel());
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function open(changes: Partial<OpenRequest> = {}): Promise<OpenedModel> | OpenedModel {
    const plan = { kind: 'beside' } as const;
    const rules = { fuse: 'none', inPlace: 'none', bindings: {} } as const;
    return requests.open({ model: { kind: 'file', path: model }, plan, ...rules, ...changes });
  }

  function optimizeRequest(changes: Partial<OptimizeRequest> = {}): OptimizeRequest {
    const options = { evaluations: 200, seed: 7 };
    const cancel = new SharedArrayBuffer(4);
    const plan = { kind: 'beside' } as const;
    const source = { kind: 'file', path: model } as const;
    return { model: source, cluster: null, bindings: {}, options, plan, cancel, ...changes };
  }

  it('opens a model without a plan', async () => {
    const { document, plan } = await open();
    assert.equal(plan.kind, 'none');
    assert.equal(document.fileName, 'door.onnx');
    const { operators, tensors } = document.graph;
    assert.equal(operators.names.length, operators.types.length);
    assert.equal(operators.inputs.length, operators.firstInput[operators.names.length]);
    assert.equal(document.memory.liveBytes.length, operators.names.length);
    assert.equal(tensors.names.length, tensors.bytes.length);
    assert.equal(document.memory.peakBytes, Math.max(...document.memory.liveBytes));
  });

  it('optimizes, saves the plan beside the model, and opens it again', async () => {
    const result = await requests.optimize(optimizeRequest());
    assert.equal(result.planName, 'door.memorianova.json');
    assert.equal(result.text, null);
    assert.ok(progress.some(({ phase, bestSeconds }) => phase === 'Partitioning' && bestSeconds !== null));
    const { plan, document } = await open();
    assert.ok(plan.kind === 'current');
    assert.equal(plan.plan.plan.latency.seconds, result.summary.latencySeconds);
    assert.equal(plan.plan.memory.peakBytes, plan.plan.plan.order.peakBytes);
    assert.equal(plan.plan.planOperators.length, document.graph.operators.names.length);
    plan.plan.deviceMemory.forEach(({ bytes }, device) => {
      assert.equal(Math.max(...bytes), plan.plan.plan.devices[device].peakBytes);
    });
  });

  it('follows the fusion rule of a current plan', async () => {
    await requests.optimize(optimizeRequest({ options: { evaluations: 200, fuse: 'conv' } }));
    const { document, plan } = await open({ fuse: 'none' });
    assert.equal(plan.kind, 'current');
    assert.equal(document.graph.fuse, 'conv');
  });

  it('calls a plan stale once the model has changed, and leaves the file alone', async () => {
    await requests.optimize(optimizeRequest());
    const before = readFileSync(join(folder, 'door.memorianova.json'));
    writeFileSync(model, chainModel());
    assert.equal((await open()).plan.kind, 'stale');
    assert.deepEqual(readFileSync(join(folder, 'door.memorianova.json')), before);
  });

  it('opens a model whose plan cannot be read, and says why', async () => {
    writeFileSync(join(folder, 'door.memorianova.json'), '{ "format": "memorianova-plan", "version": 2 }');
    const { plan } = await open();
    assert.ok(plan.kind === 'unreadable');
    assert.match(plan.message, /version 2/);
  });

  describe('what if', () => {
    const planFile = (): string => join(folder, 'door.memorianova.json');
    const saved = (): Plan => JSON.parse(readFileSync(planFile(), 'utf8')) as Plan;
    async function ask(changes: Partial<WhatIfRequest>): Promise<Plan> {
      const { text } = await requests.whatIf({
        model: { kind: 'file', path: model },
        start: readFileSync(planFile(), 'utf8'),
        cluster: saved().cluster,
        pins: {},
        evaluations: 200,
        cancel: new SharedArrayBuffer(4),
        ...changes,
      });
      return JSON.parse(text) as Plan;
    }
    beforeEach(async () => void (await requests.optimize(optimizeRequest())));

    it('is never worse than the plan at hand on the same cluster, and saves nothing', async () => {
      const before = readFileSync(planFile());
      const plan = await ask({});
      assert.ok(plan.latency.seconds <= saved().latency.seconds);
      assert.deepEqual(readFileSync(planFile()), before);
    });

    it('does without a device that is gone, and with one that was added', async () => {
      const { cluster } = saved();
      const gone = cluster.devices.find(({ name }) => name !== cluster.source && name !== cluster.sink)!;
      const without = { ...cluster, devices: cluster.devices.filter((device) => device !== gone) };
      const links = cluster.network.links.filter(({ from, to }) => from !== gone.name && to !== gone.name);
      const smaller = await ask({ cluster: { ...without, network: { ...cluster.network, links } } });
      assert.equal(smaller.devices.length, cluster.devices.length - 1);
      const spare = { name: 'spare', memory: '1 GiB', compute: '20 GFLOP/s', operatorOverhead: '10 us' };
      const larger = await ask({ cluster: { ...cluster, devices: [...cluster.devices, spare] } });
      assert.ok(larger.latency.seconds < saved().latency.seconds);
    });

    it('keeps operators where they are pinned', async () => {
      const { operators, cluster } = saved();
      const [one, two] = operators.filter(({ type }) => type === 'Conv');
      const device = cluster.devices[2].name;
      const pins = { [one.index]: { device }, [two.index]: { dimension: 'none' as const } };
      const plan = await ask({ pins });
      const partition = (index: number): Plan['operators'][number]['partition'] =>
        plan.operators.find((operator) => operator.index === index)!.partition;
      assert.deepEqual(
        partition(one.index).shards.map((shard) => shard.device),
        [device],
      );
      assert.equal(partition(two.index).dimension, 'none');
      assert.deepEqual(plan.options['pins'], pins);
    });

    it('has its pins kept when it is saved and the model is optimized again, as far as they make sense', async () => {
      const { operators, cluster } = saved();
      const [one, two] = operators.filter(({ type }) => type === 'Conv');
      const pins = {
        [one.index]: { device: cluster.devices[2].name },
        [two.index]: { dimension: 'none' as const },
      };
      const plan = await ask({ pins });
      writeFileSync(planFile(), encodePlan(plan));
      await requests.optimize(optimizeRequest());
      assert.deepEqual(saved().options['pins'], pins);
      const others = exampleClusterText().replaceAll(cluster.devices[2].name, 'box');
      await requests.optimize(optimizeRequest({ cluster: { name: 'other', text: others } }));
      assert.deepEqual(saved().options['pins'], { [two.index]: pins[two.index] });
      // A plan of another structure has no say.
      const { model: identity } = plan;
      writeFileSync(
        planFile(),
        encodePlan({ ...plan, model: { ...identity, structureSha256: '0'.repeat(64) } }),
      );
      await requests.optimize(optimizeRequest());
      assert.equal(saved().options['pins'], undefined);
    });

    it('says what is missing where nothing fits, and which quantity cannot be read', async () => {
      const { cluster } = saved();
      const tiny = {
        ...cluster,
        devices: cluster.devices.map((device) => ({ ...device, memory: device.baseMemory + 1024 })),
      };
      await assert.rejects(ask({ cluster: tiny }), INPUT_ERROR(/lacks [1-9][\d.]* [KM]iB/));
      const odd = {
        ...cluster,
        devices: cluster.devices.map((device) => ({ ...device, memory: '9 apples' })),
      };
      await assert.rejects(ask({ cluster: odd }), INPUT_ERROR(/unit "apples"/));
    });

    it('sweeps, and knows from where splitting pays', async () => {
      const { cluster } = saved();
      const values = [1e3, cluster.network.bandwidth, cluster.network.bandwidth * 100];
      const wish = { cluster, pins: {}, of: 'bandwidth', values, evaluations: 50 } as const;
      const start = readFileSync(planFile(), 'utf8');
      const source = { kind: 'file', path: model } as const;
      const cancel = new SharedArrayBuffer(4);
      const result = await requests.sweep({ ...wish, model: source, start, cancel });
      assert.ok(result.kind === 'swept');
      assert.deepEqual(
        result.points.map(({ value }) => value),
        values,
      );
      const [slow, , fast] = result.points;
      assert.ok(fast.seconds! < slow.seconds! && fast.seconds! < fast.singleSeconds!);
      assert.ok(values.includes(result.splittingPaysFrom!));
      assert.ok(progress.some(({ task, fraction }) => task === 'sweep' && fraction !== null && fraction > 0));
    });

    it('is shown in the place of the plan that was opened, until that is shown again', async () => {
      await open();
      const plan = await ask({});
      const shown = requests.showPlan({ text: encodePlan(plan) });
      const state = await shown;
      assert.ok(state.kind === 'current' && !state.saved);
      assert.equal(state.fileName, 'door.memorianova.json');
      const replay = await requests.replay({});
      assert.equal(replay.plan.latency.model, 'synchronous');
      assert.ok(replay.plan.latency.seconds >= plan.latency.seconds);
      const holdings = await requests.holdings({});
      assert.deepEqual(
        holdings.map(({ weightBytes }) => weightBytes),
        plan.devices.map(({ weightBytes }) => weightBytes),
      );
      const back = await requests.showPlan({ text: null });
      assert.ok(back.kind === 'current' && back.saved);
      assert.deepEqual(back.plan.plan.latency, saved().latency);
    });
  });

  it('finds the plan of a named cluster, and not that of another model', async () => {
    const { text } = await requests.optimize(
      optimizeRequest({ model: { kind: 'bytes', name: 'door.onnx', bytes: doorbellModel() } }),
    );
    assert.ok(text !== null && !existsSync(join(folder, 'door.memorianova.json')));
    writeFileSync(join(folder, 'door.front.memorianova.json'), text);
    assert.equal((await open()).plan.kind, 'current');
    copyFileSync(model, join(folder, 'door.front.onnx'));
    assert.equal((await open()).plan.kind, 'none');
  });

  it('reads a plan given as text', async () => {
    await requests.optimize(optimizeRequest());
    const saved = JSON.parse(readFileSync(join(folder, 'door.memorianova.json'), 'utf8')) as Plan;
    const steps = saved.order.steps.slice(1);
    const text = encodePlan({ ...saved, order: { ...saved.order, steps } });
    const { plan } = await open({ plan: { kind: 'text', name: 'edited', text } });
    assert.equal(plan.kind, 'unreadable');
  });

  it('answers for details of operators and tensors, and refuses ids that are not there', async () => {
    await open();
    const details = await requests.operatorDetails({ operator: 0, graph: 0 });
    assert.equal(details.type, 'Conv');
    assert.ok(details.attributes.some(({ name, text }) => name === 'strides' && text === '[2, 2]'));
    const [, weight] = details.inputs;
    const tensor = await requests.tensorDetails({ tensor: weight.tensor, graph: 0 });
    assert.equal(tensor.location, 'in the file');
    assert.throws(
      () => requests.operatorDetails({ operator: 999, graph: 0 }),
      INPUT_ERROR(/no operator 999/),
    );
    assert.throws(() => requests.tensorDetails({ tensor: 0, graph: 5 }), INPUT_ERROR(/no graph 5/));
  });

  it('analyses an operator on the built-in cluster', async () => {
    await open();
    const { alternatives, cheapest, cluster } = await requests.costAnalysis({ operator: 0 });
    assert.equal(cluster, 'smart-home');
    const least = Math.min(...alternatives.map(({ seconds }) => seconds));
    assert.equal(alternatives[cheapest].seconds, least);
  });

  it('reads cluster files, and names the field that is wrong', async () => {
    const { devices } = await requests.cluster({ text: exampleClusterText() });
    assert.deepEqual(
      devices.map(({ name }) => name),
      ['camera', 'tv', 'speaker', 'door lock'],
    );
    const wrong = exampleClusterText().replace('"memory"', '"memmory"');
    assert.throws(() => requests.cluster({ text: wrong }), INPUT_ERROR(/memmory/));
    const request = optimizeRequest({ cluster: { name: 'x.cluster.json', text: wrong } });
    assert.throws(() => requests.optimize(request), INPUT_ERROR(/^x\.cluster\.json: .*memmory/));
  });

  it('exports the plan, and replaces only what it may', async () => {
    const { planName } = await requests.optimize(optimizeRequest());
    const plan = join(folder, planName);
    const to = join(folder, 'door.partitioned.onnx');
    const cancel = new SharedArrayBuffer(4);
    const request = { modelPath: model, plan, kind: 'partitioned', to, overwrite: false, cancel } as const;
    assert.deepEqual((await requests.export(request)).files, [to]);
    await assert.rejects(async () => requests.export(request), INPUT_ERROR(/exists already/));
    assert.equal((await open({ model: { kind: 'file', path: to } })).document.kind, 'opened');
  });

  it('says what is wrong with a file that is no model', async () => {
    writeFileSync(model, '');
    assert.throws(() => open(), INPUT_ERROR(/empty/i));
    assert.throws(() => requests.costAnalysis({ operator: 0 }), INPUT_ERROR(/No model is open/));
  });
});
