import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle';
import { ensureChromium } from './editor/systemPackages';
import { ensureCodeServer } from './editor/codeServer';
import { readResults, runIntegration } from './editor/integration';
import { packExtension } from './pack';
import { run, SetupError } from './process';
import { projectFolder } from './project';
import { RESULTS_VARIABLE, type TestResult, type TestResults } from './testReporter';

/** One step of `npm test`: gives its tests' results, or throws where it could not run. */
interface Step {
  readonly name: string;
  run(): Promise<TestResults>;
}

/** A check that is one test: it passes when its tool ends with status 0. */
function check(name: string, tool: string, ...args: string[]): Step {
  return {
    name,
    run: async () => {
      const code = await run(process.execPath, [projectFolder('node_modules', tool), ...args], {
        cwd: projectFolder(),
      });
      return { tests: [{ title: name, state: code === 0 ? 'passed' : 'failed', milliseconds: 0 }] };
    },
  };
}

/** A step that prepares something; it counts as one test. */
function prepare(name: string, work: () => Promise<unknown>): Step {
  return {
    name,
    run: async () => {
      await work();
      return { tests: [{ title: name, state: 'passed', milliseconds: 0 }] };
    },
  };
}

async function mocha(pattern: string, timeout: number): Promise<TestResults> {
  const folder = mkdtempSync(join(tmpdir(), 'memorianova-results-'));
  const results = join(folder, 'results.json');
  try {
    const tool = projectFolder('node_modules/mocha/bin/mocha.js');
    const args = ['--no-config', '--require', 'tsx', '--reporter', projectFolder('tools/testReporter.ts')];
    const spec = [pattern, '--timeout', String(timeout)];
    const env = { ...process.env, [RESULTS_VARIABLE]: results };
    const code = await run(process.execPath, [tool, ...args, ...spec], { cwd: projectFolder(), env });
    return readResults(results, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const STEPS: readonly Step[] = [
  check('format', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
  check('types', 'typescript/bin/tsc', '--noEmit'),
  check('types of the webview', 'typescript/bin/tsc', '--noEmit', '-p', 'webview'),
  check('lint', 'eslint/bin/eslint.js', '.', '--max-warnings=0'),
  { name: 'unit tests', run: () => mocha('test/unit/**/*.test.ts', 60_000) },
  prepare('build', () => bundle({ minify: true, tests: true })),
  prepare('package', packExtension),
  prepare('a real VS Code', async () => [await ensureChromium(), await ensureCodeServer()]),
  { name: 'integration tests in a real VS Code', run: runIntegration },
  { name: 'end-to-end tests with the packed extension', run: () => mocha('test/e2e/**/*.test.ts', 120_000) },
];

async function main(names: readonly string[]): Promise<void> {
  const steps = STEPS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
  const results: TestResult[] = [];
  for (const step of steps) {
    const started = performance.now();
    process.stdout.write(`\n== ${step.name}\n`);
    const tests = await runStep(step);
    results.push(...tests);
    const failed = tests.filter(({ state }) => state !== 'passed').length;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(
      `== ${step.name}: ${tests.length - failed} passed, ${failed} failed, ${seconds} s\n`,
    );
  }
  summarize(results);
}

async function runStep(step: Step): Promise<readonly TestResult[]> {
  try {
    return (await step.run()).tests;
  } catch (error) {
    const text =
      error instanceof SetupError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    return [{ title: step.name, state: 'failed', milliseconds: 0, error: String(error) }];
  }
}

/** A test that did not run is no success: pending ones count as failed. */
function summarize(results: readonly TestResult[]): void {
  const bad = results.filter(({ state }) => state !== 'passed');
  if (bad.length > 0) process.stdout.write('\nFailed:\n');
  for (const { title, state } of bad)
    process.stdout.write(`  ${title}${state === 'pending' ? ' (skipped)' : ''}\n`);
  process.stdout.write(`\n${results.length - bad.length} passed, ${bad.length} failed\n`);
  if (bad.length > 0 || results.length === 0) process.exitCode = 1;
}

void main(process.argv.slice(2));
