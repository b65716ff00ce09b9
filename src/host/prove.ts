import * as vscode from 'vscode';
import type { ExportRequest } from '../protocol/worker';
import { UserError } from './log';
import { modelSource } from './modelSource';
import { openedSession, type OptimizeServices } from './optimize';
import { CancelledError } from './runs';
import { fileName, type Session } from './session';

const STATUS_MS = 10_000;

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
  if (result.passed) vscode.window.setStatusBarMessage(result.summary, STATUS_MS);
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
      what: 'reorder',
      suffix: '.reordered.onnx',
    },
    {
      label: vscode.l10n.t('One model per device'),
      detail: vscode.l10n.t('A folder with the parts of each device and a manifest'),
      what: 'per-device',
      suffix: '.devices',
    },
  ];
}

/** Writes the plan as ONNX where the user says; what is there is replaced only after a question. */
export async function exportModel(model: vscode.Uri, { sessions, runs }: OptimizeServices): Promise<void> {
  const session = await openedSession(model, sessions);
  const plan = planPath(session);
  const placeHolder = vscode.l10n.t('What to export');
  const item = await vscode.window.showQuickPick(exportItems(), { placeHolder });
  if (item === undefined) return;
  const target = await exportTarget(model, item.suffix);
  if (target === undefined || !(await mayReplace(target, item.what))) return;
  const request = { modelPath: model.fsPath, plan, kind: item.what, to: target.fsPath, overwrite: true };
  const title = vscode.l10n.t('Exporting {0}', fileName(model));
  const { files } = await runs.start(model, title, (worker, cancel) =>
    worker.request('export', { ...request, cancel }),
  );
  if (files.length === 0) throw new CancelledError();
  const text = vscode.l10n.t('MemoriaNova: wrote {0}', fileName(target));
  vscode.window.setStatusBarMessage(text, STATUS_MS);
}

/** VS Code's own dialog asks before it replaces a file; folders are ours to ask about. */
function exportTarget(model: vscode.Uri, suffix: string): Thenable<vscode.Uri | undefined> {
  const name = fileName(model).replace(/\.onnx$/i, suffix);
  const defaultUri = vscode.Uri.joinPath(model, '..', name);
  return vscode.window.showSaveDialog({ defaultUri, title: vscode.l10n.t('Export to') });
}

async function mayReplace(target: vscode.Uri, what: ExportRequest['kind']): Promise<boolean> {
  if (what !== 'per-device' || !(await exists(target))) return true;
  const replace = vscode.l10n.t('Replace');
  const question = vscode.l10n.t(
    'The folder {0} exists already. Replace the export in it?',
    fileName(target),
  );
  return (await vscode.window.showWarningMessage(question, { modal: true }, replace)) === replace;
}

function exists(uri: vscode.Uri): Thenable<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}

function planPath({ uri, plan }: Session): string {
  if (uri.scheme !== 'file') throw new UserError(vscode.l10n.t('Copy the model to a local folder first.'));
  if (plan.kind === 'current') return vscode.Uri.joinPath(uri, '..', plan.fileName).fsPath;
  if (plan.kind === 'stale')
    throw new UserError(
      vscode.l10n.t('The plan was made for another version of {0}: optimize again.', fileName(uri)),
    );
  throw new UserError(vscode.l10n.t('{0} has no plan yet: optimize it first.', fileName(uri)));
}
