import { NONE } from '../../graph/units';
import type { PartitionRules } from '../../partition/partition';
import type { PlanOperator } from '../plan';
import { describeOperator, type Replay } from './replay';
import type { Violations } from './violations';

/** What a plan repeats of its model, and whether it keeps to its own options. */
export function checkFacts(replay: Replay, rules: PartitionRules, violations: Violations): void {
  checkOperators(replay, violations);
  checkStrategy(replay, rules, violations);
  checkPins(replay, violations);
  const { plan } = replay;
  if (plan.options.latency !== plan.latency.model)
    violations.add(
      'latency',
      `latency.model says ${plan.latency.model}, options.latency ${plan.options.latency}.`,
    );
  if (plan.devices.length !== plan.cluster.devices.length)
    violations.add(
      'memory',
      `devices has ${plan.devices.length} entries for ${plan.cluster.devices.length} devices.`,
    );
}

function checkOperators({ graph, plan, stepOf }: Replay, violations: Violations): void {
  if (plan.operators.length !== graph.operators.length) {
    violations.add(
      'model',
      `operators has ${plan.operators.length} entries, the model ${graph.operators.length} operators.`,
    );
  }
  const entries = new Map(plan.operators.map((entry) => [entry.index, entry]));
  for (const operator of graph.operators) {
    const entry = entries.get(operator.index);
    if (entry === undefined) continue;
    const weights = new Set(operator.inputs.filter((id) => id !== NONE && graph.tensors[id].isWeight));
    const members = operator.members.length > 1 ? operator.members.map(({ index }) => index).join() : '';
    const facts: readonly [keyof PlanOperator, unknown, unknown][] = [
      ['name', entry.name, operator.name],
      ['type', entry.type, operator.type],
      ['step', entry.step, stepOf[operator.id]],
      ['flops', entry.flops, operator.flops ?? 0],
      [
        'weightBytes',
        entry.weightBytes,
        [...weights].reduce((sum, id) => sum + (graph.tensors[id].bytes ?? 0), 0),
      ],
      ['members', entry.members?.join() ?? '', members],
    ];
    for (const [field, said, found] of facts) {
      if (said !== found)
        violations.add(
          'model',
          `${describeOperator(operator)}: ${field} says ${String(said)}, it is ${String(found)}.`,
        );
    }
  }
}

/** `horizontal`: what can be split is split; `vertical`: whole operators, each device in one run of the order. */
function checkStrategy(
  { plan, steps, shards, devices }: Replay,
  rules: PartitionRules,
  violations: Violations,
): void {
  const { strategy, pins } = plan.options;
  if (pins !== undefined) return;
  const left = new Set<number>();
  let before: number | undefined;
  for (const operator of steps) {
    const own = shards[operator.id];
    if (own.length === 0) continue;
    if (
      strategy === 'horizontal' &&
      own.length < 2 &&
      devices.length > 1 &&
      rules.splits(operator.id).length > 0
    )
      violations.add(
        'partition',
        `options.strategy is horizontal, but ${describeOperator(operator)} is not split.`,
      );
    if (strategy !== 'vertical') continue;
    const [{ device }] = own;
    if (own.length > 1)
      violations.add(
        'partition',
        `options.strategy is vertical, but ${describeOperator(operator)} is split.`,
      );
    if (device !== before && left.has(device))
      violations.add(
        'partition',
        `options.strategy is vertical, but ${describeOperator(operator)} comes back to ${devices[device]}.`,
      );
    left.add(device);
    before = device;
  }
}

function checkPins({ graph, plan, shards, devices }: Replay, violations: Violations): void {
  const pins = (plan.options['pins'] ?? {}) as Readonly<
    Record<string, { device?: string; dimension?: string }>
  >;
  for (const [index, { device, dimension }] of Object.entries(pins)) {
    const operator = graph.operators.find((candidate) => String(candidate.index) === index);
    const entry = plan.operators.find((candidate) => String(candidate.index) === index);
    if (operator === undefined || entry === undefined || shards[operator.id].length === 0) {
      violations.add('partition', `options.pins names operator ${index}, which has no partition.`);
      continue;
    }
    const own = shards[operator.id];
    if (device !== undefined && (own.length !== 1 || devices[own[0].device] !== device))
      violations.add(
        'partition',
        `${describeOperator(operator)} is pinned to ${device}, but does not run there.`,
      );
    if (device === undefined && dimension !== undefined && entry.partition.dimension !== dimension)
      violations.add(
        'partition',
        `${describeOperator(operator)} is pinned to ${dimension}, but split by ${entry.partition.dimension}.`,
      );
  }
}
