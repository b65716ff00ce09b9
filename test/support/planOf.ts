import { genePartition } from '../../src/core/latency/gene';
import type { Timeline } from '../../src/core/latency/timeline';
import type { Genome, Workload } from '../../src/core/latency/workload';
import { packArena } from '../../src/core/memory/arena';
import { lifetimes, liveBytes } from '../../src/core/memory/lifetimes';
import { orderProblem } from '../../src/core/memory/problem';
import { buildPlan } from '../../src/core/plan/build';
import type { Plan } from '../../src/core/plan/plan';

/** The plan file of a genome and its timeline, in the workload's order; without bound and opponents. */
export function planOf(workload: Workload, genome: Genome, timeline: Timeline): Plan {
  const { graph, cluster, order, genes, latencyModel } = workload;
  const problem = orderProblem(graph, { inPlace: 'none' });
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
      inPlace: 'none',
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
