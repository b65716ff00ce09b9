import assert from 'node:assert/strict';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { seededRandom } from '../../../../src/core/graph/random';
import { MemoryByteSource } from '../../../../src/core/onnx/byteSources';
import { checkPlan, deviceHoldings, deviceMemory } from '../../../../src/core/plan/check';
import { replayedIn } from '../../../../src/core/plan/replayed';
import { doorbellModel } from '../../../../src/engine/example/doorbell';
import { planner, randomGenome } from '../../../support/plans';

const cluster = smartHome();
const ROOMY = { ...cluster, devices: cluster.devices.map((device) => ({ ...device, memory: 2 ** 40 })) };
const MODELS = ['overlapped', 'synchronous'] as const;

describe('a plan replayed', () => {
  for (const own of MODELS) {
    const plans = planner(new MemoryByteSource(doorbellModel()), ROOMY, own);
    const random = seededRandom(3);
    const samples = Array.from({ length: 8 }, () => plans.plan(randomGenome(plans, random)));

    it(`in its own latency model is itself (${own})`, () => {
      for (const plan of samples) {
        const again = replayedIn(own, plans.graph, plans.rules, plan);
        assert.deepEqual(again.timeline, plan.timeline);
        assert.deepEqual(again.devices, plan.devices);
        assert.equal(again.latency.seconds, plan.latency.seconds);
      }
    });

    it(`in the other one is a plan that the checker accepts (from ${own})`, () => {
      const other = own === 'overlapped' ? 'synchronous' : 'overlapped';
      for (const plan of samples) {
        const again = replayedIn(other, plans.graph, plans.rules, plan);
        assert.deepEqual(checkPlan(plans.graph, plans.rules, again).violations, []);
        assert.deepEqual(again.operators, plan.operators);
      }
    });

    it(`holds what its memory curves add up (${own})`, () => {
      for (const plan of samples) {
        const curves = deviceMemory(plans.graph, plans.rules, plan)!;
        const holdings = deviceHoldings(plans.graph, plans.rules, plan)!;
        curves.forEach(({ times, bytes }, device) => {
          const constant = plan.cluster.devices[device].baseMemory + plan.devices[device].weightBytes;
          times.forEach((at, i) => {
            const held = holdings
              .filter((one) => one.device === device && one.from <= at && at < one.to)
              .reduce((sum, one) => sum + one.bytes, 0);
            if (times[i + 1] !== at) assert.equal(constant + held, bytes[i]);
          });
        });
      }
    });
  }
});
