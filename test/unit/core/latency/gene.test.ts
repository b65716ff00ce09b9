import assert from 'node:assert/strict';
import { parseCluster } from '../../../../src/core/cluster/parse';
import { seededRandom, type Random } from '../../../../src/core/graph/random';
import {
  computedRange,
  geneDevices,
  geneHash,
  genePartition,
  isSameGene,
  normalizeGene,
  ownRange,
  partitionGene,
  reorderedGenes,
  wholeGene,
  type Gene,
} from '../../../../src/core/latency/gene';
import { simulate } from '../../../../src/core/latency/simulate';
import type { TimelineEvent } from '../../../../src/core/latency/timeline';
import { createWorkload } from '../../../../src/core/latency/workload';
import type { Shard, Split } from '../../../../src/core/partition/partition';
import { partitionRules } from '../../../../src/core/partition/rules';
import { NetBuilder } from '../../../support/netGraph';
import { randomGene } from '../../../support/randomPlan';

const SPLITS: readonly Split[] = [
  { dimension: 'H', axis: 2, length: 13, unit: 1 },
  { dimension: 'C', axis: 1, length: 24, unit: 4 },
  { dimension: 'K', axis: 1, length: 9, unit: 1 },
];
const ROUNDS = 2000;

/** Any gene that the search can make, halos included. */
function anyGene(random: Random, devices: number): Gene {
  const gene = randomGene(random, SPLITS, devices);
  if (gene.split < 0 || random.below(2) === 0) return gene;
  return { ...gene, halos: Array.from({ length: 2 * devices }, () => random.below(3)) };
}

const ranges = (gene: Gene, devices: number): unknown[] =>
  Array.from({ length: devices }, (_, device) => {
    const [start, end] = ownRange(gene, device);
    return start === end ? 'none' : [start, end, ...computedRange(gene, device)];
  });

describe('gene', () => {
  it('has one form for all that give every device the same range', () => {
    const random = seededRandom(3);
    for (let round = 0; round < ROUNDS; round++) {
      const devices = 1 + random.below(5);
      const gene = anyGene(random, devices);
      const plain = normalizeGene(gene, SPLITS);
      if (plain.split >= 0 && SPLITS[plain.split].dimension !== 'K')
        assert.deepEqual(ranges(plain, devices), ranges(gene, devices));
      assert.deepEqual(normalizeGene(plain, SPLITS), plain);
      assert.deepEqual(geneDevices(plain), geneDevices(gene));
      const again = normalizeGene(withIdleMoved(random, gene), SPLITS);
      assert.ok(isSameGene(again, plain), JSON.stringify([gene, plain, again]));
      assert.equal(geneHash(again), geneHash(plain));
    }
  });

  it('leaves out an order that only moves devices without a part', () => {
    const gene = { split: 0, cuts: [0, 0, 6, 6, 13], reduceOn: -1, order: [2, 1, 0, 3] };
    assert.deepEqual(normalizeGene(gene, SPLITS), { split: 0, cuts: [0, 0, 6, 6, 13], reduceOn: -1 });
    const turned = { split: 0, cuts: [0, 6, 6, 6, 13], reduceOn: -1, order: [3, 0, 2, 1] };
    assert.deepEqual(normalizeGene(turned, SPLITS), {
      split: 0,
      cuts: [0, 0, 6, 13, 13],
      reduceOn: -1,
      order: [0, 3, 1, 2],
    });
    assert.deepEqual(
      normalizeGene({ split: 0, cuts: [0, 13, 13], reduceOn: -1, order: [1, 0] }, SPLITS),
      wholeGene(1, 2),
    );
  });

  it('comes back from its partition, in whatever order that lists its shards', () => {
    const random = seededRandom(5);
    for (let round = 0; round < ROUNDS; round++) {
      const devices = 1 + random.below(5);
      const gene = normalizeGene(anyGene(random, devices), SPLITS);
      const partition = genePartition(gene, SPLITS);
      const { shards } = partition;
      assert.ok(shards.every(({ start }, at) => at === 0 || start === shards[at - 1].end));
      assert.deepEqual(partitionGene(partition, SPLITS, devices), gene);
      const turned = { ...partition, shards: [...shards].reverse() };
      assert.deepEqual(partitionGene(turned, SPLITS, devices), gene);
    }
  });

  it('is refused where shards leave a gap, overlap, or two are on one device', () => {
    const rows = (...shards: Shard[]): Gene | undefined =>
      partitionGene({ dimension: 'H', axis: 2, shards }, SPLITS, 3);
    assert.ok(rows({ device: 2, start: 0, end: 5 }, { device: 0, start: 5, end: 13 }));
    assert.equal(rows({ device: 2, start: 0, end: 5 }, { device: 0, start: 6, end: 13 }), undefined);
    assert.equal(rows({ device: 2, start: 0, end: 5 }, { device: 0, start: 4, end: 13 }), undefined);
    assert.equal(rows({ device: 2, start: 0, end: 5 }, { device: 0, start: 5, end: 12 }), undefined);
    const twice = [0, 5].map((start) => ({ device: 1, start, end: start === 0 ? 5 : 13 }));
    assert.equal(rows(...twice), undefined);
  });

  it('has other orders to try in which every device keeps its length', () => {
    const random = seededRandom(7);
    const length = (gene: Gene, device: number): number =>
      ownRange(gene, device)[1] - ownRange(gene, device)[0];
    for (let round = 0; round < 300; round++) {
      const devices = 1 + random.below(5);
      const gene = normalizeGene(anyGene(random, devices), SPLITS);
      const count = geneDevices(gene).length;
      const others = reorderedGenes(gene);
      assert.equal(others.length, count < 2 ? 0 : count === 2 ? 1 : count + 1);
      for (const other of [gene, ...others])
        for (let device = 0; device < devices; device++)
          assert.equal(length(other, device), length(gene, device));
      const texts = new Set([gene, ...others].map((one) => JSON.stringify(ranges(one, devices))));
      assert.equal(texts.size, others.length + 1);
    }
  });

  it('spares every device between two others a message where the next convolution has them rotated', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.conv(net.conv(net.input([1, 1, 13, 8]), 1, 1), 1, 3)]);
    const device = (name: string): unknown => ({
      name,
      memory: '1 GB',
      compute: '1 TFLOP/s',
      operatorOverhead: 0,
    });
    const cluster = parseCluster({
      name: 'four',
      devices: ['a', 'b', 'c', 'd'].map(device),
      network: { kind: 'switched', bandwidth: '1 GB/s', latency: '1 ms' },
    });
    const workload = createWorkload(graph, partitionRules(graph), cluster, [0, 1], 'synchronous');
    const gene = { split: 0, cuts: [0, 6, 9, 12, 13], reduceOn: -1 };
    const [rotated] = reorderedGenes(gene);
    const halos = (second: Gene): number => {
      const genome = [gene, second].map((one, id) => workload.genes.compile(id, one));
      const { events } = simulate(workload, genome);
      const computed = (operator: number): TimelineEvent[] =>
        events.filter((event) => event.kind === 'compute' && event.operator === operator);
      return computed(1)[0].start - Math.max(...computed(0).map(({ end }) => end));
    };
    assert.deepEqual(ownRange(rotated, 3), [0, 1]);
    // Two messages of one row of 32 bytes; one message of two.
    assert.equal(halos(gene), 2 * (1_000_000 + 32));
    assert.equal(halos(rotated), 1_000_000 + 64);
  });
});

/** Devices without a part at other places among those that have one. */
function withIdleMoved(random: Random, gene: Gene): Gene {
  if (gene.split < 0) return gene;
  const devices = gene.cuts.length - 1;
  const order = gene.order ?? Array.from({ length: devices }, (_, device) => device);
  const parts = order.map((device) => ({ device, ends: ownRange(gene, device) }));
  const active = parts.filter(({ ends }) => ends[0] < ends[1]);
  for (const { device } of parts.filter(({ ends }) => ends[0] === ends[1])) {
    const at = random.below(active.length + 1);
    const cut = at === 0 ? 0 : active[at - 1].ends[1];
    active.splice(at, 0, { device, ends: [cut, cut] });
  }
  return {
    ...gene,
    cuts: [0, ...active.map(({ ends }) => ends[1])],
    order: active.map(({ device }) => device),
  };
}
