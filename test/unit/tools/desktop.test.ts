import assert from 'node:assert';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXECUTABLE_VARIABLE, findDesktop, runInDesktop } from '../../../tools/editor/desktop';
import { readResults } from '../../../tools/editor/integration';

/**
 * A stand-in for VS Code's executable: takes the arguments that `@vscode/test-electron` gives, and "runs" the
 * suite by writing the results that it is told to.
 */
function stub(folder: string, results: object | undefined, status: number): string {
  const file = join(folder, 'code');
  const write =
    results === undefined ? '' : `echo '${JSON.stringify(results)}' > "$MEMORIANOVA_TEST_RESULTS"`;
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > "${folder}/arguments"\n${write}\nexit ${status}\n`;
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
}

describe('integration suite in desktop VS Code (stub executable)', () => {
  let folder: string;
  let display: string | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memorianova-desktop-'));
    // The stub opens no window: no xvfb-run around it.
    display = process.env['DISPLAY'];
    process.env['DISPLAY'] = ':stub';
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    delete process.env[EXECUTABLE_VARIABLE];
    if (display === undefined) delete process.env['DISPLAY'];
    else process.env['DISPLAY'] = display;
  });

  const passed = { title: 'opens', state: 'passed', milliseconds: 1 };
  const failed = { title: 'opens', state: 'failed', milliseconds: 1, error: 'no' };

  async function runStub(
    results: object | undefined,
    status: number,
  ): Promise<ReturnType<typeof readResults>> {
    const file = join(folder, 'results.json');
    const code = await runInDesktop(stub(folder, results, status), folder, file);
    return readResults(file, code);
  }

  it('hands the suite and the extension to the executable and reads the results', async () => {
    const results = await runStub({ tests: [passed] }, 0);
    assert.deepEqual(results.tests, [passed]);
  });

  it('reports a failing test', async () => {
    const results = await runStub({ tests: [passed, failed] }, 1);
    assert.deepEqual(
      results.tests.map(({ state }) => state),
      ['passed', 'failed'],
    );
  });

  it('fails where VS Code ends well but ran nothing', async () => {
    await assert.rejects(runStub(undefined, 0), /before any test had run/);
    await assert.rejects(runStub({ tests: [] }, 0), /ran no test/);
  });

  it('fails where every test passed but VS Code did not end well', async () => {
    await assert.rejects(runStub({ tests: [passed] }, 3), /ended with status/);
  });

  it('prefers the executable that is given, and says why', async () => {
    process.env[EXECUTABLE_VARIABLE] = stub(folder, undefined, 0);
    const desktop = await findDesktop();
    assert.equal(desktop.kind, 'given');
    assert.match(desktop.why, /MEMORIANOVA_VSCODE/);
  });

  it('refuses a given executable that is none', async () => {
    process.env[EXECUTABLE_VARIABLE] = join(folder, 'missing');
    await assert.rejects(findDesktop(), /not an executable file/);
  });
});
