import assert from 'node:assert/strict';
import { eliminate, type PairwiseProblem } from '../../../../../src/core/search/bounds/elimination';
import { randomInts } from '../../../../support/random';

function randomProblem(random: (below: number) => number): PairwiseProblem {
  const variables = 1 + random(7);
  const unary = Array.from({ length: variables }, () =>
    Float64Array.from({ length: 1 + random(4) }, () => random(50)),
  );
  const edges = [];
  for (let a = 0; a < variables; a++) {
    for (let b = 0; b < variables; b++) {
      if (a >= b || random(2) === 0) continue;
      const [x, y] = random(2) === 0 ? [a, b] : [b, a];
      const table = Float64Array.from({ length: unary[x].length * unary[y].length }, () => random(30));
      edges.push({ a: x, b: y, table });
    }
  }
  return { unary, edges };
}

function costOf(problem: PairwiseProblem, choice: ArrayLike<number>): number {
  let cost = 0;
  problem.unary.forEach((costs, v) => (cost += costs[choice[v]]));
  for (const { a, b, table } of problem.edges) cost += table[choice[a] * problem.unary[b].length + choice[b]];
  return cost;
}

function bruteForce(problem: PairwiseProblem): { value: number; marginals: number[][] } {
  const marginals = problem.unary.map((costs) => new Array<number>(costs.length).fill(Infinity));
  let value = Infinity;
  const choice = problem.unary.map(() => 0);
  for (;;) {
    const cost = costOf(problem, choice);
    value = Math.min(value, cost);
    choice.forEach((x, v) => (marginals[v][x] = Math.min(marginals[v][x], cost)));
    let v = 0;
    while (v < choice.length && ++choice[v] === problem.unary[v].length) choice[v++] = 0;
    if (v === choice.length) return { value, marginals };
  }
}

/** Per edge and entry of its table. */
function leastOfPairs({ unary, edges }: PairwiseProblem): number[][] {
  return edges.map(({ a, b, table }) =>
    Array.from(table, (_, pair) => {
      const chosen = [Math.floor(pair / unary[b].length), pair % unary[b].length];
      // All others cost more than any assignment.
      const alone = unary.map((costs, v) =>
        v === a || v === b ? costs.map((cost, x) => (x === chosen[v === a ? 0 : 1] ? cost : 1e6)) : costs,
      );
      return bruteForce({ unary: alone, edges }).value;
    }),
  );
}

describe('elimination of a pairwise problem', () => {
  it('finds the minimum, a minimizer and every min-marginal', () => {
    const random = randomInts(11);
    for (let trial = 0; trial < 300; trial++) {
      const problem = randomProblem(random);
      const expected = bruteForce(problem);
      const found = eliminate(problem, 1e6);
      assert.ok(found.isExact);
      assert.equal(found.value, expected.value);
      assert.equal(costOf(problem, found.choice), expected.value);
      assert.deepEqual(
        found.marginals.map((costs) => [...costs]),
        expected.marginals,
      );
    }
  });

  for (const tableLimit of [1e6, 16]) {
    it(`says what every pair costs at least, up to the level, tables of ${tableLimit} combinations`, () => {
      const random = randomInts(31);
      let below = 0;
      for (let trial = 0; trial < 60; trial++) {
        const problem = randomProblem(random);
        const level = bruteForce(problem).value + random(6);
        const found = eliminate(problem, tableLimit, undefined, { level, arePairsAsked: true });
        leastOfPairs(problem).forEach((expected, edge) =>
          expected.forEach((cost, pair) => {
            const least = found.pairs[edge][pair];
            assert.ok(least <= Math.min(cost, level) + 1e-9);
            if (found.isExact) assert.equal(least, Math.min(cost, level));
            if (cost < level) below++;
          }),
        );
      }
      assert.ok(below > 20);
    });
  }

  it('stays a lower bound where buckets are cut', () => {
    const random = randomInts(5);
    let cut = 0;
    for (let trial = 0; trial < 300; trial++) {
      const problem = randomProblem(random);
      const expected = bruteForce(problem);
      const found = eliminate(problem, 16);
      if (!found.isExact) cut++;
      assert.ok(found.value <= expected.value + 1e-9);
      assert.ok(costOf(problem, found.choice) >= expected.value);
      found.marginals.forEach((costs, v) =>
        costs.forEach((cost, x) => assert.ok(cost <= expected.marginals[v][x] + 1e-9)),
      );
    }
    assert.ok(cut > 50);
  });

  for (const tableLimit of [1e6, 16]) {
    it(`leaves out what is known to be out of reach, tables of ${tableLimit} combinations`, () => {
      const random = randomInts(23);
      let reached = 0;
      for (let trial = 0; trial < 300; trial++) {
        let problem = randomProblem(random);
        let { reach } = eliminate(problem, tableLimit);
        let level = bruteForce(problem).value;
        for (let round = 0; round < 4; round++) {
          const { parts, origins } = inParts(problem, random);
          const expected = bruteForce(parts).value;
          const found = eliminate(parts, tableLimit, undefined, { level, known: reach, origins });
          const value = Math.min(found.value, level);
          if (found.isExact) assert.equal(value, Math.min(expected, level));
          assert.ok(value <= expected + 1e-9);
          if (value < level) reached++;
          [problem, reach] = [parts, found.reach];
          if (found.value >= level) level += random(8);
        }
      }
      assert.ok(reached > 50);
    });
  }
});

/** Some choices in two parts, all costs as high or higher. */
function inParts(
  { unary, edges }: PairwiseProblem,
  random: (below: number) => number,
): { parts: PairwiseProblem; origins: Int32Array[] } {
  const origins = unary.map((costs) =>
    Int32Array.from([...costs.keys()].flatMap((x) => (costs.length < 6 && random(4) === 0 ? [x, x] : [x]))),
  );
  const raised = (cost: number): number => cost + (random(3) === 0 ? random(4) : 0);
  const parts = {
    unary: unary.map((costs, v) => Float64Array.from(origins[v], (x) => raised(costs[x]))),
    edges: edges.map(({ a, b, table }) => {
      const columns = unary[b].length;
      const rows = [...origins[a]].flatMap((x) => [...origins[b]].map((y) => raised(table[x * columns + y])));
      return { a, b, table: Float64Array.from(rows) };
    }),
  };
  return { parts, origins };
}
