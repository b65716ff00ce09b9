import Mocha from 'mocha';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import TestReporter from '../../tools/testReporter';

/** What VS Code runs: every bundled suite beside this file, found by its name. Rejects where a test fails. */
export function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, reporter: TestReporter, color: false });
  const suites = readdirSync(__dirname, { recursive: true, encoding: 'utf8' });
  for (const file of suites.filter((name) => name.endsWith('.test.js')).sort())
    mocha.addFile(join(__dirname, file));
  return new Promise((resolve, reject) => {
    mocha.run((failures) => (failures === 0 ? resolve() : reject(new Error(`${failures} tests failed`))));
  });
}
