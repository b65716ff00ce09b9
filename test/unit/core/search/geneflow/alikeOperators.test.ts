import assert from 'node:assert/strict';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import type { CompiledGene } from '../../../../../src/core/latency/compiledGene';
import { wholeGene } from '../../../../../src/core/latency/gene';
import { createWorkload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { aligned, alike } from '../../../../../src/core/search/geneflow/alikeOperators';
import { SearchSpace } from '../../../../../src/core/search/geneflow/space';
import { NetBuilder } from '../../../../support/netGraph';

/** Two convolutions with activations, pooling to half as many rows, and an activation behind it; rows in quarters. */
function rows(): { space: SearchSpace; genome: CompiledGene[] } {
  const net = new NetBuilder();
  const second = net.relu(net.conv(net.relu(net.conv(net.input([1, 2, 16, 8]), 2, 3)), 2, 3));
  const graph = net.finish([net.relu(net.maxPool(second, 2, 2))]);
  const order = graph.operators.map(({ id }) => id);
  const workload = createWorkload(graph, partitionRules(graph), smartHome(), order, 'overlapped');
  const space = new SearchSpace(workload, {
    ...{ seed: 1, latency: 'overlapped', strategy: 'hybrid', evaluations: 1, freeOrder: false },
  });
  const genome = order.map((operator) => {
    const split = space.splits[operator].findIndex(({ dimension }) => dimension === 'H');
    const { length } = space.splits[operator][split];
    return space.compile(operator, {
      split,
      cuts: [0, 4, 8, 12, 16].map((cut) => (cut * length) / 16),
      reduceOn: -1,
    });
  });
  return { space, genome };
}

describe('operators that hang together', () => {
  it('are aligned while they are cut at the same places of axes of one length', () => {
    const { space, genome } = rows();
    assert.deepEqual(aligned(space, genome, 1, 24), [1, 0, 2, 3]);
    assert.deepEqual(aligned(space, genome, 4, 24), [4, 5]);
    assert.deepEqual(aligned(space, genome, 1, 2), [1, 0]);
    const { gene } = genome[2];
    genome[2] = space.compile(2, { ...gene, cuts: [0, 4, 8, 11, 16] });
    assert.deepEqual(aligned(space, genome, 1, 24), [1, 0]);
    genome[2] = space.compile(2, { ...gene, order: [1, 0, 2, 3] });
    assert.deepEqual(aligned(space, genome, 1, 24), [1, 0]);
    // The same order in a list of its own.
    for (const operator of [1, 2])
      genome[operator] = space.compile(operator, { ...gene, order: [1, 0, 2, 3] });
    assert.deepEqual(aligned(space, genome, 1, 24), [1, 2]);
  });

  it('are alike while they lie on the same devices, whatever their cuts are', () => {
    const { space, genome } = rows();
    const { gene } = genome[2];
    genome[2] = space.compile(2, { ...gene, cuts: [0, 4, 8, 11, 16] });
    assert.deepEqual(alike(space, genome, 1, 24), [1, 0, 2, 3, 4, 5]);
    genome[3] = space.compile(3, wholeGene(0, 4));
    assert.deepEqual(alike(space, genome, 1, 24), [1, 0, 2]);
  });
});
