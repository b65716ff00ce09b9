import assert from 'node:assert/strict';
import type { Cluster } from '../../../../../src/core/cluster/cluster';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom, type Random } from '../../../../../src/core/graph/random';
import { Evaluator } from '../../../../../src/core/latency/evaluator';
import { wholeGene, type Gene } from '../../../../../src/core/latency/gene';
import { createWorkload, type LatencyModel } from '../../../../../src/core/latency/workload';
import type { Split } from '../../../../../src/core/partition/partition';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { verifyBound } from '../../../../../src/core/search/bounds/certificate';
import { BoxBound, type LatencyBound } from '../../../../../src/core/search/bounds/boxBound';
import { defaultLimits, latencyBound } from '../../../../../src/core/search/bounds/lowerBound';
import { memoryPrices } from '../../../../../src/core/search/bounds/memoryPrices';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { GeneProblem } from '../../../../../src/core/search/opponents/geneProblem';
import { neighbourhoodOptimum } from '../../../../../src/core/search/opponents/neighbourhood';
import { opponentPlans } from '../../../../../src/core/search/opponents/opponents';
import { NetBuilder, randomNet } from '../../../../support/netGraph';
import { randomCluster, randomGene } from '../../../../support/randomPlan';

const LIMITS = { rounds: 12, work: 3_000_000, tableLimit: 100_000, gap: 0 };

function boundOf(graph: Graph, cluster: Cluster, latency: LatencyModel, incumbentNs?: number): LatencyBound {
  const request = {
    graph,
    rules: partitionRules(graph),
    cluster,
    latency,
    incumbentNs,
    limits: LIMITS,
  };
  return latencyBound(request, () => false);
}

const netOf = (seed: number): Graph => randomNet(seededRandom(seed), 4 + (seed % 5));
const clusterOf = (seed: number): Cluster => randomCluster(seededRandom(100 + seed));

/** The same devices under other numbers: a plan in device order there is one in another order here. */
function reversed(cluster: Cluster): Cluster {
  const last = cluster.devices.length - 1;
  const { network, source, sink, devices } = cluster;
  const links = network.links.map((link) => ({ ...link, from: last - link.from, to: last - link.to }));
  return {
    ...cluster,
    devices: [...devices].reverse(),
    network: { ...network, links },
    source: last - source,
    sink: last - sink,
  };
}

/** The same devices in every order, four devices at most. */
function inEveryOrder(cluster: Cluster): Cluster[] {
  const { devices, network, source, sink } = cluster;
  const orders = (chosen: readonly number[]): number[][] =>
    chosen.length === Math.min(4, devices.length)
      ? [[...chosen, ...devices.keys()].filter((d, i, all) => all.indexOf(d) === i)]
      : [...devices.keys()].filter((d) => !chosen.includes(d)).flatMap((d) => orders([...chosen, d]));
  return orders([]).map((order) => {
    const at = (device: number): number => order.indexOf(device);
    const links = network.links.map((link) => ({ ...link, from: at(link.from), to: at(link.to) }));
    return {
      ...cluster,
      devices: order.map((d) => devices[d]),
      network: { ...network, links },
      source: at(source),
      sink: at(sink),
    };
  });
}

/** The first devices with these memories, alike, on a switched network. */
function withMemories(memories: readonly number[], cluster: Cluster): Cluster {
  const [device] = cluster.devices;
  return {
    ...cluster,
    devices: memories.map((memory, d) => ({ ...device, name: `d${d}`, memory, baseMemory: 0 })),
    network: { ...cluster.network, kind: 'switched', links: [] },
    source: 0,
    sink: 0,
  };
}

/** A random gene, with recomputed halos where it can have some. */
function geneWithHalos(random: Random, splits: readonly Split[], devices: number): Gene {
  const gene = randomGene(random, splits, devices);
  if (gene.split < 0 || gene.reduceOn >= 0) return gene;
  const { unit } = splits[gene.split];
  return { ...gene, halos: Array.from({ length: 2 * devices }, () => random.below(2) * unit) };
}

describe('lower bounds', () => {
  for (const latency of ['synchronous', 'overlapped'] as const) {
    it(`no plan is faster than the ${latency} bound`, () => {
      let compared = 0;
      for (let seed = 0; seed < 6; seed++) {
        const graph = netOf(seed);
        const rules = partitionRules(graph);
        const order = graph.operators.map(({ id }) => id);
        const { ns } = boundOf(graph, clusterOf(seed), latency);
        assert.ok(ns > 0);
        for (const cluster of [clusterOf(seed), reversed(clusterOf(seed))]) {
          const random = seededRandom(seed);
          const workload = createWorkload(graph, rules, cluster, order, latency);
          const evaluator = new Evaluator(workload);
          const drawn = Array.from({ length: 40 }, () =>
            graph.operators.map(({ id, isView }) =>
              isView ? undefined : geneWithHalos(random, rules.splits(id), cluster.devices.length),
            ),
          );
          for (const genes of [
            ...drawn,
            ...opponentPlans(graph, rules, cluster, order).map((plan) => plan.genes),
          ]) {
            evaluator.evaluate(genes.map((gene, id) => gene && workload.genes.compile(id, gene)));
            assert.ok(evaluator.latencyNs >= ns, `seed ${seed}: ${evaluator.latencyNs} < ${ns}`);
            compared++;
          }
        }
      }
      assert.ok(compared > 400);
    });

    it(`the ${latency} bound follows from its certificate`, () => {
      const graph = netOf(3);
      const cluster = clusterOf(3);
      // With the limits that plans are made with: a check must not find them too large.
      const limits = { ...defaultLimits(graph.operators.length), work: LIMITS.work };
      const request = { graph, rules: partitionRules(graph), cluster, latency, incumbentNs: 1e9, limits };
      const { ns, certificate } = latencyBound(request, () => false);
      assert.ok(certificate);
      const copy = JSON.parse(JSON.stringify(certificate)) as typeof certificate;
      assert.equal(verifyBound(graph, partitionRules(graph), cluster, copy), ns);
      const devices = cluster.devices.map((device) => ({ ...device, compute: 2 * device.compute }));
      assert.notEqual(verifyBound(graph, partitionRules(graph), { ...cluster, devices }, copy), ns);
    });
  }

  it('comes close to the best plan of small models, and no order of the devices is faster', () => {
    let close = 0;
    for (let seed = 0; seed < 12; seed++) {
      const graph = netOf(seed);
      const rules = partitionRules(graph);
      const order = graph.operators.map(({ id }) => id);
      const best = Math.min(
        ...inEveryOrder(clusterOf(seed)).map((cluster) => {
          const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
          return neighbourhoodOptimum(new GeneProblem(workload), undefined, 8).cost;
        }),
      );
      for (const incumbentNs of [undefined, Math.ceil(1.2 * best)]) {
        const limits = { rounds: 240, work: 30_000_000, tableLimit: 1_000_000, gap: 0 };
        const request = { graph, rules, cluster: clusterOf(seed), latency: 'synchronous' } as const;
        const { ns } = latencyBound({ ...request, incumbentNs, limits }, () => false);
        assert.ok(ns <= best, `seed ${seed}: ${ns} > ${best}`);
        if (ns > 0.98 * best) close++;
      }
    }
    assert.ok(close >= 12, `${close} of 24 close`);
  });

  it('is refined where no plan is known, too', () => {
    const request = { graph: netOf(3), rules: partitionRules(netOf(3)), cluster: clusterOf(3) };
    const limits = { ...LIMITS, gap: 0.001 };
    const { certificate } = latencyBound({ ...request, latency: 'synchronous', limits }, () => false);
    assert.ok(certificate?.model === 'synchronous' && certificate.rounds > 1);
  });

  it('ends before its work is done where that no longer raises it', () => {
    const scene = new BoundScene(netOf(0), partitionRules(netOf(0)), clusterOf(0));
    const limits = { rounds: 1000, work: 1e7, tableLimit: 100_000, gap: 0 };
    const bound = (isPatient: boolean): LatencyBound =>
      new BoxBound(scene, { messageTurns: 0 }, 1e9, { ...limits, isPatient }, () => false).upTo(limits.work);
    const [all, ended] = [bound(true), bound(false)];
    assert.ok(all.certificate?.model === 'synchronous' && ended.certificate?.model === 'synchronous');
    assert.ok(ended.certificate.rounds < all.certificate.rounds);
    assert.ok(ended.ns <= all.ns && ended.ns > 0.998 * all.ns);
    assert.equal(verifyBound(scene.graph, scene.rules, scene.cluster, ended.certificate), ended.ns);
  });

  it('looks for no memory prices where one elimination is more than its work', () => {
    const scene = new BoundScene(
      netOf(0),
      partitionRules(netOf(0)),
      randomCluster(seededRandom(100), 12_000),
    );
    const priced = (work: number): boolean =>
      memoryPrices(scene, false, undefined, { ...LIMITS, work }, () => false) !== undefined;
    assert.ok(priced(1e8));
    assert.ok(!priced(1));
  });

  it('no plan within the memories is faster than the bound with memory prices', () => {
    let valid = 0;
    let priced = 0;
    for (let seed = 0; seed < 12; seed++) {
      const graph = netOf(seed);
      const rules = partitionRules(graph);
      const order = graph.operators.map(({ id }) => id);
      const cluster = randomCluster(seededRandom(100 + seed), 12_000);
      const { ns, certificate } = boundOf(graph, cluster, 'synchronous');
      if (certificate?.model === 'synchronous' && certificate.prices !== undefined) priced++;
      const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
      const evaluator = new Evaluator(workload);
      const random = seededRandom(seed);
      const drawn = Array.from({ length: 60 }, () =>
        graph.operators.map(({ id, isView }) =>
          isView ? undefined : geneWithHalos(random, rules.splits(id), cluster.devices.length),
        ),
      );
      for (const genes of [
        ...drawn,
        ...opponentPlans(graph, rules, cluster, order).map((plan) => plan.genes),
      ]) {
        evaluator.evaluate(genes.map((gene, id) => gene && workload.genes.compile(id, gene)));
        if (evaluator.violation > 0) continue;
        valid++;
        assert.ok(evaluator.latencyNs >= ns, `seed ${seed}: ${evaluator.latencyNs} < ${ns}`);
      }
    }
    assert.ok(valid > 20 && priced > 0, `${valid} valid plans, ${priced} priced bounds`);
  });

  it('a bound with memory prices follows from its certificate, and from no prices that are none', () => {
    const graph = netOf(5);
    const rules = partitionRules(graph);
    const wanted = (seed: number): Cluster => randomCluster(seededRandom(100 + seed), 12_000);
    const priced = Array.from({ length: 12 }, (_, seed) => wanted(seed)).find((cluster) => {
      const { certificate } = boundOf(graph, cluster, 'synchronous');
      return certificate?.model === 'synchronous' && certificate.prices !== undefined;
    });
    assert.ok(priced);
    const { ns, certificate } = boundOf(graph, priced, 'synchronous');
    const copy = JSON.parse(JSON.stringify(certificate)) as typeof certificate;
    assert.ok(copy?.model === 'synchronous' && copy.prices !== undefined);
    assert.equal(verifyBound(graph, rules, priced, copy), ns);
    const { prices } = copy;
    const row = priced.devices.map(() => 1);
    const step = { operator: graph.operators[0].id, prices: row };
    for (const bad of [
      { ...prices, weights: [...row, 1] },
      { ...prices, weights: row.map(() => -1) },
      { ...prices, weights: row.map(() => NaN) },
      { ...prices, weights: row.map(() => 1e300) },
      { ...prices, steps: [{ ...step, prices: row.slice(1) }] },
      { ...prices, steps: [{ ...step, operator: graph.operators.length }] },
      { ...prices, steps: [step, step] },
    ]) {
      assert.equal(verifyBound(graph, rules, priced, { ...copy, prices: bad }), undefined);
    }
  });

  it('no prices of memory lift the bound above a valid plan that never holds what nobody reads', () => {
    const net = new NetBuilder();
    const cut = net.sliceChannels(net.conv(net.input([1, 2, 16, 16]), 16, 1), 8, 16);
    const graph = net.finish([net.conv(cut, 2, 1)]);
    const rules = partitionRules(graph);
    const roomy = withMemories(
      [1, 1].map(() => 2 ** 20),
      clusterOf(3),
    );
    const split = (operator: number, dimension: string): number =>
      rules.splits(operator).findIndex((candidate) => candidate.dimension === dimension);
    const genes: Gene[] = [
      { split: split(0, 'C'), cuts: [0, 8, 16], reduceOn: -1 },
      { split: split(1, 'C'), cuts: [0, 4, 8], reduceOn: -1 },
      { split: split(2, 'H'), cuts: [0, 8, 16], reduceOn: -1 },
    ];
    const evaluated = (cluster: Cluster): Evaluator => {
      const order = graph.operators.map(({ id }) => id);
      const workload = createWorkload(graph, rules, cluster, order, 'synchronous');
      const evaluator = new Evaluator(workload);
      evaluator.evaluate(
        genes.map((gene, id) => workload.genes.compile(id, gene)),
        Infinity,
        true,
      );
      return evaluator;
    };
    const cluster = withMemories([...evaluated(roomy).peakBytes], roomy);
    const { latencyNs, violation } = evaluated(cluster);
    assert.equal(violation, 0);
    const scene = new BoundScene(graph, rules, cluster);
    for (const price of [0, 1, 10, 1000]) {
      for (const operators of [[], [0], [0, 1], [1, 2]]) {
        const steps = operators.map((operator) => ({ operator, prices: [price, price] }));
        const prices = { weights: [price, price], steps };
        const { ns } = new BoxBound(scene, { prices }, undefined, LIMITS, () => false).upTo(LIMITS.work);
        assert.ok(ns <= latencyNs, `${ns} > ${latencyNs} at ${price} ns per byte`);
      }
    }
  });

  it('one device gives exactly its own latency, less the room for rounding', () => {
    for (let seed = 0; seed < 4; seed++) {
      const graph = netOf(seed);
      const full = clusterOf(seed);
      const cluster = { ...full, devices: full.devices.slice(0, 1), source: 0, sink: 0 };
      const order = graph.operators.map(({ id }) => id);
      for (const latency of ['synchronous', 'overlapped'] as const) {
        const workload = createWorkload(graph, partitionRules(graph), cluster, order, latency);
        const evaluator = new Evaluator(workload);
        evaluator.evaluate(
          graph.operators.map(({ id, isView }) =>
            isView ? undefined : workload.genes.compile(id, wholeGene(0, 1)),
          ),
        );
        const { ns } = boundOf(graph, cluster, latency);
        assert.ok(
          ns <= evaluator.latencyNs && ns >= evaluator.latencyNs - 2,
          `seed ${seed} ${latency}: ${ns} of ${evaluator.latencyNs}`,
        );
      }
    }
  });

  it('more bandwidth never raises the bound of the same boxes', () => {
    for (let seed = 0; seed < 6; seed++) {
      const graph = netOf(seed);
      const slow = clusterOf(seed);
      const fast = { ...slow, network: { ...slow.network, bandwidth: slow.network.bandwidth * 4 } };
      assert.ok(boundOf(graph, fast, 'overlapped').ns <= boundOf(graph, slow, 'overlapped').ns);
    }
  });
});
