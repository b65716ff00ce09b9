import assert from 'node:assert/strict';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import { seededRandom } from '../../../../../src/core/graph/random';
import type { CompiledGene } from '../../../../../src/core/latency/compiledGene';
import { geneDevices, genePartition, wholeGene, type Gene } from '../../../../../src/core/latency/gene';
import { createWorkload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { Mutator } from '../../../../../src/core/search/geneflow/mutations';
import { exchangeDevices, turnRun } from '../../../../../src/core/search/geneflow/runMutations';
import { SearchSpace } from '../../../../../src/core/search/geneflow/space';
import { NetBuilder } from '../../../../support/netGraph';

const OPTIONS = {
  seed: 1,
  latency: 'overlapped',
  strategy: 'hybrid',
  evaluations: 1,
  freeOrder: false,
} as const;

/** Three convolutions of 32 x 16. */
function threeConvolutions(): { space: SearchSpace; genome: (gene: Gene) => (CompiledGene | undefined)[] } {
  const net = new NetBuilder();
  let x = net.input([1, 8, 32, 16]);
  for (let i = 0; i < 3; i++) x = net.conv(x, 8, 3);
  const graph = net.finish([x]);
  const order = graph.operators.map(({ id }) => id);
  const workload = createWorkload(graph, partitionRules(graph), smartHome(), order, 'overlapped');
  const space = new SearchSpace(workload, OPTIONS);
  return { space, genome: (gene) => order.map((id) => space.compile(id, gene)) };
}

function splitAlong(space: SearchSpace, dimension: string, cuts: readonly number[], reduceOn = -1): Gene {
  return { split: space.splits[0].findIndex((split) => split.dimension === dimension), cuts, reduceOn };
}

describe('mutations of runs', () => {
  it('turn rows into another dimension by the same shares', () => {
    const { space, genome } = threeConvolutions();
    const plan = genome(splitAlong(space, 'H', [0, 16, 16, 24, 32]));
    const before = [...plan];
    const seen = new Set<string>();
    for (let seed = 1; seed <= 12; seed++) {
      const turned = [...plan];
      turnRun(space, seededRandom(seed), turned, 0, 2);
      const { dimension, shards } = genePartition(turned[1]!.gene, space.splits[1]);
      seen.add(dimension);
      const length = space.splits[1][turned[1]!.gene.split].length;
      assert.deepEqual(
        shards.map(({ device, start, end }) => [device, start / length, end / length]),
        [
          [0, 0, 0.5],
          [2, 0.5, 0.75],
          [3, 0.75, 1],
        ],
      );
      assert.equal(turned[2], before[2]);
    }
    assert.deepEqual([...seen].sort(), ['C', 'K', 'W']);
  });

  it('let two devices exchange their parts, whole operators and partial sums', () => {
    const { space, genome } = threeConvolutions();
    const rows = genome(splitAlong(space, 'H', [0, 16, 16, 24, 32]));
    exchangeDevices(space, rows, [0, 3], 1, 3);
    const parts = (step: number): readonly number[][] =>
      genePartition(rows[step]!.gene, space.splits[step]).shards.map(({ device, start, end }) => [
        device,
        start,
        end,
      ]);
    assert.deepEqual(parts(0), [
      [0, 0, 16],
      [2, 16, 24],
      [3, 24, 32],
    ]);
    assert.deepEqual(parts(1), [
      [3, 0, 16],
      [2, 16, 24],
      [0, 24, 32],
    ]);
    const wholes = genome(wholeGene(3, space.devices));
    exchangeDevices(space, wholes, [3, 1], 0, 3);
    assert.deepEqual(geneDevices(wholes[2]!.gene), [1]);
    const sums = genome(splitAlong(space, 'K', [0, 4, 4, 4, 8], 3));
    exchangeDevices(space, sums, [3, 2], 0, 1);
    assert.deepEqual([geneDevices(sums[0]!.gene), sums[0]!.gene.reduceOn], [[0, 2], 2]);
  });

  it('take over what a seed has there, and only where a seed lends it', () => {
    const { space, genome } = threeConvolutions();
    const plan = genome(splitAlong(space, 'H', [0, 16, 16, 24, 32]));
    const donor = genome(splitAlong(space, 'H', [0, 3, 21, 22, 32]));
    const grafted = (donors: readonly (readonly (CompiledGene | undefined)[])[]): number => {
      const mutator = new Mutator(space, seededRandom(1));
      mutator.donors = donors;
      let count = 0;
      for (let i = 0; i < 400; i++) {
        const child = [...plan];
        mutator.mutate(child, []);
        if (child.some((gene, id) => gene === donor[id])) count++;
      }
      return count;
    };
    assert.ok(grafted([donor]) > 10);
    assert.equal(grafted([]), 0);
  });
});
