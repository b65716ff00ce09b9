import assert from 'node:assert';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { doorbellModel } from '../../src/engine/example/doorbell';
import { writeExample } from '../../src/engine/example/folder';
import {
  BAD_MODELS,
  chainModel,
  openModel,
  readPlan,
  SMALL_CLUSTER,
  UNKNOWN_FIELD_CLUSTER,
  writeJson,
} from './support/fixtures';
import { Workbench, type Theme } from './support/workbench';

const QUICK = { 'memorianova.evaluations': 20_000 };
const ENDLESS = { 'memorianova.evaluations': 10_000_000 };
const PLAN = 'doorbell.memorianova.json';
const LONG_MS = 90_000;
/** 200 ms where the machine is free; tests share theirs. */
const CANCEL_LIMIT_MS = 5_000;

describe('the main job, in a real VS Code with the packed extension', () => {
  let bench: Workbench;
  const path = (name: string): string => join(bench.workspace, name);

  before(async () => {
    bench = await Workbench.open(
      (folder) => {
        writeExample(folder);
        writeFileSync(join(folder, 'chain.onnx'), chainModel());
        writeFileSync(join(folder, 'open.onnx'), openModel());
        for (const { file, bytes } of BAD_MODELS) writeFileSync(join(folder, file), bytes);
      },
      { settings: QUICK },
    );
  });
  after(() => bench?.close());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed')
      await bench.screenshot(`failed-${this.currentTest.title.replace(/\W+/g, '-')}`);
  });

  it('opens a model as a graph', async () => {
    await bench.openFile('doorbell.onnx');
    await bench.webview().locator('.graph-canvas').waitFor();
    await bench.webview().getByText('53 operators').waitFor();
    assert.equal(readPlan(bench.workspace, PLAN), undefined);
    await bench.screenshot('model');
  });

  it('optimizes by the context menu of the Explorer, and shows the plan at once', async () => {
    await bench.explorerMenu('doorbell.onnx', 'Optimize with MemoriaNova');
    await bench.quickPick('Smart home').waitFor();
    await bench.screenshot('choose-cluster');
    await bench.choose('smart-home.cluster.json');
    await bench.notification('Optimizing doorbell.onnx').waitFor();
    await bench.webview().locator('.devices').waitFor({ timeout: LONG_MS });
    await bench.notification('Optimizing doorbell.onnx').waitFor({ state: 'hidden' });
    assert.equal(readPlan(bench.workspace, PLAN)?.format, 'memorianova-plan');
    assert.equal(readPlan(bench.workspace, PLAN)?.stopped, undefined);
  });

  it('tells about an operator when the mouse rests on it', async () => {
    const canvas = bench.webview().locator('.graph-canvas');
    const tooltip = bench.webview().locator('.tooltip');
    const box = await canvas.boundingBox();
    assert.ok(box);
    for (let y = 60; y < box.height && !(await tooltip.isVisible()); y += 15) {
      await bench.page.mouse.move(box.x + box.width / 2 - 40, box.y + y);
      await bench.page.waitForTimeout(150);
    }
    await tooltip.waitFor();
    await bench.screenshot('hover');
    assert.match(await tooltip.innerText(), /\d/);
  });

  it('shows the plan again after a reload, without optimizing', async () => {
    const before = statSync(path(PLAN)).mtimeMs;
    await bench.load();
    await bench.webview().locator('.devices').waitFor({ timeout: LONG_MS });
    assert.equal(statSync(path(PLAN)).mtimeMs, before);
  });

  it('answers what would be without a device, and saves it only when it is kept', async () => {
    const saved = (): Buffer => readFileSync(path(PLAN));
    const before = saved();
    const view = bench.webview();
    const ask = async (): Promise<void> => {
      await view.locator('.device-cell vscode-checkbox', { hasText: 'speaker' }).click();
      await view.locator('.what-if').getByRole('button', { name: 'Run' }).click();
      await view.locator('.notice.unsaved').waitFor({ timeout: LONG_MS });
      assert.equal(await view.locator('.device-row').count(), 3);
    };
    await view.getByRole('tab', { name: 'What if' }).click();
    await ask();
    await bench.screenshot('what-if');
    assert.deepEqual(saved(), before, 'a result that is only shown is not saved');
    await view.locator('.notice.unsaved').getByRole('button', { name: 'Discard' }).click();
    await view.locator('.notice.unsaved').waitFor({ state: 'detached' });
    assert.equal(await view.locator('.device-row').count(), 4);
    await view.locator('.what-if').getByRole('button', { name: 'Run' }).click();
    await view
      .locator('.notice.unsaved')
      .getByRole('button', { name: 'Keep this plan' })
      .click({ timeout: LONG_MS });
    await view.locator('.notice.unsaved').waitFor({ state: 'detached', timeout: LONG_MS });
    assert.equal(readPlan(bench.workspace, PLAN)?.devices.length, 3);
    writeFileSync(path(PLAN), before);
    await view.locator('.device-row').nth(3).waitFor({ timeout: LONG_MS });
    await view.getByRole('tab', { name: 'Graph' }).click();
  });

  for (const theme of ['light', 'hc-dark', 'hc-light', 'dark'] as const satisfies readonly Theme[])
    it(`is drawn in the colours of the theme: ${theme}`, async () => {
      await bench.theme(theme);
      await bench.webview().locator('.devices').waitFor();
      await bench.screenshot(`plan-${theme}`);
    });

  it('shows a plan file with its model', async () => {
    await bench.openFile(PLAN);
    await bench.webview().locator('.devices').waitFor({ timeout: LONG_MS });
    await bench.closeEditors();
  });

  it('verifies the plan by execution', async () => {
    await bench.openFile('doorbell.onnx');
    await bench.webview().locator('.devices').waitFor({ timeout: LONG_MS });
    await bench.command('MemoriaNova: Verify the Plan by Execution');
    await bench
      .webview()
      .getByText(/Verified with onnxruntime-web/)
      .waitFor({ timeout: LONG_MS });
    await bench.screenshot('verified');
  });

  it('says that a plan is out of date when the model changes on disk', async () => {
    const planBefore = readFileSync(path(PLAN));
    writeFileSync(path('doorbell.onnx'), chainModel(9));
    await bench.webview().locator('.notice').waitFor({ timeout: LONG_MS });
    assert.equal(await bench.webview().locator('.devices').count(), 0, 'no stale annotation');
    await bench.webview().getByRole('button', { name: 'Optimize again' }).waitFor();
    await bench.screenshot('stale');
    assert.deepEqual(readFileSync(path(PLAN)), planBefore, 'the plan is left as it is');
    writeFileSync(path('doorbell.onnx'), doorbellModel());
    await bench.webview().locator('.devices').waitFor({ timeout: LONG_MS });
  });

  it('stops within a blink when cancelled, and keeps the best plan', async () => {
    await bench.setting(ENDLESS);
    await bench.explorerMenu('doorbell.onnx', 'Optimize with MemoriaNova');
    await bench.choose('smart-home.cluster.json');
    const toast = bench.notification('Optimizing doorbell.onnx');
    await bench.notification(/best \d/).waitFor({ timeout: LONG_MS });
    await bench.screenshot('progress');
    await bench.cancelNotification();
    const cancelled = Date.now();
    await toast.waitFor({ state: 'hidden', timeout: LONG_MS });
    // The notification goes at once; the plan is checked and saved behind it.
    while (readPlan(bench.workspace, PLAN)?.stopped !== 'cancel') {
      assert.ok(Date.now() - cancelled < CANCEL_LIMIT_MS, 'the best plan is saved soon');
      await bench.page.waitForTimeout(20);
    }
    process.stdout.write(
      `      ${statSync(path(PLAN)).mtimeMs - cancelled} ms from Cancel to the saved plan\n`,
    );
    await bench.webview().locator('.progress-line').waitFor({ state: 'detached' });
    await bench.setting(QUICK);
  });

  it('works on two models at once', async () => {
    await bench.setting({ 'memorianova.evaluations': 100_000 });
    for (const name of ['doorbell.onnx', 'chain.onnx']) {
      await bench.explorerMenu(name, 'Optimize with MemoriaNova');
      await bench.choose('smart-home.cluster.json');
      await bench.tab(name).waitFor();
    }
    await bench.webview().locator('.devices').waitFor({ timeout: LONG_MS });
    await bench.notification('Optimizing').first().waitFor({ state: 'hidden', timeout: LONG_MS });
    assert.equal(readPlan(bench.workspace, 'chain.memorianova.json')?.model.file, 'chain.onnx');
    assert.equal(readPlan(bench.workspace, PLAN)?.stopped, undefined);
    await bench.setting(QUICK);
  });

  it('asks for a dimension that the model leaves open', async () => {
    await bench.explorerMenu('open.onnx', 'Optimize with MemoriaNova');
    await bench.page.getByText('Size of the dimension "length"').waitFor({ timeout: LONG_MS });
    await bench.screenshot('binding');
    await bench.answer('12');
    await bench.choose('smart-home.cluster.json');
    await bench.webview().locator('.devices').waitFor({ timeout: LONG_MS });
    assert.deepEqual(readPlan(bench.workspace, 'open.memorianova.json')?.model.bindings, { length: 12 });
    await bench.closeEditors();
  });

  for (const { file, bytes, sentence } of BAD_MODELS)
    it(`says in one sentence what is wrong with ${file}`, async () => {
      await bench.openFile(file);
      const message = bench.webview().locator('.state-message');
      await message.waitFor({ timeout: LONG_MS });
      const text = await message.innerText();
      assert.match(text, sentence);
      assert.doesNotMatch(text, /\bat .*:\d+:\d+|\n/, 'no stack trace');
      await bench.screenshot(`bad-${file}`);
      assert.deepEqual(
        new Uint8Array(readFileSync(path(file))),
        new Uint8Array(bytes),
        'the file is as it was',
      );
      await bench.closeEditors();
    });

  it('says which field of a cluster file is unknown', async () => {
    writeJson(bench.workspace, 'typo.cluster.json', UNKNOWN_FIELD_CLUSTER);
    await bench.file('typo.cluster.json').waitFor();
    await bench.explorerMenu('chain.onnx', 'Optimize with MemoriaNova');
    await bench.choose('typo.cluster.json');
    await bench.notification(/typo\.cluster\.json.*memmory/).waitFor();
    await bench.screenshot('bad-cluster');
    await bench.closeNotifications();
  });

  it('says which device lacks how much, and keeps the plan there was', async () => {
    writeJson(bench.workspace, 'small.cluster.json', SMALL_CLUSTER);
    await bench.file('small.cluster.json').waitFor();
    const before = readFileSync(path(PLAN));
    await bench.explorerMenu('doorbell.onnx', 'Optimize with MemoriaNova');
    await bench.choose('small.cluster.json');
    await bench.notification(/tag lacks .*iB/).waitFor({ timeout: LONG_MS });
    await bench.screenshot('small-cluster');
    assert.deepEqual(readFileSync(path(PLAN)), before);
  });

  it('had no error in the webview, and nothing against its security policy', () => {
    assert.deepEqual(bench.ownErrors(), []);
  });
});
