import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { parseCluster } from '../../src/core/cluster/parse';
import { MemoryByteSource } from '../../src/core/onnx/byteSources';
import { encodePlan } from '../../src/core/plan/codec';
import { doorbellModel } from '../../src/engine/example/doorbell';
import { exampleClusterText } from '../../src/engine/example/folder';
import { seededRandom } from '../../src/core/graph/random';
import { planner, randomGenome } from '../support/plans';
import { chainModel } from './support/fixtures';
import { transformerModel } from '../support/webview/generator';
import { hourglassNet } from '../support/webview/nets';
import { WebviewHarness, type WebviewPage } from '../support/webview/page';

/** The built webview alone, in a plain browser with the real reader behind it. */
describe('the view', function () {
  this.timeout(60_000);
  let harness: WebviewHarness;
  let folder: string;
  let opened: WebviewPage;
  let page: Page;

  before(async () => {
    harness = await WebviewHarness.start();
    folder = mkdtempSync(join(tmpdir(), 'memorianova-view-'));
    writeFileSync(join(folder, 'transformer.onnx'), transformerModel(1000, true));
    writeFileSync(join(folder, 'chain.onnx'), chainModel());
    writeFileSync(join(folder, 'hourglass.onnx'), hourglassNet(40));
    writeFileSync(join(folder, 'text.onnx'), 'this is no model');
    opened = await harness.page({});
    page = opened.page;
    await opened.open(join(folder, 'transformer.onnx'));
    await page.locator('.graph-canvas').waitFor();
  });
  after(async () => {
    await harness?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  const press = async (...keys: string[]): Promise<void> => {
    await page.locator('.graph-canvas').focus();
    for (const key of keys) await page.keyboard.press(key);
  };

  it('counts matches at every key, and goes from one to the next', async () => {
    await page.keyboard.press('Control+f');
    await page.keyboard.type('softmax');
    const count = page.locator('.search-count');
    await page.locator('.search-count', { hasText: 'found' }).waitFor();
    const found = Number(/\d+/.exec((await count.textContent()) ?? '')![0]);
    assert.ok(found > 30);
    await page.keyboard.press('Enter');
    assert.equal(await count.textContent(), `1 of ${found}`);
    await page.keyboard.press('Shift+Enter');
    assert.equal(await count.textContent(), `${found} of ${found}`);
  });

  it('shows the properties of what is selected, and leads to its neighbours', async () => {
    await press('Enter');
    const panel = page.locator('.properties');
    await panel.getByText('Softmax').first().waitFor();
    await panel.getByText('Attributes').waitFor();
    await press('ArrowDown');
    await panel.getByText('MatMul').first().waitFor();
  });

  it('closes and opens groups in place', async () => {
    await page.getByTitle('Close all groups').click();
    await page.waitForTimeout(300);
    await press('Home', 'Escape', 'ArrowDown', 'ArrowDown');
    await page.locator('.properties').getByRole('button', { name: 'Open the group' }).waitFor();
    await press('Space');
    await page.waitForTimeout(300);
    await press('Enter');
    await page.locator('.properties').getByRole('button', { name: 'Close the group' }).waitFor();
  });

  it('hovers with a table of what is under the pointer', async () => {
    const box = (await page.locator('.graph-canvas').boundingBox())!;
    await press('Home');
    for (let y = 30; y < 300; y += 12) {
      await page.mouse.move(box.x + (box.width - 76) / 2, box.y + y);
      if (await page.locator('.tooltip').isVisible()) break;
    }
    await page.locator('.tooltip .facts').first().waitFor();
  });

  it('hides what the legend switches off', async () => {
    const entry = page.locator('.legend-entry').first();
    await entry.click();
    assert.equal(await entry.getAttribute('aria-pressed'), 'false');
    await page.locator('.legend-entry').first().click();
  });

  it('lists lifetimes and explains the peak', async () => {
    await page.getByRole('tab', { name: 'Memory' }).click();
    await page.getByRole('button', { name: 'Explain the peak' }).click();
    await page.locator('.peak-list h4', { hasText: 'The peak at step' }).waitFor();
    assert.ok((await page.locator('.peak-list tbody tr').count()) > 1);
  });

  it('sorts the table', async () => {
    await page.getByRole('tab', { name: 'Table' }).click();
    await page.getByRole('button', { name: 'Compute' }).click();
    assert.match((await page.locator('.table-page tbody tr').first().textContent()) ?? '', /MatMul/);
  });

  it('follows an edge that is not drawn to its other end, and comes back', async () => {
    await opened.open(join(folder, 'hourglass.onnx'));
    await page.getByRole('tab', { name: 'Graph' }).click();
    await page.waitForTimeout(600);
    const top = async (): Promise<number> => {
      await page.waitForTimeout(600);
      return page.evaluate('window.savedState.camera.y');
    };
    await press('Home');
    const before = await top();
    const box = (await page.locator('.graph-canvas').boundingBox())!;
    const axis = await page.evaluate<number>('window.savedState.camera.x');
    let after = before;
    for (let y = 40; y < box.height - 10 && after === before; y += 9) {
      const x = box.x + axis + 22;
      await page.mouse.move(x, box.y + y);
      const tip = await page.locator('.tooltip').textContent();
      if (!(await page.locator('.tooltip').isVisible()) || !/read by/.test(tip ?? '')) continue;
      await page.mouse.click(x, box.y + y);
      after = await top();
    }
    assert.ok(after < before - 2000, `the camera went from ${before} to ${after}`);
    await press('Backspace');
    assert.ok(Math.abs((await top()) - before) < 1);
  });

  it('leaves the focus where it is outside of its page', async () => {
    await page.evaluate(`new Promise((shown) => {
      const input = document.body.appendChild(document.createElement('input'));
      input.focus();
      const frame = document.body.appendChild(document.createElement('iframe'));
      frame.src = '/';
      const look = () => {
        const page = frame.contentDocument;
        const canvas = page && page.querySelector('.workspace:not([hidden]) .graph-canvas');
        if (!canvas) return requestAnimationFrame(look);
        canvas.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }));
        if (!page.querySelector('.menu:not([hidden])')) throw new Error('No menu.');
        shown();
      };
      look();
    })`);
    await page.waitForTimeout(300);
    assert.equal(await page.evaluate('document.activeElement.tagName'), 'INPUT');
    await page.evaluate(
      `document.querySelectorAll('body > input, body > iframe').forEach((e) => e.remove())`,
    );
  });

  it('says in one sentence why a file cannot be shown', async () => {
    await opened.open(join(folder, 'text.onnx'));
    await page.getByText('text.onnx cannot be shown').waitFor();
    await opened.open(join(folder, 'chain.onnx'));
    await page.getByRole('tab', { name: 'Graph' }).waitFor();
  });
});

/** A model with a plan, in the same page: timeline, memory, what-if, pins, and how they are linked. */
describe('the view of a plan', function () {
  this.timeout(120_000);
  let harness: WebviewHarness;
  let folder: string;
  let opened: WebviewPage;
  let page: Page;

  before(async () => {
    harness = await WebviewHarness.start();
    folder = mkdtempSync(join(tmpdir(), 'memorianova-plan-'));
    const cluster = parseCluster(exampleClusterText());
    const plans = planner(new MemoryByteSource(doorbellModel()), cluster, 'overlapped');
    writeFileSync(join(folder, 'door.onnx'), doorbellModel());
    const plan = plans.plan(randomGenome(plans, seededRandom(4)));
    writeFileSync(join(folder, 'door.memorianova.json'), encodePlan(plan));
    opened = await harness.page({});
    page = opened.page;
    await opened.open(join(folder, 'door.onnx'), join(folder, 'door.memorianova.json'));
    await page.locator('.devices').waitFor();
  });
  after(async () => {
    await harness?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  const tab = (name: string): Promise<void> => page.getByRole('tab', { name }).click();
  const choose = async (label: string, text: string): Promise<void> => {
    await page.locator(`vscode-dropdown[aria-label="${label}"]:visible`).click();
    await page.locator('vscode-option:visible', { hasText: text }).first().click();
  };
  const canvas = async (): Promise<{ x: number; y: number; width: number; height: number }> =>
    (await page.locator('.chart canvas:visible').boundingBox())!;
  /** A picture of the visible chart, to see whether it has changed. */
  const picture = (): Promise<string> =>
    page
      .locator('.chart canvas:visible')
      .evaluate((element) => (element as unknown as { toDataURL(): string }).toDataURL());
  const settled = (): Promise<void> => page.waitForTimeout(200);
  const inSight = async (): Promise<string> =>
    (await page.locator('.chart:visible').getAttribute('aria-description')) ?? '';
  const readout = (): Promise<string> => page.locator('.scrubber-text').innerText();

  it('goes to a brushed part also in a chart that was never shown before', async () => {
    await tab('Memory');
    await settled();
    const { x, y, width } = await canvas();
    await page.keyboard.down('Shift');
    await page.mouse.move(x + width * 0.5, y + 60);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.7, y + 60, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    await tab('Timeline');
    await settled();
    const [from, to] = (await inSight()).match(/\d+/g)!.map(Number);
    assert.ok(from > 5 && to <= 100 && to - from < 80, await inSight());
    await tab('Graph');
    await page.locator('.graph-canvas').focus();
    await page.keyboard.press('Escape');
  });

  it('shows both latency models on one time scale', async () => {
    await tab('Timeline');
    await settled();
    const facts = page.locator('.chart-bar:visible .note b');
    const own = await facts.innerText();
    const before = await picture();
    await choose('Latency model', 'Both');
    await page.locator('.chart-bar:visible .note b', { hasText: ' and ' }).waitFor();
    const [first, second] = (await facts.innerText()).split(' and ');
    assert.equal(first, own);
    assert.ok(parseFloat(second) >= parseFloat(first), 'a barrier after each operator is never faster');
    await settled();
    assert.notEqual(await picture(), before);
    await choose('Latency model', 'own');
  });

  it('tells what is under the pointer in the timeline, and selects it in the graph', async () => {
    const { x, y, width } = await canvas();
    for (let at = 160; at < width && !(await page.locator('.tooltip').isVisible()); at += 9)
      await page.mouse.move(x + at, y + 40);
    await page.locator('.tooltip .facts').first().waitFor();
    const said = await page.locator('.readout').innerText();
    assert.match(said, /^(compute|reduce) on camera, /);
    const type = await page.locator('.tooltip header b').innerText();
    await page.mouse.down();
    await page.mouse.up();
    await tab('Graph');
    await settled();
    await page.locator('.graph-canvas').focus();
    await page.keyboard.press('Enter');
    await page.locator('.properties header', { hasText: type }).waitFor();
  });

  it('gives the cost analysis of the selected operator in the properties', async () => {
    await page.locator('.properties h4', { hasText: 'Alternatives on smart-home' }).waitFor();
  });

  it('goes from a part brushed in the timeline to the same part of the memory, and fades the rest', async () => {
    await tab('Memory');
    await settled();
    const whole = await picture();
    await tab('Timeline');
    const { x, y, width } = await canvas();
    await page.keyboard.down('Shift');
    await page.mouse.move(x + width * 0.4, y + 60);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.6, y + 60, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    await tab('Memory');
    await settled();
    assert.notEqual(await picture(), whole, 'the memory view went to the brushed steps');
    const [from, to] = (await inSight()).match(/\d+/g)!.map(Number);
    assert.ok(from > 0 && to - from < 60, 'steps of a fifth of the time are a part of all');
    await tab('Graph');
    await settled();
    assert.ok((await page.locator('.memory-chart rect').count()) >= 2, 'the chart fades both sides');
    await page.locator('.graph-canvas').focus();
    await page.keyboard.press('Escape');
    await settled();
    assert.equal(await page.locator('.memory-chart rect').count(), 0);
  });

  it('has a lane for each device, filtered by device, kind and size, and explains the peak', async () => {
    await tab('Memory');
    await choose('Show as', 'Each device');
    const facts = page.locator('.chart-bar:visible .note');
    await page.locator('.chart-bar:visible .note', { hasText: /[1-9]\d* regions/ }).waitFor();
    const count = async (): Promise<number> =>
      parseInt(/([\d,]+)( of [\d,]+)? regions/.exec(await facts.innerText())![1]);
    const all = await count();
    await choose('Device', 'tv');
    await settled();
    assert.ok((await count()) < all);
    await choose('Device', 'All devices');
    await choose('Sizes', '20 %');
    await settled();
    assert.ok((await count()) < all);
    await choose('Sizes', 'All sizes');
    await page.getByRole('button', { name: 'Explain the peak' }).click();
    await page.locator('.peak-list h4', { hasText: /at .* in \d+ region/ }).waitFor();
    await choose('Show as', 'Address map');
  });

  it('scrubs: what is born, alive and dying at a step', async () => {
    const slider = page.locator('.scrubber input');
    await slider.focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    assert.match(await readout(), /^step 1 · .* storages? · born /);
  });

  it('exports the table, the picture, and data for Netron and Model Explorer', async () => {
    const entries = ['CSV', 'JSON', 'SVG', 'PNG', 'Netron attachment', 'Model Explorer'];
    for (const entry of entries) {
      await page.getByRole('button', { name: 'Export …' }).click();
      await page.getByRole('menuitem', { name: entry }).click();
    }
    await page.waitForFunction(`window.saved.length === ${entries.length}`);
    const names = await page.evaluate('window.saved.map(({ name }) => name)');
    assert.deepEqual(names, [
      ...['door.lifetimes.csv', 'door.lifetimes.json', 'door.lifetimes.svg', 'door.lifetimes.png'],
      ...['door.netron.json', 'door.node-data.json'],
    ]);
    const signature = await page.evaluate('[...window.saved[3].content.slice(1, 4)]');
    assert.deepEqual(
      signature,
      [...'PNG'].map((letter) => letter.charCodeAt(0)),
    );
  });

  it('lists tensors as well as operators in sortable tables', async () => {
    await tab('Table');
    await page.getByRole('button', { name: 'Tensors' }).click();
    await page.getByRole('button', { name: 'Size' }).click();
    const row = page.locator('.table-page tbody tr').first();
    assert.match(await row.innerText(), /MiB|KiB/);
    await row.focus();
    await page.keyboard.press('Enter');
    await page.locator('.graph-canvas:visible').waitFor();
  });

  it('pins an operator from its properties', async () => {
    await page.locator('.graph-canvas').focus();
    for (const key of ['Home', 'Escape', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter'])
      await page.keyboard.press(key);
    await page.locator('.properties').getByRole('button', { name: 'Pin …' }).click();
    await page.getByRole('menuitem', { name: 'Keep on tv' }).click();
    await page.locator('.properties .pin', { hasText: 'on tv' }).waitFor();
    await tab('What if');
    await page.locator('.what-if li.pin', { hasText: 'on tv' }).waitFor();
  });

  it('searches again with a device less, shows the result unsaved, and takes it back', async () => {
    await page.locator('.device-cell vscode-checkbox', { hasText: 'speaker' }).click();
    await page.locator('.what-if').getByRole('button', { name: 'Run' }).click();
    await page.locator('.notice.unsaved').waitFor({ timeout: 60_000 });
    assert.equal(await page.locator('.device-row').count(), 3);
    const latency = page.locator('.what-if-table tbody tr').first().locator('.number');
    assert.equal(await latency.count(), 2, 'the saved plan and the shown one beside each other');
    const header = await page.locator('.fact-value').nth(1).innerText();
    assert.equal(await latency.nth(1).innerText(), header);
    await page.locator('.what-if').getByRole('button', { name: 'Keep this plan' }).click();
    assert.ok(await page.evaluate('window.sent.some(({ name }) => name === "keepPlan")'));
    await page.locator('.what-if').getByRole('button', { name: 'Discard' }).click();
    await page.locator('.notice.unsaved').waitFor({ state: 'detached' });
    assert.equal(await page.locator('.device-row').count(), 4);
  });

  it('says in its place what cannot be read or does not fit', async () => {
    await page.getByRole('button', { name: 'Reset' }).click();
    const memory = page.locator('vscode-text-field[aria-label="Memory of tv"] input');
    await memory.fill('9 apples');
    await page.locator('.what-if').getByRole('button', { name: 'Run' }).click();
    await page.locator('.what-if-status.error', { hasText: 'apples' }).waitFor();
    assert.equal(await page.locator('.notice.unsaved').count(), 0);
    await page.getByRole('button', { name: 'Reset' }).click();
  });

  it('sweeps the bandwidth and says where splitting pays', async () => {
    await page.locator('.what-if').getByRole('button', { name: 'Sweep' }).click();
    await page.locator('.sweep-chart').waitFor({ timeout: 90_000 });
    assert.match(await page.locator('.sweep p').innerText(), /^Splitting pays/);
    assert.ok((await page.locator('.sweep tbody tr').count()) >= 5);
  });

  it('had no error in its script', async () => {
    assert.deepEqual(await page.evaluate('window.sent.filter(({ name }) => name === "scriptError")'), []);
  });
});
