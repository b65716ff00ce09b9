import assert from 'node:assert/strict';
import { RegionSpace, type Region } from '../../../../src/core/partition/regions';
import { randomInts } from '../../../support/random';

function bruteForce(shape: readonly number[], box: readonly number[]): Set<number> {
  let indices = [0];
  shape.forEach((dim, axis) => {
    const next: number[] = [];
    for (const index of indices)
      for (let i = box[2 * axis]; i < box[2 * axis + 1]; i++) next.push(index * dim + i);
    indices = next;
  });
  return new Set(indices);
}

function elementsOf(space: RegionSpace, region: Region): Set<number> {
  const all = new Set<number>();
  for (const [lo, hi] of space.runs(region)) for (let i = lo; i < hi; i++) all.add(i);
  return all;
}

function randomShape(random: (below: number) => number, size: number): number[] {
  const shape: number[] = [];
  let rest = size;
  while (rest > 1) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0);
    const dim = divisors[random(divisors.length)];
    shape.push(dim);
    rest /= dim;
    if (shape.length > 5) {
      shape.push(rest);
      rest = 1;
    }
  }
  return shape;
}

function randomBox(random: (below: number) => number, shape: readonly number[]): number[] {
  return shape.flatMap((dim) => {
    if (random(3) === 0) return [0, dim];
    const a = random(dim + 1);
    const b = random(dim + 1);
    return [Math.min(a, b), Math.max(a, b)];
  });
}

const sorted = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b);

describe('regions', () => {
  it('agrees with sets of elements over random views, compatible or not', () => {
    const random = randomInts(7);
    for (let trial = 0; trial < 1500; trial++) {
      const size = [1, 2, 12, 24, 36, 60, 64, 90][random(8)];
      const shapes = Array.from({ length: 1 + random(3) }, () => randomShape(random, size));
      const space = new RegionSpace(shapes);
      const pick = (): [Region, Set<number>] => {
        const shape = shapes[random(shapes.length)];
        const box = randomBox(random, shape);
        const region = space.fromBox(shape, box);
        return [region, bruteForce(shape, box)];
      };
      let [a, setA] = pick();
      for (let round = 0; round < 4; round++) {
        const [b, setB] = pick();
        assert.deepEqual(sorted(elementsOf(space, b)), sorted(setB), `${JSON.stringify(shapes)}`);
        const common = sorted(setA).filter((e) => setB.has(e));
        assert.equal(space.commonElements(a, b), common.length);
        assert.equal(space.missingElements(a, b), setA.size - common.length);
        assert.equal(space.contains(a, b), common.length === setB.size);
        assert.equal(space.equal(a, b), common.length === setB.size && setA.size === setB.size);
        assert.deepEqual(sorted(elementsOf(space, space.intersection(a, b))), common);
        const without = space.difference(a, b);
        assert.equal(without.elements, setA.size - common.length);
        assert.deepEqual(
          sorted(elementsOf(space, without)),
          sorted(setA).filter((e) => !setB.has(e)),
        );
        const union = space.union(a, b);
        const unionSet = new Set([...setA, ...setB]);
        assert.equal(union.elements, unionSet.size);
        assert.deepEqual(sorted(elementsOf(space, union)), sorted(unionSet));
        [a, setA] = random(2) === 0 ? [union, unionSet] : [without, new Set(elementsOf(space, without))];
      }
    }
  });

  it('joins rows that neighbours hold into one box', () => {
    const shape = [1, 64, 56, 56];
    const space = new RegionSpace([shape]);
    const rows = (lo: number, hi: number): Region => space.fromBox(shape, [0, 1, 0, 64, lo, hi, 0, 56]);
    assert.equal(space.union(rows(0, 20), rows(18, 30)).boxes.length, 6);
    assert.equal(space.union(space.union(rows(0, 20), rows(30, 56)), rows(20, 30)).elements, space.size);
  });

  it('keeps a flattened interval as few boxes of the factored shape', () => {
    const space = new RegionSpace([
      [1, 64, 7, 7],
      [1, 3136],
    ]);
    assert.deepEqual(space.factors, [64, 7, 7]);
    const region = space.fromBox([1, 3136], [0, 1, 10, 3000]);
    assert.equal(region.elements, 2990);
    assert.ok(region.boxes.length / 6 <= 5);
  });

  it('handles scalars, empty boxes and empty tensors', () => {
    const scalar = new RegionSpace([[], [1, 1]]);
    assert.equal(scalar.fromBox([], []).elements, 1);
    assert.equal(scalar.fromBox([1, 1], [0, 1, 0, 0]).elements, 0);
    const nothing = new RegionSpace([[3, 0, 2]]);
    assert.equal(nothing.whole.elements, 0);
    assert.equal(nothing.fromBox([3, 0, 2], [0, 3, 0, 0, 0, 2]).elements, 0);
  });
});
