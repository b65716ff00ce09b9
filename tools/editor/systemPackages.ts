import { existsSync } from 'node:fs';
import { findProgram, isExecutable, runQuietly, SetupError } from '../process';

const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const CHROMIUM_PATHS = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

function findChromium(): string | undefined {
  const given = process.env['CHROMIUM'];
  return given ?? findProgram(...CHROMIUM_NAMES) ?? CHROMIUM_PATHS.find(isExecutable);
}

/**
 * Path of a Chromium. Where it or ripgrep (VS Code's file search) is missing: installed on Debian as root,
 * elsewhere an error that names the one command to run.
 */
export async function ensureChromium(): Promise<string> {
  const found = findChromium();
  if (found !== undefined && findProgram('rg') !== undefined) return found;
  const packages = [...(found === undefined ? ['chromium'] : []), ...(findProgram('rg') ? [] : ['ripgrep'])];
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    if (found !== undefined) return found;
    const command = existsSync('/etc/debian_version')
      ? 'sudo apt-get install -y chromium ripgrep'
      : 'CHROMIUM=/path/to/chrome npm test';
    throw new SetupError(`No Chromium here to drive the editor with. Run: ${command}`);
  }
  process.stdout.write(`Installing ${packages.join(' and ')} by apt\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runQuietly('Updating package lists', 'apt-get', ['update', '-qq'], { env });
  await runQuietly(
    `Installing ${packages.join(' and ')}`,
    'apt-get',
    ['install', '-y', '--no-install-recommends', ...packages],
    { env },
  );
  const installed = findChromium();
  if (installed === undefined) throw new SetupError('apt installed chromium, but it is not on PATH.');
  return installed;
}
