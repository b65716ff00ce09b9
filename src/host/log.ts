import * as vscode from 'vscode';
import { RemoteError } from '../protocol/rpc';

/** The extension's log in the Output panel. */
export const log = vscode.window.createOutputChannel('MemoriaNova', { log: true });

/** Something that the user can understand and mend; its message is shown as it is. */
export class UserError extends Error {}

function isExpected(error: unknown): boolean {
  return error instanceof UserError || (error instanceof RemoteError && error.expected);
}

/** The sentence that a user sees for an error; what is a defect of ours goes to the log with its stack. */
export function sentence(error: unknown): string {
  if (isExpected(error)) return (error as Error).message;
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const message = error instanceof Error ? error.message : String(error);
  return vscode.l10n.t('MemoriaNova ran into an error of its own: {0}', message);
}

/** Shows an error as one notification. */
export async function showError(error: unknown): Promise<void> {
  const openLog = vscode.l10n.t('Show Log');
  const actions = isExpected(error) ? [] : [openLog];
  const chosen = await vscode.window.showErrorMessage(sentence(error), ...actions);
  if (chosen === openLog) log.show();
}
