import * as vscode from 'vscode';
import type { Session } from './session';

/** The documents that are open, by model. A model and a plan of it can be open at once. */
export class Sessions {
  /** Session -> the plan document that it shows, where it is not the model's own editor. */
  private readonly open = new Map<Session, vscode.Uri | undefined>();
  private readonly changed = new vscode.EventEmitter<void>();
  /** A session came, went, or shows something else. */
  readonly onDidChange = this.changed.event;

  add(session: Session, plan?: vscode.Uri): void {
    this.open.set(session, plan);
    session.onDidChange(() => this.changed.fire());
    this.changed.fire();
  }

  remove(session: Session): void {
    this.open.delete(session);
    session.dispose();
    this.changed.fire();
  }

  of(model: vscode.Uri): Session[] {
    return [...this.open.keys()].filter(({ uri }) => uri.toString() === model.toString());
  }

  /** The session of an open plan document. */
  ofPlan(plan: vscode.Uri): Session | undefined {
    return [...this.open].find(([, uri]) => uri?.toString() === plan.toString())?.[0];
  }

  refreshAll(): void {
    for (const session of this.open.keys()) session.refreshSoon();
  }
}
