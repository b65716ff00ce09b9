import type { Graph } from '../../graph/graph';
import { orderProblem } from '../../memory/problem';
import { randomBaseline, SINGLE_ORDERS, type Baseline } from '../../order/baselines';
import type { PartitionRules } from '../../partition/partition';
import { SINGLE_DEVICE_PREFIX } from '../baselines';
import type { Plan, PlanBaseline } from '../plan';
import { peakBytes } from './memory';
import { orderPeak } from './order';
import { replayPlan } from './replay';
import { durations, schedule } from './schedule';
import { checkSynchronous } from './synchronous';
import { nanoseconds, outputsWhole } from './timeline';
import { expectedTransfers } from './transfers';
import { type Violation, Violations } from './violations';

/** What an opponent's partitions make of it. */
interface Figures {
  readonly ns: number;
  readonly valid: boolean;
}

/**
 * Replays every opponent of a plan from its partitions: its latency, and whether it keeps within the memories.
 * @param plan one that `checkPlan` accepts
 */
export function checkBaselines(graph: Graph, rules: PartitionRules, plan: Plan): readonly Violation[] {
  const violations = new Violations();
  checkOrderBaselines(graph, plan, violations);
  const { baselines, baselinePartitions = [] } = plan.latency;
  const used = new Set(Object.values(baselines).flatMap(({ partitions = [] }) => partitions));
  if (used.size < baselinePartitions.length)
    violations.add('baseline', 'latency.baselinePartitions has entries that no baseline uses.');
  for (const [name, baseline] of Object.entries(baselines)) {
    if (name === 'singleDevice') {
      checkBestSingle(plan, baseline, violations);
      continue;
    }
    const found = figuresOf(graph, rules, plan, baseline);
    if (typeof found === 'string') {
      violations.add('baseline', `latency.baselines "${name}": ${found}`);
      continue;
    }
    if (found.ns !== nanoseconds(baseline.seconds)) {
      violations.add(
        'baseline',
        `latency.baselines "${name}" says ${baseline.seconds} s, replaying its partitions gives ${found.ns / 1e9}.`,
      );
    }
    if (found.valid !== baseline.valid) {
      violations.add(
        'baseline',
        `latency.baselines "${name}" says valid: ${baseline.valid}, but it ${found.valid ? 'keeps within' : 'exceeds'} the memories.`,
      );
    }
  }
  return violations.all();
}

/** The orders are made again by their methods, their peaks counted by the checker; random orders are drawn again. */
function checkOrderBaselines(graph: Graph, plan: Plan, violations: Violations): void {
  const { inPlace } = plan.options;
  const problem = orderProblem(graph, { inPlace });
  for (const [name, said] of Object.entries(plan.order.baselines)) {
    const found = baselineOf(name);
    if (found === undefined)
      violations.add('baseline', `order.baselines "${name}" is a method unknown here.`);
    for (const [field, bytes] of Object.entries(found ?? {})) {
      const claimed = (said as unknown as Readonly<Record<string, number>>)[field];
      if (claimed !== bytes)
        violations.add(
          'baseline',
          `order.baselines "${name}": ${field} says ${claimed}, its order gives ${bytes}.`,
        );
    }
  }

  function baselineOf(name: string): Baseline | undefined {
    if (name === 'random') return randomBaseline(problem);
    if (!Object.hasOwn(SINGLE_ORDERS, name)) return undefined;
    const order = [...SINGLE_ORDERS[name as keyof typeof SINGLE_ORDERS](problem)];
    const steps = order.map((id) => graph.operators[id]);
    return { peakBytes: orderPeak(graph, steps, inPlace === 'elementwise') };
  }
}

/** The best device alone, one with enough memory before any that has not. */
function checkBestSingle(plan: Plan, said: PlanBaseline, violations: Violations): void {
  const singles = Object.entries(plan.latency.baselines)
    .filter(([name]) => name.startsWith(SINGLE_DEVICE_PREFIX))
    .map(([, baseline]) => baseline);
  const valid = singles.filter((single) => single.valid);
  const seconds = Math.min(...(valid.length > 0 ? valid : singles).map((single) => single.seconds));
  if (said.seconds !== seconds || said.valid !== valid.length > 0) {
    violations.add(
      'baseline',
      `latency.baselines "singleDevice" says ${said.seconds} s, valid: ${said.valid}; the best device alone takes ${seconds} s, valid: ${valid.length > 0}.`,
    );
  }
}

/** Its figures, or why there are none. */
function figuresOf(
  graph: Graph,
  rules: PartitionRules,
  plan: Plan,
  { partitions }: PlanBaseline,
): Figures | string {
  const table = plan.latency.baselinePartitions ?? [];
  if (partitions === undefined) return 'has no partitions to replay.';
  if (partitions.length !== plan.operators.length)
    return `has ${partitions.length} partitions for ${plan.operators.length} operators.`;
  if (partitions.some((at) => at >= table.length)) return 'names a partition that is not in the plan.';
  const operators = plan.operators.map((entry, at) => ({ ...entry, partition: table[partitions[at]] }));
  const steps = plan.latency.baselineSteps ?? plan.order.steps;
  const broken = new Violations();
  const replay = replayPlan(graph, rules, { ...plan, operators, order: { ...plan.order, steps } }, broken);
  if (replay === undefined) return broken.all()[0].message;
  const isSynchronous = plan.latency.model === 'synchronous';
  const expected = expectedTransfers(replay, !isSynchronous, broken);
  if (broken.any) return broken.all()[0].message;
  const timeline = isSynchronous ? durations(replay, expected) : schedule(replay, expected);
  const peaks = peakBytes(replay, timeline, isSynchronous);
  return {
    // Only durations count there; that events without a place lie outside their phases does not matter.
    ns: isSynchronous ? checkSynchronous(replay, timeline, broken) : outputsWhole(replay, timeline),
    valid: plan.cluster.devices.every(({ memory }, device) => peaks[device] <= memory),
  };
}
