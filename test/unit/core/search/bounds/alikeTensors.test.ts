import assert from 'node:assert/strict';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import type { TensorId } from '../../../../../src/core/graph/units';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { NetBuilder } from '../../../../support/netGraph';

/** Axes that are told apart of what a convolution makes, and an activation behind it, which is then reshaped. */
function factorsOf(
  [channels, rows]: readonly [number, number],
  group: number,
  shape: readonly number[],
): (readonly number[])[] {
  const net = new NetBuilder();
  const made = net.relu(net.conv(net.input([1, channels, rows, 1]), channels, 1, 1, group));
  const reshaped: TensorId = net.relu(net.reshape(made, shape));
  const graph = net.finish([reshaped]);
  const scene = new BoundScene(graph, partitionRules(graph), smartHome());
  return scene.flow.steps.slice(0, 2).map((step) => scene.space(scene.flow.operators[step].makes[0]).factors);
}

describe('axes along a chain of activations', () => {
  it('are told apart together where the maker is split in whole groups', () => {
    assert.deepEqual(factorsOf([8, 5], 4, [1, 4, 2, 5, 1]), [
      [4, 2, 5],
      [4, 2, 5],
    ]);
  });

  it('stay whole for a maker that is split within groups', () => {
    assert.deepEqual(factorsOf([8, 5], 1, [1, 4, 2, 5, 1]), [
      [8, 5],
      [4, 2, 5],
    ]);
  });

  it('stay apart for a maker where the other shape shares none of them', () => {
    assert.deepEqual(factorsOf([12, 50], 1, [1, 8, 75, 1]), [[12, 50], [600]]);
  });
});
