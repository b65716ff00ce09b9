/**
 * `npm run bench:bounds [-- model ...]`: the synchronous model without the genetic search: best single device, random
 * search, grid optimum, elimination over neighbourhoods, the proven bound, and the gap between the last two. Writes
 * its table to docs/bench-bounds.md, anew after every row.
 */
import { join, resolve } from 'node:path';
import { parseCluster } from '../../src/core/cluster/parse';
import type { FuseRule } from '../../src/core/graph/graph';
import { wholeGene } from '../../src/core/latency/gene';
import { Evaluator } from '../../src/core/latency/evaluator';
import { createWorkload, type Workload } from '../../src/core/latency/workload';
import { partitionRules } from '../../src/core/partition/rules';
import { latencyBound } from '../../src/core/search/bounds/lowerBound';
import { byOperator, GeneProblem } from '../../src/core/search/opponents/geneProblem';
import { gridOptimum } from '../../src/core/search/opponents/grid';
import { pricedPlans } from '../../src/core/search/opponents/priced';
import { randomSearch } from '../../src/core/search/opponents/randomSearch';
import { analyzeFile } from '../../src/engine/analyze';
import { corpusFolder } from '../support/corpus';
import { writeReport } from '../support/reportPage';

const MODELS = [
  'public/light_bvlc_alexnet',
  'public/light_vgg19',
  'public/light_squeezenet',
  'public/light_resnet50',
  'public/light_inception_v1',
  'public/light_shufflenet',
];
const BANDWIDTHS = ['1 Gbit/s', '100 Mbit/s'];
const FUSE_RULES: readonly FuseRule[] = ['conv', 'none'];
/** Parts of an axis on the grid: more take minutes. */
const GRID_PARTS = 4;
const RANDOM_PLANS = 2000;
const POLISH_ROUNDS = 24;
const REPORT = resolve(__dirname, '../../docs/bench-bounds.md');

function workloadOf(file: string, fuse: FuseRule, bandwidth: string): Workload {
  const { graph } = analyzeFile(file, { bindings: new Map(), fuse });
  const speeds = [12, 6, 6, 3].map((speed, index) => ({
    name: `d${index}`,
    memory: '2 GiB',
    compute: `${speed} GFLOP/s`,
    operatorOverhead: '50 us',
  }));
  const network = { kind: 'switched', bandwidth, latency: '0.2 ms' };
  const cluster = parseCluster({ name: 'four', devices: speeds, network });
  const order = graph.operators.map(({ id }) => id);
  return createWorkload(graph, partitionRules(graph), cluster, order, 'synchronous');
}

/** Processor seconds that `task` takes, and its result: the machine may be busy with other work. */
function timed<Result>(task: () => Result): [Result, number] {
  const before = process.cpuUsage();
  const result = task();
  return [result, process.cpuUsage(before).user / 1e6];
}

function measure(file: string, name: string, fuse: FuseRule, bandwidth: string): string {
  const workload = workloadOf(file, fuse, bandwidth);
  const { graph, cluster, genes } = workload;
  const alone = workload.flow.steps.map(() => wholeGene(0, cluster.devices.length));
  const evaluator = new Evaluator(workload);
  evaluator.evaluate(byOperator(workload, alone));
  const problem = new GeneProblem(workload);
  const grid = gridOptimum(problem, GRID_PARTS);
  const random = randomSearch(workload, RANDOM_PLANS, 1);
  const [[plan], planSeconds] = timed(() => pricedPlans(problem, POLISH_ROUNDS));
  const incumbentNs = Math.min(plan.latencyNs, evaluator.latencyNs);
  const request = { graph, rules: genes.rules, cluster, latency: 'synchronous', incumbentNs } as const;
  const [bound, boundSeconds] = timed(() => latencyBound(request, () => false));
  const ms = (ns: number): string => (ns / 1e6).toFixed(1);
  const cells = [
    name,
    fuse,
    bandwidth,
    workload.flow.steps.length,
    ms(evaluator.latencyNs),
    ms(random.latencyNs),
    `${ms(grid.cost)}${grid.isExact ? '' : ' (not exact)'}`,
    ms(plan.latencyNs),
    ms(bound.ns),
    `${((incumbentNs / bound.ns - 1) * 100).toFixed(2)} %`,
    planSeconds.toFixed(1),
    boundSeconds.toFixed(1),
  ];
  return `| ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  const folder = corpusFolder();
  if (folder === undefined) throw new Error('no corpus: set MEMORIANOVA_CORPUS');
  const wanted = process.argv.slice(2);
  const names =
    wanted.length > 0 ? MODELS.filter((name) => wanted.some((part) => name.includes(part))) : MODELS;
  const lines = [
    '# Synchronous latency: bounds and plans without the genetic search',
    '',
    'Written by `npm run bench:bounds`. Latencies in ms, estimated; four devices of 12, 6, 6 and 3 GFLOP/s without memory',
    `limits; grid of ${GRID_PARTS} parts, ${RANDOM_PLANS} random plans; processor seconds.`,
    '',
    '| model | fuse | network | operators | single | random | grid | elimination | bound | gap | plan s | bound s |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const name of names) {
    for (const fuse of FUSE_RULES) {
      for (const bandwidth of BANDWIDTHS) {
        const short = name.replace(/.*\/(light_)?/, '');
        lines.push(measure(join(folder, `${name}.onnx`), short, fuse, bandwidth));
        console.log(lines[lines.length - 1]);
        await writeReport(REPORT, lines.join('\n'));
      }
    }
  }
}

void main();
