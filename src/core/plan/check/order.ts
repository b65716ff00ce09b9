import { tensorBytes } from '../../graph/elementType';
import type { Graph, Operator, Storage } from '../../graph/graph';
import { NONE } from '../../graph/units';
import type { Plan } from '../plan';
import { checkArena, type Lifetime } from './arena';
import { describeOperator, storageElements, storageName } from './replay';
import type { Violations } from './violations';

/** Replays the order on one device: precedence, peak, bound, lifetimes and arena. */
export function checkOrder(
  graph: Graph,
  plan: Plan,
  steps: readonly Operator[],
  violations: Violations,
): void {
  const stepOf = new Map(steps.map((operator, step) => [operator.id, step]));
  checkPrecedence(graph, steps, stepOf, violations);
  const lifetimes = graph.storages.map((storage) => lifetime(storage, stepOf, steps.length));
  const { order } = plan;
  const peak = peakOf(graph, lifetimes, steps, plan.options.inPlace === 'elementwise');
  if (peak !== order.peakBytes) {
    violations.add('order', `order.peakBytes says ${order.peakBytes}, replaying the steps gives ${peak}.`);
  }
  if (order.lowerBoundBytes > order.peakBytes) {
    violations.add(
      'order',
      `order.lowerBoundBytes ${order.lowerBoundBytes} lies above the peak ${order.peakBytes}.`,
    );
  }
  if (order.status === 'optimal' && order.lowerBoundBytes !== order.peakBytes) {
    violations.add('order', 'order.status says optimal, but the lower bound is not the peak.');
  }
  if (order.weightBytes !== graph.weightBytes.bytes) {
    violations.add(
      'order',
      `order.weightBytes says ${order.weightBytes}, the model's weights have ${graph.weightBytes.bytes}.`,
    );
  }
  checkTensors(graph, plan, lifetimes, violations);
  checkArena(graph, plan, steps, lifetimes, handovers(graph, plan, steps, lifetimes), violations);
}

/** The checker's own peak of any order. */
export function orderPeak(graph: Graph, steps: readonly Operator[], inPlace: boolean): number {
  const stepOf = new Map(steps.map((operator, step) => [operator.id, step]));
  const lifetimes = graph.storages.map((storage) => lifetime(storage, stepOf, steps.length));
  return peakOf(graph, lifetimes, steps, inPlace);
}

function checkPrecedence(
  graph: Graph,
  steps: readonly Operator[],
  stepOf: ReadonlyMap<number, number>,
  violations: Violations,
): void {
  for (const operator of steps) {
    for (const input of operator.inputs) {
      const producer = input === NONE ? NONE : graph.tensors[input].producer;
      if (producer !== NONE && stepOf.get(producer)! >= stepOf.get(operator.id)!) {
        violations.add(
          'order',
          `${describeOperator(operator)} runs before ${describeOperator(graph.operators[producer])}, whose output it reads.`,
        );
      }
    }
  }
}

function lifetime(storage: Storage, stepOf: ReadonlyMap<number, number>, steps: number): Lifetime {
  const first = storage.producer === NONE ? 0 : stepOf.get(storage.producer)!;
  if (storage.isOutput) return { first, last: steps - 1 };
  const last = storage.consumers.reduce((latest, consumer) => Math.max(latest, stepOf.get(consumer)!), first);
  return { first, last };
}

function peakOf(
  graph: Graph,
  lifetimes: readonly Lifetime[],
  steps: readonly Operator[],
  inPlace: boolean,
): number {
  const change = new Float64Array(steps.length + 1);
  lifetimes.forEach(({ first, last }, storage) => {
    const bytes = graph.storages[storage].bytes ?? 0;
    change[first] += bytes;
    change[last + 1] -= bytes;
  });
  let live = 0;
  let peak = 0;
  steps.forEach((operator, step) => {
    live += change[step];
    const reused = inPlace ? (overwritable(graph, operator, step, lifetimes)[0]?.bytes ?? 0) : 0;
    peak = Math.max(peak, live + operator.bodyPeak.bytes - reused);
  });
  return peak;
}

/** Input storages that an elementwise operator may write its single output over, at this step. */
function overwritable(
  graph: Graph,
  operator: Operator,
  step: number,
  lifetimes: readonly Lifetime[],
): Storage[] {
  const outputs = operator.outputs.filter((id) => id !== NONE);
  if (!operator.isElementwise || operator.isView || outputs.length !== 1) return [];
  const output = graph.storages[graph.tensors[outputs[0]].storage];
  const isAlike = ({ id, bytes }: Storage): boolean =>
    bytes === output.bytes && storageElements(graph, id) === storageElements(graph, output.id);
  return operator.inputs.flatMap((input) => {
    if (input === NONE || graph.tensors[input].storage === NONE) return [];
    const storage = graph.storages[graph.tensors[input].storage];
    return isAlike(storage) && !storage.isOutput && lifetimes[storage.id].last === step ? [storage] : [];
  });
}

/** Per storage those that the plan's in-place rule lets it be written over. */
function handovers(
  graph: Graph,
  plan: Plan,
  steps: readonly Operator[],
  lifetimes: readonly Lifetime[],
): ReadonlyMap<number, readonly Storage[]> {
  if (plan.options.inPlace !== 'elementwise') return new Map();
  return new Map(
    graph.storages.map(({ id, producer }) => {
      const step = lifetimes[id].first;
      return [id, producer === NONE ? [] : overwritable(graph, steps[step], step, lifetimes)];
    }),
  );
}

/** Every tensor that is no weight, once, as the model has it; a view lives and lies where its storage does. */
function checkTensors(
  graph: Graph,
  plan: Plan,
  lifetimes: readonly Lifetime[],
  violations: Violations,
): void {
  const tensors = graph.tensors.filter(({ storage }) => storage !== NONE);
  if (plan.tensors.length !== tensors.length)
    violations.add(
      'order',
      `tensors has ${plan.tensors.length} entries, the model ${tensors.length} tensors.`,
    );
  const byName = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]));
  for (const { name, type, shape, storage } of tensors) {
    const entry = byName.get(name);
    if (entry === undefined) {
      violations.add('order', `Tensor "${name}" is missing from the plan's tensors.`);
      continue;
    }
    const { first, last } = lifetimes[storage];
    if (entry.firstStep !== first || entry.lastStep !== last)
      violations.add(
        'order',
        `Tensor "${name}" lives from step ${first} to ${last}, not ${entry.firstStep} to ${entry.lastStep}.`,
      );
    const { offset = entry.offset } = byName.get(storageName(graph, storage)) ?? {};
    if (entry.offset !== offset)
      violations.add('arena', `Tensor "${name}" lies at ${entry.offset}, its storage at ${offset}.`);
    const elements = shape?.reduce<number>((product, length) => product * (length ?? NaN), 1);
    const bytes = type === undefined || elements === undefined ? undefined : tensorBytes(type, elements);
    const facts: readonly [string, unknown, unknown][] = [
      ['type', entry.type, type ?? 'unknown'],
      ['shape', entry.shape.join(), (shape ?? []).map((length) => length ?? 0).join()],
      ['storage', entry.storage, storage],
      ['bytes', entry.bytes, bytes ?? entry.bytes],
    ];
    for (const [field, said, found] of facts) {
      if (said !== found)
        violations.add(
          'order',
          `Tensor "${name}": ${field} says ${String(said)}, the model has ${String(found)}.`,
        );
    }
  }
}
