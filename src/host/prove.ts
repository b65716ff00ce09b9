import * as vscode from 'vscode';
import type { ExportRequest } from '../protocol/worker';
import { UserError } from './log';
import { modelSource } from './modelSource';
import { openedSession, type OptimizeServices } from './optimize';
import { fileName, type Session } from './session';

/** Runs the whole and the partitioned model on the same inputs; failing operators are marked in the graph. */
export async function verifyModel(model: vscode.Uri, { sessions, runs }: OptimizeServices): Promise<void> {
  const session = await openedSession(model, sessions);
  const plan = planPath(session);
  const source = await modelSource(model);
  const title = vscode.l10n.t('Verifying the plan of {0}', fileName(model));
  const result = await runs.start(model, title, (worker, cancel) =>
    worker.request('verify', { model: source, plan, cancel }),
  );
  for (const each of sessions.of(model)) each.showVerification(result);
  if (result.passed) vscode.window.setStatusBarMessage(result.summary, 10_000);
  else void vscode.window.showWarningMessage(result.summary);
}

interface ExportItem extends vscode.QuickPickItem {
  readonly what: ExportRequest['kind'];
  readonly suffix: string;
}

function exportItems(): ExportItem[] {
  return [
    {
      label: vscode.l10n.t('Partitioned model'),
      detail: vscode.l10n.t('One .onnx in which every shard is an operator of its own'),
      what: 'partitioned',
      suffix: '.partitioned.onnx',
    },
    {
      label: vscode.l10n.t('Reordered model'),
      detail: vscode.l10n.t('The model itself with its operators in the order of least memory'),
      what: 'reordered',
      suffix: '.reordered.onnx',
    },
    {
      label: vscode.l10n.t('One model per device'),
      detail: vscode.l10n.t('A folder with the parts of each device and a manifest'),
      what: 'perDevice',
      suffix: '.devices',
    },
  ];
}

/** Writes the plan as ONNX where the user says; an existing file is replaced only after VS Code has asked. */
export async function exportModel(model: vscode.Uri, { sessions, runs }: OptimizeServices): Promise<void> {
  const session = await openedSession(model, sessions);
  const plan = planPath(session);
  const placeHolder = vscode.l10n.t('What to export');
  const item = await vscode.window.showQuickPick(exportItems(), { placeHolder });
  if (item === undefined) return;
  const target = await exportTarget(model, item.suffix);
  if (target === undefined) return;
  const source = await modelSource(model);
  const request = { model: source, plan, kind: item.what, to: target.fsPath, overwrite: true };
  const title = vscode.l10n.t('Exporting {0}', fileName(model));
  const { files } = await runs.start(model, title, (worker, cancel) =>
    worker.request('export', { ...request, cancel }),
  );
  const text = vscode.l10n.t('Exported {0}', files.map((file) => fileName(vscode.Uri.file(file))).join(', '));
  vscode.window.setStatusBarMessage(text, 10_000);
}

/** The save dialog asks before it replaces a file. */
function exportTarget(model: vscode.Uri, suffix: string): Thenable<vscode.Uri | undefined> {
  const name = fileName(model).replace(/\.onnx$/i, suffix);
  const defaultUri = vscode.Uri.joinPath(model, '..', name);
  return vscode.window.showSaveDialog({ defaultUri, title: vscode.l10n.t('Export to') });
}

function planPath({ uri, plan }: Session): string {
  if (uri.scheme !== 'file') throw new UserError(vscode.l10n.t('Copy the model to a local folder first.'));
  if (plan.kind === 'current') return vscode.Uri.joinPath(uri, '..', plan.fileName).fsPath;
  if (plan.kind === 'stale') throw new UserError(plan.reason);
  throw new UserError(vscode.l10n.t('{0} has no plan yet: optimize it first.', fileName(uri)));
}
