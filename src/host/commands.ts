import * as vscode from 'vscode';
import { exportModel, verifyModel } from './prove';
import { showError, UserError } from './log';
import { optimizeModel } from './optimize';
import type { PanelActions } from './panel';
import { CancelledError, type Runs } from './runs';
import { fileName } from './session';
import type { Sessions } from './sessions';
import { saveFile } from './saveFile';
import { activeModel } from './statusBar';
import { askWhatIf, keepPlan, sweepOver } from './whatIf';

const MODEL_FILES = '**/*.onnx';
const MOST_MODELS = 500;
const STATUS_MS = 10_000;

/** Registers the commands; gives the same functions for the panels' buttons. */
export function registerCommands(
  context: vscode.ExtensionContext,
  sessions: Sessions,
  runs: Runs,
): PanelActions {
  const services = { sessions, runs, memory: context.workspaceState };
  const onModel =
    (work: (model: vscode.Uri) => Promise<void>) =>
    async (uri?: vscode.Uri): Promise<void> => {
      const model = uri ?? activeModel(sessions) ?? (await pickModel());
      if (model !== undefined) await work(model).catch(report);
    };
  const optimize = onModel((model) => optimizeModel(model, services));
  const verify = onModel((model) => verifyModel(model, services));
  const exportCommand = onModel((model) => exportModel(model, services));
  const openPlan = onModel((model) => openPlanText(model, sessions));
  context.subscriptions.push(
    vscode.commands.registerCommand('memorianova.optimize', optimize),
    vscode.commands.registerCommand('memorianova.verify', verify),
    vscode.commands.registerCommand('memorianova.export', exportCommand),
    vscode.commands.registerCommand('memorianova.openPlan', openPlan),
  );
  return {
    optimize: (model) => void optimize(model),
    verify: (model) => void verify(model),
    exportModel: (model) => void exportCommand(model),
    cancel: (model) => runs.cancel(model),
    openPlanFile: (model) => void openPlan(model),
    whatIf: (session, wish) => askWhatIf(session, wish, runs),
    sweep: (session, wish) => sweepOver(session, wish, runs),
    keepPlan: (session) => void keepPlan(session, sessions).catch(report),
    saveFile,
  };
}

/** A run that the user stopped is no error: one quiet line. */
async function report(error: unknown): Promise<void> {
  if (!(error instanceof CancelledError)) return showError(error);
  vscode.window.setStatusBarMessage(vscode.l10n.t('MemoriaNova: cancelled, nothing was changed'), STATUS_MS);
}

/** From the palette, without a model in front. */
async function pickModel(): Promise<vscode.Uri | undefined> {
  const files = await vscode.workspace.findFiles(MODEL_FILES, '**/node_modules/**', MOST_MODELS);
  if (files.length === 0) {
    await showError(
      new UserError(vscode.l10n.t('There is no .onnx file in this workspace: open a folder with one.')),
    );
    return undefined;
  }
  const items = files.map((uri) => ({
    label: fileName(uri),
    description: vscode.workspace.asRelativePath(uri),
    uri,
  }));
  items.sort((a, b) => a.description.localeCompare(b.description));
  const chosen = await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('Choose a model') });
  return chosen?.uri;
}

async function openPlanText(model: vscode.Uri, sessions: Sessions): Promise<void> {
  const plan = sessions.of(model)[0]?.plan;
  if (plan === undefined || plan.kind === 'none')
    throw new UserError(vscode.l10n.t('{0} has no plan yet: optimize it first.', fileName(model)));
  const uri = vscode.Uri.joinPath(model, '..', plan.fileName);
  await vscode.window.showTextDocument(uri, { viewColumn: vscode.ViewColumn.Beside });
}
