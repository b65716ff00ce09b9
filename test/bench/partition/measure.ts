/** One row: GenEFlow, all its opponents and the bound for one model, network, latency model and memory. */
import { loadavg } from 'node:os';
import { Evaluator } from '../../../src/core/latency/evaluator';
import type { Gene } from '../../../src/core/latency/gene';
import {
  createWorkload,
  type Genome,
  type LatencyModel,
  type Workload,
} from '../../../src/core/latency/workload';
import { latencyBound } from '../../../src/core/search/bounds/lowerBound';
import type {
  PartitionOptions,
  PartitionProgress,
  PartitionResult,
} from '../../../src/core/search/geneflow/problem';
import { searchPartition, type MakePool } from '../../../src/core/search/geneflow/searchPartition';
import { byOperator, GeneProblem } from '../../../src/core/search/opponents/geneProblem';
import { gridOptimum } from '../../../src/core/search/opponents/grid';
import type { SolveLinear } from '../../../src/core/search/opponents/linearModel';
import { linearProgramPlan } from '../../../src/core/search/opponents/linearProgram';
import { randomSearch } from '../../../src/core/search/opponents/randomSearch';
import { freeControl } from '../../support/control';
import { keep, type Outcome, readKept, type Row, rowFile, type RowKey } from './rows';
import type { Network } from '../../support/fourDevices';
import { clusterFor, type Model } from './scene';

/** Columns of the methods whose plans seed the search: by how their names begin, the best where several do. */
const SEEDED: readonly (readonly [string, RegExp])[] = [
  ['best single', /^single /],
  ['equal rows', /^equal rows/],
  ['prop. rows', /^proportional rows/],
  ['equal ch.', /^equal channels/],
  ['prop. ch.', /^proportional channels/],
  ['pipeline', /pipeline/],
  ['fused tiles', /^fused/],
  ['greedy', /^greedy/],
  ['elimination', /elimination/],
];
export const LINEAR_PROGRAM = 'linear program';
export const GRID_OPTIMUM = 'grid optimum';
export const RANDOM_SEARCH = 'random';
export const OTHER_MODEL = 'other model';
export const STRATEGIES = ['horizontal', 'vertical'] as const;
export const OPPONENTS: readonly string[] = [
  ...SEEDED.map(([name]) => name),
  LINEAR_PROGRAM,
  GRID_OPTIMUM,
  RANDOM_SEARCH,
  OTHER_MODEL,
  ...STRATEGIES,
];

/** Of the budget, for each of the other strategies. */
export const STRATEGY_SHARE = 1 / 8;
/** Parts of an axis on the grid, by how many operators at most. */
export const GRID_PARTS: readonly (readonly [operators: number, parts: number])[] = [
  [100, 9],
  [250, 4],
  [Infinity, 2],
];

/** Operators evaluated by the random search at most: it is slow and hopeless on large models. */
export const RANDOM_OPERATORS = 1_000_000;

export interface Tools {
  readonly makePool: MakePool;
  readonly solve: SolveLinear;
}

export async function measureRow(
  model: Model,
  key: RowKey,
  wantedEvaluations: number,
  grid: () => readonly Gene[],
  { makePool, solve }: Tools,
): Promise<Row> {
  const { graph, rules, order, operators } = model;
  const { network, latency, memory, seed } = key;
  const cluster = clusterFor(model, network, memory);
  const [load] = loadavg();
  let nearNs: number | undefined;
  const report = ({ isNearBest = false, latencyNs }: PartitionProgress): void => {
    if (isNearBest) nearNs ??= latencyNs;
  };
  const search = (changed: Partial<PartitionOptions>): Promise<PartitionResult> => {
    const options = { seed, latency, evaluations: wantedEvaluations, freeOrder: false } as const;
    const problem = {
      graph,
      rules,
      cluster,
      order,
      options: { ...options, strategy: 'hybrid', ...changed },
    } as const;
    return searchPartition(problem, { ...freeControl(), report }, makePool);
  };
  const start = performance.now();
  const result = await search({});
  const searched = performance.now();
  const found = { geneflow: outcomeOf(result), ...(nearNs === undefined ? {} : { nearNs }) };
  const bounded = measureBound(model, key, found);
  const workload = createWorkload(graph, rules, cluster, order, latency);
  const draws = Math.min(result.evaluations, Math.ceil(RANDOM_OPERATORS / operators));
  const random = randomSearch(workload, draws, seed);
  const opponents: Record<string, Outcome> = {
    ...seededOutcomes(result),
    [LINEAR_PROGRAM]: replayed(workload, byOperator(workload, linearProgramPlan(workload, solve))),
    [GRID_OPTIMUM]: replayed(workload, byOperator(workload, grid())),
    [RANDOM_SEARCH]: { ns: random.latencyNs, valid: random.violation === 0, evaluations: draws },
  };
  for (const strategy of STRATEGIES) {
    const other = await search({ strategy, evaluations: Math.ceil(wantedEvaluations * STRATEGY_SHARE) });
    opponents[strategy] = outcomeOf(other);
  }
  return {
    ...key,
    operators,
    wantedEvaluations,
    ...found,
    ...bounded,
    opponents,
    genes: result.genes.map((gene) => gene ?? null),
    searchSeconds: (searched - start) / 1000,
    load,
  };
}

type Bounded = Pick<Row, 'boundNs' | 'boundMethod' | 'boundSeconds'>;

/** The proven bound beside GenEFlow's plan. */
export function measureBound(
  model: Model,
  { network, latency, memory }: RowKey,
  { geneflow, nearNs }: Pick<Row, 'geneflow' | 'nearNs'>,
): Bounded {
  const { graph, rules } = model;
  const cluster = clusterFor(model, network, memory);
  const laterNs = geneflow.valid ? geneflow.ns : undefined;
  const incumbentNs = nearNs ?? laterNs;
  const start = performance.now();
  const { ns, method } = latencyBound({ graph, rules, cluster, latency, incumbentNs, laterNs }, () => false);
  return { boundNs: ns, boundMethod: method, boundSeconds: (performance.now() - start) / 1000 };
}

/** The grid optimum is found in the synchronous model without limits, once per model and network. */
export function gridGenes(model: Model, network: Network): readonly Gene[] {
  const { graph, rules, order, operators } = model;
  const cluster = clusterFor(model, network, 'unlimited');
  const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
  const [, parts] = GRID_PARTS.find(([most]) => operators <= most)!;
  const file = `grid ${model.name} ${network} ${parts}.json`;
  const kept = readKept<readonly Gene[]>(file);
  if (kept !== undefined) return kept;
  const { genes } = gridOptimum(new GeneProblem(workload), parts);
  keep(file, genes);
  return genes;
}

/** Replays the best plans of the two latency models in each other, where both are known. */
export function exchange(model: Model, row: Row): Row {
  const other: LatencyModel = row.latency === 'overlapped' ? 'synchronous' : 'overlapped';
  const twin = readKept<Row>(rowFile({ ...row, latency: other }));
  if (twin === undefined) return row;
  keep(rowFile(twin), withOther(model, twin, row));
  return withOther(model, row, twin);
}

function withOther(model: Model, row: Row, { genes }: Row): Row {
  const { graph, rules, order } = model;
  const cluster = clusterFor(model, row.network, row.memory);
  const workload = createWorkload(graph, rules, cluster, order, row.latency);
  const outcome = replayed(
    workload,
    genes.map((gene, id) => (gene === null ? undefined : workload.genes.compile(id, gene))),
  );
  return { ...row, opponents: { ...row.opponents, [OTHER_MODEL]: outcome } };
}

function replayed(workload: Workload, genome: Genome): Outcome {
  const evaluator = new Evaluator(workload);
  evaluator.evaluate(genome, Infinity, true);
  return { ns: evaluator.latencyNs, valid: evaluator.violation === 0 };
}

function outcomeOf({ timeline, valid, evaluations }: PartitionResult): Outcome {
  return { ns: timeline.latencyNs, valid, evaluations };
}

function seededOutcomes({ seeds }: PartitionResult): Record<string, Outcome> {
  const found: Record<string, Outcome> = {};
  for (const [column, name] of SEEDED) {
    const own = seeds.filter((seed) => name.test(seed.name));
    if (own.length === 0) continue;
    const valid = own.filter((seed) => seed.valid);
    const ns = Math.min(...(valid.length > 0 ? valid : own).map(({ latencyNs }) => latencyNs));
    found[column] = { ns, valid: valid.length > 0 };
  }
  return found;
}
