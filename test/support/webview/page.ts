import { build, type Plugin } from 'esbuild';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { SweepOf, WhatIf } from '../../../src/protocol/webview';
import { workerHandlers } from '../../../src/worker/handlers';
import { TEST_THEMES } from './themes';

/** Of a what-if, and of each value of a sweep. */
const SEARCH_EVALUATIONS = 300;

const PROJECT = resolve(__dirname, '../../..');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
];

/** Bytes of a process: in memory at all, and those that are not pages of the browser's own files. */
export interface ProcessMemory {
  readonly resident: number;
  readonly own: number;
}

/** The built webview in a plain page, with a stub of VS Code around it. */
export interface WebviewPage {
  readonly page: Page;
  /**
   * Sends a model (and a plan's text) as the host would; resolves when the graph is on the screen, to the
   * milliseconds since the file was chosen.
   */
  open(path: string, planPath?: string): Promise<number>;
  /** The same with a page that starts only now, as an editor's does: from there until the graph is on the screen. */
  openAnew(path: string): Promise<number>;
  /** Of the page's process (the largest there is, with one page open): script, workers, arrays and canvases. */
  memory(): Promise<ProcessMemory>;
  close(): Promise<void>;
}

/** Node's modules are not there in a browser; what the stub uses of the engine never calls them. */
const withoutNode: Plugin = {
  name: 'without-node',
  setup(context) {
    context.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'none' }));
    context.onLoad({ filter: /.*/, namespace: 'none' }, () => ({
      contents: 'module.exports = new Proxy({}, { get: () => class {} });',
    }));
  },
};

async function stubSource(): Promise<string> {
  const result = await build({
    entryPoints: [resolve(__dirname, 'stubHost.ts')],
    ...{ bundle: true, write: false, minify: true, platform: 'browser', format: 'iife', target: 'es2022' },
    plugins: [withoutNode],
  });
  return result.outputFiles[0].text;
}

/**
 * The page runs the stub's worker and passes messages on. The same page in a frame of itself stands for a tab
 * that was hidden and is shown again: it starts anew, with the saved state and what the host has at hand.
 */
const BRIDGE = `
  let state = parent.savedState;
  const isAgain = parent !== window;
  const worker = isAgain ? null : new Worker('/stub.js');
  window.lastNotices = [];
  window.sent = [];
  const isReady = () => window.sent.some((message) => message.name === 'ready');
  if (worker) worker.onmessage = ({ data }) => {
    if (data.kind === 'notice') window.lastNotices.push(data);
    if (data.kind !== 'notice' || isReady()) window.postMessage(data, '*');
  };
  window.saved = [];
  // Searches run in Node with the real engine, as in the extension's worker.
  const search = async ({ id, name, params }) => {
    const progress = (value) => window.postMessage({ kind: 'notice', name: 'progress', params: value }, '*');
    progress({ task: name, phase: 'Partitioning', fraction: 0.5, bestSeconds: null, boundSeconds: null, bestPeakBytes: null, boundPeakBytes: null });
    const answer = await (await fetch('/search', { method: 'POST', body: JSON.stringify({ name, params }) })).json();
    progress(null);
    if (answer.text !== undefined) worker.postMessage({ kind: 'show', text: answer.text });
    window.postMessage({ kind: 'reply', id, result: answer.outcome }, '*');
  };
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => {
      if (message.name === 'whatIf' || message.name === 'sweep') void search(message);
      else if (message.name === 'saveFile') {
        window.saved.push(message.params);
        window.postMessage({ kind: 'reply', id: message.id, result: { saved: true } }, '*');
      } else if (message.kind === 'request') worker.postMessage(message);
      else window.sent.push(message);
      if (message.name === 'discardPlan') worker.postMessage({ kind: 'show', text: null });
      if (message.name === 'ready') for (const notice of parent.lastNotices) window.postMessage(notice, '*');
    },
    getState: () => state,
    setState: (next) => { window.savedState = state = next; },
  });
  window.chooseFile = async (name, hasPlan, openedAt = performance.now()) => {
    window.openedAt = openedAt;
    const bytes = new Uint8Array(await (await fetch('/model')).arrayBuffer());
    const plan = hasPlan ? await (await fetch('/plan')).text() : null;
    worker.postMessage({ kind: 'open', name, bytes, plan }, [bytes.buffer]);
  };
  const chosen = new URLSearchParams(location.search).get('chosen');
  if (chosen !== null && !isAgain) window.chooseFile(chosen, false, 0);
`;

function html(theme: string): string {
  const { bodyClass, variables } = TEST_THEMES[theme];
  const css = Object.entries(variables).map(([name, value]) => `--vscode-${name}: ${value};`);
  return `<!DOCTYPE html><html><head><meta charset="utf-8"><style>:root { ${css.join(' ')} }</style>
<link rel="stylesheet" href="/webview.css"></head><body class="${bodyClass}">
<script src="/bridge.js"></script><script src="/webview.js"></script></body></html>`;
}

export class WebviewHarness {
  private model: { path: string; plan: string | undefined } = { path: '', plan: undefined };

  private constructor(
    private readonly browser: Browser,
    private readonly server: Server,
    private theme: string,
  ) {}

  static async start(): Promise<WebviewHarness> {
    const executablePath = CHROMIUM.find((path) => existsSync(path));
    if (executablePath === undefined)
      throw new Error('No Chromium found: install it (apt-get install chromium).');
    const stub = await stubSource();
    const browser = await chromium.launch({ executablePath, args: FLAGS });
    const server = createServer((request, response) => {
      const path = (request.url ?? '/').replace(/\?.*/, '');
      if (path === '/search') return void harness.search(request, response);
      const [type, body] = harness.file(path, stub);
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(body);
    });
    const harness: WebviewHarness = new WebviewHarness(browser, server, 'dark');
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return harness;
  }

  async page(
    options: { theme?: string; width?: number; height?: number; scale?: number } = {},
  ): Promise<WebviewPage> {
    this.theme = options.theme ?? 'dark';
    const viewport = { width: options.width ?? 1280, height: options.height ?? 800 };
    const context: BrowserContext = await this.browser.newContext({
      viewport,
      deviceScaleFactor: options.scale ?? 1,
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => process.stderr.write(`page error: ${error.stack ?? error.message}\n`));
    const address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
    await page.goto(address);
    await page.waitForFunction('window.sent.some((m) => m.name === "ready")');
    return {
      page,
      memory: async () => {
        const all = (await this.rendererIds()).map(memoryOf);
        return all.reduce((largest, one) => (one.resident > largest.resident ? one : largest));
      },
      open: async (path, plan) => {
        this.model = { path, plan };
        const name = path.slice(path.lastIndexOf('/') + 1);
        await page.evaluate(`window.chooseFile(${JSON.stringify(name)}, ${plan !== undefined})`);
        return page.evaluate(VISIBLE);
      },
      openAnew: async (path) => {
        this.model = { path, plan: undefined };
        const name = path.slice(path.lastIndexOf('/') + 1);
        await page.goto(`${address}?chosen=${encodeURIComponent(name)}`, { waitUntil: 'commit' });
        return page.evaluate(VISIBLE);
      },
      close: () => context.close(),
    };
  }

  private async rendererIds(): Promise<number[]> {
    const session = await this.browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await new Promise((done) => this.server.close(done));
  }

  /** A what-if or a sweep from the open plan, with the engine of the extension's worker. */
  private async search(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { name, params } = JSON.parse(Buffer.concat(chunks).toString()) as {
      name: 'whatIf' | 'sweep';
      params: WhatIf & SweepOf;
    };
    const asked = {
      ...params,
      model: { kind: 'file', path: this.model.path },
      start: readFileSync(this.model.plan!, 'utf8'),
      evaluations: SEARCH_EVALUATIONS,
      cancel: new SharedArrayBuffer(4),
    } as const;
    const { requests } = workerHandlers({ report: () => undefined });
    const answer = await (
      name === 'whatIf'
        ? Promise.resolve(requests.whatIf(asked)).then(({ text }) => ({ text, outcome: { kind: 'shown' } }))
        : Promise.resolve(requests.sweep(asked)).then((outcome) => ({ outcome }))
    ).catch((error: Error) => ({ outcome: { kind: 'refused', message: error.message } }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  }

  private file(path: string, stub: string): [string, string | Buffer] {
    if (path === '/stub.js') return ['text/javascript', stub];
    if (path === '/bridge.js') return ['text/javascript', BRIDGE];
    if (path === '/model') return ['application/octet-stream', readFileSync(this.model.path)];
    if (path === '/plan') return ['application/json', readFileSync(this.model.plan!)];
    if (path === '/webview.js') return ['text/javascript', readFileSync(resolve(PROJECT, 'dist/webview.js'))];
    if (path === '/webview.css') return ['text/css', readFileSync(resolve(PROJECT, 'dist/webview.css'))];
    return ['text/html', html(this.theme)];
  }
}

/** Linux only: elsewhere there are no figures. */
function memoryOf(renderer: number): ProcessMemory {
  const status = readFileSync(`/proc/${renderer}/status`, 'utf8');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { resident: bytes('VmRSS'), own: bytes('RssAnon') };
}

/**
 * Milliseconds from the choice of a file until the graph (or a message) has been painted: until the frame after the
 * one in which the canvas holds more than its background.
 */
const VISIBLE = `new Promise((resolve) => {
  const small = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const isPainted = (canvas) => {
    if (!canvas || canvas.width === 0) return false;
    small.drawImage(canvas, 0, 0, 100, 100);
    const pixels = new Uint32Array(small.getImageData(0, 0, 100, 100).data.buffer);
    return pixels.some((pixel) => pixel !== pixels[0]);
  };
  const look = () => {
    const shown = document.querySelector('.workspace:not([hidden])');
    const said = document.querySelector('.state-page:not([hidden]) h2');
    if (!said && !(shown && isPainted(shown.querySelector('.graph-canvas')))) return requestAnimationFrame(look);
    requestAnimationFrame(() => resolve(performance.now() - window.openedAt));
  };
  look();
})`;
