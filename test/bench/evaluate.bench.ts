/**
 * `npm run bench:evaluate [-- model ...]`: whole plans evaluated per second of processor time on one thread, one
 * gene changed in a good plan each time: exact latency alone, with the memory of every device, and with memory
 * where the evaluation may stop once the plan is sure to be slower than the one that it comes from.
 */
import { join } from 'node:path';
import { seededRandom, type Random } from '../../src/core/graph/random';
import { Evaluator } from '../../src/core/latency/evaluator';
import type { Gene } from '../../src/core/latency/gene';
import { createWorkload, type LatencyModel } from '../../src/core/latency/workload';
import { orderProblem } from '../../src/core/memory/problem';
import { findOrder } from '../../src/core/order/btsearch';
import { partitionRules } from '../../src/core/partition/rules';
import { Island } from '../../src/core/search/geneflow/island';
import type { Individual } from '../../src/core/search/geneflow/individual';
import { freshGene, shifted } from '../../src/core/search/geneflow/mutations';
import { ALL_PARTS } from '../../src/core/search/geneflow/problem';
import { simpleSeeds } from '../../src/core/search/geneflow/seeds';
import { SearchSpace } from '../../src/core/search/geneflow/space';
import { analyzeFile } from '../../src/engine/analyze';
import { corpusFolder } from '../support/corpus';
import { freeControl } from '../support/control';
import { fourDevices } from '../support/fourDevices';
import { UNLIMITED } from './partition/scene';

const MODELS = [
  'public/light_squeezenet',
  'public/light_resnet50',
  'architectures/darts-cifar',
  'architectures/nasnet-imagenet',
];
const LATENCIES: readonly LatencyModel[] = ['overlapped', 'synchronous'];
/** Plans tried to find the good plan, and mutations of it that are timed, in rounds of which the median counts. */
const EVALUATIONS = 20_000;
const MUTATIONS = 2000;
const ROUNDS = 7;

interface Mutation {
  readonly operator: number;
  readonly gene: Gene;
}

function loadSpace(folder: string, name: string, latency: LatencyModel): SearchSpace {
  const { graph } = analyzeFile(join(folder, `${name}.onnx`), { bindings: new Map(), fuse: 'none' });
  const order = findOrder(orderProblem(graph, { inPlace: 'none' }), {}, freeControl()).steps;
  const workload = createWorkload(graph, partitionRules(graph), fourDevices('1g', UNLIMITED), order, latency);
  const strategy = 'hybrid';
  return new SearchSpace(workload, {
    seed: 1,
    latency,
    strategy,
    evaluations: EVALUATIONS,
    freeOrder: false,
  });
}

function goodPlan(space: SearchSpace): Individual {
  const island = new Island(space, ALL_PARTS, 1, false);
  island.start(simpleSeeds(space));
  island.run(EVALUATIONS, () => false);
  return island.best;
}

/** A boundary moved a little where there is one, a fresh gene otherwise and in a third of all cases. */
function mutation(space: SearchSpace, { genome }: Individual, random: Random): Mutation {
  const operator = space.steps[random.below(space.steps.length)];
  const { gene } = genome[operator]!;
  if (gene.split < 0 || random.below(3) === 0) return { operator, gene: freshGene(space, random, operator) };
  const { length, unit } = space.splits[operator][gene.split];
  const shift = unit * (1 + random.below(3)) * (random.below(2) === 0 ? 1 : -1);
  return { operator, gene: shifted(gene, 1 + random.below(gene.cuts.length - 2), shift, length) };
}

type Kind = 'latency' | 'memory' | 'incumbent';

/** Plans per second of processor time. */
function rate(
  space: SearchSpace,
  evaluator: Evaluator,
  plan: Individual,
  tries: readonly Mutation[],
  kind: Kind,
): number {
  const genome = [...plan.genome];
  const limit = kind === 'incumbent' ? plan.latencyNs : Infinity;
  const start = process.cpuUsage();
  for (const { operator, gene } of tries) {
    const before = genome[operator];
    genome[operator] = space.compile(operator, gene);
    evaluator.evaluate(genome, limit, kind !== 'latency');
    genome[operator] = before;
  }
  const { user, system } = process.cpuUsage(start);
  return (tries.length * 1e6) / (user + system);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function measure(space: SearchSpace): string[] {
  const plan = goodPlan(space);
  const random = seededRandom(2);
  const evaluator = new Evaluator(space.workload);
  evaluator.evaluate(plan.genome);
  const draw = (): Mutation[] => Array.from({ length: MUTATIONS }, () => mutation(space, plan, random));
  const fresh: number[] = [];
  for (let round = 0; round < ROUNDS; round++) fresh.push(rate(space, evaluator, plan, draw(), 'memory'));
  const known = draw();
  rate(space, evaluator, plan, known, 'memory');
  return [
    ...(['latency', 'memory', 'incumbent'] as const).map((kind) =>
      median(Array.from({ length: ROUNDS }, () => rate(space, evaluator, plan, known, kind))),
    ),
    median(fresh),
  ].map((value) => Math.round(value).toString());
}

function main(): void {
  const folder = corpusFolder();
  if (folder === undefined) return;
  const wanted = process.argv.slice(2);
  const head = [
    'model',
    'operators',
    'model of time',
    'latency',
    'with memory',
    'with incumbent',
    'new genes',
  ];
  process.stdout.write(`${head.join(' | ')}\n`);
  for (const name of MODELS.filter(
    (one) => wanted.length === 0 || wanted.some((part) => one.includes(part)),
  )) {
    for (const latency of LATENCIES) {
      const space = loadSpace(folder, name, latency);
      const cells = [
        name.replace(/.*\/(light_)?/, ''),
        String(space.steps.length),
        latency,
        ...measure(space),
      ];
      process.stdout.write(`${cells.join(' | ')}\n`);
    }
  }
}

main();
