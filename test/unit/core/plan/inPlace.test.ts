import assert from 'node:assert/strict';
import type { Graph } from '../../../../src/core/graph/graph';
import { seededRandom } from '../../../../src/core/graph/random';
import { liveBytes } from '../../../../src/core/memory/lifetimes';
import { orderProblem } from '../../../../src/core/memory/problem';
import { partitionRules } from '../../../../src/core/partition/rules';
import { checkPlan } from '../../../../src/core/plan/check';
import { orderPeak } from '../../../../src/core/plan/check/order';
import type { Plan } from '../../../../src/core/plan/plan';
import { NetBuilder, randomNet } from '../../../support/netGraph';
import { randomPlan } from '../../../support/planOf';

function messages(graph: Graph, plan: Plan): string[] {
  return checkPlan(graph, partitionRules(graph), plan).violations.map(({ message }) => message);
}

/** The plan with its tensors at other offsets, and an arena that ends with the last of them. */
function moved(plan: Plan, offsets: readonly number[]): Plan {
  const tensors = plan.tensors.map((tensor, at) => ({ ...tensor, offset: offsets[at] }));
  const end = Math.max(...tensors.map(({ offset, bytes }) => offset + bytes));
  return { ...plan, tensors, order: { ...plan.order, arenaBytes: Math.ceil(end / 64) * 64 } };
}

describe('the checker on operators that write in place', () => {
  it('accepts random plans under that rule', () => {
    const random = seededRandom(8);
    for (let round = 0; round < 40; round++) {
      const graph = randomNet(random, 2 + random.below(10));
      assert.deepEqual(messages(graph, randomPlan(random, graph, 'elementwise')), [], `round ${round}`);
    }
  });

  it('finds one that may not: its output elements do not each depend on one of the input', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.conv(net.input([1, 4, 8, 8]), 4, 3)]);
    const plan = randomPlan(seededRandom(1), graph, 'elementwise');
    assert.deepEqual(messages(graph, plan), []);
    assert.deepEqual(messages(graph, moved(plan, [0, 0])), ['"t2" and "t0" are live together and overlap.']);
  });

  it('finds an input that is still read later', () => {
    const net = new NetBuilder();
    const x = net.input([1, 4, 8, 8]);
    const graph = net.finish([net.sum(net.relu(x), x)]);
    const plan = randomPlan(seededRandom(1), graph, 'elementwise');
    assert.deepEqual(messages(graph, moved(plan, [0, 1024, 0])), []);
    assert.deepEqual(messages(graph, moved(plan, [0, 0, 1024])), [
      '"t1" and "t0" are live together and overlap.',
    ]);
  });

  it('counts bytes of one that writes over an input only where elements are as many', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.sum(net.input([16]), net.input([16]))]);
    const wide = { type: 'complex128', shape: [4], bytes: 64 } as const;
    const tensors = graph.tensors.map((tensor) => (tensor.producer === 0 ? tensor : { ...tensor, ...wide }));
    const broadcast = { ...graph, tensors };
    const problem = orderProblem(broadcast, { inPlace: 'elementwise' });
    assert.equal(liveBytes(problem, [0]).peakBytes, 192);
    assert.equal(orderPeak(broadcast, broadcast.operators, true), 192);
  });
});

describe('the checker on views', () => {
  it('finds one at another address, or with another life, than its storage', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.gemm(net.flatten(net.relu(net.input([1, 4, 8, 8]))), 10)]);
    const plan = randomPlan(seededRandom(1), graph);
    assert.deepEqual(messages(graph, plan), []);
    const view = plan.tensors.findIndex(({ shape }) => shape.length === 2);
    const forged = (change: object): string[] =>
      messages(graph, {
        ...plan,
        tensors: plan.tensors.map((one, at) => (at === view ? { ...one, ...change } : one)),
      });
    assert.match(
      forged({ offset: plan.tensors[view].offset + 64 })[0],
      /"t2" lies at \d+, its storage at \d+/,
    );
    assert.match(forged({ lastStep: 1 })[0], /"t2" lives from step/);
  });
});
