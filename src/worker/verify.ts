import type { Graph } from '../core/graph/graph';
import type { Plan } from '../core/plan/plan';
import { controlWith } from '../engine/control';
import { openPlanned } from '../engine/plannedModel';
import { loadPlan } from '../engine/planFile';
import { loadRuntime } from '../engine/runtime';
import { verifyPlanned, type VerifyProgress, type VerifyReport } from '../engine/verify';
import type { RunProgress, VerificationResult } from '../protocol/webview';
import type { VerifyRequest } from '../protocol/worker';
import { isCancelled } from './cancel';
import { withModelFile } from './modelFile';

/** Runs the plan against the whole model with ONNX Runtime (WebAssembly: the build that the extension carries). */
export function verify(
  request: VerifyRequest,
  report: (progress: RunProgress) => void,
): Promise<VerificationResult> {
  const plan: Plan = loadPlan(request.plan);
  const control = controlWith<VerifyProgress>(
    () => isCancelled(request.cancel),
    (progress) => report(runProgress(progress)),
  );
  return withModelFile(request.model, async (path) => {
    const model = openPlanned(path, plan);
    try {
      const found = await verifyPlanned(await loadRuntime('wasm'), model, plan.options.seed, control);
      return verificationResult(found, model.analysis.graph);
    } finally {
      model.source.close();
    }
  });
}

function runProgress({ phase, done, total }: VerifyProgress): RunProgress {
  return {
    task: 'verify',
    phase: phase === 'model' ? 'Running the model' : 'Comparing operators',
    fraction: done / total,
    ...{ bestSeconds: null, boundSeconds: null, bestPeakBytes: null, boundPeakBytes: null },
  };
}

function verificationResult(report: VerifyReport, graph: Graph): VerificationResult {
  const operatorAt = new Map(graph.operators.map(({ index, id }) => [index, id]));
  const outputs = report.outputs.map(({ tensor, absolute, relative, isEqual }) => ({
    name: tensor,
    operator: null,
    largestAbsolute: absolute,
    largestRelative: relative,
    passed: isEqual,
  }));
  const operators = report.operators.map(({ index, name, type, absolute, relative, isEqual }) => ({
    name: name === '' ? `${type} ${index}` : name,
    operator: operatorAt.get(index) ?? null,
    largestAbsolute: absolute,
    largestRelative: relative,
    passed: isEqual,
  }));
  return { passed: report.isEqual, summary: summaryOf(report), tensors: [...outputs, ...operators] };
}

function summaryOf({ isEqual, cancelled, failing, operators, outputs, runtime }: VerifyReport): string {
  if (cancelled) return 'The verification was cancelled.';
  if (failing !== undefined) {
    const { type, name, index, absolute } = failing;
    return `${type} ${name || index} gives other results when it is split: the largest difference is ${absolute.toPrecision(3)}.`;
  }
  const largest = Math.max(0, ...outputs.map(({ absolute }) => absolute));
  if (!isEqual) return `An output of the partitioned model differs: by up to ${largest.toPrecision(3)}.`;
  const what = `${operators.length} split operators and ${outputs.length} outputs`;
  return `Verified with ${runtime}: ${what} agree, the largest difference is ${largest.toPrecision(2)}.`;
}
