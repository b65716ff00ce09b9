import assert from 'node:assert/strict';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import type { Graph } from '../../../../../src/core/graph/graph';
import { NONE, type TensorId } from '../../../../../src/core/graph/units';
import { partitionRules } from '../../../../../src/core/partition/rules';
import type { NeedTable } from '../../../../../src/core/search/bounds/lengthTables';
import { isUnchanged, lineageOf, needBehind } from '../../../../../src/core/search/bounds/lineage';
import type { Option } from '../../../../../src/core/search/bounds/options';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { NetBuilder } from '../../../../support/netGraph';

/** A maker, one operator, and a reader: what the reader's rows need behind the operator. */
function behind(
  made: readonly number[],
  operator: (net: NetBuilder, x: TensorId) => TensorId,
  reader: (net: NetBuilder, x: TensorId) => TensorId,
  dimension: string,
): { direct: NeedTable; need: NeedTable | undefined; rows: (unit: number) => [number, number] } {
  const net = new NetBuilder();
  const x = net.conv(net.input(made), made[1], 1);
  const graph: Graph = net.finish([reader(net, operator(net, x))]);
  const rules = partitionRules(graph);
  const scene = new BoundScene(graph, rules, smartHome());
  const steps = scene.flow.steps;
  const [relay, last] = [steps[1], steps[2]];
  const lineage = lineageOf(scene, relay, scene.optionsOf(relay), 0)!;
  assert.ok(lineage);
  const option = scene
    .optionsOf(last)
    .find(({ split }) => split !== NONE && rules.splits(last)[split].dimension === dimension)!;
  const split = rules.splits(last)[option.split];
  const along = rules.splits(relay).find((own) => own.dimension === dimension)!;
  return {
    direct: option.needs[0],
    need: needBehind(option.needs[0], lineage),
    // By the rules: what the unit needs of the operator, and what that needs.
    rows: (unit) => {
      const own = rules.work(last, split, unit * split.unit, (unit + 1) * split.unit).inputs[0]!;
      const box = rules.work(relay, along, own[2 * along.axis], own[2 * along.axis + 1]).inputs[0]!;
      return [box[2 * along.axis], box[2 * along.axis + 1]];
    },
  };
}

describe('what elements depend on', () => {
  const conv = (net: NetBuilder, x: TensorId): TensorId => net.conv(x, 4, 3);

  it('reaches as far as the units of all operators on the way need', () => {
    const pool = (kernel: number, stride: number) => (net: NetBuilder, x: TensorId) =>
      net.maxPool(x, kernel, stride);
    const depthwise = (net: NetBuilder, x: TensorId): TensorId => net.conv(x, net.shape(x)[1], 5, 1, 4);
    const cases = [
      { operator: pool(2, 2), side: 16 },
      { operator: pool(3, 2), side: 17 },
      { operator: pool(3, 1), side: 17 },
      { operator: depthwise, side: 17 },
    ];
    for (const { operator, side } of cases) {
      const { need, rows } = behind([1, 4, side, side], operator, conv, 'H');
      const { spans } = need!;
      assert.ok(spans);
      for (let unit = 0; unit < spans.from.length; unit++)
        assert.deepEqual([spans.from[unit], spans.to[unit]], rows(unit));
    }
  });

  it('costs no more than the smaller of both to send', () => {
    const shrink = behind([1, 4, 16, 8], (net, x) => net.maxPool(x, 2, 2), conv, 'H').need!;
    // A quarter of the elements is left.
    assert.equal(shrink.elementBytes[8], 1);
    assert.equal(shrink.elementBytes[1], 1);
    // Two rows at an end depend on four at most, which two rows can stand for.
    const same = behind([1, 4, 16, 8], (net, x) => net.conv(x, 4, 3, 1, 4), conv, 'H').need!;
    assert.equal(same.elementBytes[16], 4 * (16 / 18));
    assert.equal(same.elementBytes[1], 4 * (2 / 4));
  });

  it('is not known where some places are needed by no unit', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.conv(net.maxPool(net.conv(net.input([1, 4, 17, 8]), 4, 1), 2, 2), 4, 3)]);
    const scene = new BoundScene(graph, partitionRules(graph), smartHome());
    const [, pool] = scene.flow.steps;
    assert.equal(lineageOf(scene, pool, scene.optionsOf(pool), 0), undefined);
  });

  it('is the same element where it is handed on', () => {
    const { direct, need } = behind([1, 4, 16, 8], (net, x) => net.relu(x), conv, 'H');
    assert.equal(need, direct);
    const net = new NetBuilder();
    const graph = net.finish([net.relu(net.conv(net.input([1, 4, 8, 8]), 4, 1))]);
    const scene = new BoundScene(graph, partitionRules(graph), smartHome());
    const [, relu] = scene.flow.steps;
    assert.ok(isUnchanged(lineageOf(scene, relu, scene.optionsOf(relu), 0)!));
  });

  it('is nothing for what comes from another part of a concatenation', () => {
    const net = new NetBuilder();
    const x = net.input([1, 4, 8, 8]);
    const joined = net.concat([net.conv(x, 1, 1), net.conv(x, 1, 1)]);
    const graph = net.finish([net.conv(joined, 2, 3, 1, 2)]);
    const scene = new BoundScene(graph, partitionRules(graph), smartHome());
    const concat = graph.operators.find(({ type }) => type === 'Concat')!.id;
    const depthwise = scene.flow.steps[scene.flow.steps.length - 1];
    const along = (operator: number, dimension: string): Option =>
      scene
        .optionsOf(operator)
        .find(({ split }) => split !== NONE && scene.rules.splits(operator)[split].dimension === dimension)!;
    const needs = along(concat, 'C').needs.map(({ atEnd }) => [...atEnd]);
    // One of the two channels may be the other's.
    assert.deepEqual(needs, [
      [0, 0, 64],
      [0, 0, 64],
    ]);
    const lineage = lineageOf(scene, concat, scene.optionsOf(concat), 1)!;
    const need = needBehind(along(depthwise, 'C').needs[0], lineage)!;
    assert.deepEqual([...need.atEnd], [0, 0, 64]);
    assert.ok(need.elementBytes.every((bytes, n) => n === 0 || bytes === 4));
  });

  it('is not known of a convolution that adds partial sums up', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.conv(net.conv(net.input([1, 4, 8, 8]), 4, 1), 4, 3)]);
    const scene = new BoundScene(graph, partitionRules(graph), smartHome());
    const [, last] = scene.flow.steps;
    assert.equal(lineageOf(scene, last, scene.optionsOf(last), 0), undefined);
  });

  it('lies on the other axis behind a transposition, and channels that are shuffled on all groups', () => {
    const net = new NetBuilder();
    const shuffled = net.shuffle(net.relu(net.conv(net.input([1, 8, 6, 6]), 8, 1, 1, 4)), 4);
    const graph = net.finish([net.conv(shuffled, 8, 3, 1, 8)]);
    const scene = new BoundScene(graph, partitionRules(graph), smartHome());
    const transpose = graph.operators.find(({ type }) => type === 'Transpose')!.id;
    const { order, made, read } = lineageOf(scene, transpose, scene.optionsOf(transpose), 0)!;
    assert.deepEqual(
      [read.factors, made.factors, order],
      [
        [4, 2, 6, 6],
        [2, 4, 6, 6],
        [1, 0, 2, 3],
      ],
    );
    // The activation before it tells the same axes apart.
    const [conv1, relu] = scene.flow.steps;
    for (const step of [conv1, relu])
      assert.deepEqual(scene.space(scene.flow.operators[step].makes[0]).factors, [4, 2, 6, 6]);
  });
});
