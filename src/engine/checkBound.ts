import { parseCluster } from '../core/cluster/parse';
import type { Graph } from '../core/graph/graph';
import { partitionRules } from '../core/partition/rules';
import type { CheckReport } from '../core/plan/check';
import type { Plan } from '../core/plan/plan';
import { type BoundCertificate, verifyBound } from '../core/search/bounds/certificate';

/** The report with one violation more where the plan's bound does not follow from its certificate. */
export function withBoundChecked(report: CheckReport, graph: Graph, plan: Plan): CheckReport {
  const message = boundViolation(graph, plan);
  if (message === undefined) return report;
  return { ...report, valid: false, violations: [...report.violations, { rule: 'bound', message }] };
}

function boundViolation(graph: Graph, plan: Plan): string | undefined {
  const { lowerBoundSeconds, model } = plan.latency;
  if (lowerBoundSeconds === 0) return undefined;
  const certificate = readCertificate(plan.latency['boundCertificate']);
  if (certificate?.model !== model)
    return `latency.lowerBoundSeconds has no certificate for ${model} latency.`;
  const claimed = Math.round(lowerBoundSeconds * 1e9);
  const proven = verifyBound(graph, partitionRules(graph), parseCluster(plan.cluster), certificate);
  if (proven !== undefined && proven >= claimed) return undefined;
  return `latency.lowerBoundSeconds ${lowerBoundSeconds} does not follow from its certificate, which proves ${(proven ?? 0) / 1e9}.`;
}

/** A certificate of a file that anyone may have written: `undefined` unless every field has its type. */
function readCertificate(value: unknown): BoundCertificate | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const isNumber = (field: unknown): field is number => typeof field === 'number';
  const isNumbers = (field: unknown): boolean => Array.isArray(field) && field.every(isNumber);
  const isOverlapped = fields['model'] === 'overlapped' && isNumbers(fields['shares']);
  const isSynchronous =
    fields['model'] === 'synchronous' &&
    ['rounds', 'tableLimit', 'gap'].every((name) => isNumber(fields[name])) &&
    (fields['incumbentNs'] === undefined || isNumber(fields['incumbentNs'])) &&
    (fields['prices'] === undefined || isNumbers(fields['prices']));
  return isOverlapped || isSynchronous ? (value as BoundCertificate) : undefined;
}
