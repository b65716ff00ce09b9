import assert from 'node:assert/strict';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import { devicesAlong, rotated, type Gene } from '../../../../../src/core/latency/gene';
import { createWorkload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { inOrderOf, reorderedRun } from '../../../../../src/core/search/geneflow/deviceOrders';
import { SearchSpace } from '../../../../../src/core/search/geneflow/space';
import { NetBuilder } from '../../../../support/netGraph';

/** Convolutions of 3, 1, 3 and 3 rows, each shared by four devices. */
function convolutions(): SearchSpace {
  const net = new NetBuilder();
  const last = [3, 1, 3, 3].reduce((x, kernel) => net.conv(x, 2, kernel), net.input([1, 2, 16, 8]));
  const graph = net.finish([last]);
  const workload = createWorkload(graph, partitionRules(graph), smartHome(), [0, 1, 2, 3], 'synchronous');
  const options = {
    seed: 1,
    latency: 'synchronous',
    strategy: 'hybrid',
    evaluations: 1,
    freeOrder: false,
  } as const;
  return new SearchSpace(workload, options);
}

/** Of the rows. */
const QUARTERS: Gene = { split: 1, cuts: [0, 4, 8, 12, 16], reduceOn: -1 };

describe('orders of devices', () => {
  const space = convolutions();
  const genome = space.steps.map((operator) => space.compile(operator, QUARTERS));
  const reorder = (along: readonly number[]): number[] => rotated(along, 1);

  it('change along a run', () => {
    const changed = reorderedRun(space, genome, 1, 4, reorder, false);
    assert.deepEqual(
      changed.map(({ operator, gene }) => [operator, devicesAlong(gene)]),
      [1, 2, 3].map((operator) => [operator, [3, 0, 1, 2]]),
    );
  });

  it('change alternately with what reads beyond its own part, the others following', () => {
    const changed = reorderedRun(space, genome, 0, 4, reorder, true);
    assert.deepEqual(
      changed.map(({ operator }) => operator),
      [0, 1, 3],
    );
  });

  it('follow a neighbour as far as it has the devices', () => {
    const [{ gene }] = reorderedRun(space, genome, 0, 1, reorder, false);
    const neighbour = space.compile(1, { ...gene, cuts: [0, 0, 6, 10, 16] });
    assert.deepEqual(devicesAlong(neighbour.gene), [0, 1, 2]);
    const followed = inOrderOf(space.compile(1, gene), QUARTERS)!;
    assert.deepEqual(devicesAlong(followed), [3, 0, 1, 2]);
    assert.deepEqual(devicesAlong(inOrderOf(neighbour, followed)!), [0, 1, 2, 3]);
  });
});
