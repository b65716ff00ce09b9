import { runTests } from '@vscode/test-electron';
import { join } from 'node:path';
import { findProgram, isExecutable, run, SetupError } from '../process';
import { projectFolder } from '../project';
import { RESULTS_VARIABLE } from '../testReporter';

/** Path of a desktop VS Code's executable, to run the integration suite in it. */
export const EXECUTABLE_VARIABLE = 'MEMORIANOVA_VSCODE';
const UPDATE_SERVICE = 'https://update.code.visualstudio.com/api/releases/stable';
const PROBE_MS = 5_000;

export type Desktop =
  | { readonly kind: 'given'; readonly executable: string; readonly why: string }
  | { readonly kind: 'download'; readonly why: string }
  | { readonly kind: 'none'; readonly why: string };

/** Whether the suite can run in desktop VS Code on this machine, and why (not). */
export async function findDesktop(): Promise<Desktop> {
  const executable = process.env[EXECUTABLE_VARIABLE];
  if (executable !== undefined) {
    if (!isExecutable(executable))
      throw new SetupError(`${EXECUTABLE_VARIABLE} is ${executable}, which is not an executable file.`);
    return { kind: 'given', executable, why: `${EXECUTABLE_VARIABLE} gives its path` };
  }
  if (process.platform === 'linux' && !process.env['DISPLAY'] && findProgram('xvfb-run') === undefined)
    return { kind: 'none', why: 'there is neither a display nor xvfb-run for desktop VS Code' };
  try {
    const answer = await fetch(UPDATE_SERVICE, { signal: AbortSignal.timeout(PROBE_MS) });
    if (answer.ok) return { kind: 'download', why: 'VS Code can be downloaded here' };
    return { kind: 'none', why: `VS Code cannot be downloaded here (HTTP ${answer.status})` };
  } catch (error) {
    const cause =
      error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : error;
    return { kind: 'none', why: `VS Code cannot be downloaded here (${String(cause)})` };
  }
}

/**
 * Runs the integration suite in desktop VS Code. Gives its exit status; what ran stands in `resultsFile`.
 * Without a display it starts this file again under `xvfb-run`.
 */
export async function runInDesktop(
  executable: string | undefined,
  folder: string,
  resultsFile: string,
): Promise<number> {
  const env = { ...process.env, [RESULTS_VARIABLE]: resultsFile };
  if (process.platform === 'linux' && !process.env['DISPLAY'] && findProgram('xvfb-run') !== undefined) {
    const again = [
      process.execPath,
      '--import',
      'tsx',
      __filename,
      folder,
      ...(executable ? [executable] : []),
    ];
    return run('xvfb-run', ['-a', ...again], { env, cwd: projectFolder() });
  }
  return launch(executable, folder, env);
}

async function launch(
  executable: string | undefined,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const profile = ['--user-data-dir', join(folder, 'data'), '--extensions-dir', join(folder, 'extensions')];
  try {
    return await runTests({
      ...(executable === undefined ? { version: 'stable' } : { vscodeExecutablePath: executable }),
      extensionDevelopmentPath: projectFolder(),
      extensionTestsPath: projectFolder('out/test/index.js'),
      extensionTestsEnv: env,
      launchArgs: [join(folder, 'workspace'), ...profile, '--disable-workspace-trust', '--skip-welcome'],
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

if (require.main === module) {
  const [folder = '', executable] = process.argv.slice(2);
  void launch(executable, folder, process.env).then((code) => (process.exitCode = code));
}
