import assert from 'node:assert/strict';
import { replayOrder } from '../../../src/core/memory/check';
import { orderProblem } from '../../../src/core/memory/problem';
import { hierarchicalOrder } from '../../../src/core/order/hierarchical';
import { repeatedBlocks } from '../../support/repeatedBlocks';
import { toyGraph } from '../../support/toyGraph';

describe('hierarchicalOrder', () => {
  it('runs every operator once, after what it needs', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const problem = orderProblem(toyGraph(repeatedBlocks(4, 10, { seed })), { inPlace: 'none' });
      assert.deepEqual(
        replayOrder(problem, Array.from(hierarchicalOrder(problem))).violations,
        [],
        `seed ${seed}`,
      );
    }
  });
});
