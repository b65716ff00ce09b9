/**
 * `npm run bench:order`: BTSearch, its opponents, its rules one by one, and the arena, on the models of the
 * corpus. Writes its tables to docs/bench-order.md.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Graph } from '../../src/core/graph/graph';
import { liveBoundBytes, packBlocks, type Blocks } from '../../src/core/memory/blocks';
import { replayOrder } from '../../src/core/memory/check';
import { packWithin } from '../../src/core/memory/packWithin';
import { orderProblem, type OrderProblem } from '../../src/core/memory/problem';
import { greedyOrder, peakOf, randomBaseline, SINGLE_ORDERS } from '../../src/core/order/baselines';
import { findOrder, type OrderResult } from '../../src/core/order/btsearch';
import type { Effort } from '../../src/core/order/budgetSearch';
import { closeIn, type Bounds } from '../../src/core/order/deepening';
import { hierarchicalOrder } from '../../src/core/order/hierarchical';
import { ALL_RULES, type SearchRules } from '../../src/core/order/rules';
import { analyzeFile } from '../../src/engine/analyze';
import { corpusFolder } from '../support/corpus';
import { repeatedBlocks } from '../support/repeatedBlocks';
import { toyGraph, type ToyGraph } from '../support/toyGraph';
import { wattsStrogatz } from '../support/wattsStrogatz';

const ELEVEN = [
  'light_bvlc_alexnet',
  'light_vgg19',
  'light_resnet50',
  'light_inception_v1',
  'light_squeezenet',
  'light_shufflenet',
  'light_densenet121',
  'nasnet-imagenet',
  'amoebanet-cifar',
  'darts-cifar',
  'randwire-stack-s1',
];
const TIME_LIMIT_SECONDS = Number(process.env['MEMORIANOVA_BENCH_SECONDS'] ?? 60);
const ABLATION_STATES = 200_000;
const UNSEEN_STATES = 500_000;
const ARENA_CAPACITY = 1_048_576;
const ARENA_SECONDS = 60;
const SINGLE = Object.keys(SINGLE_ORDERS) as (keyof typeof SINGLE_ORDERS)[];

/** Seconds of this thread's processor: the machine may be shared. */
const cpuSeconds = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
const bytes = (value: number): string => value.toLocaleString('en-US');
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const control = { cancelled: () => false, now: cpuSeconds, report: () => undefined };

function timed<T>(run: () => T): { value: T; ms: number } {
  const start = cpuSeconds();
  const value = run();
  return { value, ms: (cpuSeconds() - start) * 1e3 };
}

interface Measured {
  readonly name: string;
  readonly graph: Graph;
  readonly problem: OrderProblem;
  readonly result: OrderResult;
  readonly search: { readonly states: number; readonly ms: number };
  readonly ms: number;
}

function freeEffort(stateLimit: number): Effort {
  const deadline = cpuSeconds() + TIME_LIMIT_SECONDS;
  return {
    states: 0,
    stateLimit,
    tableBytes: 1e9,
    outOfTable: false,
    interrupted: () => cpuSeconds() > deadline,
  };
}

/** The search alone: from the greedy order to proof. */
function searchOnly(
  problem: OrderProblem,
  rules: SearchRules,
  limit: number,
): { bounds: Bounds; states: number; ms: number } {
  const effort = freeEffort(limit);
  const { value: bounds, ms } = timed(() => {
    const steps = greedyOrder(problem);
    return closeIn(problem, { steps, peakBytes: peakOf(problem, steps) }, rules, effort, () => undefined);
  });
  return { bounds, states: effort.states, ms };
}

function graphsOf(part: string): { name: string; graph: Graph }[] {
  const folder = corpusFolder(part);
  if (folder === undefined) return [];
  const found: { name: string; graph: Graph }[] = [];
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.onnx'))
    .sort()) {
    try {
      const { graph } = analyzeFile(join(folder, file), { bindings: new Map(), fuse: 'none' });
      found.push({ name: basename(file, '.onnx'), graph });
    } catch (error) {
      console.log(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}

function measure({ name, graph }: { name: string; graph: Graph }): Measured {
  const problem = orderProblem(graph, { inPlace: 'none' });
  const search = searchOnly(problem, ALL_RULES, Infinity);
  const { value: result, ms } = timed(() =>
    findOrder(problem, { timeLimitSeconds: TIME_LIMIT_SECONDS }, control),
  );
  const replay = replayOrder(problem, result.steps, problem.operatorCount > 3000 ? undefined : result.arena);
  if (replay.violations.length > 0 || replay.peakBytes !== result.peakBytes)
    throw new Error(`${name}: ${replay.violations[0]}`);
  console.log(`${name}: ${result.status} ${bytes(result.peakBytes)} in ${ms.toFixed(0)} ms`);
  return { name, graph, problem, result, search, ms };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function resultTable(measured: readonly Measured[]): string {
  const head = [
    'model',
    'operators',
    'status',
    'peak',
    'bound',
    'states',
    'search, ms',
    'with arena and opponents, ms',
    'peak of sizes rounded to 64',
    'arena',
    'fragmentation',
    'order matters',
  ];
  return table(
    head,
    measured.map(({ name, problem, result, search, ms }) => [
      name,
      String(problem.operatorCount),
      result.status,
      (problem.known ? '' : 'at least ') + bytes(result.peakBytes),
      bytes(result.lowerBoundBytes),
      bytes(search.states),
      search.ms.toFixed(1),
      ms.toFixed(0),
      bytes(result.arena.lowerBoundBytes),
      bytes(result.arena.bytes),
      result.arena.lowerBoundBytes === 0
        ? ''
        : percent(result.arena.bytes / result.arena.lowerBoundBytes - 1),
      result.orderMatters ? 'yes' : 'no',
    ]),
  );
}

function opponentTable(measured: readonly Measured[]): string {
  const head = [
    'model',
    'least peak',
    'random mean (best to worst; ms for 200)',
    ...SINGLE.map((name) => `${name} (ms)`),
    'hierarchical (ms)',
  ];
  return table(
    head,
    measured
      .filter(({ name, result }) => result.orderMatters || ELEVEN.includes(name))
      .map(({ name, problem, result }) => {
        const random = timed(() => randomBaseline(problem));
        const cell = (order: (problem: OrderProblem) => Int32Array): string => {
          const { value, ms } = timed(() => order(problem));
          return `${bytes(peakOf(problem, value))} (${ms.toFixed(1)})`;
        };
        const { peakBytes, bestBytes, worstBytes } = random.value;
        return [
          name,
          bytes(result.peakBytes),
          `${bytes(peakBytes)} (${bytes(bestBytes)} to ${bytes(worstBytes)}; ${random.ms.toFixed(0)})`,
          ...SINGLE.map((single) => cell(SINGLE_ORDERS[single])),
          problem.operatorCount > 3000 ? 'not run' : cell(hierarchicalOrder),
        ];
      }),
  );
}

function savingTable(measured: readonly Measured[]): string {
  const head = [
    'model',
    'against random, activations',
    'total with weights',
    'against the model order, activations',
    'peak, in place elementwise',
    'peak, weights streamed (own order)',
  ];
  const rows = ELEVEN.flatMap((name) => {
    const found = measured.find((one) => one.name === name);
    if (!found) return [];
    const { graph, result } = found;
    const peakUnder = (options: Parameters<typeof orderProblem>[1]): string => {
      const { status, peakBytes } = findOrder(
        orderProblem(graph, options),
        { timeLimitSeconds: TIME_LIMIT_SECONDS },
        control,
      );
      return `${bytes(peakBytes)} ${status}`;
    };
    const random = result.baselines['random'].peakBytes;
    const weights = graph.weightBytes.bytes;
    return [
      [
        name,
        percent(1 - result.peakBytes / random),
        percent(1 - (result.peakBytes + weights) / (random + weights)),
        percent(1 - result.peakBytes / result.baselines['model'].peakBytes),
        peakUnder({ inPlace: 'elementwise' }),
        peakUnder({ inPlace: 'none', weights: 'streamed' }),
      ],
    ];
  });
  return table(head, rows);
}

function ablationTable(measured: readonly Measured[]): string {
  const variants: [string, SearchRules][] = [['all rules', ALL_RULES]];
  for (const rule of Object.keys(ALL_RULES))
    variants.push([`without ${rule}`, { ...ALL_RULES, [rule]: false }]);
  const rows = measured
    .filter(({ search }) => search.states > 50)
    .map(({ name, problem }) => [
      name,
      ...variants.map(([, rules]) => {
        const { bounds, states, ms } = searchOnly(problem, rules, ABLATION_STATES);
        const gap =
          bounds.peakBytes === bounds.lowerBoundBytes
            ? ''
            : `, gap ${percent(1 - bounds.lowerBoundBytes / bounds.peakBytes)}`;
        console.log(`${name}: ${bytes(states)} states in ${ms.toFixed(0)} ms`);
        return `${bytes(states)} in ${ms.toFixed(0)} ms${gap}`;
      }),
    ]);
  return table(['model', ...variants.map(([name]) => name)], rows);
}

function growthTable(): string {
  const rows = [100, 1000].map((cells) => {
    const problem = orderProblem(toyGraph(repeatedBlocks(cells, 20)), { inPlace: 'none' });
    const { bounds, states, ms } = searchOnly(problem, ALL_RULES, Infinity);
    const status = bounds.peakBytes === bounds.lowerBoundBytes ? 'optimal' : 'feasible';
    return [bytes(problem.operatorCount), status, bytes(bounds.peakBytes), bytes(states), ms.toFixed(0)];
  });
  return table(['operators', 'status', 'peak', 'states', 'ms'], rows);
}

/** Cells that no figure above was tuned on. */
function unseenTable(): string {
  const cells: [string, ToyGraph][] = [];
  for (const operators of [64, 96, 128]) {
    for (let seed = 1; seed <= 3; seed++) {
      for (const sizes of ['equal', 'distinct'] as const)
        cells.push([
          `${operators} operators, ${sizes} sizes, seed ${seed}`,
          wattsStrogatz(operators, seed, sizes),
        ]);
    }
  }
  for (let seed = 1; seed <= 3; seed++)
    cells.push([
      `40 random cells of 24 operators, seed ${seed}`,
      repeatedBlocks(40, 24, { seed, stage: 12 }),
    ]);
  const rows = cells.map(([name, toy]) => {
    const problem = orderProblem(toyGraph(toy), { inPlace: 'none' });
    const { bounds, states, ms } = searchOnly(problem, ALL_RULES, UNSEEN_STATES);
    console.log(`${name}: ${bytes(states)} states in ${ms.toFixed(0)} ms`);
    const { peakBytes, lowerBoundBytes } = bounds;
    const greedy = peakOf(problem, greedyOrder(problem));
    return [
      name,
      peakBytes === lowerBoundBytes ? 'optimal' : 'feasible',
      bytes(peakBytes),
      bytes(lowerBoundBytes),
      percent(1 - lowerBoundBytes / peakBytes),
      bytes(greedy),
      bytes(states),
      ms.toFixed(0),
    ];
  });
  return table(['graph', 'status', 'peak', 'bound', 'gap', 'greedy', 'states', 'ms'], rows);
}

function arenaTable(): string {
  const folder = corpusFolder('arena');
  if (folder === undefined) return 'The cases were not here.';
  const rows = readdirSync(folder)
    .sort()
    .map((file) => {
      const blocks = readBlocks(join(folder, file));
      const start = cpuSeconds();
      const effort = {
        nodes: 0,
        nodeLimit: Infinity,
        interrupted: () => cpuSeconds() - start > ARENA_SECONDS,
      };
      const outcome = packWithin(blocks, ARENA_CAPACITY, effort);
      const seconds = (cpuSeconds() - start).toFixed(2);
      console.log(`arena ${file}: ${outcome.kind} in ${seconds} s`);
      return [
        file.split('.')[0],
        String(blocks.count),
        bytes(liveBoundBytes(blocks)),
        outcome.kind,
        bytes(effort.nodes),
        seconds,
      ];
    });
  return table(['case', 'blocks', 'live bound', `into ${bytes(ARENA_CAPACITY)}`, 'nodes', 's'], rows);
}

function readBlocks(file: string): Blocks {
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  return packBlocks(
    lines.map((text) => {
      const [, lower, upper, size] = text.split(',').map(Number);
      return { lower, upper, size };
    }),
  );
}

const architectures = graphsOf('architectures').map(measure);
const publicModels = graphsOf('public').map(measure);
const large = graphsOf('large').map(measure);
const all = [...architectures, ...publicModels, ...large];
const easy = architectures.filter(({ name }) => !/^ws(64|96)/.test(name));
const provenKnown = publicModels.filter(
  ({ problem, result }) => problem.known && result.status === 'optimal',
).length;
const summary = [
  `Architectures without the cells of 64 and 96 operators: ${easy.length} models, search together ${easy.reduce((sum, one) => sum + one.search.ms, 0).toFixed(0)} ms.`,
  `Public models with known sizes: ${provenKnown} of ${publicModels.filter(({ problem }) => problem.known).length} proven optimal.`,
].join('\n');
const text = [
  '# Operator order and arena: measured',
  'Written by `npm run bench:order`. Times are processor time of one thread, warm, on the machine that ran it; bytes are activations (fp32, batch 1, in-place rule `none` unless said). *States* are those that the search visited; 0 where a plain order already meets the first bound. Every order and every arena (up to 3,000 operators) was replayed by the checker. *Fragmentation* is the arena above the peak of the same order with every size rounded up to 64 bytes, which is what alignment itself takes: a peak of 134 bytes in five tensors is a peak of 320 rounded, and an arena of 320 has no fragmentation. It is left empty where no size is known.',
  summary,
  `## Results\n\n${resultTable(all)}`,
  `## Opponents\n\nWhere order matters, and the eleven models of the comparison.\n\n${opponentTable(all)}`,
  `## Saving on the eleven models of the comparison\n\n${savingTable(all)}`,
  `## What each rule earns\n\nStates and time with all rules and without each, at most ${bytes(ABLATION_STATES)} states.\n\n${ablationTable(all)}`,
  `## Ten times the size\n\nA cell of 20 operators repeated.\n\n${growthTable()}`,
  `## Graphs that nothing was tuned on\n\nWatts-Strogatz cells (two neighbours on either side, rewired with chance 0.75) and chains of random cells, generated by seed, at most ${bytes(UNSEEN_STATES)} states.\n\n${unseenTable()}`,
  `## Offset assignment\n\nThe cases published with MiniMalloc (C++: 1.4 to 17 s).\n\n${arenaTable()}`,
].join('\n\n');
writeFileSync(resolve(__dirname, '../../docs/bench-order.md'), `${text}\n`);
console.log(text);
