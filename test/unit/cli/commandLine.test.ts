import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '../../../src/cli/run';
import { ModelBuilder } from '../../../src/engine/example/modelBuilder';
import type { Plan } from '../../../src/core/plan/plan';
import { doorbellModel } from '../../../src/engine/example/doorbell';
import { network } from '../../support/layerModels';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

async function run(argv: readonly string[], cancelled = () => false): Promise<Ran> {
  let out = '';
  let error = '';
  const status = await runCommandLine(argv, {
    write: (text) => void (out += text),
    writeError: (text) => void (error += text),
    isTerminal: false,
    cancelled,
  });
  return { status, out, error };
}

const FEW = ['--evaluations', '2000'];

describe('command line', () => {
  let folder: string;
  let model: string;
  const file = (name: string): string => join(folder, name);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'memorianova-cli-'));
    model = file('doorbell.onnx');
    writeFileSync(model, doorbellModel());
  });
  after(() => rmSync(folder, { recursive: true }));

  it('inspects a model, for people and as JSON', async () => {
    const text = await run(['inspect', model]);
    assert.equal(text.status, 0);
    assert.match(text.out, /operators, weights .* MFLOP/);
    const json = JSON.parse((await run(['inspect', model, '--json'])).out) as {
      operators: unknown[];
      problems: unknown[];
    };
    assert.ok(json.operators.length > 20);
    assert.deepEqual(json.problems, []);
  });

  it('proves an order', async () => {
    const { out, status } = await run(['order', model, '--json']);
    assert.equal(status, 0);
    const order = JSON.parse(out) as {
      status: string;
      peakBytes: number;
      lowerBoundBytes: number;
      baselines: Record<string, { peakBytes: number }>;
    };
    assert.equal(order.status, 'optimal');
    assert.equal(order.peakBytes, order.lowerBoundBytes);
    for (const { peakBytes } of Object.values(order.baselines)) assert.ok(order.peakBytes <= peakBytes);
  });

  for (const strategy of ['hybrid', 'horizontal', 'vertical']) {
    for (const latency of ['overlapped', 'synchronous']) {
      it(`makes a ${strategy} plan (${latency}) that its checker accepts, the same bytes twice`, async () => {
        const options = [...FEW, '--strategy', strategy, '--latency', latency];
        // Its synchronous bound, proven three times here, does not take long.
        const small = file('network.onnx');
        writeFileSync(small, network());
        const [first, second] = [file('a.json'), file('b.json')];
        assert.equal((await run(['optimize', small, '--out', first, ...options])).status, 0);
        assert.equal((await run(['optimize', small, '--out', second, ...options])).status, 0);
        assert.equal(readFileSync(first, 'utf8'), readFileSync(second, 'utf8'));
        const checked = await run(['check', small, first]);
        assert.equal(checked.status, 0, checked.out);
      });
    }
  }

  it('saves the plan beside the model and refuses it for another model', async () => {
    const { status, out } = await run(['optimize', model, ...FEW]);
    assert.equal(status, 0);
    assert.match(out, /best single device/);
    const plan = file('doorbell.memorianova.json');
    assert.ok(existsSync(plan));
    const other = file('other.onnx');
    writeFileSync(other, Buffer.concat([doorbellModel(), Buffer.from([0x2a, 0x00])]));
    const checked = await run(['check', other, plan]);
    assert.equal(checked.status, 1);
    assert.match(checked.out, /another model/);
  });

  it('analyzes every operator: all ways to split it, the cheapest marked', async () => {
    const { out } = await run(['analyze', model, '--json']);
    type Way = { dimension: string; seconds: number; cheapest: boolean; shards: { device: string }[] };
    const { operators } = JSON.parse(out) as { operators: { type: string; alternatives: Way[] }[] };
    const ways = operators.find(({ type }) => type === 'Conv')!.alternatives;
    assert.deepEqual(new Set(ways.map(({ dimension }) => dimension)), new Set(['none', 'C', 'H', 'W', 'K']));
    const cheapest = ways.filter((way) => way.cheapest);
    assert.equal(cheapest.length, 1);
    assert.equal(cheapest[0].seconds, Math.min(...ways.map(({ seconds }) => seconds)));
  });

  it('answers what-if questions from the plan at hand, and keeps pins', async () => {
    const [plan, changed] = [file('hand.json'), file('changed.json')];
    await run(['optimize', model, '--out', plan, ...FEW]);
    const asked = [
      '--from',
      plan,
      '--drop',
      'speaker',
      '--set',
      'tv.memory=64 MiB',
      '--pin',
      '0=camera',
      '--pin',
      '1=none',
    ];
    const { status, error } = await run(['optimize', model, '--out', changed, ...FEW, ...asked]);
    assert.equal(status, 0, error);
    const found = JSON.parse(readFileSync(changed, 'utf8')) as Plan;
    assert.deepEqual(
      found.devices.map(({ name }) => name),
      ['camera', 'tv', 'door lock'],
    );
    assert.equal(found.devices[1].limitBytes, 64 * 2 ** 20);
    assert.deepEqual(
      found.operators[0].partition.shards.map(({ device }) => device),
      ['camera'],
    );
    assert.equal(found.operators[1].partition.dimension, 'none');
    assert.equal((await run(['check', model, changed])).status, 0);
    assert.equal((await run(['optimize', model, '--drop', 'oven'])).status, 1);
    assert.equal((await run(['optimize', model, '--pin', '0'])).status, 2);
  });

  it('lets the search change the order', async () => {
    const plan = file('free.json');
    assert.equal((await run(['optimize', model, '--out', plan, ...FEW, '--order', 'free'])).status, 0);
    const { latency } = JSON.parse(readFileSync(plan, 'utf8')) as Plan;
    assert.ok(latency.seconds <= latency.baselines.btsearchOrder.seconds);
    assert.equal((await run(['check', model, plan])).status, 0);
  });

  it('sweeps bandwidth: more is never slower', async () => {
    const values = '1 Mbit/s,100 Mbit/s,1 Gbit/s';
    const { out, status } = await run(['sweep', model, '--values', values, '--evaluations', '500', '--json']);
    assert.equal(status, 0);
    const { points } = JSON.parse(out) as { points: { seconds: number }[] };
    const seconds = points.map((point) => point.seconds);
    assert.deepEqual(
      seconds,
      [...seconds].sort((a, b) => b - a),
    );
  });

  it('says what a sweep takes, and what it calls paying', async () => {
    const { status, error } = await run(['sweep', model, '--of', 'memory', '--values', '200 KiB,1 MiB']);
    assert.equal(status, 2);
    assert.match(
      error,
      /--values takes factors on the memory of every device such as "0\.5,1,2".*not "200 KiB"/,
    );
    const help = (await run(['sweep', '--help'])).out;
    assert.match(
      help,
      /--values LIST .*bandwidths .*factors on the memory of every device such as "0\.5,1,2"/,
    );
    const { out } = await run(['sweep', model, '--values', '1 Gbit/s', ...FEW]);
    assert.match(out, /splitting pays .*: .*at least 1 % faster than the best single device/);
    const slow = await run(['sweep', model, '--values', '1 bit/s']);
    assert.equal(slow.status, 2);
    assert.match(slow.error, /--values must be at least 1 B\/s, not "1 bit\/s"/);
  });

  it('compares two plans', async () => {
    const [one, two] = [file('one.json'), file('two.json')];
    await run(['optimize', model, '--out', one, ...FEW]);
    await run(['optimize', model, '--out', two, ...FEW, '--strategy', 'vertical']);
    const { out, status } = await run(['compare', one, two]);
    assert.equal(status, 0);
    assert.match(out, /latency .* ms/);
    assert.match(out, /the order is the same/);
    assert.match((await run(['compare', one, one])).out, /0 operators are partitioned differently/);
  });

  it('verifies a plan by running it', async () => {
    const plan = file('verified.json');
    await run(['optimize', model, '--out', plan, ...FEW]);
    const { status, out } = await run(['verify', model, plan]);
    assert.equal(status, 0, out);
    assert.match(out, /computes the same/);
  });

  it('plans a model of views alone', async () => {
    const views = new ModelBuilder('views');
    const shape = [1, 4];
    views.node('Identity', [views.node('Identity', [views.input('x', shape)])], {}, 'last', ['y']);
    views.output('y', shape);
    const path = file('views.onnx');
    writeFileSync(path, views.build());
    const { status, error } = await run(['optimize', path]);
    assert.equal(status, 0, error);
    const checked = await run(['check', path, file('views.memorianova.json')]);
    assert.equal(checked.status, 0, checked.out);
  });

  it('keeps the best plan when cancelled', async () => {
    let calls = 0;
    const out = file('cancelled.json');
    const { status } = await run(['optimize', model, '--out', out], () => ++calls > 50);
    assert.equal(status, 0);
    assert.equal((JSON.parse(readFileSync(out, 'utf8')) as { stopped: string }).stopped, 'cancel');
    assert.equal((await run(['check', model, out])).status, 0);
  });

  describe('bad input: one sentence, nothing lost', () => {
    const cluster = {
      name: 'c',
      devices: [{ name: 'a', memory: '1 MiB', compute: '1 GFLOP/s', operatorOverhead: '1 us' }],
      network: { kind: 'switched', bandwidth: '1 MB/s', latency: '1 ms' },
    };
    const cases: readonly [what: string, content: Buffer | string, message: RegExp][] = [
      ['an empty file', '', /empty/],
      ['text renamed .onnx', 'Dear model, I am not a model.', /./],
      ['a truncated model', Buffer.from(doorbellModel().subarray(0, 40_000)), /./],
    ];
    for (const [what, content, message] of cases) {
      it(what, async () => {
        const path = file('broken.onnx');
        writeFileSync(path, content);
        for (const command of ['inspect', 'order', 'optimize']) refused(await run([command, path]), message);
        assert.ok(!existsSync(file('broken.memorianova.json')));
      });
    }

    const clusters: readonly [what: string, value: unknown, message: RegExp][] = [
      ['an unknown cluster field', { ...cluster, colour: 'red' }, /colour/],
      ['a cluster that is no JSON', 'devices: none', /JSON/],
      ['a cluster too small for the model', cluster, /a lacks/],
    ];
    for (const [what, value, message] of clusters) {
      it(what, async () => {
        const path = file('bad.cluster.json');
        writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
        const out = file('kept.json');
        writeFileSync(out, 'precious');
        refused(await run(['optimize', model, '--cluster', path, '--out', out, ...FEW]), message);
        assert.equal(readFileSync(out, 'utf8'), 'precious');
      });
    }

    it('a model with sizes that are not known, the same way in every command that needs them', async () => {
      const net = new ModelBuilder('open');
      const shape = ['rows', 4];
      const relu = net.node('Relu', [net.input('x', shape)], {}, 'first');
      net.node('NonZero', [relu], {}, 'where', ['found']);
      net.output('found', [2, 'n']);
      const path = file('open.onnx');
      writeFileSync(path, net.build());
      const dimensions =
        /tensor "x" \(\[rows, 4\]\).*rows and n have no sizes.*--bind rows=SIZE --bind n=SIZE/;
      refused(await run(['optimize', path, ...FEW]), dimensions);
      refused(await run(['sweep', path, '--values', '1 Mbit/s', ...FEW]), dimensions);
      for (const command of ['order', 'analyze']) {
        const { status, out } = await run([command, path]);
        assert.equal(status, 0);
        assert.match(out, dimensions);
        const json = JSON.parse((await run([command, path, '--json'])).out) as { unknownSizes: string };
        assert.match(json.unknownSizes, dimensions);
      }
      const figures = (await run(['analyze', path])).out;
      assert.match(figures, /^0 Relu first +unknown/m);
      assert.match((await run(['analyze', path, '--operator', '0'])).out, dimensions);
    });

    it('a device or a network of no use, also in a what-if', async () => {
      const slow = run(['optimize', model, '--set', 'camera.compute=1 FLOP/s', ...FEW]);
      refused(await slow, /"camera": compute must be at least 1000 FLOP\/s, not 1\./);
      const none = run(['optimize', model, '--set', 'tv.memory=-1', ...FEW]);
      refused(await none, /"tv": memory must be above 0, not -1\./);
      const network = run(['optimize', model, '--bandwidth', '1 bit/s', ...FEW]);
      refused(await network, /network\.bandwidth must be at least 1 B\/s, not 0\.125\./);
    });

    it('a file that is not there', async () => {
      refused(await run(['inspect', file('nowhere.onnx')]), /nowhere\.onnx.*does not exist/);
      refused(await run(['optimize', model, '--cluster', file('nowhere.json')]), /no such file/i);
      refused(
        await run(['optimize', model, '--out', join(folder, 'no', 'where.json'), ...FEW]),
        /could not be written/,
      );
    });

    function refused({ status, error, out }: Ran, message: RegExp): void {
      assert.equal(status, 1);
      assert.equal(out, '');
      assert.match(error, /^memorianova: [^\n]+\n$/);
      assert.match(error, message);
    }
  });

  it('answers wrong usage with status 2', async () => {
    for (const argv of [
      [],
      ['dance'],
      ['order'],
      ['inspect', model, '--colour'],
      ['optimize', model, '--seed', 'x'],
      ['optimize', model, '--strategy', 'diagonal'],
      ['inspect', model, '--bind', 'N'],
    ]) {
      const { status, error, out } = await run(argv);
      assert.equal(status, 2, argv.join(' '));
      assert.match(error + out, /memorianova/);
    }
  });
});
