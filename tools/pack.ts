import { createVSIX } from '@vscode/vsce';
import { mkdirSync, statSync } from 'node:fs';
import { projectFolder } from './project';

export const VSIX = projectFolder('out/memorianova.vsix');

/** Packs what is in `dist` (bundles only, no `node_modules`) as one `.vsix`, and says its size. */
export async function packExtension(): Promise<void> {
  mkdirSync(projectFolder('out'), { recursive: true });
  await createVSIX({
    cwd: projectFolder(),
    packagePath: VSIX,
    dependencies: false,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
  process.stdout.write(`${VSIX}: ${(statSync(VSIX).size / 1e6).toFixed(2)} MB\n`);
}

if (require.main === module) void packExtension();
