import Mocha from 'mocha';
import { writeFileSync } from 'node:fs';

/** What a mocha run writes for `npm test` to count, wherever it ran (here, or inside VS Code). */
export interface TestResults {
  readonly tests: readonly TestResult[];
}

export interface TestResult {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'pending';
  readonly milliseconds: number;
  readonly error?: string;
}

/** The file that results are written to. */
export const RESULTS_VARIABLE = 'MEMORIANOVA_TEST_RESULTS';

/** Prints as mocha's own reporter does, and writes every test's result to `MEMORIANOVA_TEST_RESULTS`. */
export default class TestReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const tests: TestResult[] = [];
    runner.on('pass', (test) => tests.push(resultOf(test, 'passed')));
    runner.on('pending', (test) => tests.push(resultOf(test, 'pending')));
    // Failing hooks count too: their tests never ran.
    runner.on('fail', (test, error: Error) =>
      tests.push({ ...resultOf(test, 'failed'), error: error.stack ?? String(error) }),
    );
    runner.once('end', () => {
      const file = process.env[RESULTS_VARIABLE];
      if (file !== undefined) writeFileSync(file, JSON.stringify({ tests } satisfies TestResults));
    });
  }
}

function resultOf(test: Mocha.Test | Mocha.Hook, state: TestResult['state']): TestResult {
  return { title: test.fullTitle(), state, milliseconds: test.duration ?? 0 };
}
