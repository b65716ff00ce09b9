import assert from 'node:assert/strict';
import { NONE } from '../../../../../src/core/graph/units';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { NetBuilder } from '../../../../support/netGraph';
import { randomCluster } from '../../../../support/randomPlan';
import { seededRandom } from '../../../../../src/core/graph/random';

describe('needs by length', () => {
  it('bound what two neighbours along the rows both need, for every kernel, stride and padding', () => {
    let compared = 0;
    let unequal = 0;
    for (const height of [4, 7, 12]) {
      const net = new NetBuilder();
      const x = net.input([1, 2, height, 3]);
      const outputs = [1, 3, 5].flatMap((kernel) =>
        [1, 2].flatMap((stride) => [
          ...[0, 1, 2, 4].flatMap((pad) =>
            height + 2 * pad >= kernel && 3 + 2 * pad >= kernel
              ? [net.conv(x, 2, kernel, stride, 1, undefined, pad)]
              : [],
          ),
          net.convTranspose(x, 2, kernel + 1, stride),
        ]),
      );
      const graph = net.finish(outputs);
      const rules = partitionRules(graph);
      const scene = new BoundScene(graph, rules, randomCluster(seededRandom(4)));
      for (const { id } of graph.operators) {
        const split = rules.splits(id).findIndex(({ dimension }) => dimension === 'H');
        const option = scene.optionsOf(id).find((own) => own.split === split);
        if (split === NONE || option === undefined) continue;
        const { length } = rules.splits(id)[split];
        const [{ overlap, mostOverlap }] = option.needs;
        const rows = (start: number, end: number): readonly number[] =>
          rules.work(id, rules.splits(id)[split], start, end).inputs[0]!.slice(4, 6);
        const shared = Array.from({ length: length - 1 }, (_, i) => {
          const [, end] = rows(0, i + 1);
          const [start] = rows(i + 1, length);
          return Math.max(0, end - start) * 2 * 3;
        });
        assert.ok(Math.min(...shared) >= overlap, `operator ${id}: ${Math.min(...shared)} < ${overlap}`);
        assert.ok(
          Math.max(...shared) <= mostOverlap,
          `operator ${id}: ${Math.max(...shared)} > ${mostOverlap}`,
        );
        compared++;
        if (Math.min(...shared) !== Math.max(...shared)) unequal++;
      }
    }
    assert.ok(compared > 50 && unequal > 10, `${compared} operators, ${unequal} of them unequal`);
  });
});
