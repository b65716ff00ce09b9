import assert from 'node:assert/strict';
import { seededRandom } from '../../../src/core/graph/random';
import { replayOrder } from '../../../src/core/memory/check';
import { liveBytes } from '../../../src/core/memory/lifetimes';
import { orderProblem, type OrderProblem } from '../../../src/core/memory/problem';
import { modelOrder, peakOf } from '../../../src/core/order/baselines';
import { findOrder, type OrderProgress } from '../../../src/core/order/btsearch';
import type { Effort } from '../../../src/core/order/budgetSearch';
import { cutBound } from '../../../src/core/order/cutBound';
import { closeIn } from '../../../src/core/order/deepening';
import { ALL_RULES, type SearchRules } from '../../../src/core/order/rules';
import { bareCell } from '../../support/bareCell';
import { leastPeak } from '../../support/bruteForce';
import { freeControl } from '../../support/control';
import { randomToy } from '../../support/randomToy';
import { repeatedBlocks } from '../../support/repeatedBlocks';
import { twinCell } from '../../support/twinCell';
import { wattsStrogatz } from '../../support/wattsStrogatz';
import { toyGraph } from '../../support/toyGraph';

const GRAPHS = 2000;
const WHOLE_RESULTS = 200;
const MOST_OPERATORS = 10;

const variants: Record<string, SearchRules> = { 'all rules': ALL_RULES };
for (const rule of Object.keys(ALL_RULES)) variants[`without ${rule}`] = { ...ALL_RULES, [rule]: false };

/** Random problems of every kind, the same for every call. */
function* randomProblems(count: number): Generator<OrderProblem> {
  const random = seededRandom(7);
  for (let round = 0; round < count; round++) {
    const isTwin = round % 5 === 4;
    const graph = toyGraph(isTwin ? twinCell(random) : randomToy(random, 1 + random.below(MOST_OPERATORS)));
    yield orderProblem(graph, {
      inPlace: round % 2 === 0 ? 'none' : 'elementwise',
      weights: round % 4 < 2 ? 'resident' : 'streamed',
    });
  }
}

function freeEffort(): Effort {
  return { states: 0, stateLimit: Infinity, tableBytes: 1e8, outOfTable: false, interrupted: () => false };
}

describe('BTSearch', () => {
  it(`equals brute force on ${GRAPHS} random graphs, with all rules and without each`, () => {
    let round = 0;
    for (const problem of randomProblems(GRAPHS)) {
      const least = leastPeak(problem);
      const steps = modelOrder(problem);
      for (const [name, rules] of Object.entries(variants)) {
        const found = closeIn(
          problem,
          { steps, peakBytes: peakOf(problem, steps) },
          rules,
          freeEffort(),
          () => undefined,
        );
        const where = `graph ${round}, ${name}`;
        assert.equal(found.peakBytes, least, where);
        assert.equal(found.lowerBoundBytes, least, where);
        assert.equal(liveBytes(problem, found.steps).peakBytes, least, where);
      }
      assert.ok(cutBound(problem) <= least, `graph ${round}: bound above the least peak`);
      round++;
    }
  });

  it(`gives orders and arenas that the checker accepts, on ${WHOLE_RESULTS} random graphs`, () => {
    for (const problem of randomProblems(WHOLE_RESULTS)) {
      const result = findOrder(problem, {}, freeControl());
      assert.equal(result.status, 'optimal');
      const replay = replayOrder(problem, result.steps, result.arena);
      assert.deepEqual(replay, { peakBytes: result.peakBytes, violations: [] });
      for (const { bestBytes, peakBytes } of Object.values(result.baselines)) {
        assert.ok((bestBytes ?? peakBytes) >= result.peakBytes);
      }
    }
  });

  it('gives bodies places that the checker looks at', () => {
    const toy = toyGraph({
      inputs: { in: 64 },
      operators: [{ inputs: ['in'], outputs: { a: 64 }, bodyPeak: 60 }],
      outputs: ['a'],
    });
    const problem = orderProblem(toy, { inPlace: 'none' });
    const { steps, arena } = findOrder(problem, {}, freeControl());
    const at = (offset: number): readonly string[] =>
      replayOrder(problem, steps, { ...arena, stepOffsets: Float64Array.of(offset) }).violations;
    assert.deepEqual(at(arena.stepOffsets[0]), []);
    assert.deepEqual(at(arena.offsets[0]), ['Storage 0 and the step bytes of operator 0 overlap.']);
    assert.deepEqual(at(arena.bytes), ['The step bytes of operator 0 end outside the arena.']);
  });

  it('gives the same answer twice', () => {
    const problem = orderProblem(toyGraph(repeatedBlocks(5, 12, { seed: 3 })), { inPlace: 'none' });
    assert.deepEqual(findOrder(problem, {}, freeControl()), findOrder(problem, {}, freeControl()));
  });

  it('says when order does not matter', () => {
    const chain = toyGraph({
      inputs: { in: 64 },
      operators: [
        { inputs: ['in'], outputs: { a: 128 } },
        { inputs: ['a'], outputs: { b: 64 } },
      ],
      outputs: ['b'],
    });
    const result = findOrder(orderProblem(chain, { inPlace: 'none' }), {}, freeControl());
    assert.equal(result.orderMatters, false);
    assert.equal(result.peakBytes, 192);
  });

  it('counts unknown sizes as nothing and says so', () => {
    const graph = toyGraph({
      inputs: { in: 64 },
      operators: [{ inputs: ['in'], outputs: { a: undefined } }],
      outputs: ['a'],
    });
    const problem = orderProblem(graph, { inPlace: 'none' });
    assert.equal(problem.known, false);
    assert.equal(findOrder(problem, {}, freeControl()).peakBytes, 64);
  });

  it('takes a graph without operators', () => {
    const problem = orderProblem(toyGraph({ inputs: { in: 64 }, operators: [], outputs: ['in'] }), {
      inPlace: 'none',
    });
    const { status, steps, peakBytes, arena } = findOrder(problem, {}, freeControl());
    assert.deepEqual(
      { status, steps, peakBytes, arena: arena.bytes },
      { status: 'optimal', steps: [], peakBytes: 0, arena: 0 },
    );
  });
});

describe('BTSearch under limits', () => {
  const hard = (): OrderProblem => orderProblem(toyGraph(bareCell(128, 5)), { inPlace: 'none' });

  it('stops on cancel with its best order and a proven bound', () => {
    const result = findOrder(
      hard(),
      { rules: { ...ALL_RULES, releases: false } },
      { ...freeControl(), cancelled: () => true },
    );
    assert.equal(result.stopped, 'cancel');
    assert.ok(result.lowerBoundBytes <= result.peakBytes);
    assert.deepEqual(replayOrder(hard(), result.steps, result.arena).violations, []);
  });

  it('stops when the table of states may not grow', () => {
    const options = { rules: { ...ALL_RULES, releases: false, valleys: false }, tableBytes: 20_000 };
    const result = findOrder(hard(), options, freeControl());
    assert.equal(result.stopped, 'memory');
    assert.equal(result.status, 'feasible');
  });

  it('says that it was stopped also where only the offsets were', () => {
    const problem = orderProblem(toyGraph(wattsStrogatz(32, 4, 'distinct')), { inPlace: 'none' });
    let looks = 0;
    const control = { cancelled: () => false, now: () => ++looks, report: () => undefined };
    const whole = findOrder(problem, {}, control);
    const all = looks;
    looks = 0;
    const last = findOrder(problem, { timeLimitSeconds: all - 2 }, control);
    assert.equal(last.status, whole.status);
    assert.equal(last.stopped, 'time');
  });

  it('reports bounds that only ever close in', () => {
    const seen: OrderProgress[] = [];
    findOrder(
      hard(),
      { stateLimit: 20_000 },
      { ...freeControl<OrderProgress>(), report: (progress) => seen.push(progress) },
    );
    for (let at = 1; at < seen.length; at++) {
      assert.ok(seen[at].peakBytes <= seen[at - 1].peakBytes);
      assert.ok(seen[at].lowerBoundBytes >= seen[at - 1].lowerBoundBytes);
    }
  });

  it('orders a thousand repeated cells, 20,000 operators, in seconds', function () {
    this.timeout(60_000);
    const problem = orderProblem(toyGraph(repeatedBlocks(1000, 20)), { inPlace: 'none' });
    const steps = modelOrder(problem);
    const found = closeIn(
      problem,
      { steps, peakBytes: peakOf(problem, steps) },
      ALL_RULES,
      freeEffort(),
      () => undefined,
    );
    assert.equal(found.peakBytes, found.lowerBoundBytes);
  });
});
