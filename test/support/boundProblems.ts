/** Small nets on random clusters, for tests of the bounds' pairwise problem. */
import type { Cluster } from '../../src/core/cluster/cluster';
import type { Graph } from '../../src/core/graph/graph';
import { type Random } from '../../src/core/graph/random';
import { NONE } from '../../src/core/graph/units';
import { computedRange, geneDevices, reorderedGenes, type Gene } from '../../src/core/latency/gene';
import { createWorkload, type Workload } from '../../src/core/latency/workload';
import { orderCharges } from '../../src/core/search/bounds/orderCharges';
import { SynchronousProblem } from '../../src/core/search/bounds/synchronousProblem';
import { partitionRules } from '../../src/core/partition/rules';
import { BoundScene } from '../../src/core/search/bounds/scene';
import { NetBuilder } from './netGraph';
import { randomCluster, randomGene } from './randomPlan';

/** A chain along whose rows halos of several widths are needed, and now and then all channels or two branches. */
export function chainOf(random: Random): Graph {
  const net = new NetBuilder();
  const rows = 14 + random.below(8);
  // Where columns are as rows the bounds leave them out.
  let x = net.input([1, 4, rows, random.below(2) === 0 ? rows : 6]);
  for (let i = 0; i < 4; i++) {
    const kind = random.below(18);
    if (kind === 0) x = net.relu(x);
    else if (kind === 1 && net.shape(x)[2] > 8) x = net.maxPool(x, 2 + random.below(2), 2);
    else if (kind === 2) x = net.shuffle(net.conv(x, 8, 1, 1, 4), 4);
    else if (kind === 3) x = net.shuffle(x, 2);
    else if (kind === 5 && net.shape(x)[2] < 30) x = net.convTranspose(x, 4, 2 + random.below(3), 2);
    else if (kind === 6) x = net.conv(x, 4, 3, 1, 1, undefined, 2);
    else if (kind === 4) x = net.sliceChannels(net.conv(x, 8, 1), 2, 6);
    else if (kind === 17) {
      const long = [3, 5, 7][random.below(3)];
      x = net.stripe(x, 4, random.below(2) === 0 ? [1, long] : [long, random.below(2) === 0 ? 1 : 3]);
    } else if (kind === 16) {
      const parts = [1, 3, 1, 1].map((kernel) => net.conv(x, 1, kernel));
      x = net.concat(random.below(2) === 0 ? parts : parts.slice(2));
    } else if (kind === 13) {
      const [, channels] = net.shape(x);
      x = net.conv(x, channels, [1, 3, 5][random.below(3)], 1 + random.below(2), channels);
    } else if (kind === 14) {
      const before = net.relu(x);
      x = net.conv(net.sum(net.maxPool(before, 2, 2), net.maxPool(before, 3, 2)), 4, 3);
    } else if (kind === 15) {
      const [, channels] = net.shape(x);
      x = net.sum(net.conv(net.conv(x, channels, 3, 1, channels), channels, 1), x);
    } else if (kind === 12) {
      const read = net.relu(x);
      x = net.sum(net.conv(net.conv(read, net.shape(x)[1], 1), net.shape(x)[1], 3), read);
    } else if (kind === 7) {
      const read = net.relu(net.conv(x, 4, 1));
      x = net.concat([net.conv(read, 2, 1), net.conv(read, 2, random.below(2) === 0 ? 1 : 3)]);
    } else x = net.conv(x, 4, [1, 3, 3, 5][random.below(4)], 1 + Number(random.below(8) === 0 && i < 2));
  }
  if (random.below(3) === 0) x = net.gemm(net.flatten(x), 6);
  return net.finish([x]);
}

/** The same rows for all operators, but for small shifts, with small halos that are computed again, in some order. */
export function alikeGenes(random: Random, workload: Workload): Gene[] {
  const count = workload.cluster.devices.length;
  const shares = Array.from(
    { length: count },
    (_, d) => random.below(4) + Number(d === 0 || random.below(5) > 0),
  );
  return workload.flow.steps.map((operator) => {
    const splits = workload.genes.splits(operator);
    const along = ['C', 'W', 'H', 'H', 'H', 'H'][random.below(6)];
    const split = splits.findIndex(({ dimension }) => dimension === along);
    if (split === NONE || random.below(12) === 0) return randomGene(random, splits, count);
    const { unit } = splits[split];
    const length = splits[split].length / unit;
    const all = shares.reduce((sum, share) => sum + share, 0);
    let sum = 0;
    const inner = shares.slice(1).map((_, d) => {
      sum += shares[d];
      return (
        unit *
        Math.min(length, Math.max(0, Math.round((length * sum) / all) + [0, 0, 1, -1, 2][random.below(5)]))
      );
    });
    const halos = Array.from({ length: 2 * count }, () =>
      random.below(3) === 0 ? unit * (1 + random.below(2)) : 0,
    );
    const cuts = [0, ...inner.sort((a, b) => a - b), unit * length];
    const gene = { split, cuts, reduceOn: NONE, halos: random.below(2) === 0 ? halos : undefined };
    const others = reorderedGenes(gene);
    return random.below(3) === 0 && others.length > 0 ? others[random.below(others.length)] : gene;
  });
}

/** How an operator is split in a plan, as the problem sees it. */
export interface SplitLengths {
  readonly option: number;
  readonly lengths: Int32Array;
  /** Units, where it is split. */
  readonly ranges?: readonly (readonly [start: number, end: number])[];
}

export function lengthsOf(
  problem: SynchronousProblem,
  workload: Workload,
  genes: readonly Gene[],
  variable: number,
): SplitLengths {
  const operator = problem.operators[variable];
  const gene = workload.genes.compile(operator, genes[workload.flow.steps.indexOf(operator)]).gene;
  const options = problem.options[variable];
  const lengths = new Int32Array(workload.cluster.devices.length);
  if (gene.split === NONE) {
    const [device] = geneDevices(gene);
    lengths[device] = 1;
    return {
      option: options.findIndex((own) => own.split === NONE && own.device === device),
      lengths,
    };
  }
  const splits = workload.genes.splits(operator);
  const { unit } = splits[gene.split];
  const ranges = Array.from(lengths, (_, d) => {
    const [start, end] = computedRange(gene, d);
    return [start / unit, end / unit] as const;
  });
  ranges.forEach(([start, end], d) => (lengths[d] = end - start));
  const isLeftOut = options.every(({ split }) => split !== gene.split);
  // Columns that are as rows are left out.
  const { length } = splits[gene.split];
  const split = isLeftOut
    ? splits.findIndex((rows) => rows.dimension === 'H' && rows.length === length)
    : gene.split;
  const option = options.findIndex(
    (own) => own.split === split && (!own.isReduced || own.device === gene.reduceOn),
  );
  return { option, lengths, ranges };
}

/** @returns whether there was something to charge */
export function chargeAtRandom(problem: SynchronousProblem, random: Random): boolean {
  const phases = problem
    .phasesByOrder(problem.operators.map(() => 0))
    .map(({ from, to }) => ({ from, to, kept: someNs(random), reordered: someNs(random) }));
  const charges = orderCharges(phases, problem.operators.length);
  problem.chargeOrders(charges);
  return charges.some((charge) => charge > 0);
}

function someNs(random: Random): number {
  return 10 ** (3 + 5 * random.next());
}

export function severalDevices(random: Random): Cluster {
  for (;;) {
    const cluster = randomCluster(random);
    if (cluster.devices.length >= 3) return cluster;
  }
}

/** A chain on several devices. @param areJoinsRelays sums and concatenations are left out */
export function chainProblem(
  random: Random,
  areJoinsRelays: boolean,
): { graph: Graph; workload: Workload; problem: SynchronousProblem } {
  const graph = chainOf(random);
  const rules = partitionRules(graph);
  const cluster = severalDevices(random);
  const order = graph.operators.map(({ id }) => id);
  const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
  const scene = new BoundScene(graph, rules, cluster);
  return { graph, workload, problem: new SynchronousProblem(scene, undefined, () => false, areJoinsRelays) };
}
