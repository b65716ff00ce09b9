import * as vscode from 'vscode';
import type { PlanSource } from '../protocol/worker';
import { UserError } from './log';
import { Panel, type PanelActions } from './panel';
import { fileName, Session, type BindingStore } from './session';
import type { Sessions } from './sessions';
import type { StartWorker } from './workerClient';

export const MODEL_EDITOR = 'memorianova.model';
export const PLAN_EDITOR = 'memorianova.plan';

/** What both editors need. */
export interface EditorServices {
  readonly extensionUri: vscode.Uri;
  readonly sessions: Sessions;
  readonly startWorker: StartWorker;
  readonly bindings: BindingStore;
  readonly actions: PanelActions;
}

function openSession(
  services: EditorServices,
  model: vscode.Uri,
  plan: () => PlanSource,
  planUri?: vscode.Uri,
): Session {
  const { sessions, startWorker, bindings } = services;
  const session = new Session({ model, plan, startWorker, bindings });
  sessions.add(session, planUri);
  return session;
}

function showPanel(services: EditorServices, panel: vscode.WebviewPanel, session: Session): void {
  new Panel(panel, session, services.actions, services.extensionUri);
}

interface ModelDocument extends vscode.CustomDocument {
  readonly session: Session;
}

/** `*.onnx`: a read-only document, shown with the plan beside it. */
export function modelEditor(services: EditorServices): vscode.CustomReadonlyEditorProvider<ModelDocument> {
  return {
    openCustomDocument(uri) {
      const session = openSession(services, uri, () => ({ kind: 'beside' }));
      return { uri, session, dispose: () => services.sessions.remove(session) };
    },
    resolveCustomEditor: ({ session }, panel) => showPanel(services, panel, session),
  };
}

/** `*.memorianova.json`: a text document (undo, save and diff are VS Code's own), shown with its model. */
export function planEditor(services: EditorServices): vscode.CustomTextEditorProvider {
  return {
    resolveCustomTextEditor(document, panel) {
      const text = (): PlanSource => ({
        kind: 'text',
        name: fileName(document.uri),
        text: document.getText(),
      });
      const session = openSession(services, modelOf(document), text, document.uri);
      const listener = vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.document === document && event.contentChanges.length > 0) session.refreshSoon();
      });
      panel.onDidDispose(() => {
        listener.dispose();
        services.sessions.remove(session);
      });
      showPanel(services, panel, session);
    },
  };
}

/** The model that a plan names, in the plan's own folder; a plan never leads anywhere else. */
function modelOf(document: vscode.TextDocument): vscode.Uri {
  const name = modelName(document.getText());
  if (name === undefined)
    throw new UserError(vscode.l10n.t('{0} does not name its model.', fileName(document.uri)));
  return vscode.Uri.joinPath(document.uri, '..', name);
}

function modelName(text: string): string | undefined {
  try {
    const plan = JSON.parse(text) as { model?: { file?: unknown } } | null;
    const file = plan?.model?.file;
    return typeof file === 'string' && /^[^/\\]+\.onnx$/i.test(file) ? file : undefined;
  } catch {
    return undefined;
  }
}
