import assert from 'node:assert';
import { ESLint } from 'eslint';
import { resolve } from 'node:path';

const PROJECT = resolve(__dirname, '../../..');

/** Messages that the project's own lint configuration gives for `code` as if it stood in `file`. */
async function lint(file: string, code: string): Promise<string[]> {
  const untyped = { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } };
  const typed = [
    'await-thenable',
    'no-floating-promises',
    'no-misused-promises',
    'switch-exhaustiveness-check',
  ];
  const off = Object.fromEntries(typed.map((name) => [`@typescript-eslint/${name}`, 'off' as const]));
  const eslint = new ESLint({ cwd: PROJECT, overrideConfig: [{ ...untyped, rules: off }] });
  const [result] = await eslint.lintText(code, { filePath: resolve(PROJECT, file) });
  return (result?.messages ?? []).map(({ message }) => message);
}

const REFUSED: readonly [string, string, RegExp][] = [
  [
    'src/core/graph/a.ts',
    `import '../order/search';`,
    /core\/graph must not import src\/core\/order.*further up/,
  ],
  ['src/core/order/a.ts', `import '../../engine/open';`, /must not import src\/engine.*parameter/],
  ['src/core/order/a.ts', `export * from '../search/geneflow';`, /must not import src\/core\/search/],
  ['src/core/onnx/a.ts', `import 'node:fs';`, /must not import node:fs: core is pure/],
  ['src/core/onnx/a.ts', `import 'fs';`, /must not import fs: core is pure/],
  ['src/core/plan/a.ts', `import 'vscode';`, /must not import vscode/],
  ['src/core/plan/a.ts', `export const clock = () => Date.now();`, /'Date'.*core is pure/],
  ['src/core/search/a.ts', `export const x = Math.random();`, /'Math.random'.*core is pure/],
  ['src/core/search/a.ts', `console.log(1);`, /console/],
  ['src/engine/a.ts', `import '../host/extension';`, /src\/engine must not import src\/host.*call it/],
  ['src/engine/a.ts', `import 'vscode';`, /only src\/host knows VS Code/],
  ['src/protocol/a.ts', `import { x } from '../core/graph/units'; x();`, /types of core only/],
  ['src/worker/a.ts', `import '../host/extension';`, /src\/worker must not import src\/host/],
  ['src/host/a.ts', `import '../engine/open';`, /src\/host must not import src\/engine.*ask the worker/],
  ['src/host/a.ts', `import '../core/order/search';`, /src\/host must not import src\/core/],
  ['src/host/a.ts', `void import('../worker/main');`, /src\/host must not import src\/worker/],
  ['webview/a.ts', `import '../src/host/extension';`, /webview must not import src\/host.*message/],
  ['webview/a.ts', `import 'node:path';`, /webview must not import node:path/],
];

const ALLOWED: readonly [string, string][] = [
  ['src/core/order/a.ts', `import '../memory/peak';`],
  ['src/core/order/a.ts', `import './bounds';`],
  ['src/engine/a.ts', `import 'node:fs'; import '../core/plan/plan';`],
  ['src/protocol/a.ts', `import type { Graph } from '../core/graph/graph'; export type G = Graph;`],
  ['src/worker/a.ts', `import '../engine/open'; import '../protocol/worker';`],
  ['src/cli/a.ts', `import '../engine/open'; console.log(1);`],
  ['src/host/a.ts', `import 'vscode'; import '../protocol/webview';`],
  ['webview/a.ts', `import 'd3'; import '../src/protocol/webview'; import './layout/rank';`],
];

describe('import direction', () => {
  for (const [file, code, message] of REFUSED)
    it(`refuses in ${file}: ${code}`, async () => {
      const messages = await lint(file, code);
      assert.ok(
        messages.some((text) => message.test(text)),
        `expected ${message}, got ${messages.join(' | ')}`,
      );
    });

  for (const [file, code] of ALLOWED)
    it(`allows in ${file}: ${code}`, async () => assert.deepEqual(await lint(file, code), []));
});
