import type { Graph } from '../../src/core/graph/graph';
import type { Random } from '../../src/core/graph/random';
import { genePartition } from '../../src/core/latency/gene';
import { simulate } from '../../src/core/latency/simulate';
import type { Timeline } from '../../src/core/latency/timeline';
import { createWorkload, type Genome, type Workload } from '../../src/core/latency/workload';
import { packArena } from '../../src/core/memory/arena';
import { lifetimes, liveBytes } from '../../src/core/memory/lifetimes';
import { orderProblem, type InPlaceRule } from '../../src/core/memory/problem';
import { partitionRules } from '../../src/core/partition/rules';
import { buildPlan } from '../../src/core/plan/build';
import type { Plan } from '../../src/core/plan/plan';
import { randomCluster, randomGene, shuffledOrder } from './randomPlan';

/** The plan file of a genome and its timeline, in the workload's order; without bound and opponents. */
export function planOf(
  workload: Workload,
  genome: Genome,
  timeline: Timeline,
  inPlace: InPlaceRule = 'none',
): Plan {
  const { graph, cluster, order, genes, latencyModel } = workload;
  const problem = orderProblem(graph, { inPlace });
  const lives = lifetimes(problem, order);
  const arena = packArena(problem, order, { nodes: 0, nodeLimit: 1000, interrupted: () => false });
  return buildPlan({
    model: { file: 'm.onnx', bytes: 0, structureSha256: '', sha256: '', bindings: {} },
    graph,
    cluster,
    options: {
      seed: 1,
      latency: latencyModel,
      strategy: 'hybrid',
      inPlace,
      fuse: graph.fuse,
      evaluations: 0,
    },
    order: {
      status: 'feasible',
      steps: order,
      peakBytes: liveBytes(problem, order, lives).peakBytes,
      lowerBoundBytes: 0,
      arenaBytes: arena.bytes,
      offsets: arena.offsets,
      bodyOffsets: arena.stepOffsets,
      ...lives,
      baselines: {},
    },
    partition: {
      partitions: graph.operators.map(({ id }) => {
        const gene = genome[id]?.gene;
        return gene && genePartition(gene, genes.splits(id));
      }),
      timeline,
      latency: {
        seconds: timeline.latencyNs / 1e9,
        lowerBoundSeconds: 0,
        boundMethod: 'none',
        baselines: {},
      },
    },
  });
}

/** Any order, splits, cuts and devices of a graph, with memory enough for them. */
export function randomPlan(random: Random, graph: Graph, inPlace: InPlaceRule = 'none'): Plan {
  const rules = partitionRules(graph);
  const cluster = randomCluster(random, 2 ** 40);
  const workload = createWorkload(graph, rules, cluster, shuffledOrder(random, graph), 'overlapped');
  const genome = graph.operators.map(({ id, isView }) =>
    isView
      ? undefined
      : workload.genes.compile(id, randomGene(random, rules.splits(id), cluster.devices.length)),
  );
  return planOf(workload, genome, simulate(workload, genome), inPlace);
}
