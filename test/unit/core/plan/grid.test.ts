import assert from 'node:assert/strict';
import { seededRandom, type Random } from '../../../../src/core/graph/random';
import { Grid, type TensorBox } from '../../../../src/core/plan/check/grid';
import { intersect, overlaps, subtract, unite } from '../../../../src/core/plan/check/runs';
import { boxMembers } from '../../../support/boxMembers';

/** Shapes that tensors of one storage may have, views that share their axes and views that do not. */
const VIEWS: readonly (readonly (readonly number[])[])[] = [
  [[]],
  [[1, 1]],
  [[7], [1, 7, 1]],
  [[2, 3, 4, 5], [6, 20], [120], [2, 12, 5]],
  [
    [4, 6],
    [6, 4],
  ],
  [
    [3, 4, 6, 2],
    [3, 6, 4, 2],
    [12, 12],
    [3, 48],
  ],
  [
    [2, 2, 9],
    [4, 3, 3],
    [6, 6],
  ],
];

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function randomBox(random: Random, shape: readonly number[]): TensorBox {
  const box = shape.flatMap((length) => {
    if (random.below(3) === 0) return [0, length];
    const start = random.below(length + 1);
    return [start, start + random.below(length - start + 1)];
  });
  return { shape, box };
}

describe('the grid of a storage', () => {
  for (const views of VIEWS) {
    it(`counts as sets of elements do, over ${views.map((shape) => `[${shape.join()}]`).join(' ')}`, () => {
      const random = seededRandom(7);
      for (let round = 0; round < 60; round++) {
        const boxes = Array.from({ length: 6 }, () => randomBox(random, views[random.below(views.length)]));
        const grid = new Grid(elementsOf(views[0]), boxes);
        assert.equal(grid.count(grid.whole), elementsOf(views[0]));
        const made = boxes.map((box) => ({ runs: grid.runs(box), set: boxMembers(box.shape, box.box) }));
        for (const { runs: a, set: as } of made) {
          assert.equal(grid.count(a), as.size);
          for (const { runs: b, set: bs } of made) {
            const both = [...as].filter((element) => bs.has(element));
            assert.equal(overlaps(a, b), both.length > 0);
            assert.equal(grid.count(intersect(a, b)), both.length);
            assert.equal(grid.count(subtract(a, b)), as.size - both.length);
            assert.equal(grid.count(unite(a, b)), as.size + bs.size - both.length);
            const [{ runs: c, set: cs }] = made;
            const rest = [...as, ...bs].filter((element) => !cs.has(element));
            assert.equal(grid.count(subtract(unite(a, b), c)), new Set(rest).size);
          }
        }
      }
    });
  }

  it('needs no more runs for a cut of a narrow axis than for one of a wide axis', () => {
    const shape = [512, 512, 3, 3];
    const cuts: readonly TensorBox[] = [
      { shape, box: [0, 512, 0, 512, 0, 3, 0, 2] },
      { shape, box: [0, 512, 0, 512, 1, 3, 0, 3] },
      { shape, box: [0, 512, 17, 400, 0, 3, 0, 3] },
      { shape: [512, 4608], box: [100, 200, 0, 4608] },
    ];
    for (const box of cuts) {
      const grid = new Grid(elementsOf(shape), [box]);
      assert.equal(grid.runs(box).length, 2);
      assert.equal(grid.count(grid.runs(box)), boxMembers(box.shape, box.box).size);
    }
    const grid = new Grid(elementsOf(shape), cuts);
    for (const box of cuts) assert.ok(grid.runs(box).length <= 2 * 3 * 3 * 2);
  });

  it('answers for no box that it was not made for', () => {
    const grid = new Grid(12, [{ shape: [3, 4], box: [0, 3, 0, 2] }]);
    assert.throws(() => grid.runs({ shape: [3, 4], box: [0, 3, 0, 1] }), /not cut for/);
  });

  it('has nothing where a storage has no elements', () => {
    const empty = { shape: [4, 0], box: [0, 4, 0, 0] };
    const grid = new Grid(0, [empty]);
    assert.deepEqual(grid.whole, []);
    assert.deepEqual(grid.runs(empty), []);
    assert.equal(grid.count(grid.whole), 0);
  });

  it('takes boxes of a storage whose size is not known', () => {
    const box = { shape: [4, 4], box: [0, 4, 1, 3] };
    const grid = new Grid(0, [box]);
    assert.deepEqual(grid.whole, []);
    assert.equal(grid.count(grid.runs(box)), 8);
  });
});
