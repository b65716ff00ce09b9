import assert from 'node:assert/strict';
import type { Graph } from '../../../../src/core/graph/graph';
import { seededRandom } from '../../../../src/core/graph/random';
import { partitionRules } from '../../../../src/core/partition/rules';
import { checkPlan } from '../../../../src/core/plan/check';
import type { Plan } from '../../../../src/core/plan/plan';
import { NetBuilder, randomNet } from '../../../support/netGraph';
import { randomPlan } from '../../../support/planOf';

/** The graph with memory inside some of its operators, as subgraphs and functions have it. */
function withBodies(graph: Graph, bytesOf: (operator: number) => number): Graph {
  const operators = graph.operators.map((operator) =>
    operator.isView ? operator : { ...operator, bodyPeak: { bytes: bytesOf(operator.id), known: true } },
  );
  return { ...graph, operators };
}

function messages(graph: Graph, plan: Plan): string[] {
  return checkPlan(graph, partitionRules(graph), plan).violations.map(({ message }) => message);
}

type Body = { bytes: number; offset: number };
type Draft = { operators: { body?: Body }[]; order: { arenaBytes: number } };

describe('memory inside operators', () => {
  it('is placed in the arena, and the checker accepts where', () => {
    const random = seededRandom(4);
    let highest = 0;
    for (let round = 0; round < 60; round++) {
      const net = randomNet(random, 2 + random.below(10));
      const graph = withBodies(net, () => random.below(3) * random.below(5000));
      const plan = randomPlan(random, graph);
      assert.deepEqual(messages(graph, plan), [], `round ${round}`);
      const tensorEnd = Math.max(...plan.tensors.map(({ offset, bytes }) => offset + bytes));
      if (plan.order.arenaBytes > Math.ceil(tensorEnd / 64) * 64) highest++;
    }
    assert.ok(highest > 10, 'in some plans a body ends the arena');
  });

  // 64 x 4 bytes each: input, a Relu with a body, another one; the order is theirs.
  const net = new NetBuilder();
  const output = net.relu(net.relu(net.input([1, 1, 8, 8])));
  const graph = withBodies(net.finish([output]), (operator) => (operator === 0 ? 100 : 0));
  const valid = randomPlan(seededRandom(1), graph);

  function forged(forge: (draft: Draft) => void): string[] {
    const draft = structuredClone(valid);
    forge(draft as unknown as Draft);
    return messages(graph, draft);
  }

  it('stands in the plan only where there is any', () => {
    assert.deepEqual(
      valid.operators.map(({ body }) => body?.bytes),
      [100, undefined],
    );
    assert.deepEqual(messages(graph, valid), []);
  });

  const forgeries: readonly [what: string, forge: (draft: Draft) => void, message: RegExp][] = [
    [
      'a body on a live tensor',
      (draft) => (draft.operators[0].body!.offset = 64),
      /body of operator 0 .* live together and overlap/,
    ],
    [
      'a body beyond the arena',
      (draft) => (draft.operators[0].body!.offset += 128),
      /order\.arenaBytes says \d+, the last tensor or body ends at \d+/,
    ],
    [
      'a body askew',
      (draft) => (draft.operators[0].body!.offset += 1),
      /body of operator 0 .* not a multiple of 64/,
    ],
    [
      'a body too small',
      (draft) => (draft.operators[0].body!.bytes = 36),
      /body says 36 bytes, it needs 100/,
    ],
    [
      'a body where there is none',
      (draft) => (draft.operators[1].body = { bytes: 4, offset: 512 }),
      /body says 4 bytes, it needs 0/,
    ],
    ['an arena without its body', (draft) => (draft.order.arenaBytes = 512), /order\.arenaBytes says 512/],
  ];
  for (const [what, forge, message] of forgeries) {
    it(`finds ${what}`, () => {
      const found = forged(forge);
      assert.ok(
        found.some((one) => message.test(one)),
        JSON.stringify(found),
      );
    });
  }

  it('needs no address in a plan of before, as long as the arena has room for it', () => {
    const without = (draft: Draft): void => draft.operators.forEach((operator) => delete operator.body);
    assert.deepEqual(forged(without), []);
    const found = forged((draft) => {
      without(draft);
      draft.order.arenaBytes = 512;
    });
    assert.match(found[0], /order\.arenaBytes says 512, the last tensor or body ends at 612/);
  });
});
