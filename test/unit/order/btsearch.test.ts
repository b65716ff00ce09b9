import assert from 'node:assert/strict';
import { seededRandom } from '../../../src/core/graph/random';
import { replayOrder } from '../../../src/core/memory/check';
import { liveBytes } from '../../../src/core/memory/lifetimes';
import { orderProblem } from '../../../src/core/memory/problem';
import { findOrder } from '../../../src/core/order/btsearch';
import { ALL_RULES } from '../../../src/core/order/rules';
import { leastPeak } from '../../support/bruteForce';
import { freeControl } from '../../support/control';
import { randomToy } from '../../support/randomToy';
import { toyGraph } from '../../support/toyGraph';

const GRAPHS = 100;
const variants = [
  { name: 'all rules', rules: ALL_RULES },
  ...Object.keys(ALL_RULES).map((rule) => ({
    name: `without ${rule}`,
    rules: { ...ALL_RULES, [rule]: false },
  })),
];

describe('findOrder', () => {
  for (const { name, rules } of variants) {
    for (const inPlace of ['none', 'elementwise'] as const) {
      it(`equals brute force on ${GRAPHS} random graphs, ${name}, in place ${inPlace}`, () => {
        const random = seededRandom(7);
        for (let round = 0; round < GRAPHS; round++) {
          const weights = round % 4 === 3 ? 'streamed' : 'resident';
          const problem = orderProblem(toyGraph(randomToy(random, 1 + random.below(10))), {
            inPlace,
            weights,
          });
          const result = findOrder(problem, { rules }, freeControl());
          const where = `graph ${round}`;
          assert.equal(result.peakBytes, leastPeak(problem), where);
          assert.equal(result.status, 'optimal', where);
          assert.equal(liveBytes(problem, result.steps).peakBytes, result.peakBytes, where);
          assert.deepEqual(
            replayOrder(problem, result.steps, result.arena),
            { peakBytes: result.peakBytes, violations: [] },
            where,
          );
        }
      });
    }
  }
});
