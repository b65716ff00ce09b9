import { builtinModules } from 'node:module';
import path from 'node:path';

/**
 * The rule table of ARCHITECTURE.md: which folder may import which. A folder of `core` imports only folders
 * listed above it. `types`: only `import type`. `packages`: bare imports that the folder must not have.
 */
const CORE = [
  'graph',
  'onnx',
  'shape',
  'analysis',
  'memory',
  'order',
  'cluster',
  'partition',
  'latency',
  'search',
  'plan',
  'export',
].map((name) => `src/core/${name}`);

const PURE =
  'core is pure: pass what it needs as a parameter (a ByteSource, a Control, a seed) from src/engine';
const BROWSER = 'the webview is a page: ask the host by a message of src/protocol/webview.ts';
const NO_VSCODE = 'only src/host knows VS Code: send it a message of src/protocol or return data';

/** Most special folder first: the first that contains a file decides. */
export const FOLDERS = [
  ...CORE.map((folder, at) => ({
    folder,
    imports: CORE.slice(0, at + 1),
    fix: 'move the shared part to a folder further up the list in ARCHITECTURE.md, or pass it as a parameter',
    refuses: { node: PURE, vscode: PURE },
  })),
  {
    folder: 'src/engine',
    imports: ['src/core', 'src/engine'],
    fix: 'the engine serves worker and cli: have them call it, with a Control for progress and cancel',
    refuses: { vscode: NO_VSCODE },
  },
  {
    folder: 'src/protocol',
    imports: ['src/protocol'],
    types: ['src/core'],
    fix: 'messages carry types of core only (`import type`): move code to the side that needs it',
    refuses: { node: 'messages are plain data', vscode: NO_VSCODE },
  },
  {
    folder: 'src/worker',
    imports: ['src/core', 'src/engine', 'src/protocol', 'src/worker'],
    fix: 'the worker answers the host: send a message of src/protocol/worker.ts instead',
    refuses: { vscode: NO_VSCODE },
  },
  {
    folder: 'src/cli',
    imports: ['src/core', 'src/engine', 'src/cli'],
    fix: 'the command line uses engine and core: move what both need to src/engine',
    refuses: { vscode: NO_VSCODE },
  },
  {
    folder: 'src/host',
    imports: ['src/protocol', 'src/host'],
    fix: 'the host computes nothing: ask the worker by a message of src/protocol/worker.ts',
    refuses: {},
  },
  {
    folder: 'webview',
    imports: ['src/protocol', 'webview'],
    fix: 'the webview draws what it is sent: extend a message of src/protocol/webview.ts',
    refuses: { node: BROWSER, vscode: BROWSER },
  },
];

const NODE = new Set(builtinModules);
const inside = (file, folder) => file === folder || file.startsWith(`${folder}/`);

/** What is wrong with `file` (relative to the project) importing `source`, or `undefined`. */
export function importProblem(file, source, typeOnly) {
  const rule = FOLDERS.find(({ folder }) => inside(file, folder));
  if (rule === undefined) return undefined;
  if (!source.startsWith('.')) {
    const kind =
      source === 'vscode' ? 'vscode' : source.startsWith('node:') || NODE.has(source) ? 'node' : '';
    const fix = rule.refuses[kind];
    return fix && `${rule.folder} must not import ${source}: ${fix}.`;
  }
  const target = path.posix.join(path.posix.dirname(file), source);
  const allowed = [...rule.imports, ...(typeOnly ? (rule.types ?? []) : [])];
  if (allowed.some((folder) => inside(target, folder))) return undefined;
  return `${rule.folder} must not import ${target}: ${rule.fix}.`;
}

/** `import type x`, or every name in it marked `type`. */
function isTypeOnly(node) {
  if (node.importKind === 'type' || node.exportKind === 'type') return true;
  const names = node.specifiers ?? [];
  return names.length > 0 && names.every((name) => name.importKind === 'type' || name.exportKind === 'type');
}

export const importDirection = {
  meta: { type: 'problem', schema: [], docs: { description: 'imports point one way (ARCHITECTURE.md)' } },
  create(context) {
    const file = path.relative(context.cwd, context.filename).split(path.sep).join('/');
    function check(node, source, typeOnly) {
      if (typeof source?.value !== 'string') return;
      const message = importProblem(file, source.value, typeOnly);
      if (message !== undefined) context.report({ node, message });
    }
    return {
      ImportDeclaration: (node) => check(node, node.source, isTypeOnly(node)),
      ExportNamedDeclaration: (node) => check(node, node.source, isTypeOnly(node)),
      ExportAllDeclaration: (node) => check(node, node.source, node.exportKind === 'type'),
      ImportExpression: (node) => check(node, node.source, false),
      TSImportType: (node) => check(node, node.source, true),
      'CallExpression[callee.name="require"]': (node) => check(node, node.arguments[0], false),
    };
  },
};
