import type { Cluster } from '../../cluster/cluster';
import type { Bytes } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import { wholeGene } from '../../latency/gene';
import type { LatencyModel } from '../../latency/workload';
import type { PartitionOptions, PartitionProblem } from './problem';
import type { SearchSpace } from './space';

/** The same model in another scene, searched first with a share of the evaluations. */
export interface ForeignStart {
  /** Of the seed. */
  readonly name: string;
  readonly problem: PartitionProblem;
  /** Of the time that the search takes. */
  readonly share: number;
  /** Evaluations of the search itself that one takes as long as. */
  readonly cost: number;
  /** Its best plan joins in a later epoch instead of being a seed here. */
  readonly isLate: boolean;
}

/** What is different there. */
interface Changed {
  readonly cluster?: Cluster;
  readonly options?: Partial<PartitionOptions>;
}

/** Shares of the time that the evaluations take. */
const OTHER_MODEL_SHARE = { overlapped: 0.3, synchronous: 0.15 };
const LESS_MEMORY_SHARE = 0.1;
const HORIZONTAL_SHARE = 0.1;
/** Of these shares in large models, whose searches are never long enough. */
const IN_LARGE = 1 / 3;
/** Synchronous evaluations that take about as long as an overlapped one. */
const OVERLAPPED_COST = 4;
/** Percent of what the model needs on one device, ascending; a plan that is valid there is valid with more. */
const LESS_MEMORY = [40, 60];

/**
 * The other latency model, whose plans can lie where a search in this one does not get to; less memory, since whoever
 * has more can run every plan of who has less; and all operators split, since from plans with whole ones the way to
 * those without can lead through worse ones.
 */
export function foreignStarts(problem: PartitionProblem, space: SearchSpace): ForeignStart[] {
  const { options, cluster } = problem;
  const isSearched = options.strategy !== 'vertical' && (options.parts?.seeds ?? true);
  if (!isSearched || cluster.devices.length === 1 || space.steps.length === 0) return [];
  const other: LatencyModel = options.latency === 'overlapped' ? 'synchronous' : 'overlapped';
  const start = (name: string, share: number, cost: number, changed: Changed): ForeignStart => ({
    name,
    share,
    cost,
    isLate: changed.options?.strategy !== undefined,
    problem: {
      ...problem,
      ...changed,
      options: {
        ...options,
        ...changed.options,
        evaluations: Math.ceil((options.evaluations * share) / cost),
      },
    },
  });
  const cost = other === 'overlapped' ? OVERLAPPED_COST : 1;
  const part = space.excess > 1 ? IN_LARGE : 1;
  const needed = neededBytes(space);
  const tighter = LESS_MEMORY.flatMap((percent) => {
    const tight = withLessMemory(cluster, Math.floor((needed * percent) / 100));
    return tight === undefined ? [] : [{ percent, tight }];
  });
  return [
    start('other latency model', part * OTHER_MODEL_SHARE[options.latency], cost, {
      options: { latency: other },
    }),
    ...tighter.map(({ percent, tight }) =>
      start(`less memory (${percent} %)`, LESS_MEMORY_SHARE / tighter.length, 1, { cluster: tight }),
    ),
    // From the first epoch on it would keep the islands from plans with whole operators.
    ...(options.strategy === 'hybrid'
      ? [start('split operators', part * HORIZONTAL_SHARE, 1, { options: { strategy: 'horizontal' } })]
      : []),
  ];
}

/** Weights and activations of the whole model on its sink. */
function neededBytes({ workload, devices, steps }: SearchSpace): Bytes {
  const { cluster, genes, graph } = workload;
  const genome = new Array<CompiledGene | undefined>(graph.operators.length).fill(undefined);
  for (const operator of steps) genome[operator] = genes.compile(operator, wholeGene(cluster.sink, devices));
  const evaluator = new Evaluator(workload);
  evaluator.evaluate(genome, Infinity, true);
  return evaluator.peakBytes[cluster.sink] - cluster.devices[cluster.sink].baseMemory;
}

/** At most `bytes` beside the base memory; `undefined` where no device has more. */
function withLessMemory(cluster: Cluster, bytes: Bytes): Cluster | undefined {
  if (cluster.devices.every(({ memory, baseMemory }) => memory - baseMemory <= bytes)) return undefined;
  return {
    ...cluster,
    devices: cluster.devices.map((device) => ({
      ...device,
      memory: Math.min(device.memory, bytes + device.baseMemory),
    })),
  };
}
