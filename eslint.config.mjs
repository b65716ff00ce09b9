import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { importDirection } from './tools/lint/imports.mjs';

const CORE_GLOBALS = [
  ...['process', 'Buffer', 'require', '__dirname', '__filename', 'global', 'globalThis', 'setImmediate'],
  ...['window', 'document', 'navigator', 'self', 'location', 'localStorage', 'fetch', 'crypto', 'Worker'],
  ...['console', 'Date', 'performance', 'setTimeout', 'setInterval', 'queueMicrotask'],
];
const PURE = 'core is pure: take it as a parameter (a Control, a seed, a ByteSource) from src/engine.';
const TEST_LEFTOVER =
  'every test runs: no `.only`, no `.skip`; say in the test what is missing and assert the rest.';

export default tseslint.config(
  { ignores: ['dist/', 'out/', '.cache/', '.vscode-test/', 'example/', 'node_modules/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 500 }],
    },
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    plugins: { house: { rules: { 'import-direction': importDirection } } },
    rules: { 'house/import-direction': 'error', 'no-console': 'error' },
  },
  { files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...CORE_GLOBALS.map((name) => ({ name, message: PURE }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: PURE }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...['describe', 'it', 'suite', 'test', 'context'].flatMap((object) =>
          ['only', 'skip'].map((property) => ({ object, property, message: TEST_LEFTOVER })),
        ),
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
);
