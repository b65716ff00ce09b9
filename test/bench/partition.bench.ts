/**
 * `npm run bench:partition [-- model ...]`: GenEFlow beside its opponents and the proven bounds, per model, cluster,
 * memory limit and latency model, and what is lost without parts of it. Writes its tables to
 * docs/bench-partition.md, anew after every row. `MEMORIANOVA_EVALUATIONS` sets the budget (default 500,000).
 */
import { build } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Cluster } from '../../src/core/cluster/cluster';
import { parseCluster } from '../../src/core/cluster/parse';
import type { Graph } from '../../src/core/graph/graph';
import type { Bytes, OperatorId } from '../../src/core/graph/units';
import { wholeGene } from '../../src/core/latency/gene';
import { simulate } from '../../src/core/latency/simulate';
import { createWorkload, type LatencyModel } from '../../src/core/latency/workload';
import { orderProblem } from '../../src/core/memory/problem';
import { findOrder } from '../../src/core/order/btsearch';
import { partitionRules } from '../../src/core/partition/rules';
import { latencyBound } from '../../src/core/search/bounds/lowerBound';
import {
  ALL_PARTS,
  DEFAULT_EVALUATIONS,
  type PartitionProblem,
  type PartitionResult,
  type SearchParts,
} from '../../src/core/search/geneflow/problem';
import { searchPartition, type MakePool } from '../../src/core/search/geneflow/searchPartition';
import { analyzeFile } from '../../src/engine/analyze';
import { workerIslandPool } from '../../src/engine/islandPool';
import { corpusFolder } from '../support/corpus';
import { freeControl } from '../support/control';

const MODELS = [
  'public/light_bvlc_alexnet',
  'public/light_vgg19',
  'public/light_resnet50',
  'public/light_inception_v1',
  'public/light_squeezenet',
  'public/light_shufflenet',
  'public/light_densenet121',
  'architectures/nasnet-imagenet',
  'architectures/amoebanet-cifar',
  'architectures/darts-cifar',
  'architectures/randwire-stack-s1',
];
/** Memory of each device as a fraction of what the model needs on one device. */
const MEMORIES = [Infinity, 0.6, 0.4];
const BANDWIDTHS = ['1 Gbit/s', '100 Mbit/s'];
const LATENCIES: readonly LatencyModel[] = ['overlapped', 'synchronous'];
/** Where parts of the algorithm are left out. */
const ABLATION_MODELS = ['public/light_squeezenet', 'public/light_resnet50', 'architectures/darts-cifar'];
const ABLATIONS: readonly (readonly [string, SearchParts])[] = [
  ['all', ALL_PARTS],
  ['no seeds', { ...ALL_PARTS, seeds: false }],
  ['no cut crossover', { ...ALL_PARTS, cutCrossover: false }],
  ['no local search', { ...ALL_PARTS, localSearch: false }],
];
/** The paper's figure, whose models, devices and opponent are not public. */
const PAPER_REDUCTION = 0.339;
const ABLATION_EVALUATIONS = 40_000;
const EVALUATIONS = Number(process.env['MEMORIANOVA_EVALUATIONS'] ?? DEFAULT_EVALUATIONS);
const REPORT = resolve(__dirname, '../../docs/bench-partition.md');

interface Row {
  readonly model: string;
  readonly bandwidth: string;
  readonly latency: LatencyModel;
  readonly memory: number;
  readonly result: PartitionResult;
  readonly boundNs: number;
  readonly seconds: number;
}

/** Four unequal devices, one of them the hub that has the input and wants the output. */
function fourDevices(bandwidth: string, memory: Bytes): Cluster {
  const device = (name: string, compute: string): unknown => ({
    name,
    memory,
    compute,
    operatorOverhead: '50 us',
  });
  return parseCluster({
    name: 'four',
    devices: [
      device('hub', '12 GFLOP/s'),
      device('tv', '6 GFLOP/s'),
      device('camera', '6 GFLOP/s'),
      device('speaker', '3 GFLOP/s'),
    ],
    network: { kind: 'switched', bandwidth, latency: '0.2 ms' },
  });
}

const UNLIMITED = 2 ** 31;

interface Model {
  readonly name: string;
  readonly graph: Graph;
  readonly order: readonly OperatorId[];
  readonly needed: Bytes;
}

function loadModel(folder: string, name: string): Model {
  const { graph } = analyzeFile(join(folder, `${name}.onnx`), { bindings: new Map(), fuse: 'none' });
  const order = findOrder(orderProblem(graph, { inPlace: 'none' }), {}, freeControl()).steps;
  const alone = fourDevices(BANDWIDTHS[0], UNLIMITED);
  const workload = createWorkload(graph, partitionRules(graph), alone, order, 'overlapped');
  const genome = graph.operators.map(({ id, isView }) =>
    isView ? undefined : workload.genes.compile(id, wholeGene(0, alone.devices.length)),
  );
  const needed = simulate(workload, genome).devices[0].peakBytes;
  return { name: name.replace(/.*\/(light_)?/, ''), graph, order, needed };
}

async function measure(
  model: Model,
  bandwidth: string,
  latency: LatencyModel,
  memory: number,
  makePool: MakePool,
): Promise<Row> {
  const { graph, order, needed } = model;
  const cluster = fourDevices(bandwidth, memory === Infinity ? UNLIMITED : Math.floor(needed * memory));
  const rules = partitionRules(graph);
  const options = {
    seed: 1,
    latency,
    strategy: 'hybrid',
    evaluations: EVALUATIONS,
    freeOrder: false,
  } as const;
  const problem: PartitionProblem = { graph, rules, cluster, order, options };
  const start = performance.now();
  const result = await searchPartition(problem, freeControl(), makePool);
  const seconds = (performance.now() - start) / 1000;
  const incumbentNs = result.valid ? result.timeline.latencyNs : undefined;
  const bound = latencyBound({ graph, rules, cluster, order, latency, incumbentNs }, () => false);
  return { model: model.name, bandwidth, latency, memory, result, boundNs: bound.ns, seconds };
}

const milliseconds = (ns: number): string => (ns / 1e6).toFixed(ns < 1e7 ? 2 : 1);
const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Columns of the opponents: by how their names begin, the best where several do. */
const OPPONENTS: readonly (readonly [string, RegExp])[] = [
  ['best single', /^single /],
  ['equal rows', /^equal rows/],
  ['prop. rows', /^proportional rows \(/],
  ['equal ch.', /^equal channels/],
  ['prop. ch.', /^proportional channels$/],
  ['pipeline', /pipeline/],
  ['fused tiles', /^fused/],
  ['greedy', /^greedy/],
  ['elimination', /elimination/],
];

function opponentNs({ seeds }: PartitionResult, name: RegExp): number | undefined {
  const valid = seeds.filter((seed) => name.test(seed.name) && seed.valid).map(({ latencyNs }) => latencyNs);
  return valid.length === 0 ? undefined : Math.min(...valid);
}

function rowsTable(rows: readonly Row[]): string {
  const head = [
    'model',
    'memory',
    ...OPPONENTS.map(([name]) => name),
    'GenEFlow',
    'bound',
    'gap',
    'valid',
    'evaluations',
    's',
  ];
  const lines = rows.map(({ model, memory, result, boundNs, seconds }) => [
    model,
    memory === Infinity ? 'unlimited' : percent(memory),
    ...OPPONENTS.map(([, name]) => {
      const ns = opponentNs(result, name);
      return ns === undefined ? '-' : milliseconds(ns);
    }),
    milliseconds(result.timeline.latencyNs),
    milliseconds(boundNs),
    result.valid ? percent(result.timeline.latencyNs / boundNs - 1) : '-',
    result.valid ? 'yes' : 'no',
    String(result.evaluations),
    seconds.toFixed(0),
  ]);
  return table(head, lines);
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}

function summary(rows: readonly Row[]): string {
  const free = rows.filter(({ memory, result }) => memory === Infinity && result.valid);
  const ratios = free.map(({ result }) => result.timeline.latencyNs / opponentNs(result, /^single /)!);
  const gaps = MEMORIES.map((memory) => {
    const valid = rows.filter((row) => row.memory === memory && row.result.valid);
    if (valid.length === 0) return undefined;
    const mean = geometricMean(valid.map(({ result, boundNs }) => result.timeline.latencyNs / boundNs)) - 1;
    return `${memory === Infinity ? 'unlimited' : percent(memory)}: ${percent(mean)} over ${valid.length}`;
  });
  const behind = rows.filter(({ result }) =>
    result.seeds.some((seed) => seed.valid && (!result.valid || seed.latencyNs < result.timeline.latencyNs)),
  );
  const reduction =
    ratios.length === 0
      ? ''
      : `Latency against the best single device, unlimited memory, geometric mean over ${ratios.length} models: ${percent(1 - geometricMean(ratios))} less (the paper reports ${percent(PAPER_REDUCTION)} on models, devices and an opponent that are not public).\n`;
  return `${reduction}Gap to the bound, geometric mean: ${gaps.filter((gap) => gap !== undefined).join('; ')}.\nBehind an opponent: ${behind.length} of ${rows.length}.\n`;
}

function report(rows: readonly Row[], ablation: readonly (readonly string[])[]): string {
  const sections = BANDWIDTHS.flatMap((bandwidth) =>
    LATENCIES.flatMap((latency) => {
      const own = rows.filter((row) => row.bandwidth === bandwidth && row.latency === latency);
      return own.length === 0 ? [] : [`## ${bandwidth}, ${latency}\n\n${summary(own)}\n${rowsTable(own)}\n`];
    }),
  );
  const head = ['model', ...ABLATIONS.map(([name]) => name)];
  const lost =
    ablation.length === 0
      ? []
      : [
          `## Without parts\n\nms, overlapped, 1 Gbit/s, ${ABLATION_EVALUATIONS} evaluations.\n\n${table(head, ablation)}\n`,
        ];
  return [
    '# Partition: GenEFlow, its opponents and the proven bounds\n',
    `Written by \`npm run bench:partition\`. Latencies in ms, estimated; four devices of 12, 6, 6 and 3 GFLOP/s; each device's memory as a share of what the model needs on one device; ${EVALUATIONS} evaluations; operators as in the file; times on a machine that was busy with other work.\n`,
    ...sections,
    ...lost,
  ].join('\n');
}

async function main(): Promise<void> {
  const folder = corpusFolder();
  if (folder === undefined) return;
  const wanted = process.argv.slice(2);
  const names = MODELS.filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
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
    await measureAll(
      names.map((name) => loadModel(folder, name)),
      workerIslandPool(workerFile),
    );
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

async function measureAll(models: readonly Model[], makePool: MakePool): Promise<void> {
  const rows: Row[] = [];
  const ablation: string[][] = [];
  const write = (): void => writeFileSync(REPORT, report(rows, ablation));
  for (const bandwidth of BANDWIDTHS) {
    for (const memory of MEMORIES) {
      for (const latency of LATENCIES) {
        for (const model of models) {
          const row = await measure(model, bandwidth, latency, memory, makePool);
          rows.push(row);
          process.stdout.write(`${rowsTable([row]).split('\n')[2]} ${bandwidth} ${latency}\n`);
          write();
        }
      }
    }
  }
  for (const model of models.filter(({ name }) =>
    ABLATION_MODELS.some((ablated) => ablated.endsWith(name)),
  )) {
    ablation.push([model.name, ...(await ablated(model))]);
    write();
  }
  process.stdout.write(readFileSync(REPORT, 'utf8'));
}

async function ablated({ graph, order }: Model): Promise<string[]> {
  const cells: string[] = [];
  for (const [, parts] of ABLATIONS) {
    const cluster = fourDevices(BANDWIDTHS[0], UNLIMITED);
    const options = {
      seed: 1,
      latency: 'overlapped',
      strategy: 'hybrid',
      evaluations: ABLATION_EVALUATIONS,
      freeOrder: false,
      parts,
    } as const;
    const { timeline } = await searchPartition(
      { graph, rules: partitionRules(graph), cluster, order, options },
      freeControl(),
    );
    cells.push(milliseconds(timeline.latencyNs));
  }
  return cells;
}

void main();
