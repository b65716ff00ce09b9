import * as vscode from 'vscode';
import type { SavedFile } from '../protocol/webview';
import type { Session } from './session';

/** Asks where to write what a view exports, beside the model by default. False: the user turned away. */
export async function saveFile({ uri }: Session, { name, content }: SavedFile): Promise<boolean> {
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(uri, '..', name),
    title: vscode.l10n.t('Export'),
  });
  if (target === undefined) return false;
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  await vscode.workspace.fs.writeFile(target, bytes);
  return true;
}
