import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PROJECT = resolve(__dirname, '../..');
const told = new Set<string>();

/**
 * The folder of real models that corpus tests read: `MEMORIANOVA_CORPUS`, else `../shared/models` beside the
 * project. `undefined` where it is missing: the tests then say so (once per `part`) and rest on the project's
 * own fixtures.
 */
export function corpusFolder(part = ''): string | undefined {
  const folder = join(process.env['MEMORIANOVA_CORPUS'] ?? resolve(PROJECT, '../shared/models'), part);
  if (existsSync(folder) && statSync(folder).isDirectory()) return folder;
  if (!told.has(folder))
    process.stdout.write(`  corpus ${part || 'folder'} is not here: corpus cases not run\n`);
  told.add(folder);
  return undefined;
}
