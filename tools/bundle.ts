import { build, type BuildOptions, type Plugin } from 'esbuild';
import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { projectFolder } from './project';

const NODE: BuildOptions = { platform: 'node', target: 'node20', format: 'cjs' };
const BROWSER: BuildOptions = { platform: 'browser', target: 'es2022', format: 'iife' };

/** What VS Code, Node and the webview load: everything else is inside these files. */
const BUNDLES: readonly { entry: string; options: BuildOptions }[] = [
  {
    entry: 'src/host/extension.ts',
    options: { outfile: 'dist/extension.js', ...NODE, external: ['vscode'] },
  },
  { entry: 'src/worker/main.ts', options: { outfile: 'dist/worker.js', ...NODE } },
  { entry: 'src/engine/islandWorker.ts', options: { outfile: 'dist/islandWorker.js', ...NODE } },
  { entry: 'src/engine/boundWorker.ts', options: { outfile: 'dist/boundWorker.js', ...NODE } },
  { entry: 'src/cli/main.ts', options: { outfile: 'dist/cli.js', ...NODE } },
  { entry: 'webview/main.ts', options: { outfile: 'dist/webview.js', ...BROWSER } },
];

/** ONNX Runtime's one file for every platform, which verification reads beside the worker. */
const RUNTIME = 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';

/** The integration suite, each file found by pattern: VS Code's extension host loads plain JavaScript. */
const TESTS: BuildOptions = {
  entryPoints: ['test/integration/**/*.ts'],
  outdir: 'out/test',
  outbase: 'test/integration',
  ...NODE,
  external: ['vscode', 'mocha'],
};

/**
 * `import source from 'worker:./layout/worker'` gives a worker's bundle as text: a webview can only start
 * workers from a blob, so a worker there is one self-contained script.
 */
const inlineWorkers: Plugin = {
  name: 'inline-workers',
  setup(context) {
    context.onResolve({ filter: /^worker:/ }, ({ path, importer }) => ({
      path: `${resolve(dirname(importer), path.slice('worker:'.length))}.ts`,
      namespace: 'worker',
    }));
    context.onLoad({ filter: /.*/, namespace: 'worker' }, async ({ path }) => {
      const minify = context.initialOptions.minify ?? false;
      const result = await build({
        ...BROWSER,
        entryPoints: [path],
        bundle: true,
        minify,
        write: false,
        metafile: true,
      });
      const watchFiles = Object.keys(result.metafile.inputs).map((file) => resolve(file));
      return { contents: result.outputFiles[0]?.text ?? '', loader: 'text', watchFiles };
    });
  },
};

export async function bundle(options: { minify: boolean; tests: boolean }): Promise<void> {
  await rm(projectFolder('dist'), { recursive: true, force: true });
  await rm(projectFolder('out/test'), { recursive: true, force: true });
  const present = BUNDLES.filter(({ entry }) => existsSync(projectFolder(entry)));
  const common: BuildOptions = {
    absWorkingDir: projectFolder(),
    bundle: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [inlineWorkers],
  };
  await cp(projectFolder(RUNTIME), projectFolder('dist', basename(RUNTIME)));
  await Promise.all([
    ...present.map((bundle) =>
      build({ ...common, ...bundle.options, entryPoints: [bundle.entry], minify: options.minify }),
    ),
    ...(options.tests ? [build({ ...common, ...TESTS, sourcemap: 'inline' })] : []),
  ]);
}

if (require.main === module)
  bundle({ minify: !process.argv.includes('--readable'), tests: process.argv.includes('--tests') }).catch(
    () => {
      process.exitCode = 1;
    },
  );
