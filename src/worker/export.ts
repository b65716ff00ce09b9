import { dirname, join } from 'node:path';
import { controlWith } from '../engine/control';
import { exportPlan, type ExportProgress } from '../engine/export';
import { loadPlan } from '../engine/planFile';
import type { RunProgress } from '../protocol/webview';
import type { ExportRequest, HostToWorker } from '../protocol/worker';
import { isCancelled } from './cancel';

type ExportReply = HostToWorker['requests']['export']['reply'];

/** Writes the plan as ONNX; answers the paths written, none where it was cancelled. */
export async function exportModel(
  { modelPath, plan, kind, to, overwrite, cancel }: ExportRequest,
  report: (progress: RunProgress) => void,
): Promise<ExportReply> {
  const control = controlWith<ExportProgress>(
    () => isCancelled(cancel),
    ({ file, done, total }) => report(runProgress(file, total === 0 ? 1 : done / total)),
  );
  const written = await exportPlan(modelPath, loadPlan(plan), to, { kind, force: overwrite }, control);
  const folder = kind === 'per-device' ? to : dirname(to);
  return { files: written.cancelled ? [] : written.files.map(({ name }) => join(folder, name)) };
}

function runProgress(file: string, fraction: number): RunProgress {
  return {
    task: 'export',
    phase: `Writing ${file}`,
    fraction,
    ...{ bestSeconds: null, boundSeconds: null, bestPeakBytes: null, boundPeakBytes: null },
  };
}
