import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { closeAll, eventually, openEditors, workspaceFile } from './support';

const ID = 'memorianova.memorianova';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

describe('activation', () => {
  after(closeAll);

  it('does nothing until it is needed', () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension, 'the extension is installed');
    assert.equal(extension.isActive, false);
  });

  it('opens a model with its own editor, by default', async () => {
    await vscode.commands.executeCommand('vscode.open', workspaceFile('doorbell.onnx'));
    await eventually('the editor', () => openEditors().includes('memorianova.model doorbell.onnx'));
    const extension = vscode.extensions.getExtension(ID);
    await eventually('activation', () => extension?.isActive);
  });

  it('registers every command that its manifest names', async () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension);
    const manifest = JSON.parse(
      readFileSync(join(extension.extensionPath, 'package.json'), 'utf8'),
    ) as Manifest;
    const known = new Set(await vscode.commands.getCommands(true));
    for (const { command } of manifest.contributes.commands) assert.ok(known.has(command), command);
  });
});
