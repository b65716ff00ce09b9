import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { runQuietly, SetupError } from '../process';
import { projectFolder } from '../project';

/** code-server is VS Code's own workbench and extension host behind a web server. */
const CODE_SERVER = '4.139.1';
/** It needs Node 24 whatever runs this. */
const NODE = '24.21.0';
const START_LIMIT_MS = 60_000;

export interface CodeServerInstall {
  readonly node: string;
  readonly entry: string;
}

/** Where code-server is, installed from npm into the project's cache the first time (about 40 s). */
export async function ensureCodeServer(): Promise<CodeServerInstall> {
  const { platform, arch } = process;
  if (platform !== 'linux' && platform !== 'darwin')
    throw new SetupError('code-server runs on Linux and macOS only. Install desktop VS Code instead.');
  const nodePackage = `node-${platform}-${arch}`;
  const folder = projectFolder('.cache', `code-server-${CODE_SERVER}`);
  if (!existsSync(folder)) await install(folder, nodePackage);
  return {
    node: join(folder, 'node_modules', nodePackage, 'bin/node'),
    entry: join(folder, 'node_modules/code-server/out/node/entry.js'),
  };
}

/** Native builds and download scripts are left out: they only serve log files and telemetry. */
async function install(folder: string, nodePackage: string): Promise<void> {
  process.stdout.write(`Installing code-server ${CODE_SERVER} from npm into .cache\n`);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeFile(join(partial, 'package.json'), '{ "private": true }\n');
  const packages = [`${nodePackage}@${NODE}`, `code-server@${CODE_SERVER}`];
  await npmInstall(partial, nodePackage, [...packages, '--no-package-lock']);
  const vscode = join(partial, 'node_modules/code-server/lib/vscode');
  await npmInstall(vscode, nodePackage, ['--omit=dev']);
  await npmInstall(join(vscode, 'extensions'), nodePackage, ['--omit=dev']);
  await link('code-linux.sh', join(vscode, 'bin/remote-cli/code-server'));
  await link('browser-linux.sh', join(vscode, 'bin/helpers/browser.sh'));
  // Only a complete install gets the name that the next run looks for.
  await rename(partial, folder);
}

/** What code-server's own install script does with its two launchers. */
async function link(target: string, path: string): Promise<void> {
  await rm(path, { force: true });
  await symlink(target, path);
}

async function npmInstall(cwd: string, nodePackage: string, args: readonly string[]): Promise<void> {
  const bin = projectFolder('.cache', `code-server-${CODE_SERVER}.partial/node_modules`, nodePackage, 'bin');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await runQuietly('Installing code-server', 'npm', ['install', '--ignore-scripts', ...quiet, ...args], {
    cwd,
    env,
  });
}

export interface ServerOptions {
  /** A folder of the caller's for profile, settings, extensions and log. */
  readonly folder: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Extension to install, packed. */
  readonly vsix?: string;
  /** Lets `extensionTestsPath` in the address run tests; hides notifications. */
  readonly smokeTestDriver?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly port?: number;
}

export interface Server {
  readonly url: string;
  readonly port: number;
  /** Ends when the server does. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts code-server on 127.0.0.1 and waits until it answers. The caller stops it. */
export async function startCodeServer(options: ServerOptions): Promise<Server> {
  const { node, entry } = await ensureCodeServer();
  const port = options.port ?? (await freePort());
  const place = await prepareProfile(options, port);
  if (options.vsix !== undefined)
    await runQuietly('Installing the extension', node, [
      entry,
      ...place,
      '--install-extension',
      options.vsix,
    ]);
  const log = openSync(join(options.folder, 'server.log'), 'a');
  const driver = options.smokeTestDriver ? ['--vscode-option', 'enable-smoke-test-driver'] : [];
  const quiet = ['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'];
  const plain = ['--disable-getting-started-override', '--ignore-last-opened'];
  const child = spawn(node, [entry, ...place, ...quiet, ...plain, ...driver], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // The server forks: its whole group has to go.
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGTERM');
    await ended;
  };
  const url = `http://127.0.0.1:${port}/`;
  try {
    await waitUntilHealthy(url, ended, join(options.folder, 'server.log'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, ended, stop };
}

async function prepareProfile(options: ServerOptions, port: number): Promise<string[]> {
  const data = join(options.folder, 'data');
  const config = join(options.folder, 'code-server.yaml');
  await mkdir(join(data, 'User'), { recursive: true });
  await writeFile(join(data, 'User/settings.json'), JSON.stringify(options.settings, undefined, 2));
  await writeFile(config, `bind-addr: 127.0.0.1:${port}\nauth: none\ncert: false\n`);
  return [
    '--config',
    config,
    '--user-data-dir',
    data,
    '--extensions-dir',
    join(options.folder, 'extensions'),
  ];
}

async function waitUntilHealthy(url: string, ended: Promise<void>, log: string): Promise<void> {
  let gone = false;
  void ended.then(() => (gone = true));
  const deadline = performance.now() + START_LIMIT_MS;
  while (!gone && performance.now() < deadline) {
    const answer = await fetch(`${url}healthz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new SetupError(`code-server did not start; its log is ${log}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
