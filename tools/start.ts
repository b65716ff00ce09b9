import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { bundle } from './bundle';
import { startCodeServer } from './editor/codeServer';
import { QUIET_SETTINGS } from './editor/settings';
import { packExtension, VSIX } from './pack';
import { findProgram, run, SetupError } from './process';
import { projectFolder } from './project';

const EXAMPLE = projectFolder('example');
const CLI = projectFolder('dist/cli.js');

/** `npm start [-- model.onnx]`: builds, optimizes the model (or the example), shows it in VS Code. */
async function main(given: string | undefined): Promise<void> {
  process.stdout.write('Building\n');
  await bundle({ minify: true, tests: false });
  mkdirSync(EXAMPLE, { recursive: true });
  memorianova('example', EXAMPLE);
  const model =
    given === undefined ? join(EXAMPLE, 'doorbell.onnx') : resolve(process.env['INIT_CWD'] ?? '.', given);
  if (!existsSync(model)) throw new SetupError(`There is no file ${model}.`);
  process.stdout.write(`\nOptimizing ${basename(model)}\n\n`);
  memorianova('optimize', model, '--cluster', clusterFor(model));
  process.stdout.write('\n');
  if (canOpenDesktop()) await openDesktop(model);
  else await openCodeServer(model);
}

/** Runs the command line that was just built; where it refuses, its own words have said why. */
function memorianova(...args: string[]): void {
  const { status } = spawnSync(process.execPath, [CLI, ...args], { stdio: 'inherit' });
  if (status !== 0) throw new SetupError(`memorianova ${args[0]} ended with status ${status}.`);
}

/** The first cluster file beside the model, else the example's smart home. */
function clusterFor(model: string): string {
  const folder = dirname(model);
  const found = readdirSync(folder).filter((name) => name.endsWith('.cluster.json'));
  const [first] = found.sort();
  return first === undefined ? join(EXAMPLE, 'smart-home.cluster.json') : join(folder, first);
}

function canOpenDesktop(): boolean {
  const hasDisplay =
    process.platform !== 'linux' || !!process.env['DISPLAY'] || !!process.env['WAYLAND_DISPLAY'];
  return hasDisplay && findProgram('code', 'code.cmd') !== undefined;
}

/** A window with the extension loaded from here; the user's own VS Code stays as it is. */
async function openDesktop(model: string): Promise<void> {
  process.stdout.write(`Opening ${dirname(model)} in VS Code\n`);
  const code = findProgram('code', 'code.cmd')!;
  await run(code, [`--extensionDevelopmentPath=${projectFolder()}`, dirname(model), model], {
    shell: process.platform === 'win32',
  });
}

/** VS Code in the browser, until Ctrl-C. */
async function openCodeServer(model: string): Promise<void> {
  await packExtension();
  const folder = projectFolder('.cache/start');
  const server = await startCodeServer({ folder, settings: QUIET_SETTINGS, vsix: VSIX });
  // A file named in the address would open before extensions are there, as text: the folder opens alone.
  const address = `${server.url}?${new URLSearchParams({ folder: dirname(model) })}`;
  process.stdout.write(
    `\nOpen this address in a browser, then ${basename(model)} (Ctrl-C here ends it):\n\n  ${address}\n\n`,
  );
  const stop = (): void => void server.stop();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await server.ended;
}

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof SetupError ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
});
