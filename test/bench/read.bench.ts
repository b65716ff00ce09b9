/**
 * `npm run bench:read`: what opening a model costs. A model with 1.9 GB of weights inside the file against the
 * same without them, each in a process of its own; and the stages of the largest models of the corpus, warm.
 * Writes its tables to docs/reading.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildGraph } from '../../src/core/analysis/buildGraph';
import type { ByteSource } from '../../src/core/onnx/model';
import { readModel } from '../../src/core/onnx/readModel';
import { inferShapes } from '../../src/core/shape/inferShapes';
import { analyzeFile } from '../../src/engine/analyze';
import { FileByteSource } from '../../src/engine/byteSource';
import { corpusFolder } from '../support/corpus';
import { writeSparseModel } from '../support/sparseModel';

const LAYERS = 250;
const WIDTH = 1380;
const RUNS = 15;
const PROCESSES = 7;
const LARGEST = [
  'public/ort_tfbert_qa.onnx',
  'public/ort_gpt2_no_past.onnx',
  'public/light_densenet121.onnx',
  'large/tf_20000.onnx',
];

interface Opening {
  readonly fileBytes: number;
  readonly readBytes: number;
  readonly coldMs: number;
  readonly warmMs: number;
  readonly growthBytes: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Counts what is asked of a file. */
class Counted implements ByteSource {
  bytes = 0;

  constructor(private readonly inner: FileByteSource) {}

  get size(): number {
    return this.inner.size;
  }

  read(offset: number, length: number): Uint8Array {
    this.bytes += length;
    return this.inner.read(offset, length);
  }
}

/** All threads of the process, those of the collector too: on an idle machine the clock shows less. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function openOnce(path: string): number {
  const start = processorMs();
  analyzeFile(path, { bindings: new Map(), fuse: 'none' });
  return processorMs() - start;
}

/** In a process of its own: memory is what it is after loading the code, before and after the first opening. */
function measureOpening(path: string): Opening {
  const before = process.memoryUsage.rss();
  const coldMs = openOnce(path);
  const growthBytes = process.memoryUsage.rss() - before;
  const warmMs = median(Array.from({ length: RUNS }, () => openOnce(path)));
  const file = new FileByteSource(path);
  const counted = new Counted(file);
  readModel(counted);
  file.close();
  return { fileBytes: file.size, readBytes: counted.bytes, coldMs, warmMs, growthBytes };
}

function inOwnProcess(path: string): Opening {
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, __filename, path], {
    encoding: 'utf8',
  });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`measuring failed: ${stderr}`);
  return JSON.parse(line) as Opening;
}

/** Of each path the opening of median time among several processes, taken in turn. */
function openings(paths: readonly string[]): Opening[] {
  const all = Array.from({ length: PROCESSES }, () => paths.map(inOwnProcess));
  return paths.map(
    (_, i) => all.map((round) => round[i]).sort((a, b) => a.coldMs - b.coldMs)[PROCESSES >> 1],
  );
}

function openingTable(): string {
  const folder = mkdtempSync(join(tmpdir(), 'read-bench-'));
  try {
    const [heavy, light] = [join(folder, 'heavy.onnx'), join(folder, 'light.onnx')];
    writeSparseModel(heavy, LAYERS, WIDTH, true);
    writeSparseModel(light, LAYERS, WIDTH, false);
    const [withWeights, without] = openings([heavy, light]);
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    const row = (name: string, one: Opening): string =>
      `| ${name} | ${mib(one.fileBytes)} | ${mib(one.readBytes)} | ${one.coldMs.toFixed(0)} | ${one.warmMs.toFixed(1)} | ${mib(one.growthBytes)} |`;
    const ratio = `| ratio | | | ${(withWeights.coldMs / without.coldMs).toFixed(2)} | ${(withWeights.warmMs / without.warmMs).toFixed(2)} | |`;
    const head =
      '| 500 operators | file, MiB | read, MiB | first opening, ms | warm, ms | growth, MiB |\n|---|---|---|---|---|---|';
    return [head, row('weights inside', withWeights), row('without weights', without), ratio].join('\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stageTable(): string {
  const rows = [
    '| model | operators | read, ms | shapes, ms | graph, ms | sum, ms |',
    '|---|---|---|---|---|---|',
  ];
  for (const name of LARGEST) {
    const path = join(corpusFolder() ?? '', name);
    if (existsSync(path)) rows.push(stageRow(name, path));
  }
  return rows.join('\n');
}

function stageRow(name: string, path: string): string {
  const best = [Infinity, Infinity, Infinity];
  let operators = 0;
  for (let run = 0; run < RUNS; run++) {
    const source = new FileByteSource(path);
    const times = [processorMs()];
    const model = readModel(source);
    times.push(processorMs());
    const shapes = inferShapes(model, { bindings: new Map() });
    times.push(processorMs());
    operators = buildGraph(model, shapes, { fuse: 'none' }).operators.length;
    times.push(processorMs());
    source.close();
    best.forEach((_, i) => (best[i] = Math.min(best[i], times[i + 1] - times[i])));
  }
  const sum = best.reduce((total, one) => total + one, 0);
  return `| ${name} | ${operators} | ${[...best, sum].map((ms) => ms.toFixed(0)).join(' | ')} |`;
}

const [child] = process.argv.slice(2);
if (child !== undefined) process.stdout.write(`${JSON.stringify(measureOpening(child))}\n`);
else {
  const page = `# Reading

What opening a model costs (\`npm run bench:read\`): reading the structure, inferring shapes and building the graph.

A model with all its weights inside the file, against the same model without them, each in a process of its own
(median of ${PROCESSES}, processor time); the file is sparse, and weights are passed over without being read.

${openingTable()}

Stages of the largest models of the corpus, warm, best of ${RUNS}, in processor time:

${stageTable()}
`;
  writeFileSync(resolve(__dirname, '../../docs/reading.md'), page);
  process.stdout.write(page);
}
