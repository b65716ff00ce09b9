import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { corpusFolder } from '../support/corpus';
import { transformerModel } from '../support/webview/generator';
import { WebviewHarness, type ProcessMemory, type WebviewPage } from '../support/webview/page';

/**
 * The view's speed: the built webview in plain headless Chromium without a GPU, the real reader behind it in a
 * worker. `npm run bench:view` prints the table and writes it to docs/bench-view.md. VS Code's own opening time
 * is not in it.
 */
const SIZES = [200, 1000, 5000, 20_000];
const LIMITS: Readonly<Record<number, number>> = { 200: 150, 1000: 250, 5000: 500, 20_000: 1000 };
/** Pages per model; times to the first picture are medians over them. */
const RUNS = 7;
const OUT = resolve(__dirname, '../../docs/bench-view.md');

interface Figures {
  readonly name: string;
  readonly operators: number;
  readonly visible: number;
  readonly anew: number;
  readonly zoom: readonly [number, number];
  readonly zoomAll: readonly [number, number];
  readonly longest: number;
  readonly search: number;
  readonly hover: number;
  readonly show: number;
  readonly heap: number;
  /** Of the whole process: after opening, and at the end of the measurements. */
  readonly atFirst: ProcessMemory;
  readonly atLast: ProcessMemory;
}

async function measure(harness: WebviewHarness, path: string): Promise<Figures> {
  const visible: number[] = [];
  const anew: number[] = [];
  let figures: Omit<Figures, 'visible' | 'anew'> | undefined;
  for (let run = 0; run < RUNS; run++) {
    const opened = await harness.page({});
    await opened.page.evaluate(WATCH_TASKS);
    visible.push(await opened.open(path));
    if (run === RUNS - 1) figures = await measureOpened(opened, path);
    anew.push(await opened.openAnew(path));
    await opened.close();
  }
  return { ...figures!, visible: median(visible), anew: median(anew) };
}

async function measureOpened(opened: WebviewPage, path: string): Promise<Omit<Figures, 'visible' | 'anew'>> {
  const { page } = opened;
  await page.waitForTimeout(300);
  const atFirst = await opened.memory();
  const zoom = await frames(page, 'zoom');
  const hover = await page.evaluate<number>(HOVER);
  const search = await page.evaluate<number>(SEARCH);
  await page.evaluate(`document.querySelector('vscode-button[aria-label="Open all groups"]').click()`);
  await page.waitForTimeout(1500);
  await page.focus('.graph-canvas');
  await page.keyboard.press('f');
  await page.waitForTimeout(600);
  const zoomAll = await frames(page, 'pan');
  const atLast = await opened.memory();
  await page.evaluate(`document.querySelector('vscode-button[aria-label="Close all groups"]').click()`);
  await page.waitForTimeout(600);
  const show = await shownAgain(page);
  const longest = await page.evaluate<number>('Math.max(0, ...window.longTasks)');
  const line = await page.evaluate<string>(`document.querySelector('.model-line span').textContent`);
  const operators = Number(/([\d,]+) operator/.exec(line)?.[1].replaceAll(',', '') ?? 0);
  const session = await page.context().newCDPSession(page);
  const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
  const name = path.slice(path.lastIndexOf('/') + 1, -'.onnx'.length);
  return {
    name,
    operators,
    zoom,
    zoomAll,
    longest,
    search,
    hover,
    show,
    heap: usedSize / 2 ** 20,
    atFirst,
    atLast,
  };
}

async function shownAgain(page: Page): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) times.push(await page.evaluate<number>(HIDE_AND_SHOW));
  return median(times);
}

/** Frame intervals while the wheel zooms or moves for 40 frames: median and 95th percentile. */
async function frames(page: Page, kind: 'zoom' | 'pan'): Promise<[number, number]> {
  const intervals = await page.evaluate<number[]>(`(${WHEEL})(${JSON.stringify(kind)})`);
  intervals.sort((a, b) => a - b);
  return [intervals[intervals.length >> 1], intervals[Math.floor(intervals.length * 0.95)]];
}

/** Runs in the page; text, because a compiler's helpers are not there. */
const WHEEL = `(kind) => new Promise((done) => {
  const canvas = document.querySelector('.graph-canvas');
  const intervals = [];
  let last = 0;
  const step = (now) => {
    if (last > 0) intervals.push(now - last);
    last = now;
    const n = intervals.length;
    if (n >= 40) return done(intervals);
    const by = kind === 'zoom' ? 60 : 90;
    const box = canvas.getBoundingClientRect();
    const at = { clientX: box.x + 500, clientY: box.y + 250, bubbles: true, cancelable: true };
    const deltaY = n % 20 < 10 ? by : -by;
    canvas.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY, ctrlKey: kind === 'zoom' }));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})`;

const WATCH_TASKS = `
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((e) => e.duration)))
    .observe({ type: 'longtask' });`;

/** Worst script time of a pointer move over the graph, tooltip included. */
const HOVER = `(() => {
  const canvas = document.querySelector('.graph-canvas');
  const box = canvas.getBoundingClientRect();
  const times = [];
  for (let i = 0; i < 60; i++) {
    const at = { clientX: box.x + 480 + (i % 10) * 20, clientY: box.y + 20 + i * 6, bubbles: true };
    const begin = performance.now();
    canvas.dispatchEvent(new PointerEvent('pointermove', at));
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)];
})()`;

/** Worst script time of a key in the search box, the first (which builds the index) included. */
const SEARCH = `(() => {
  const field = document.querySelector('.search vscode-text-field');
  let worst = 0;
  for (const text of ['m', 'ma', 'mat', 'matm', 'matmu', 'matmul', 'matmul_', 'matmul_1']) {
    field.value = text;
    const begin = performance.now();
    field.dispatchEvent(new Event('input'));
    worst = Math.max(worst, performance.now() - begin);
  }
  field.value = '';
  field.dispatchEvent(new Event('input'));
  return worst;
})()`;

/** A tab that was hidden starts anew with its saved state: from there until its graph is painted. */
const HIDE_AND_SHOW = `new Promise((done) => {
  const begin = performance.now();
  const frame = document.createElement('iframe');
  frame.style.cssText = 'position:fixed;inset:0;width:100%;height:100%;z-index:99';
  frame.src = '/';
  document.body.append(frame);
  const look = () => {
    const shown = frame.contentDocument?.querySelector('.workspace:not([hidden])');
    if (!shown) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      done(performance.now() - begin);
      frame.remove();
    }));
  };
  look();
})`;

function processText({ resident, own }: ProcessMemory): string {
  return [resident, own].map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MB`).join(', ');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function models(folder: string): string[] {
  const paths = [false, true].flatMap((skips) =>
    SIZES.map((size) => {
      const path = join(folder, `${skips ? 'skips' : 'chain'}_${size}.onnx`);
      writeFileSync(path, transformerModel(size, skips));
      return path;
    }),
  );
  const corpus = corpusFolder('large');
  return corpus === undefined ? paths : [...paths, ...readdirSync(corpus).map((name) => join(corpus, name))];
}

function table(all: readonly Figures[]): string {
  const head =
    '| model | operators | visible | limit | page anew | zoom median, p95 | all in sight: pan median, p95 | longest task | search key | hover | hide and show | page heap | process, opened | process, at the end |';
  const rows = all.map((f) => {
    const limit = LIMITS[SIZES.find((size) => f.operators <= size * 1.1) ?? 20_000];
    const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
    const pair = ([middle, high]: readonly [number, number]): string => `${ms(middle)}, ${ms(high)}`;
    const memory = [`${f.heap.toFixed(0)} MB`, processText(f.atFirst), processText(f.atLast)];
    return `| ${[f.name, f.operators, ms(f.visible), limit, ms(f.anew), pair(f.zoom), pair(f.zoomAll), ms(f.longest), ms(f.search), ms(f.hover), ms(f.show), ...memory].join(' | ')} |`;
  });
  return [head, `|${' --- |'.repeat(14)}`, ...rows].join('\n');
}

const introduction = (empty: ProcessMemory): string => `# Speed of the view

Milliseconds, written by \`npm run bench:view\`: the built webview in plain headless Chromium without a GPU, with
the real reader in a worker in the extension host's place. *Visible* is the time from the choice of a file until
its graph is painted, reading and shape inference included, VS Code's own opening time not; *page anew* the same
with a page that starts only then, its script included. Both are medians of ${RUNS}. *Longest task* is the longest on
the page's main thread from the choice of the file to the end of the measurements (0: none over 50 ms). *Hide and
show* starts the page anew with its saved state, as VS Code does with a tab (median of 3). *Search key* is the worst
of eight keys, the first of which builds the index; *hover* the 95th percentile of 60 moves. *Page heap* is the
script memory of the page's main thread. *Process* is the memory of its whole process: resident, and of that what
is not pages of the browser's own files; the layout's worker and the reader (which is not in an editor's page) are
in it. Of a page before any file it is ${processText(empty)}. Netron's takes 583 MB at 5,000 operators and 1.7 GB at
20,000, resident.
`;

/** The browser's first page is slower than all others; returns the memory of a page before any file. */
async function warmUp(harness: WebviewHarness, path: string): Promise<ProcessMemory> {
  const opened = await harness.page({});
  await opened.page.waitForTimeout(300);
  const memory = await opened.memory();
  await opened.open(path);
  await opened.close();
  return memory;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'memorianova-bench-'));
  const harness = await WebviewHarness.start();
  try {
    const only = process.argv[2];
    const all: Figures[] = [];
    const paths = models(folder);
    const empty = await warmUp(harness, paths[0]);
    for (const path of paths.filter((p) => only === undefined || p.includes(only))) {
      all.push(await measure(harness, path));
      process.stdout.write(`${table(all.slice(-1)).split('\n')[2]}\n`);
    }
    const load = `The machine: ${cpus().length} cores, load average ${loadavg()[1].toFixed(0)} over five minutes when the run ended.`;
    if (only === undefined) writeFileSync(OUT, `${introduction(empty)}\n${load}\n\n${table(all)}\n`);
  } finally {
    await harness.stop();
    rmSync(folder, { recursive: true });
  }
}

void main();
