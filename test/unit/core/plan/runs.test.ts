import assert from 'node:assert/strict';
import {
  boxElements,
  boxRuns,
  intersect,
  overlaps,
  subtract,
  unite,
} from '../../../../src/core/plan/check/runs';
import { boxMembers } from '../../../support/boxMembers';

/** Small deterministic generator, so that a failure can be repeated. */
function randomness(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function members(runs: readonly number[]): Set<number> {
  const set = new Set<number>();
  for (let i = 0; i < runs.length; i += 2) for (let e = runs[i]; e < runs[i + 1]; e++) set.add(e);
  return set;
}

describe('element runs of the plan checker', () => {
  it('agree with sets of elements, for random boxes', () => {
    const random = randomness(7);
    for (let round = 0; round < 400; round++) {
      const shape = Array.from({ length: random(5) }, () => 1 + random(5));
      const box = () =>
        shape.flatMap((length) => {
          const start = random(length + 1);
          return [start, start + random(length - start + 1)];
        });
      const [p, q] = [box(), box()];
      const [a, b] = [boxRuns(shape, p), boxRuns(shape, q)];
      const [as, bs] = [boxMembers(shape, p), boxMembers(shape, q)];
      assert.deepEqual(members(a), as);
      assert.equal(boxElements(p), as.size);
      assert.deepEqual(members(unite(a, b)), new Set([...as, ...bs]));
      assert.deepEqual(members(intersect(a, b)), new Set([...as].filter((e) => bs.has(e))));
      assert.deepEqual(members(subtract(a, b)), new Set([...as].filter((e) => !bs.has(e))));
      assert.equal(
        overlaps(a, b),
        [...as].some((e) => bs.has(e)),
      );
    }
  });
});
