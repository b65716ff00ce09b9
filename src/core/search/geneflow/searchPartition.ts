/**
 * GenEFlow (reconstruction: the paper does not publish its operators): a genetic algorithm whose chromosome is the
 * partition decision of every operator. A fixed number of islands evolve from the same seeds with randomness of
 * their own; after each of a fixed number of epochs every island passes its best plan on to the next. So the
 * result depends on the problem and the seed alone, not on how many workers the islands live in.
 *
 * MemoriaNova, ACM TACO 22(1), doi 10.1145/3701997.
 */
import type { Control, Stopped } from '../../graph/control';
import { InputError } from '../../graph/problem';
import { genePartition, type Gene } from '../../latency/gene';
import { simulate } from '../../latency/simulate';
import type { Timeline } from '../../latency/timeline';
import { isBetter } from './individual';
import { ISLANDS, LocalIslandPool, searchSpace, type IslandPool, type IslandReport } from './islandPool';
import type { PartitionProblem, PartitionProgress, PartitionResult, SeedResult, Shortfall } from './problem';
import { simpleSeeds } from './seeds';
import type { SearchSpace } from './space';
import { searchVertical } from './vertical';

/** Exchanges between the islands; each epoch has the same number of evaluations. */
const EPOCHS = 12;

/** Makes the pool that the islands live in; `stop` tells them to come to an end. */
export type MakePool = (problem: PartitionProblem, stop: () => boolean) => IslandPool;

const onThisThread: MakePool = (problem, stop) => new LocalIslandPool(problem, stop);

/**
 * Searches a plan of least latency within every device's memory. Where none is found the result says so
 * (`valid: false`) and is the plan that exceeds the memories least.
 * @throws InputError where a tensor's size is not known: no memory could be promised then
 */
export async function searchPartition(
  problem: PartitionProblem,
  control: Control<PartitionProgress>,
  makePool: MakePool = onThisThread,
): Promise<PartitionResult> {
  requireKnownSizes(problem);
  const started = control.now();
  const { timeLimit = Infinity, evaluations } = problem.options;
  const stop = (): boolean => control.cancelled() || control.now() - started > timeLimit;
  const reasonToStop = (): Stopped | undefined =>
    !stop() ? undefined : control.cancelled() ? 'cancel' : 'time';
  const space = searchSpace(problem);
  const pool = makePool(problem, stop);
  try {
    const seeds = [...simpleSeeds(space), ...(problem.seeds ?? [])];
    const seedResults = await pool.start(seeds);
    if (problem.options.strategy === 'vertical') {
      const { best: found, evaluations: tried } = searchVertical(space, seeds, evaluations, stop);
      const report = { ...found, genes: found.genome.map((gene) => gene?.gene), evaluations: tried };
      return resultOf(space, report, seedResults, [report], reasonToStop());
    }
    const perEpoch = Math.ceil(evaluations / ISLANDS / EPOCHS);
    let reports: readonly IslandReport[] = [];
    let best: IslandReport | undefined;
    for (let epoch = 0; epoch < EPOCHS && !(stop() && best !== undefined); epoch++) {
      reports = await pool.run(
        perEpoch,
        reports.map((_, island) => reports[(island + ISLANDS - 1) % ISLANDS]),
      );
      best = reports.reduce(
        (found, report) => (isBetter(report, found) ? report : found),
        best ?? reports[0],
      );
      control.report(progress(best, reports));
    }
    return resultOf(space, best!, seedResults, reports, reasonToStop());
  } finally {
    pool.dispose();
  }
}

function requireKnownSizes({ graph }: PartitionProblem): void {
  for (const { bytes, tensors, consumers, isOutput } of graph.storages) {
    if (bytes !== undefined || (consumers.length === 0 && !isOutput)) continue;
    const { name, shapeText } = graph.tensors[tensors[0]];
    throw new InputError(
      `The size of tensor "${name}" (${shapeText}) is not known, so no memory can be promised: bind its dimensions first.`,
    );
  }
}

function progress(best: IslandReport, reports: readonly IslandReport[]): PartitionProgress {
  return {
    evaluations: reports.reduce((sum, report) => sum + report.evaluations, 0),
    latencyNs: best.violation === 0 ? best.latencyNs : undefined,
    violation: best.violation,
  };
}

function resultOf(
  space: SearchSpace,
  best: IslandReport,
  seeds: readonly SeedResult[],
  reports: readonly IslandReport[],
  stopped: Stopped | undefined,
): PartitionResult {
  const { workload, splits } = space;
  const genome = best.genes.map((gene, operator) =>
    gene === undefined ? undefined : space.compile(operator, gene),
  );
  const timeline = simulate(workload, genome);
  return {
    order: workload.order,
    genes: best.genes,
    partitions: best.genes.map((gene: Gene | undefined, operator) =>
      gene === undefined ? undefined : genePartition(gene, splits[operator]),
    ),
    timeline,
    valid: best.violation === 0,
    ...(best.violation === 0 ? {} : { shortfall: shortfall(space, timeline) }),
    evaluations: reports.reduce((sum, report) => sum + report.evaluations, 0),
    ...(stopped === undefined ? {} : { stopped }),
    seeds,
  };
}

function shortfall({ workload }: SearchSpace, timeline: Timeline): Shortfall {
  const { devices } = workload.cluster;
  const lackingBytes = devices.map(({ memory }, device) =>
    Math.max(0, timeline.devices[device].peakBytes - memory),
  );
  const leastTotalBytes = devices.reduce((sum, { memory }, device) => sum + memory + lackingBytes[device], 0);
  return { lackingBytes, leastTotalBytes };
}
