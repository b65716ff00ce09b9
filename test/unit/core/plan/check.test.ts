import assert from 'node:assert/strict';
import { parseCluster } from '../../../../src/core/cluster/parse';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { seededRandom } from '../../../../src/core/graph/random';
import { NONE } from '../../../../src/core/graph/units';
import { simulate } from '../../../../src/core/latency/simulate';
import { createWorkload } from '../../../../src/core/latency/workload';
import { MemoryByteSource } from '../../../../src/core/onnx/byteSources';
import { checkPlan } from '../../../../src/core/plan/check';
import { replayPlan } from '../../../../src/core/plan/check/replay';
import { Violations } from '../../../../src/core/plan/check/violations';
import { partitionRules } from '../../../../src/core/partition/rules';
import type { Plan } from '../../../../src/core/plan/plan';
import { doorbellModel } from '../../../../src/engine/example/doorbell';
import { NetBuilder } from '../../../support/netGraph';
import { planOf } from '../../../support/planOf';
import { planner, randomGenome } from '../../../support/plans';

const MODEL = new MemoryByteSource(doorbellModel());
const SHARED_MEDIUM = parseCluster({
  name: 'pair',
  devices: ['one', 'two', 'three'].map((name, index) => ({
    name,
    memory: '1 GiB',
    baseMemory: `${index} MiB`,
    compute: `${index + 1} GFLOP/s`,
    memoryBandwidth: '2 GB/s',
    operatorOverhead: '30 us',
  })),
  network: { kind: 'shared', bandwidth: '100 Mbit/s', latency: '0.5 ms' },
  source: 'one',
  sink: 'three',
});

function roomy(cluster = smartHome()): ReturnType<typeof smartHome> {
  return { ...cluster, devices: cluster.devices.map((device) => ({ ...device, memory: 2 ** 40 })) };
}

type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Field in keyof T]: Mutable<T[Field]> }
    : T;
type Draft = Mutable<Pick<Plan, 'cluster' | 'order' | 'tensors' | 'operators' | 'devices' | 'timeline'>> & {
  latency: { seconds: number; lowerBoundSeconds: number };
};

describe('plan checker', () => {
  for (const latency of ['overlapped', 'synchronous'] as const) {
    for (const cluster of [roomy(), SHARED_MEDIUM]) {
      for (const fuse of ['none', 'conv'] as const) {
        it(`accepts simulated random plans (${latency}, ${cluster.network.kind}, fuse ${fuse})`, () => {
          const plans = planner(MODEL, cluster, latency, fuse);
          const random = seededRandom(11);
          for (let round = 0; round < 25; round++) {
            const plan = plans.plan(randomGenome(plans, random));
            assert.deepEqual(checkPlan(plans.graph, plans.rules, plan).violations, []);
          }
        });
      }
    }
  }

  const plans = planner(MODEL, roomy(), 'overlapped');
  const valid = plans.plan(randomGenome(plans, seededRandom(5)));
  const split = (draft: Draft): Draft['operators'][number] =>
    draft.operators.find((operator) => operator.partition.shards.length > 1)!;
  it('takes a timeline of any length', () => {
    const { timeline } = valid;
    const long = {
      ...valid,
      timeline: Array.from({ length: 300_000 }, (_, i) => timeline[i % timeline.length]),
    };
    const { violations } = checkPlan(plans.graph, plans.rules, long);
    assert.match(violations[0].message, /event\(s\) that the plan does not need/);
  });

  it('takes a cut of a narrow last axis in a few runs, not one for each row', () => {
    const net = new NetBuilder();
    const graph = net.finish([net.relu(net.relu(net.input([64, 64, 3, 3])))]);
    const rules = partitionRules(graph);
    const cluster = roomy();
    const split = rules.splits(0).findIndex(({ axis }) => axis === 3);
    const workload = createWorkload(graph, rules, cluster, [0, 1], 'overlapped');
    const cuts = [0, 1, 2, 3, ...cluster.devices.slice(3).map(() => 3)];
    const gene = { split, cuts, reduceOn: NONE };
    const genome = [0, 1].map((operator) => workload.genes.compile(operator, gene));
    const plan = planOf(workload, genome, simulate(workload, genome));
    assert.deepEqual(checkPlan(graph, rules, plan).violations, []);
    const { shards } = replayPlan(graph, rules, plan, new Violations())!;
    for (const { needs, makes } of shards.flat())
      for (const runs of [...needs.values(), ...makes.values()]) assert.equal(runs.length, 2);
  });

  const transfer = (draft: Draft): Extract<Draft['timeline'][number], { kind: 'transfer' }> =>
    draft.timeline.find((event) => event.kind === 'transfer')!;

  const forgeries: readonly [what: string, rule: string, forge: (draft: Draft) => void][] = [
    ['a gap on an axis', 'partition', (draft) => (split(draft).partition.shards[0].end -= 1)],
    ['an overlap on an axis', 'partition', (draft) => (split(draft).partition.shards[0].end += 1)],
    [
      'a device that is not there',
      'partition',
      (draft) => (split(draft).partition.shards[0].device = 'oven'),
    ],
    ['a split that the operator does not allow', 'partition', (draft) => (split(draft).partition.axis = 0)],
    ['an operator left out of the order', 'order', (draft) => draft.order.steps.pop()],
    ['steps in reverse', 'order', (draft) => draft.order.steps.reverse()],
    ['a lower peak than the order has', 'order', (draft) => (draft.order.peakBytes -= 4)],
    ['a lower bound above the peak', 'order', (draft) => (draft.order.lowerBoundBytes += 4)],
    [
      'tensors on top of each other',
      'arena',
      (draft) => draft.tensors.forEach((tensor) => (tensor.offset = 0)),
    ],
    ['an arena that is too small', 'arena', (draft) => (draft.order.arenaBytes = 64)],
    [
      'a message left out',
      'timeline',
      (draft) => draft.timeline.splice(draft.timeline.indexOf(transfer(draft)), 1),
    ],
    ['a message that is not needed', 'timeline', (draft) => draft.timeline.push(transfer(draft))],
    ['a message that is too small', 'transfer', (draft) => (transfer(draft).bytes -= 4)],
    ['a message that is too quick', 'timeline', (draft) => (transfer(draft).end -= 1e-6)],
    [
      'everything one microsecond late but one',
      'timeline',
      (draft) => (draft.timeline[draft.timeline.length - 1].start -= 1e-6),
    ],
    ['a latency that the timeline does not have', 'latency', (draft) => (draft.latency.seconds -= 1e-6)],
    ['a bound above the latency', 'bound', (draft) => (draft.latency.lowerBoundSeconds = 1e6)],
    ['a device over its limit', 'memory', (draft) => (draft.cluster.devices[0].memory = 1000)],
    ['a lower peak on a device', 'memory', (draft) => (draft.devices[0].peakBytes -= 4)],
    ['less weight on a device', 'memory', (draft) => (draft.devices[1].weightBytes -= 4)],
  ];
  for (const [what, rule, forge] of forgeries) {
    it(`finds ${what}`, () => {
      const draft = structuredClone(valid);
      forge(draft as unknown as Draft);
      const { violations } = checkPlan(plans.graph, plans.rules, draft);
      assert.ok(
        violations.some((violation) => violation.rule === rule),
        `expected a violation of ${rule}, found ${JSON.stringify(violations.slice(0, 3))}`,
      );
    });
  }
});
