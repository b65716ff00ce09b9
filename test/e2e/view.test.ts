import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
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
