import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../golden');

/**
 * Compares data with `test/golden/<name>.json`. After a wanted change delete the file and run the test twice: the
 * first run writes it anew and fails, so that nobody takes it for proof.
 */
export function assertGolden(name: string, data: unknown): void {
  const path = join(FOLDER, `${name}.json`);
  const text = `${JSON.stringify(data, undefined, 2)}\n`;
  if (!existsSync(path)) {
    writeFileSync(path, text);
    assert.fail(`${path} was not there: it is written now; look at it before it is committed.`);
  }
  assert.deepEqual(JSON.parse(text), JSON.parse(readFileSync(path, 'utf8')));
}
