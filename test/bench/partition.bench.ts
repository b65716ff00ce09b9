/**
 * `npm run bench:partition`: GenEFlow beside its opponents and the proven bounds, per model, network, memory limit
 * and latency model, and what is lost without parts of it. Rows are kept in .cache/bench-partition and measured
 * once; the page docs/bench-partition.md is written from all that are there.
 *
 *     --models squeezenet,resnet50   parts of names (default: all)
 *     --network 1g,100m  --latency overlapped,synchronous  --memory unlimited,60,40  --seeds 1
 *     --evaluations 100:500000,1000:60000   per number of operators at most, or one number (default 500000)
 *     --again      measure rows that are kept already
 *     --bounds     measure only the bounds of rows that are kept, anew
 *     --ablation   the search without its parts instead of rows
 *     --page       only write the page
 */
import { build } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Gene } from '../../src/core/latency/gene';
import type { LatencyModel } from '../../src/core/latency/workload';
import { DEFAULT_EVALUATIONS } from '../../src/core/search/geneflow/problem';
import { workerIslandPool } from '../../src/engine/islandPool';
import { corpusFolder } from '../support/corpus';
import { linearSolver } from '../support/linearSolver';
import { writeReport } from '../support/reportPage';
import { ablate } from './partition/ablation';
import { exchange, gridGenes, measureBound, measureRow, type Tools } from './partition/measure';
import { page } from './partition/report';
import { allKept, keep, readKept, rowFile, type AblationRow, type Row } from './partition/rows';
import { NETWORKS, type Network } from '../support/fourDevices';
import { LATENCIES, loadModel, MEMORIES, MODELS, type Memory, type Model } from './partition/scene';

const REPORT = resolve(__dirname, '../../docs/bench-partition.md');

const { values } = parseArgs({
  options: {
    models: { type: 'string' },
    network: { type: 'string', default: Object.keys(NETWORKS).join() },
    latency: { type: 'string', default: LATENCIES.join() },
    memory: { type: 'string', default: MEMORIES.join() },
    seeds: { type: 'string', default: '1' },
    evaluations: { type: 'string', default: String(DEFAULT_EVALUATIONS) },
    again: { type: 'boolean', default: false },
    bounds: { type: 'boolean', default: false },
    ablation: { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
  },
});

/** The first budget whose number of operators is not below the model's. */
function evaluationsFor(operators: number): number {
  for (const part of values.evaluations.split(',')) {
    const [most, evaluations] = part.includes(':') ? part.split(':').map(Number) : [Infinity, Number(part)];
    if (operators <= most) return evaluations;
  }
  throw new Error(`--evaluations ${values.evaluations} says nothing about ${operators} operators`);
}

async function measureModel(model: Model, tools: Tools): Promise<void> {
  const wanted = evaluationsFor(model.operators);
  for (const network of values.network.split(',') as Network[]) {
    let grid: readonly Gene[] | undefined;
    const gridOnce = (): readonly Gene[] => (grid ??= gridGenes(model, network));
    for (const memory of values.memory.split(',') as Memory[]) {
      for (const latency of values.latency.split(',') as LatencyModel[]) {
        for (const seed of values.seeds.split(',').map(Number)) {
          const key = { model: model.name, network, latency, memory, seed };
          const kept = readKept<Row>(rowFile(key));
          if (values.bounds) {
            if (kept === undefined) continue;
            const again = { ...kept, ...measureBound(model, key, kept) };
            keep(rowFile(key), again);
            progress(again);
            continue;
          }
          if (kept?.wantedEvaluations === wanted && !values.again) continue;
          const row = exchange(model, await measureRow(model, key, wanted, gridOnce, tools));
          keep(rowFile(key), row);
          progress(row);
        }
      }
    }
  }
}

function progress({
  model,
  network,
  latency,
  memory,
  geneflow,
  boundNs,
  searchSeconds,
  boundSeconds,
}: Row): void {
  const gap = ((geneflow.ns / boundNs - 1) * 100).toFixed(1);
  const result = geneflow.valid ? `${(geneflow.ns / 1e6).toFixed(2)} ms, gap ${gap} %` : 'no valid plan';
  const seconds = `${searchSeconds.toFixed(0)} + ${boundSeconds.toFixed(0)} s`;
  process.stdout.write(`${model} ${network} ${latency} ${memory}: ${result}, ${seconds}\n`);
}

async function writePage(): Promise<void> {
  await writeReport(REPORT, page(allKept<Row>('row'), allKept<AblationRow>('ablation')));
}

async function measureAll(folder: string, tools: Tools): Promise<void> {
  const wanted = values.models?.split(',');
  for (const path of MODELS.filter((name) => wanted?.some((part) => name.includes(part)) ?? true)) {
    const model = loadModel(folder, path);
    if (values.ablation) await ablate(model, evaluationsFor(model.operators), tools.makePool);
    else await measureModel(model, tools);
    await writePage();
  }
}

async function main(): Promise<void> {
  if (values.page) return writePage();
  const folder = corpusFolder();
  if (folder === undefined) throw new Error('the models of the benchmark are not there');
  const temporary = mkdtempSync(join(tmpdir(), 'memorianova-bench-'));
  const workerFile = join(temporary, 'islandWorker.js');
  await build({
    entryPoints: [resolve(__dirname, '../../src/engine/islandWorker.ts')],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    logLevel: 'error',
  });
  try {
    await measureAll(folder, { makePool: workerIslandPool(workerFile), solve: await linearSolver() });
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

void main();
