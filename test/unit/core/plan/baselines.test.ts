import assert from 'node:assert/strict';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { planBaselines } from '../../../../src/core/plan/baselines';

const DAY = 24 * 3600;

describe('baselines of a plan', () => {
  const planned = (name: string, seconds: number, valid = true) => ({ name, seconds, valid, partitions: [] });

  it('have the best device alone, a valid one before a faster one', () => {
    const { baselines } = planBaselines(
      [planned('single a', 2, false), planned('single b', 5), planned('single c', 4), planned('greedy', 1)],
      smartHome(),
    );
    assert.deepEqual(baselines['singleDevice'], { seconds: 4, valid: true });
    assert.deepEqual(Object.keys(baselines), ['singleDevice', 'single a', 'single b', 'single c', 'greedy']);
  });

  it('leave out what takes longer than seconds can say to the nanosecond', () => {
    const { baselines } = planBaselines(
      [planned('single a', 1), planned('single b', 30 * DAY), planned('greedy', 26 * DAY)],
      smartHome(),
    );
    assert.deepEqual(Object.keys(baselines), ['singleDevice', 'single a', 'greedy']);
  });
});
