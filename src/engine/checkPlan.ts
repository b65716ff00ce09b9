import { parseCluster } from '../core/cluster/parse';
import type { Graph } from '../core/graph/graph';
import { InputError } from '../core/graph/problem';
import type { PartitionRules } from '../core/partition/partition';
import { partitionRules } from '../core/partition/rules';
import { checkPlan, type CheckReport } from '../core/plan/check';
import { checkBaselines } from '../core/plan/check/baselines';
import type { Violation } from '../core/plan/check/violations';
import type { Plan } from '../core/plan/plan';
import { type BoundCertificate, verifyBound } from '../core/search/bounds/certificate';

/**
 * Replays a plan, then what it says of its opponents and of its bound. Opponents and bound are looked at only
 * where the plan itself holds: they would say nothing of a plan that does not fit its model.
 */
export function fullReport(graph: Graph, plan: Plan): CheckReport {
  const refused = clusterViolation(plan);
  if (refused !== undefined) return { valid: false, violations: [refused] };
  const rules = partitionRules(graph);
  const report = checkPlan(graph, rules, plan);
  if (!report.valid) return report;
  const bound = boundViolation(graph, rules, plan);
  const violations: Violation[] = [
    ...checkBaselines(graph, rules, plan),
    ...(bound === undefined ? [] : [{ rule: 'bound' as const, message: bound }]),
  ];
  return { ...report, valid: violations.length === 0, violations };
}

/** A cluster that could not be read from a file of its own makes no plan either. */
function clusterViolation({ cluster }: Plan): Violation | undefined {
  try {
    parseCluster(cluster);
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { rule: 'model', message: `cluster: ${error.message}` };
  }
}

function boundViolation(graph: Graph, rules: PartitionRules, plan: Plan): string | undefined {
  const { lowerBoundSeconds, model } = plan.latency;
  if (lowerBoundSeconds === 0) return undefined;
  const certificate = readCertificate(plan.latency['boundCertificate']);
  if (certificate?.model !== model)
    return `latency.lowerBoundSeconds has no certificate for ${model} latency.`;
  if (certificate.method !== plan.latency.boundMethod)
    return `latency.boundMethod says ${plan.latency.boundMethod}, its certificate ${certificate.method}.`;
  const claimed = Math.round(lowerBoundSeconds * 1e9);
  const proven = verifyBound(graph, rules, parseCluster(plan.cluster), certificate);
  if (proven !== undefined && proven >= claimed) return undefined;
  return `latency.lowerBoundSeconds ${lowerBoundSeconds} does not follow from its certificate, which proves ${(proven ?? 0) / 1e9}.`;
}

/** A certificate of a file that anyone may have written: `undefined` unless every field has its type. */
function readCertificate(value: unknown): BoundCertificate | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const isNumber = (field: unknown): field is number => typeof field === 'number';
  const isNumbers = (field: unknown): boolean => Array.isArray(field) && field.every(isNumber);
  const arePrices = (field: unknown): boolean => {
    if (typeof field !== 'object' || field === null) return false;
    const { weights, steps } = field as Record<string, unknown>;
    const isStep = (step: unknown): boolean =>
      typeof step === 'object' &&
      step !== null &&
      isNumber((step as Record<string, unknown>)['operator']) &&
      isNumbers((step as Record<string, unknown>)['prices']);
    return isNumbers(weights) && Array.isArray(steps) && steps.every(isStep);
  };
  const isLater = (field: unknown): boolean =>
    typeof field === 'object' &&
    field !== null &&
    ['rounds', 'incumbentNs'].every((name) => isNumber((field as Record<string, unknown>)[name]));
  const isOverlapped =
    fields['model'] === 'overlapped' &&
    ['shares', 'weightPrices'].every((name) => fields[name] === undefined || isNumbers(fields[name]));
  const isSynchronous =
    fields['model'] === 'synchronous' &&
    ['rounds', 'tableLimit', 'gap'].every((name) => isNumber(fields[name])) &&
    ['incumbentNs', 'messageTurns', 'charges'].every(
      (name) => fields[name] === undefined || isNumber(fields[name]),
    ) &&
    (fields['later'] === undefined || isLater(fields['later'])) &&
    (fields['areJoinsRelays'] === undefined || typeof fields['areJoinsRelays'] === 'boolean') &&
    (fields['prices'] === undefined || arePrices(fields['prices']));
  return isOverlapped || isSynchronous ? (value as BoundCertificate) : undefined;
}
