import * as vscode from 'vscode';
import { Connection, type Envelope, type Handlers } from '../protocol/rpc';
import type {
  HostToWebview,
  PlanState,
  SavedFile,
  SweepOf,
  SweepResult,
  WebviewToHost,
  WhatIf,
  WhatIfOutcome,
} from '../protocol/webview';
import { log } from './log';
import { pageHtml, webviewRoot } from './page';
import type { Session } from './session';

/** What a panel's buttons do; the same functions serve the commands. */
export interface PanelActions {
  optimize(model: vscode.Uri): void;
  verify(model: vscode.Uri): void;
  exportModel(model: vscode.Uri): void;
  cancel(model: vscode.Uri): void;
  openPlanFile(model: vscode.Uri): void;
  whatIf(session: Session, wish: WhatIf): Promise<WhatIfOutcome>;
  sweep(session: Session, wish: WhatIf & SweepOf): Promise<SweepResult>;
  keepPlan(session: Session): void;
  saveFile(session: Session, file: SavedFile): Promise<boolean>;
}

/** Shows a session in a webview panel: sends its state, answers its questions. Lives as long as the panel. */
export class Panel {
  private readonly connection: Connection<HostToWebview, WebviewToHost>;
  private isReady = false;

  constructor(
    panel: vscode.WebviewPanel,
    private readonly session: Session,
    private readonly actions: PanelActions,
    extensionUri: vscode.Uri,
  ) {
    const { webview } = panel;
    this.connection = new Connection((message) => {
      webview.postMessage(message).then(undefined, (error: unknown) => log.error(String(error)));
    }, this.handlers());
    webview.options = { enableScripts: true, localResourceRoots: [webviewRoot(extensionUri)] };
    const listeners = [
      webview.onDidReceiveMessage((message: Envelope) => this.connection.receive(message)),
      session.onDidChange((what) => this.send(what)),
    ];
    panel.onDidDispose(() => {
      this.connection.close('The panel is closed.');
      for (const listener of listeners) listener.dispose();
    });
    webview.html = pageHtml(webview, extensionUri);
  }

  private send(what: 'document' | 'plan' | 'progress' | 'verification'): void {
    if (!this.isReady) return;
    const { document, plan, unsaved, progress, verification } = this.session;
    if (what === 'document') this.connection.notify('document', document);
    if (what === 'document' || what === 'plan') this.sendPlan(plan, unsaved?.plan);
    if (what === 'progress') this.connection.notify('progress', progress);
    if (what === 'verification' && verification !== null)
      this.connection.notify('verification', verification);
  }

  /** The saved plan goes first also where another one is shown: the two are compared. */
  private sendPlan(saved: PlanState, unsaved: PlanState | undefined): void {
    this.connection.notify('plan', saved);
    if (unsaved !== undefined) this.connection.notify('plan', unsaved);
  }

  private handlers(): Handlers<WebviewToHost> {
    const { session, actions } = this;
    const model = session.uri;
    return {
      requests: {
        operatorDetails: (params) => session.reader.request('operatorDetails', params),
        tensorDetails: (params) => session.reader.request('tensorDetails', params),
        costAnalysis: (params) => session.reader.request('costAnalysis', params),
        body: (params) => session.reader.request('body', params),
        replay: (params) => session.reader.request('replay', params),
        holdings: (params) => session.reader.request('holdings', params),
        whatIf: (params) => actions.whatIf(session, params),
        sweep: (params) => actions.sweep(session, params),
        saveFile: async (params) => ({ saved: await actions.saveFile(session, params) }),
      },
      notices: {
        ready: () => {
          this.isReady = true;
          this.send('document');
          this.send('progress');
        },
        optimize: () => actions.optimize(model),
        verify: () => actions.verify(model),
        export: () => actions.exportModel(model),
        cancel: () => actions.cancel(model),
        openAnyway: () => void session.openAnyway(),
        bindDimensions: ({ bindings }) => void session.bind(bindings),
        keepPlan: () => actions.keepPlan(session),
        discardPlan: () => void session.showUnsaved(null),
        openPlanFile: () => actions.openPlanFile(model),
        selected: () => undefined,
        copy: ({ text }) => void vscode.env.clipboard.writeText(text),
        scriptError: ({ message }) => log.error(`webview: ${message}`),
      },
    };
  }
}
