import { basename } from 'node:path';
import type { Cluster } from '../core/cluster/cluster';
import { parseCluster } from '../core/cluster/parse';
import { bytesText } from '../core/cluster/quantity';
import type { Control, Stopped } from '../core/graph/control';
import type { FuseRule, Graph } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import type { Bytes, Nanoseconds, OperatorId, Seconds } from '../core/graph/units';
import type { LatencyModel } from '../core/latency/workload';
import { packArena } from '../core/memory/arena';
import { lifetimes, liveBytes } from '../core/memory/lifetimes';
import { orderProblem, type InPlaceRule, type OrderProblem } from '../core/memory/problem';
import { findOrder, type OrderResult } from '../core/order/btsearch';
import type { Dimension, PartitionRules } from '../core/partition/partition';
import { partitionRules } from '../core/partition/rules';
import { planBaselines } from '../core/plan/baselines';
import { buildPlan, type PlannedOrder } from '../core/plan/build';
import { checkPlan } from '../core/plan/check';
import { planGenes } from '../core/plan/genes';
import type { Plan, PlanLatency } from '../core/plan/plan';
import type { LatencyBound } from '../core/search/bounds/boxBound';
import { latencyBound } from '../core/search/bounds/lowerBound';
import type {
  PartitionOptions,
  PartitionProgress,
  PartitionResult,
  Shortfall,
  Pin,
  Strategy,
} from '../core/search/geneflow/problem';
import { requireKnownSizes, searchPartition } from '../core/search/geneflow/searchPartition';
import { searchFrom } from '../core/search/whatIf';
import type { Analysis } from './analyze';
import { fileSha256 } from './planFile';
import type { ProveBound, SearchWorkers } from './searchWorkers';
import { ORDER_SHARE, PROOF_SHARE, TimeLimit } from './timeLimit';

export interface OptimizeOptions {
  readonly seed: number;
  readonly latency: LatencyModel;
  readonly strategy: Strategy;
  readonly inPlace: InPlaceRule;
  readonly fuse: FuseRule;
  readonly evaluations: number;
  /** May the search change BTSearch's order where memory allows? */
  readonly order: 'btsearch' | 'free';
  /** A safety stop for the whole run; absent: the fixed number of evaluations decides alone. */
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

/** Placements tried for the arena of an order that the partition search chose. */
const ARENA_NODES = 100_000;

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
  | { readonly phase: 'bounding' }
  | { readonly phase: 'checking' };

export interface OptimizeRequest {
  readonly modelPath: string;
  readonly analysis: Analysis;
  readonly cluster: Cluster;
  readonly options: OptimizeOptions;
  /** A plan of the same model to start from: a what-if keeps what is good in it. */
  readonly start?: Plan;
  /** What the user wants of operators, by index in `graph.node`. */
  readonly pins?: ReadonlyMap<number, PlanPin>;
  /** Where the parts of the search run; this thread unless given. */
  readonly workers?: SearchWorkers;
}

/** An operator kept whole on a device, or split along a dimension (`none`: whole), whatever it costs. */
export interface PlanPin {
  readonly device?: string;
  readonly dimension?: Dimension;
}

/**
 * Order (BTSearch), partition (GenEFlow), timeline and a checked plan of a model on a cluster.
 * Throws `InputError` where a size is not known, and where no valid plan was found: which device lacks how much. A plan that the independent
 * checker refuses is never returned.
 */
export async function optimizeModel(
  request: OptimizeRequest,
  control: Control<OptimizeProgress>,
): Promise<Plan> {
  const { modelPath, analysis, cluster, options } = request;
  const { graph } = analysis;
  requireKnownSizes(graph);
  const limit = new TimeLimit(() => control.now(), options.timeLimit);
  const sha256 = fileSha256(modelPath);
  const { order, problem } = orderModel(graph, options, limit, control);
  const rules = partitionRules(graph);
  const { searched, bound } = await searchAndProve(request, rules, order.steps, limit, control);
  control.report({ phase: 'checking' });
  const plan = buildPlan({
    model: { ...modelIdentity(request), sha256: await sha256 },
    graph,
    cluster,
    options: planOptions(request),
    stopped: searched.stopped ?? order.stopped ?? stoppedBound(bound, control),
    order: plannedOrder(problem, order, searched.order),
    partition: {
      partitions: searched.partitions,
      timeline: searched.timeline,
      latency: {
        ...plannedLatency(searched, bound, cluster),
        ...(isSameOrder(order.steps, searched.order)
          ? {}
          : { baselineSteps: order.steps.map((id) => graph.operators[id].index) }),
      },
    },
  });
  const report = checkPlan(graph, rules, plan);
  if (!report.valid) {
    throw new Error(`the optimizer made a plan that its checker refuses: ${report.violations[0].message}`);
  }
  return plan;
}

/** The bound is proven beside the search as soon as what it needs of it is known. */
async function searchAndProve(
  request: OptimizeRequest,
  rules: PartitionRules,
  order: readonly OperatorId[],
  limit: TimeLimit,
  control: Control<OptimizeProgress>,
): Promise<{ searched: PartitionResult; bound: LatencyBound }> {
  const { analysis, cluster, options, workers } = request;
  const { latency } = options;
  const prove: ProveBound = workers?.proveBound ?? provenHere;
  let isFailed = false;
  let nearNs: Nanoseconds | undefined;
  let proof: Promise<LatencyBound> | undefined;
  let tellLater!: (latencyNs: Nanoseconds | undefined) => void;
  const later = new Promise<Nanoseconds | undefined>((resolve) => (tellLater = resolve));
  const proven = (incumbentNs: Nanoseconds | undefined): Promise<LatencyBound> => {
    if (proof !== undefined) return proof;
    proof = prove(
      {
        graph: analysis.graph,
        rules,
        cluster,
        latency,
        ...(incumbentNs === undefined ? {} : { incumbentNs }),
      },
      later,
      () => isFailed || control.cancelled() || limit.left() === 0,
    );
    // Its failure is met where it is awaited.
    proof.catch(() => undefined);
    return proof;
  };
  try {
    if (latency === 'overlapped') void proven(undefined);
    const searched = await partitionModel(request, rules, order, limit, control, (latencyNs) => {
      if (nearNs !== undefined) tellLater(latencyNs);
      nearNs ??= latencyNs;
      // On this thread it would keep the search from going on.
      if (workers !== undefined) void proven(nearNs);
    });
    if (searched.shortfall !== undefined) throw new InputError(noPlanSentence(searched.shortfall, cluster));
    control.report({ phase: 'bounding' });
    tellLater(searched.timeline.latencyNs);
    return { searched, bound: await proven(nearNs ?? searched.timeline.latencyNs) };
  } catch (error) {
    isFailed = true;
    tellLater(undefined);
    throw error;
  }
}

const provenHere: ProveBound = async (request, later, isStopped) =>
  latencyBound({ ...request, laterNs: await later }, isStopped);

/** @param near hears of a latency that the search will hardly better, before it ends; perhaps again of a better one */
function partitionModel(
  { analysis, cluster, options, start, pins, workers }: OptimizeRequest,
  rules: PartitionRules,
  order: readonly OperatorId[],
  limit: TimeLimit,
  control: Control<OptimizeProgress>,
  near: (latencyNs: Nanoseconds | undefined) => void,
): Promise<PartitionResult> {
  const { graph } = analysis;
  const reported: Control<PartitionProgress> = {
    ...control,
    report: ({ evaluations, latencyNs, isNearBest = false }) => {
      if (isNearBest) near(latencyNs);
      control.report({
        phase: 'partitioning',
        evaluations,
        fraction: Math.min(1, evaluations / options.evaluations),
        latencySeconds: latencyNs === undefined ? undefined : latencyNs / 1e9,
      });
    },
  };
  const partition: PartitionOptions = {
    ...options,
    timeLimit: limit.left(1 - PROOF_SHARE),
    freeOrder: options.order === 'free',
    ...(pins === undefined ? {} : { pins: operatorPins(graph, rules, cluster, pins) }),
  };
  const problem = { graph, rules, cluster, order, options: partition };
  if (start === undefined) return searchPartition(problem, reported, workers?.makePool);
  const before = parseCluster(start.cluster);
  const genes = planGenes(graph, rules, start, before);
  return searchFrom({ ...problem, cluster: before }, genes, cluster, reported, workers?.makePool);
}

/** @throws InputError where the graph or the cluster has no such operator, device or split */
export function operatorPins(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  pins: ReadonlyMap<number, PlanPin>,
): ReadonlyMap<OperatorId, Pin> {
  const byOperator = new Map<OperatorId, Pin>();
  for (const [index, pin] of pins) {
    const found = operatorPin(graph, rules, cluster, index, pin);
    if (typeof found === 'string') throw new InputError(found);
    byOperator.set(...found);
  }
  return byOperator;
}

/** In ids, or why there is no such pin. */
function operatorPin(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  index: number,
  { device, dimension }: PlanPin,
): readonly [OperatorId, Pin] | string {
  const operator = graph.operators.find((candidate) => candidate.index === index);
  if (operator === undefined) {
    return `There is no operator ${index} to pin: numbers are positions in the file, constants left out; analyze lists them.`;
  }
  const id = cluster.devices.findIndex(({ name }) => name === device);
  if (device !== undefined && id < 0) return `There is no device "${device}" to pin operator ${index} to.`;
  const isKnown = dimension === undefined || dimension === 'none';
  if (!isKnown && !rules.splits(operator.id).some((split) => split.dimension === dimension))
    return `Operator ${index} (${operator.type}) cannot be split by ${dimension}.`;
  return [
    operator.id,
    {
      ...(device === undefined ? {} : { device: id }),
      ...(dimension === undefined ? {} : { dimension }),
    },
  ];
}

/** Those of a plan, by index in `graph.node`. */
export function pinsOf({ options }: Plan): ReadonlyMap<number, PlanPin> {
  const pins = (options['pins'] ?? {}) as Readonly<Record<string, PlanPin>>;
  return new Map(Object.entries(pins).map(([index, pin]) => [Number(index), pin]));
}

/** Without those whose operator, device or split this graph and cluster do not have. */
export function possiblePins(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  pins: ReadonlyMap<number, PlanPin>,
): ReadonlyMap<number, PlanPin> {
  return new Map(
    [...pins].filter(([index, pin]) => typeof operatorPin(graph, rules, cluster, index, pin) !== 'string'),
  );
}

function modelIdentity({
  modelPath,
  analysis: { model, shapes },
}: OptimizeRequest): Omit<Plan['model'], 'sha256'> {
  return {
    file: basename(modelPath),
    bytes: model.fileBytes,
    structureSha256: model.structureSha256,
    bindings: boundSymbols(shapes.symbols),
  };
}

/** BTSearch's order with its proof, or the order that the partition search preferred, with its own peak and arena. */
function plannedOrder(problem: OrderProblem, order: OrderResult, steps: readonly OperatorId[]): PlannedOrder {
  const lives = lifetimes(problem, steps);
  const isSame = isSameOrder(steps, order.steps);
  const peakBytes = isSame ? order.peakBytes : liveBytes(problem, steps, lives).peakBytes;
  const arena = isSame
    ? order.arena
    : packArena(problem, steps, { nodes: 0, nodeLimit: ARENA_NODES, interrupted: () => false });
  return {
    status: peakBytes === order.lowerBoundBytes ? 'optimal' : 'feasible',
    steps,
    peakBytes,
    lowerBoundBytes: order.lowerBoundBytes,
    arenaBytes: arena.bytes,
    offsets: arena.offsets,
    bodyOffsets: arena.stepOffsets,
    firstStep: lives.firstStep,
    lastStep: lives.lastStep,
    baselines: order.baselines,
  };
}

function isSameOrder(a: readonly OperatorId[], b: readonly OperatorId[]): boolean {
  return a.every((operator, step) => operator === b[step]);
}

function plannedLatency(
  searched: PartitionResult,
  bound: LatencyBound,
  cluster: Cluster,
): Omit<PlanLatency, 'model'> {
  const { timeline, givenOrder, seeds } = searched;
  const opponents = seeds.map((seed) => ({ ...seed, seconds: seed.latencyNs / 1e9 }));
  const given =
    givenOrder === undefined
      ? []
      : [{ ...givenOrder, name: 'btsearchOrder', seconds: givenOrder.latencyNs / 1e9 }];
  return {
    seconds: timeline.latencyNs / 1e9,
    lowerBoundSeconds: bound.ns / 1e9,
    boundMethod: bound.method,
    ...(bound.certificate === undefined ? {} : { boundCertificate: bound.certificate }),
    ...planBaselines([...opponents, ...given], cluster),
  };
}

function stoppedBound({ stopped }: LatencyBound, control: Control<OptimizeProgress>): Stopped | undefined {
  if (!stopped) return undefined;
  return control.cancelled() ? 'cancel' : 'time';
}

function orderModel(
  graph: Graph,
  options: OptimizeOptions,
  limit: TimeLimit,
  control: Control<OptimizeProgress>,
): { order: OrderResult; problem: OrderProblem } {
  const problem = orderProblem(graph, { inPlace: options.inPlace });
  const order = findOrder(
    problem,
    { timeLimitSeconds: limit.left(ORDER_SHARE) },
    {
      ...control,
      report: ({ peakBytes, lowerBoundBytes }) =>
        control.report({ phase: 'ordering', peakBytes, lowerBoundBytes }),
    },
  );
  return { order, problem };
}

/** The plan file names the options that decide its bytes; a time limit is not one of them. */
function planOptions({ options: { timeLimit: _, ...options }, pins }: OptimizeRequest): Plan['options'] {
  return pins === undefined || pins.size === 0 ? options : { ...options, pins: Object.fromEntries(pins) };
}

function boundSymbols(symbols: ReadonlyMap<string, number | undefined>): Record<string, number> {
  const bound = [...symbols].filter((entry): entry is [string, number] => entry[1] !== undefined);
  return Object.fromEntries(bound.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Which device lacks how much in the plan that exceeds the memories least, and what memory in all would do for
 * it: the least at which a plan was found.
 */
function noPlanSentence({ lackingBytes, leastTotalBytes }: Shortfall, cluster: Cluster): string {
  const lacking = lackingBytes.flatMap((bytes, index) => {
    const { name, memory } = cluster.devices[index];
    return bytes === 0 ? [] : [`${name} lacks ${bytesText(bytes)} (it needs ${bytesText(memory + bytes)})`];
  });
  return (
    `No valid plan was found: in the plan that comes nearest ${lacking.join(' and ')}; with that it would fit, ` +
    `${bytesText(leastTotalBytes)} of memory in all. Give the devices more memory, or add one.`
  );
}
