import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeExample } from '../../src/engine/example/folder';
import { projectFolder } from '../project';
import { RESULTS_VARIABLE, type TestResults } from '../testReporter';
import { launchBrowser } from './browser';
import { startCodeServer } from './codeServer';
import { findDesktop, runInDesktop } from './desktop';
import { TEST_SETTINGS } from './settings';

const LIMIT_MS = 240_000;

/**
 * Runs the integration suite (`out/test/index.js`) in a real VS Code: desktop where there is one or it can be
 * downloaded, code-server otherwise. Says which and why. Throws where nothing ran, however well it "ended".
 */
export async function runIntegration(): Promise<TestResults> {
  const folder = mkdtempSync(join(tmpdir(), 'memorianova-integration-'));
  mkdirSync(join(folder, 'workspace'));
  writeExample(join(folder, 'workspace'));
  const resultsFile = join(folder, 'results.json');
  try {
    const code = await runSomewhere(folder, resultsFile);
    const results = readResults(resultsFile, code);
    print(results);
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runSomewhere(folder: string, resultsFile: string): Promise<number> {
  const desktop = await findDesktop();
  if (desktop.kind === 'none') {
    process.stdout.write(`Running in code-server (real workbench and extension host): ${desktop.why}\n`);
    return runInCodeServer(folder, resultsFile);
  }
  process.stdout.write(`Running in desktop VS Code: ${desktop.why}\n`);
  return runInDesktop(desktop.kind === 'given' ? desktop.executable : undefined, folder, resultsFile);
}

/** The results of a run that ended with `code`; a run without tests, or that fails without one failing, is an error. */
export function readResults(resultsFile: string, code: number): TestResults {
  if (!existsSync(resultsFile)) throw new Error(`VS Code ended with status ${code} before any test had run.`);
  const results = JSON.parse(readFileSync(resultsFile, 'utf8')) as TestResults;
  if (results.tests.length === 0) throw new Error('VS Code ran no test: is out/test built?');
  if (code !== 0 && results.tests.every(({ state }) => state === 'passed'))
    throw new Error(`Every test passed, but VS Code ended with status ${code}.`);
  return results;
}

/** The extension host's console is not ours: its results are printed from the file. */
function print({ tests }: TestResults): void {
  for (const { title, state, milliseconds, error } of tests) {
    process.stdout.write(`  ${state === 'passed' ? '✔' : '✘'} ${title} (${milliseconds} ms)\n`);
    if (error !== undefined) process.stdout.write(`    ${error.replaceAll('\n', '\n    ')}\n`);
  }
}

async function runInCodeServer(folder: string, resultsFile: string): Promise<number> {
  const server = await startCodeServer({
    folder,
    settings: TEST_SETTINGS,
    smokeTestDriver: true,
    env: { [RESULTS_VARIABLE]: resultsFile },
  });
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const ended = new Promise<number>((resolve) => {
      void page.exposeFunction('codeAutomationExit', (code: number) => resolve(code));
    });
    // The driver calls it; what the tests print stands in the results file.
    await page.exposeFunction('codeAutomationLog', () => undefined);
    const remote = `vscode-remote://127.0.0.1:${server.port}`;
    const payload = JSON.stringify([
      ['extensionDevelopmentPath', remote + projectFolder()],
      ['extensionTestsPath', remote + projectFolder('out/test/index.js')],
    ]);
    const query = new URLSearchParams({ folder: join(folder, 'workspace'), payload });
    await page.goto(`${server.url}?${query}`);
    const limit = new Promise<never>((_, reject) => {
      setTimeout(
        () => reject(new Error(`VS Code gave no result in ${LIMIT_MS / 1000} s.`)),
        LIMIT_MS,
      ).unref();
    });
    return await Promise.race([ended, limit]);
  } finally {
    await browser.close();
    await server.stop();
  }
}
