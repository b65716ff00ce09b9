import assert from 'node:assert';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Plan } from '../../src/core/plan/plan';

const POLL_MS = 50;

/** A file of the workspace that the runner prepared. */
export function workspaceFile(name: string): vscode.Uri {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'the suite runs with a workspace folder');
  return vscode.Uri.file(join(folder.uri.fsPath, name));
}

/** Waits until `what` gives something. */
export async function eventually<T>(
  name: string,
  what: () => T | undefined | false,
  limitMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = what();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${name} did not come in ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Custom editors that are open, as `viewType name`. */
export function openEditors(): string[] {
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .flatMap(({ input }) =>
      input instanceof vscode.TabInputCustom ? [`${input.viewType} ${nameOf(input.uri)}`] : [],
    );
}

export function nameOf(uri: vscode.Uri): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1);
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

export function readPlan(name: string): Plan | undefined {
  const { fsPath } = workspaceFile(name);
  return existsSync(fsPath) ? (JSON.parse(readFileSync(fsPath, 'utf8')) as Plan) : undefined;
}

export function removeFile(name: string): void {
  rmSync(workspaceFile(name).fsPath, { force: true });
}

/** Runs the command and takes the picker's first choice. */
export async function optimize(model: vscode.Uri): Promise<void> {
  const done = vscode.commands.executeCommand('memorianova.optimize', model);
  const accept = setInterval(
    () => void vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem'),
    500,
  );
  try {
    await done;
  } finally {
    clearInterval(accept);
  }
}
