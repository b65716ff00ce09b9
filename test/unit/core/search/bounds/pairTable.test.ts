import assert from 'node:assert/strict';
import { seededRandom, type Random } from '../../../../../src/core/graph/random';
import { NONE } from '../../../../../src/core/graph/units';
import { Evaluator } from '../../../../../src/core/latency/evaluator';
import { type Gene } from '../../../../../src/core/latency/gene';
import type { Workload } from '../../../../../src/core/latency/workload';
import type { PairwiseProblem } from '../../../../../src/core/search/bounds/elimination';
import { byOperator } from '../../../../../src/core/search/opponents/geneProblem';
import type { SynchronousProblem } from '../../../../../src/core/search/bounds/synchronousProblem';
import { alikeGenes, chainProblem, chargeAtRandom, lengthsOf } from '../../../../support/boundProblems';

function positionsOf({ boxes }: SynchronousProblem): number[][] {
  return boxes.map((own) => [...own.keys()]);
}

/** Per variable the box that a plan lies in. */
function boxesOf(problem: SynchronousProblem, workload: Workload, genes: readonly Gene[]): number[] {
  return problem.boxes.map((boxes, variable) => {
    const { option, lengths } = lengthsOf(problem, workload, genes, variable);
    const position = boxes.findIndex(
      ({ box }) =>
        box.option === option && lengths.every((length, d) => box.lo[d] <= length && length <= box.hi[d]),
    );
    assert.ok(position !== NONE);
    return position;
  });
}

function costOf({ unary, edges }: PairwiseProblem, choice: readonly number[]): number {
  const between = edges.map(({ a, b, table }) => table[choice[a] * unary[b].length + choice[b]]);
  return [...unary.map((costs, v) => costs[choice[v]]), ...between].reduce((sum, ns) => sum + ns, 0);
}

/**
 * The chosen boxes, and others, are halved along the lengths of a device.
 * @returns per variable where each box stood before, or the one that it is a part of
 */
function halve(problem: SynchronousProblem, choice: readonly number[], random: Random): number[][] {
  const splits = problem.boxes.map((boxes, variable) =>
    [...new Set([choice[variable], random.below(boxes.length)])].flatMap((i) => {
      const { box } = boxes[i];
      const open = [...box.lo.keys()].filter((d) => box.lo[d] < box.hi[d]);
      if (open.length === 0) return [];
      const d = open[random.below(open.length)];
      const middle = (box.lo[d] + box.hi[d]) >> 1;
      const halves = [
        { ...box, hi: box.hi.with(d, middle) },
        { ...box, lo: box.lo.with(d, middle + 1) },
      ];
      return [{ i, parts: halves.flatMap((half) => problem.compiled(variable, half) ?? []) }];
    }),
  );
  const kept = problem.boxes.map((boxes, v) =>
    [...boxes.keys()].filter((i) => splits[v].every((split) => split.i !== i)),
  );
  const parents = splits.map((own) => own.flatMap(({ i, parts }) => parts.map(() => i)));
  problem.update(
    kept,
    splits.map((own) => own.flatMap(({ parts }) => parts)),
    parents,
  );
  return kept.map((own, v) => [...own, ...parents[v]]);
}

describe('pairs of boxes', () => {
  it('counts pairs of parts as what they are parts of until they are worked out', () => {
    let less = 0;
    for (let seed = 0; seed < 40; seed++) {
      const random = seededRandom(seed);
      const { workload, problem } = chainProblem(random, seed % 2 === 1);
      const evaluator = new Evaluator(workload);
      problem.pairwise();
      const plans = Array.from({ length: 4 }, () => alikeGenes(random, workload));
      for (let turn = 0; turn < 16; turn++) {
        const before = problem.pairwise(positionsOf(problem), 'all');
        const origins = halve(problem, boxesOf(problem, workload, plans[turn % 2]), random);
        const all = positionsOf(problem);
        problem.pairwise(all, 'all').edges.forEach(({ a, b, table }, link) => {
          const pairs = origins[a].flatMap((i) => origins[b].map((j) => i * before.unary[b].length + j));
          assert.deepEqual(
            [...table],
            pairs.map((pair) => before.edges[link].table[pair]),
          );
        });
        if (turn === 8) chargeAtRandom(problem, random);
        const left = problem.pairwise(all, 'all');
        // Some are worked out in between, as those within reach are.
        problem.pairwise(all.map((positions) => positions.filter(() => random.below(3) === 0)));
        const worked = turn < 15 ? problem.pairwise(all, 'out of reach') : problem.pairwise(all);
        for (const genes of plans) {
          evaluator.evaluate(byOperator(workload, genes));
          const choice = boxesOf(problem, workload, genes);
          const costs = [left, worked].map((known) => costOf(known, choice));
          for (const cost of costs)
            assert.ok(cost <= evaluator.latencyNs + 1, `seed ${seed}: ${cost} > ${evaluator.latencyNs}`);
          if (costs[0] < costs[1]) less++;
        }
      }
      assert.equal(problem.leftPairs(positionsOf(problem)), 0);
    }
    assert.ok(less > 100, `${less} plans in boxes whose pairs cost more than what they are parts of`);
  });
});
