import { readdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lifetimes, liveBytes } from '../../src/core/memory/lifetimes';
import { orderProblem } from '../../src/core/memory/problem';
import { findOrder } from '../../src/core/order/btsearch';
import { compareTensors } from '../../src/engine/compare';
import { executeInArena } from '../../src/engine/executor';
import { ExternalFiles } from '../../src/engine/externalFiles';
import type { Feeds } from '../../src/engine/inputs';
import { runSeeded } from '../../src/engine/inputs';
import { loadRuntime, type Runtime } from '../../src/engine/runtime';
import { verifyPlanned } from '../../src/engine/verify';
import { freeControl } from '../support/control';
import { corpusFolder } from '../support/corpus';
import { type OpenCorpusModel, openCorpusModel } from '../support/corpusModels';
import { unevenPlan } from '../support/unevenPlan';

const TABLE = resolve(__dirname, '../../docs/bench-verify.md');
const SEED = 1;

/** Every corpus model that ONNX Runtime runs: partitioned over three devices, and operator by operator in its arena. */
async function main(): Promise<void> {
  const folder = corpusFolder('public');
  if (folder === undefined) return;
  const runtime = await loadRuntime('native');
  const wanted = process.argv[2] ?? '';
  const verified: string[] = [];
  const placed: string[] = [];
  const refused: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.onnx') && name.includes(wanted))) {
    try {
      const model = openCorpusModel(folder, file);
      try {
        verified.push(await verifyRow(runtime, file, model));
        placed.push(await arenaRow(runtime, file, model));
      } finally {
        model.source.close();
      }
    } catch (error) {
      if ((error as Error).name !== 'InputError') throw error;
      refused.push(`| ${file} | ${(error as Error).message.replace(/\|/g, '/').slice(0, 160)} |`);
    }
    process.stdout.write(`${file}\n`);
  }
  const text = page(runtime, verified, placed, refused);
  process.stdout.write(text);
  if (wanted === '') writeFileSync(TABLE, text);
}

async function verifyRow(runtime: Runtime, file: string, model: OpenCorpusModel): Promise<string> {
  const planned = unevenPlan(model.graph);
  const report = await verifyPlanned(runtime, { ...model, planned }, SEED, freeControl());
  const kinds = new Set(report.operators.map((operator) => operator.dimension));
  const worst = [...report.operators].sort((a, b) => b.relative - a.relative)[0];
  const output = Math.max(0, ...report.outputs.map(({ relative }) => relative));
  const largest =
    worst === undefined ? '-' : `${worst.relative.toExponential(1)} (${worst.type} ${worst.dimension})`;
  const split = `${report.operators.length} of ${model.graph.operators.length}`;
  const verdict = report.isEqual ? 'equal' : `differs: ${report.failing?.name ?? 'outputs'}`;
  return `| ${file} | ${split} | ${[...kinds].sort().join(' ')} | ${largest} | ${output.toExponential(1)} | ${verdict} |`;
}

async function arenaRow(runtime: Runtime, file: string, model: OpenCorpusModel): Promise<string> {
  const { graph, layout, path, source } = model;
  if (graph.storages.some(({ bytes }) => bytes === undefined))
    return `| ${file} | sizes unknown before it runs | | | | |`;
  const problem = orderProblem(graph, { inPlace: 'none', weights: 'resident' });
  const { steps, arena } = findOrder(problem, { timeLimitSeconds: 10 }, freeControl());
  const { peakBytes } = liveBytes(problem, steps, lifetimes(problem, steps));
  const files = new ExternalFiles(path, source);
  try {
    const { feeds, results } = await wholeRun(runtime, model);
    const run = await executeInArena(
      runtime,
      { layout, graph, files: files.lookup },
      { steps, offsets: arena.offsets, bytes: arena.bytes },
      feeds,
    );
    const isEqual = Object.keys(results).every(
      (name) => compareTensors(run.outputs[name], results[name], 50).isEqual,
    );
    return `| ${file} | ${peakBytes} | ${run.peakBytes} | ${arena.bytes} | ${run.arenaBytes} | ${isEqual ? 'equal' : 'differs'} |`;
  } catch (error) {
    if ((error as Error).name !== 'InputError') throw error;
    return `| ${file} | ${(error as Error).message.slice(0, 120)} | | | | |`;
  } finally {
    files.close();
  }
}

async function wholeRun(
  runtime: Runtime,
  { graph, path, layout }: OpenCorpusModel,
): Promise<{ feeds: Feeds; results: Feeds }> {
  const session = await runtime.open(path, { optimization: 'disabled' });
  try {
    return await runSeeded(
      runtime,
      graph,
      session,
      SEED,
      layout.outputs.map((output) => output.name),
    );
  } finally {
    await session.release();
  }
}

function page(
  runtime: Runtime,
  verified: readonly string[],
  placed: readonly string[],
  refused: readonly string[],
): string {
  return `# Verification by execution

With ${runtime.name}, graph optimizations off, on seeded inputs; written by \`npm run bench:verify\`.

## Partitioned over three devices

Every operator takes the next of its splits in unequal shares (one in seven stays whole, one in five recomputes a
margin). *Operator*: the largest difference between what the shards and the whole operator make of the same tensors,
relative to the tensor's largest value. *Output*: the same for the outputs of the whole partitioned model.

| model | split operators | dimensions | operator | output | |
|---|---|---|---|---|---|
${verified.join('\n')}

## Operator by operator in the arena

The order of least peak, every tensor at its arena offset in one buffer and nowhere else. Bytes; *measured*: counted
while running.

| model | predicted peak | measured peak | arena | bytes touched | outputs |
|---|---|---|---|---|---|
${placed.join('\n')}

## Not run

| model | why |
|---|---|
${refused.join('\n')}
`;
}

void main();
