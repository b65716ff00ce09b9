import * as vscode from 'vscode';
import type { ModelSource } from '../protocol/worker';
import { UserError } from './log';

/** Larger models of virtual file systems are refused: they would have to be held in memory whole. */
const LARGEST_VIRTUAL_BYTES = 256 * 2 ** 20;

/** How a worker gets at a model: by its path where there is one, else by its bytes. */
export async function modelSource(uri: vscode.Uri): Promise<ModelSource> {
  if (uri.scheme === 'file') return { kind: 'file', path: uri.fsPath };
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  const { size } = await vscode.workspace.fs.stat(uri);
  if (size > LARGEST_VIRTUAL_BYTES)
    throw new UserError(
      vscode.l10n.t(
        '{0} has {1} MiB; files of the "{2}" file system are read up to {3} MiB. Copy it to a local folder first.',
        ...[name, Math.ceil(size / 2 ** 20), uri.scheme, LARGEST_VIRTUAL_BYTES / 2 ** 20],
      ),
    );
  return { kind: 'bytes', name, bytes: await vscode.workspace.fs.readFile(uri) };
}
