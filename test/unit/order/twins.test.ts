import assert from 'node:assert/strict';
import { orderProblem } from '../../../src/core/memory/problem';
import { row } from '../../../src/core/memory/rows';
import { withTwinsInOrder } from '../../../src/core/order/twins';
import { toyGraph, type ToyOperator } from '../../support/toyGraph';

/** Branches of two operators each between `in` and one join; `sizes`: bytes of the first output of each branch. */
function branches(sizes: readonly number[]): ReturnType<typeof orderProblem> {
  const operators = sizes.flatMap((bytes, branch): ToyOperator[] => [
    { inputs: ['in'], outputs: { [`a${branch}`]: bytes } },
    { inputs: [`a${branch}`], outputs: { [`b${branch}`]: 64 } },
  ]);
  const join = { inputs: sizes.map((_, branch) => `b${branch}`), outputs: { out: 64 } };
  const graph = toyGraph({ inputs: { in: 64 }, operators: [...operators, join], outputs: ['out'] });
  return orderProblem(graph, { inPlace: 'none' });
}

describe('withTwinsInOrder', () => {
  it('puts equal branches one before the other, operator by operator', () => {
    const { predecessors } = withTwinsInOrder(branches([128, 128, 128]));
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((operator) => Array.from(row(predecessors, operator))),
      [[], [0], [0], [1, 2], [2], [3, 4]],
    );
  });

  it('leaves branches alone that differ in a size', () => {
    const problem = branches([128, 192]);
    assert.equal(withTwinsInOrder(problem), problem);
  });
});
