import { basename } from 'node:path';
import type { Cluster } from '../core/cluster/cluster';
import type { Control } from '../core/graph/control';
import type { FuseRule, Graph } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import type { Bytes, Seconds } from '../core/graph/units';
import type { LatencyModel } from '../core/latency/workload';
import { lifetimes } from '../core/memory/lifetimes';
import { orderProblem, type InPlaceRule } from '../core/memory/problem';
import { findOrder, type OrderResult } from '../core/order/btsearch';
import { partitionRules } from '../core/partition/rules';
import { buildPlan } from '../core/plan/build';
import { checkPlan } from '../core/plan/check';
import type { Plan } from '../core/plan/plan';
import type { PartitionResult, SeedResult, Strategy } from '../core/search/geneflow/problem';
import { type MakePool, searchPartition } from '../core/search/geneflow/searchPartition';
import type { Analysis } from './analyze';
import { fileSha256 } from './planFile';

export interface OptimizeOptions {
  readonly seed: number;
  readonly latency: LatencyModel;
  readonly strategy: Strategy;
  readonly inPlace: InPlaceRule;
  readonly fuse: FuseRule;
  readonly evaluations: number;
  /** May the search change BTSearch's order where memory allows? */
  readonly order: 'btsearch' | 'free';
  /** A safety stop; absent: the fixed number of evaluations decides alone. */
  readonly timeLimit?: Seconds;
}

export const DEFAULT_OPTIMIZE_OPTIONS: OptimizeOptions = {
  seed: 1,
  latency: 'overlapped',
  strategy: 'hybrid',
  inPlace: 'none',
  fuse: 'none',
  evaluations: 500_000,
  order: 'btsearch',
};

/** How the seeds that put everything on one device are named. */
const SINGLE_DEVICE_PREFIX = 'single ';

/** What the optimizer is doing, and the best figures so far. */
export type OptimizeProgress =
  | { readonly phase: 'ordering'; readonly peakBytes: Bytes; readonly lowerBoundBytes: Bytes }
  | {
      readonly phase: 'partitioning';
      readonly evaluations: number;
      /** 0 to 1. */
      readonly fraction: number;
      /** Of the best valid plan so far. */
      readonly latencySeconds: Seconds | undefined;
    }
  | { readonly phase: 'checking' };

export interface OptimizeRequest {
  readonly modelPath: string;
  readonly analysis: Analysis;
  readonly cluster: Cluster;
  readonly options: OptimizeOptions;
  /** Where the islands live; this thread unless given. */
  readonly makePool?: MakePool;
}

/**
 * Order (BTSearch), partition (GenEFlow), timeline and a checked plan of a model on a cluster.
 * Throws `InputError` where no valid plan was found: which device lacks how much. A plan that the independent
 * checker refuses is never returned.
 */
export async function optimizeModel(
  request: OptimizeRequest,
  control: Control<OptimizeProgress>,
): Promise<Plan> {
  const { modelPath, analysis, cluster, options, makePool } = request;
  const { graph, model, shapes } = analysis;
  const sha256 = fileSha256(modelPath);
  const { order, problem } = orderModel(graph, options, control);
  const rules = partitionRules(graph);
  const searched = await searchPartition(
    {
      graph,
      rules,
      cluster,
      order: order.steps,
      options: { ...options, freeOrder: options.order === 'free' },
    },
    {
      ...control,
      report: ({ evaluations, latencyNs }) =>
        control.report({
          phase: 'partitioning',
          evaluations,
          fraction: Math.min(1, evaluations / options.evaluations),
          latencySeconds: latencyNs === undefined ? undefined : latencyNs / 1e9,
        }),
    },
    makePool,
  );
  if (!searched.valid) throw new InputError(noPlanSentence(searched, cluster));
  control.report({ phase: 'checking' });
  const plan = buildPlan({
    model: {
      file: basename(modelPath),
      bytes: model.fileBytes,
      structureSha256: model.structureSha256,
      sha256: await sha256,
      bindings: boundSymbols(shapes.symbols),
    },
    graph,
    cluster,
    options: planOptions(options),
    stopped: searched.stopped ?? order.stopped,
    order: {
      ...order,
      ...lifetimes(problem, order.steps),
      arenaBytes: order.arena.bytes,
      offsets: order.arena.offsets,
    },
    partition: {
      partitions: searched.partitions,
      timeline: searched.timeline,
      latency: {
        seconds: searched.timeline.latencyNs / 1e9,
        lowerBoundSeconds: 0,
        boundMethod: 'none',
        baselines: baselines(searched),
      },
    },
  });
  const report = checkPlan(graph, rules, plan);
  if (!report.valid) {
    throw new Error(`the optimizer made a plan that its checker refuses: ${report.violations[0].message}`);
  }
  return plan;
}

function orderModel(
  graph: Graph,
  options: OptimizeOptions,
  control: Control<OptimizeProgress>,
): { order: OrderResult; problem: ReturnType<typeof orderProblem> } {
  const problem = orderProblem(graph, { inPlace: options.inPlace });
  const order = findOrder(
    problem,
    { timeLimitSeconds: options.timeLimit },
    {
      ...control,
      report: ({ peakBytes, lowerBoundBytes }) =>
        control.report({ phase: 'ordering', peakBytes, lowerBoundBytes }),
    },
  );
  return { order, problem };
}

/** The plan file names the options that decide its bytes; a time limit is not one of them. */
function planOptions({ timeLimit: _, ...options }: OptimizeOptions): Plan['options'] {
  return options;
}

function boundSymbols(symbols: ReadonlyMap<string, number | undefined>): Record<string, number> {
  const bound = [...symbols].filter((entry): entry is [string, number] => entry[1] !== undefined);
  return Object.fromEntries(bound.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every opponent's latency; `singleDevice` is the best device alone, a valid one where there is any. */
function baselines({ seeds }: PartitionResult): Plan['latency']['baselines'] {
  const entry = ({ latencyNs, valid }: SeedResult): { seconds: Seconds; valid: boolean } => ({
    seconds: latencyNs / 1e9,
    valid,
  });
  const singles = seeds.filter(({ name }) => name.startsWith(SINGLE_DEVICE_PREFIX));
  const better = (a: SeedResult, b: SeedResult): SeedResult =>
    (a.valid === b.valid ? a.latencyNs <= b.latencyNs : a.valid) ? a : b;
  return {
    ...(singles.length === 0 ? {} : { singleDevice: entry(singles.reduce(better)) }),
    ...Object.fromEntries(seeds.map((seed) => [seed.name, entry(seed)])),
  };
}

/**
 * Which device lacks how much in the plan that exceeds the memories least, and what memory in all would do for
 * it: the least at which a plan was found.
 */
function noPlanSentence({ timeline }: PartitionResult, cluster: Cluster): string {
  const lacking = timeline.devices.flatMap(({ peakBytes }, index) => {
    const { name, memory } = cluster.devices[index];
    if (peakBytes <= memory) return [];
    return [`${name} lacks ${mebibytes(peakBytes - memory)} (it needs ${mebibytes(peakBytes)})`];
  });
  const total = timeline.devices.reduce(
    (sum, { peakBytes }, index) => sum + Math.max(peakBytes, cluster.devices[index].memory),
    0,
  );
  return (
    `No valid plan was found: in the plan that comes nearest ${lacking.join(' and ')}; with that it would fit, ` +
    `${mebibytes(total)} of memory in all. Give the devices more memory, or add one.`
  );
}

function mebibytes(bytes: Bytes): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
