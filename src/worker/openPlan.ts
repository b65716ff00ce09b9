import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Graph } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import { NONE } from '../core/graph/units';
import type { Model } from '../core/onnx/model';
import { partitionRules } from '../core/partition/rules';
import { deviceMemory } from '../core/plan/check';
import { parsePlan, PLAN_EXTENSION } from '../core/plan/codec';
import type { Plan } from '../core/plan/plan';
import { isCurrent, loadPlan, planPath } from '../engine/planFile';
import type { PlanState, ViewPlan } from '../protocol/webview';
import type { OpenRequest } from '../protocol/worker';
import { orderMemory } from './orderMemory';

/** The plan of a model, and whether it still belongs to it. */
export type FoundPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly name: string; readonly message: string }
  | { readonly kind: 'stale'; readonly name: string }
  | { readonly kind: 'current'; readonly name: string; readonly plan: Plan };

/** Looks for the plan where the request says. A plan that cannot be read is told, and never stops the model. */
export function findPlan(request: Pick<OpenRequest, 'plan' | 'model'>, model: Model): FoundPlan {
  const { plan } = request;
  if (plan.kind === 'none') return { kind: 'none' };
  if (plan.kind === 'text') return foundPlan(plan.name, model, () => parsePlan(plan.text));
  if (request.model.kind !== 'file') return { kind: 'none' };
  const [newest, ...older] = plansBeside(request.model.path).map((path) =>
    foundPlan(basename(path), model, () => loadPlan(path)),
  );
  return [newest, ...older].find((found) => found?.kind === 'current') ?? newest ?? { kind: 'none' };
}

function foundPlan(name: string, model: Model, load: () => Plan): FoundPlan {
  try {
    const plan = load();
    return isCurrent(plan, model) ? { kind: 'current', name, plan } : { kind: 'stale', name };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { kind: 'unreadable', name, message: error.message };
  }
}

/** `<model>.memorianova.json` and `<model>.<cluster>.memorianova.json`, the newest first. */
function plansBeside(modelPath: string): string[] {
  const folder = dirname(modelPath);
  const own = basename(planPath(modelPath));
  const prefix = own.slice(0, -PLAN_EXTENSION.length + 1);
  const names = readdirSync(folder).filter(
    (name) =>
      name === own || (name.startsWith(prefix) && name.endsWith(PLAN_EXTENSION) && !isOfAnotherModel(name)),
  );
  const written = new Map(names.map((name) => [name, statSync(join(folder, name)).mtimeMs]));
  names.sort((a, b) => written.get(b)! - written.get(a)! || (a < b ? -1 : 1));
  return names.map((name) => join(folder, name));

  /** `a.b.memorianova.json` belongs to `a.b.onnx` where that exists, not to the cluster `b` of `a.onnx`. */
  function isOfAnotherModel(name: string): boolean {
    const stem = name.slice(0, -PLAN_EXTENSION.length);
    return statSync(join(folder, `${stem}.onnx`), { throwIfNoEntry: false }) !== undefined;
  }
}

/** `saved`: the plan is a file's. */
export function planState(found: FoundPlan, graph: Graph, saved: boolean): PlanState {
  switch (found.kind) {
    case 'none':
      return found;
    case 'unreadable':
      return { kind: 'unreadable', fileName: found.name, message: found.message };
    case 'stale': {
      const reason = 'its structure or size has changed since.';
      return { kind: 'stale', fileName: found.name, reason };
    }
    case 'current':
      return currentState(found.name, found.plan, graph, saved);
  }
}

function currentState(fileName: string, plan: Plan, graph: Graph, saved: boolean): PlanState {
  const byNode = new Map(graph.operators.map((operator) => [operator.index, operator.id]));
  const steps = plan.order.steps.map((node) => byNode.get(node) ?? NONE);
  if (steps.length !== graph.operators.length || steps.includes(NONE)) {
    const message = 'The plan does not list the operators of this model: optimize again.';
    return { kind: 'unreadable', fileName, message };
  }
  return { kind: 'current', fileName, plan: viewPlan(plan, graph, steps, byNode), saved };
}

function viewPlan(
  plan: Plan,
  graph: Graph,
  steps: readonly number[],
  byNode: ReadonlyMap<number, number>,
): ViewPlan {
  const planOperators = new Int32Array(graph.operators.length).fill(NONE);
  plan.operators.forEach(({ index }, position) => {
    const operator = byNode.get(index);
    if (operator !== undefined) planOperators[operator] = position;
  });
  return {
    plan,
    memory: orderMemory(graph, steps, plan.options.inPlace),
    deviceMemory: deviceMemory(graph, partitionRules(graph), plan) ?? [],
    planOperators,
  };
}
