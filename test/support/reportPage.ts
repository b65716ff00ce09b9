import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

/** Writes a page of docs/ as the house formats it, so that a measured table passes its check as it is. */
export async function writeReport(path: string, markdown: string): Promise<void> {
  writeFileSync(path, await format(markdown, { ...(await resolveConfig(path)), parser: 'markdown' }));
}
