import assert from 'node:assert/strict';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom, type Random } from '../../../../../src/core/graph/random';
import { NONE } from '../../../../../src/core/graph/units';
import { Evaluator } from '../../../../../src/core/latency/evaluator';
import { type Gene } from '../../../../../src/core/latency/gene';
import { createWorkload, type Workload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { ALL_OVERLAPS } from '../../../../../src/core/search/bounds/placedPhase';
import { weightPrices, type MemoryPrices } from '../../../../../src/core/search/bounds/pricedStep';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import {
  SynchronousProblem,
  type CompiledBox,
} from '../../../../../src/core/search/bounds/synchronousProblem';
import { waysToShare } from '../../../../../src/core/search/waysToShare';
import { NetBuilder, randomNet } from '../../../../support/netGraph';
import { randomGene } from '../../../../support/randomPlan';
import {
  alikeGenes,
  chainOf,
  chainProblem,
  chargeAtRandom,
  lengthsOf,
  severalDevices,
} from '../../../../support/boundProblems';

/** What the problem says of the lengths of a plan, and of others up to so many units away. */
function aroundLengthsOf(
  problem: SynchronousProblem,
  workload: Workload,
  genes: readonly Gene[],
  random: Random,
  away: number,
): number {
  const points = problem.operators.map((_, variable) => {
    const { option, lengths, ranges } = lengthsOf(problem, workload, genes, variable);
    if (ranges === undefined) return around(problem, variable, option, lengths, () => 0);
    const overlaps = away === 0 && random.below(4) > 0 ? overlapsAt(ranges) : ALL_OVERLAPS;
    return around(problem, variable, option, lengths, () => random.below(away + 1), overlaps);
  });
  problem.update(
    points.map(() => []),
    points.map((facts) => [facts]),
    points.map(() => [NONE]),
  );
  const { unary, edges } = problem.pairwise();
  return [...unary, ...edges.map(({ table }) => table)].reduce((sum, [cost]) => sum + cost, 0);
}

/** Of weights, and of a few operators' steps; now and then on some devices only. */
function randomPrices(random: Random, { graph, flow }: Workload, devices: number): MemoryPrices {
  const row = (): number[] =>
    Array.from({ length: devices }, () => (random.below(3) === 0 ? 0 : 10 ** (6 * random.next() - 2)));
  const operators = flow.steps.filter(() => random.below(graph.operators.length) < 3);
  return { weights: row(), steps: operators.map((operator) => ({ operator, prices: row() })) };
}

/** Prices of what devices lack, from hardly anything to far more than it takes to send. */
function priceAtRandom(problem: SynchronousProblem, random: Random): void {
  problem.priceMessages(
    problem.passages.map(({ prices }) =>
      prices.map(() => (random.below(3) === 0 ? 0 : 10 ** (6 * random.next() - 1))),
    ),
  );
}

/** At least two units each. */
function randomLengths(random: Random, count: number, length: number): number[] {
  const lengths = new Array<number>(count).fill(2);
  for (let left = length - 2 * count; left > 0; left--) lengths[random.below(count)]++;
  return lengths;
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => [...rest.slice(0, at), count - 1, ...rest.slice(at)]),
  );
}

/** Rows of such lengths with the devices in the given order, `halo` of them at one of the cuts computed on both sides. */
function placements(
  workload: Workload,
  operator: number,
  lengths: readonly number[],
  along: readonly number[],
  halo: number,
): Gene[] {
  const split = workload.genes.splits(operator).findIndex(({ dimension }) => dimension === 'H');
  const overlapping = halo === 0 ? [NONE] : along.slice(1);
  return overlapping.map((device) => {
    const cuts = [0];
    for (const own of along) cuts.push(cuts[cuts.length - 1] + lengths[own] - (own === device ? halo : 0));
    const halos = new Array<number>(2 * along.length).fill(0);
    if (device !== NONE) halos[2 * device] = halo;
    return { split, cuts, reduceOn: NONE, order: along, halos };
  });
}

/** Bit of the way in which shards overlap, where they lie as places are told apart; all of them elsewhere. */
function overlapsAt(ranges: readonly (readonly [number, number])[]): number {
  const along = ranges.filter(([start, end]) => end > start).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const shared = along.slice(1).map(([start], k) => along[k][1] - start);
  const isInOrder = along.every(([, end], k) => k === 0 || end >= along[k - 1][1]);
  const excess = shared.reduce((sum, units) => sum + units, 0);
  const isPlaced = isInOrder && shared.every((units) => units >= 0) && excess <= 3;
  if (!isPlaced || along.some(([start, end]) => end - start < excess)) return ALL_OVERLAPS;
  const ways = [...waysToShare(excess, shared.length)];
  return 1 << ways.findIndex((way) => way.every((units, k) => units === shared[k]));
}

function around(
  problem: SynchronousProblem,
  variable: number,
  option: number,
  lengths: Int32Array,
  away: () => number,
  overlaps = ALL_OVERLAPS,
): CompiledBox {
  const { length } = problem.options[variable][option];
  const excess = lengths.reduce((sum, n) => sum + n, 0) - length;
  const facts = problem.compiled(variable, {
    option,
    lo: lengths.map((n) => Math.max(0, n - away())),
    hi: lengths.map((n) => Math.min(length, n + away())),
    excessLo: Math.max(0, excess - away()),
    excessHi: excess + away(),
    overlaps,
    timeLo: 0,
    timeHi: Infinity,
  });
  assert.ok(facts, `operator ${variable} has no such lengths`);
  return facts;
}

function isUneven({ attributes }: Graph['operators'][number]): boolean {
  const kernel = attributes.get('kernel_shape');
  return kernel?.kind === 'ints' && kernel.value[0] !== kernel.value[1];
}

function hasColumns(problem: SynchronousProblem, { genes }: Workload): boolean {
  return problem.operators.some((operator, v) =>
    problem.options[v].some(({ split }) => split !== NONE && genes.splits(operator)[split].dimension === 'W'),
  );
}

describe('the synchronous problem over lengths', () => {
  it('says of the lengths of a plan and those around at most what the plan takes', () => {
    let near = 0;
    let charged = 0;
    let uneven = 0;
    const left = new Map<string, number>();
    for (let seed = 0; seed < 120; seed++) {
      const random = seededRandom(seed);
      const { graph, workload, problem } = chainProblem(random, seed % 2 === 1);
      const evaluator = new Evaluator(workload);
      const kept = new Set(problem.operators);
      for (const { id, type } of graph.operators)
        if (workload.flow.stepOf[id] >= 0 && !kept.has(id)) left.set(type, (left.get(type) ?? 0) + 1);
      if (graph.operators.some(isUneven) && !hasColumns(problem, workload)) uneven++;
      for (let plan = 0; plan < 25; plan++) {
        // The first plans without prices of what devices lack: those can hide what is wrong.
        if (plan >= 12) priceAtRandom(problem, random);
        const genes = alikeGenes(random, workload);
        const genome = graph.operators.map(({ id }) => {
          const step = workload.flow.stepOf[id];
          return step < 0 ? undefined : workload.genes.compile(id, genes[step]);
        });
        evaluator.evaluate(genome);
        for (const away of [0, 2]) {
          const relaxed = aroundLengthsOf(problem, workload, genes, random, away);
          assert.ok(
            relaxed <= evaluator.latencyNs + 1,
            `seed ${seed} plan ${plan}, ${away} away: ${relaxed} > ${evaluator.latencyNs}`,
          );
          if (relaxed > 0.97 * evaluator.latencyNs) near++;
        }
        // For the plans to come other orders are charged on one link and paid on others.
        if (chargeAtRandom(problem, random)) charged++;
      }
    }
    assert.ok(near > 25, `${near} plans near`);
    assert.ok(charged > 20, `orders charged for ${charged} plans`);
    assert.ok(uneven > 5, `columns as rows with kernels of unequal sides in ${uneven} nets`);
    for (const type of ['Relu', 'Transpose', 'Conv', 'MaxPool', 'Add', 'Concat'])
      assert.ok(left.get(type)! > 4, `${type} left out ${left.get(type)} times`);
  });

  it('says of two convolutions of given lengths what they take with the devices in the best orders', () => {
    const random = seededRandom(3);
    for (let turn = 0; turn < 40; turn++) {
      const net = new NetBuilder();
      const graph = net.finish([net.conv(net.conv(net.input([1, 8, 13, 6]), 8, 1), 8, [3, 5][turn % 2])]);
      const rules = partitionRules(graph);
      const cluster = severalDevices(random);
      const count = Math.min(4, cluster.devices.length);
      const devices = cluster.devices.slice(0, count);
      const few = { ...cluster, devices, source: 0, sink: 0, network: { ...cluster.network, links: [] } };
      const order = graph.operators.map(({ id }) => id);
      const workload = createWorkload(graph, rules, few, order, 'synchronous');
      const evaluator = new Evaluator(workload);
      const problem = new SynchronousProblem(new BoundScene(graph, rules, few), undefined, () => false);
      const halo = random.below(2);
      const lengths = [13 + halo, 13].map((length) => randomLengths(random, count, length));
      const placed = lengths.map((own, v) =>
        permutations(count).flatMap((along) => placements(workload, v, own, along, v === 0 ? halo : 0)),
      );
      let best = Infinity;
      for (const first of placed[0]) {
        for (const second of placed[1]) {
          evaluator.evaluate([first, second].map((gene, v) => workload.genes.compile(v, gene)));
          best = Math.min(best, evaluator.latencyNs);
        }
      }
      const relaxed = aroundLengthsOf(problem, workload, [placed[0][0], placed[1][0]], random, 0);
      // Whose message brings what two devices hold is left open.
      const least = (halo === 0 ? 0.999 : 0.97) * best - 10;
      assert.ok(relaxed <= best + 1 && relaxed >= least, `turn ${turn}: ${relaxed} for ${best}`);
    }
  });

  it('counts what wide boxes lack together: what is held covers too little, halos included', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.conv(net.conv(net.input([1, 4, 14, 6]), 4, 1), 4, 3)]);
    const { devices, ...rest } = severalDevices(seededRandom(1));
    const network = { kind: 'switched' as const, bandwidth: 1e9, latency: 1e-3, links: [] };
    const three = ['a', 'b', 'c'].map((name) => ({ ...devices[0], name }));
    const cluster = { ...rest, devices: three, source: 0, sink: 0, network };
    const scene = new BoundScene(graph, partitionRules(graph), cluster);
    const phaseOf = (lengths: number[], excess: number, lo: number[], hi: number[]): number => {
      const problem = new SynchronousProblem(scene, undefined, () => false);
      const rows = (variable: number, from: number[], to: number[], excessHi: number): CompiledBox => {
        const option = problem.options[variable].findIndex(
          ({ split, length }) => split !== NONE && length === 14,
        );
        const [least, most] = [Int32Array.from(from), Int32Array.from(to)];
        return problem.compiled(variable, {
          ...{
            option,
            lo: least,
            hi: most,
            excessLo: 0,
            excessHi,
            overlaps: ALL_OVERLAPS,
            timeLo: 0,
            timeHi: Infinity,
          },
        })!;
      };
      const boxes = [[rows(0, lengths, lengths, excess)], [rows(1, lo, hi, 28)]];
      problem.update([[], []], boxes, [[NONE], [NONE]]);
      return problem.pairwise().edges[0].table[0];
    };
    // Fifteen rows are made; halos of two cuts need four more than fourteen, and two devices hold too little for one cut.
    assert.ok(phaseOf([7, 4, 4], 1, [0, 0, 0], [7, 12, 12]) >= 1e6);
    // One device may have all rows, but then lacks what the others hold.
    assert.ok(phaseOf([9, 1, 4], 0, [8, 0, 0], [14, 14, 14]) >= 1e6);
    // Eighteen rows are enough.
    assert.equal(phaseOf([6, 7, 5], 4, [0, 0, 0], [14, 14, 14]), 0);
  });

  it('knows that what goes by an activation may arrive in turn, with fewer messages one after the other', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.conv(net.relu(net.conv(net.input([1, 4, 13, 6]), 4, 1)), 4, 1)]);
    const { devices, ...rest } = severalDevices(seededRandom(1));
    const network = { kind: 'switched' as const, bandwidth: 1e9, latency: 1e-3, links: [] };
    const four = ['a', 'b', 'c', 'd'].map((name) => ({ ...devices[0], name, operatorOverhead: 1e-6 }));
    const cluster = { ...rest, devices: four, source: 0, sink: 0, network };
    const order = graph.operators.map(({ id }) => id);
    const rules = partitionRules(graph);
    const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
    const rows = (operator: number, cuts: number[], halos?: number[]): Gene => ({
      split: workload.genes.splits(operator).findIndex(({ dimension }) => dimension === 'H'),
      cuts,
      reduceOn: NONE,
      halos,
    });
    // At once the first would send three messages; so it sends one, and another while the second hands on what it got.
    const genes = [
      rows(0, [0, 10, 11, 12, 13]),
      rows(1, [0, 9, 11, 11, 13], [0, 0, 8, 0, 0, 0, 0, 0]),
      rows(2, [0, 1, 5, 9, 13]),
    ];
    const evaluator = new Evaluator(workload);
    const latencyOf = (plan: readonly Gene[]): number => {
      evaluator.evaluate(plan.map((gene, v) => workload.genes.compile(v, gene)));
      return evaluator.latencyNs;
    };
    assert.ok(latencyOf(genes) < latencyOf([genes[0], rows(1, [0, 10, 11, 12, 13]), genes[2]]));
    const scene = new BoundScene(graph, rules, cluster);
    const problem = new SynchronousProblem(scene, undefined, () => false);
    const relaxed = aroundLengthsOf(problem, workload, genes, seededRandom(0), 0);
    assert.ok(relaxed <= latencyOf(genes) + 1, `${relaxed} > ${latencyOf(genes)}`);
  });

  it('says exactly the same of a chain of given lengths at any prices of what devices lack', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = seededRandom(2000 + seed);
      const chain = chainProblem(random, false);
      const { workload } = chain;
      const { scene } = chain.problem;
      for (let plan = 0; plan < 10; plan++) {
        const genes = alikeGenes(random, workload);
        const problem = new SynchronousProblem(scene, undefined, () => false);
        const free = aroundLengthsOf(problem, workload, genes, seededRandom(plan), 0);
        priceAtRandom(problem, random);
        const priced = aroundLengthsOf(problem, workload, genes, seededRandom(plan), 0);
        assert.ok(Math.abs(priced - free) <= 1e-6 * free, `seed ${seed} plan ${plan}: ${priced} for ${free}`);
      }
    }
  });

  it('says of a plan at any prices of memory at most what it takes and its peaks cost', () => {
    let near = 0;
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(1000 + seed);
      const graph = random.below(3) === 0 ? randomNet(random, 5) : chainOf(random);
      const rules = partitionRules(graph);
      const cluster = severalDevices(random);
      const { devices } = cluster;
      const order = graph.operators.map(({ id }) => id);
      const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
      const evaluator = new Evaluator(workload);
      const scene = new BoundScene(graph, rules, cluster);
      for (let plan = 0; plan < 15; plan++) {
        const prices = randomPrices(random, workload, devices.length);
        const problem = new SynchronousProblem(scene, prices, () => false, plan % 2 === 1);
        if (random.below(2) === 0) priceAtRandom(problem, random);
        const genes =
          random.below(2) === 0
            ? alikeGenes(random, workload)
            : workload.flow.steps.map((operator) =>
                randomGene(random, workload.genes.splits(operator), devices.length),
              );
        const genome = graph.operators.map(({ id }) => {
          const step = workload.flow.stepOf[id];
          return step < 0 ? undefined : workload.genes.compile(id, genes[step]);
        });
        evaluator.evaluate(genome, Infinity, true);
        // Within memories that are just its peaks the plan is valid.
        const rooms = devices.map(({ baseMemory }, d) => evaluator.peakBytes[d] - baseMemory);
        const most = weightPrices(prices).reduce(
          (sum, price, d) => sum + price * rooms[d],
          evaluator.latencyNs,
        );
        for (const away of [0, 2, 30]) {
          const relaxed = aroundLengthsOf(problem, workload, genes, random, away);
          assert.ok(
            relaxed <= most * (1 + 1e-12) + 1,
            `seed ${seed} plan ${plan}, ${away} away: ${relaxed} > ${most}`,
          );
          if (relaxed > 0.9 * most) near++;
        }
      }
    }
    assert.ok(near > 25, `${near} plans near`);
  });
});
