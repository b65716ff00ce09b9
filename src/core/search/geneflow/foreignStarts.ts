import type { Cluster } from '../../cluster/cluster';
import type { Bytes } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import { wholeGene } from '../../latency/gene';
import type { LatencyModel } from '../../latency/workload';
import type { PartitionProblem } from './problem';
import type { SearchSpace } from './space';

/** The same model in another scene, searched first with a share of the evaluations: its best plan is a seed here. */
export interface ForeignStart {
  /** Of the seed. */
  readonly name: string;
  readonly problem: PartitionProblem;
}

/** Shares of the evaluations. */
const OTHER_MODEL_SHARE = 0.15;
const LESS_MEMORY_SHARE = 0.1;
/** Of what the model needs on one device; a plan that is valid there is valid with more. */
const LESS_MEMORY = 0.4;

/**
 * The other latency model, whose plans can lie where a search in this one does not get to; and less memory, since
 * whoever has more can run every plan of who has less.
 */
export function foreignStarts(problem: PartitionProblem, space: SearchSpace): ForeignStart[] {
  const { options, cluster } = problem;
  const isSearched = options.strategy !== 'vertical' && (options.parts?.seeds ?? true);
  if (!isSearched || cluster.devices.length === 1 || space.steps.length === 0) return [];
  const latency: LatencyModel = options.latency === 'overlapped' ? 'synchronous' : 'overlapped';
  const evaluations = (share: number): number => Math.ceil(options.evaluations * share);
  const starts: ForeignStart[] = [
    {
      name: 'other latency model',
      problem: { ...problem, options: { ...options, latency, evaluations: evaluations(OTHER_MODEL_SHARE) } },
    },
  ];
  const tight = withLessMemory(cluster, Math.floor(LESS_MEMORY * neededBytes(space)));
  if (tight !== undefined) {
    starts.push({
      name: 'less memory',
      problem: {
        ...problem,
        cluster: tight,
        options: { ...options, evaluations: evaluations(LESS_MEMORY_SHARE) },
      },
    });
  }
  return starts;
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
