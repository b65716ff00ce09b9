import * as vscode from 'vscode';
import { registerCommands } from './commands';
import { MODEL_EDITOR, modelEditor, PLAN_EDITOR, planEditor, type EditorServices } from './editors';
import { Runs } from './runs';
import { Sessions } from './sessions';
import { statusBar } from './statusBar';
import { touchesSettings } from './settings';
import { bindingStore } from './bindingStore';
import { workerStarter } from './workerClient';

/** Connects the parts. VS Code calls it when the first model, plan or command is used, never at start-up. */
export function activate(context: vscode.ExtensionContext): void {
  const sessions = new Sessions();
  const startWorker = workerStarter(context.extensionPath);
  const runs = new Runs(sessions, startWorker);
  const actions = registerCommands(context, sessions, runs);
  const services: EditorServices = {
    extensionUri: context.extensionUri,
    sessions,
    startWorker,
    bindings: bindingStore(context.workspaceState),
    actions,
  };
  const options = { supportsMultipleEditorsPerDocument: true };
  context.subscriptions.push(
    vscode.window.registerCustomEditorProvider(MODEL_EDITOR, modelEditor(services), options),
    vscode.window.registerCustomEditorProvider(PLAN_EDITOR, planEditor(services), options),
    statusBar(sessions),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (touchesSettings(event)) sessions.refreshAll();
    }),
  );
}
