import * as vscode from 'vscode';
import { MODEL_EDITOR, PLAN_EDITOR } from './editors';
import { changeText, secondsText } from './format';
import type { Session } from './session';
import type { Sessions } from './sessions';

/** The one status bar item: the plan of the model in front, and a way to make one. */
export function statusBar(sessions: Sessions): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('memorianova.plan', vscode.StatusBarAlignment.Right, 100);
  item.name = 'MemoriaNova';
  item.command = 'memorianova.optimize';
  const show = (): void => {
    const model = activeModel(sessions);
    const session = model && sessions.of(model)[0];
    const text = session && statusText(session);
    void vscode.commands.executeCommand(
      'setContext',
      'memorianova.hasPlan',
      session?.plan.kind === 'current',
    );
    if (text === undefined) return item.hide();
    item.text = `$(circuit-board) ${text}`;
    item.tooltip = vscode.l10n.t('Optimize with MemoriaNova');
    item.show();
  };
  const listeners = [sessions.onDidChange(show), vscode.window.tabGroups.onDidChangeTabs(show)];
  listeners.push(vscode.window.tabGroups.onDidChangeTabGroups(show));
  show();
  return vscode.Disposable.from(item, ...listeners);
}

/** The model whose editor, or whose plan's editor, is in front. */
export function activeModel(sessions: Sessions): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (!(input instanceof vscode.TabInputCustom)) return undefined;
  if (input.viewType === MODEL_EDITOR) return input.uri;
  return input.viewType === PLAN_EDITOR ? sessions.ofPlan(input.uri)?.uri : undefined;
}

function statusText({ document, plan, progress }: Session): string | undefined {
  if (document.kind !== 'opened') return undefined;
  if (progress !== null) return progress.phase;
  if (plan.kind === 'stale') return vscode.l10n.t('Plan out of date');
  if (plan.kind !== 'current') return vscode.l10n.t('No plan');
  const { seconds, baselines } = plan.plan.plan.latency;
  const single = baselines['singleDevice']?.seconds;
  return single === undefined
    ? secondsText(seconds)
    : `${secondsText(seconds)} (${changeText(single, seconds)})`;
}
