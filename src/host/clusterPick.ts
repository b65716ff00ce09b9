import * as vscode from 'vscode';
import type { ClusterSummary, OptimizeRequest } from '../protocol/worker';
import { bytesText, computeText } from './format';
import { sentence, UserError } from './log';
import { fileName } from './session';
import type { WorkerClient } from './workerClient';

const CLUSTER_FILES = '**/*.cluster.json';
const MOST_CLUSTERS = 100;
const LARGEST_CLUSTER_BYTES = 2 ** 20;
const EXAMPLE_NAME = 'smart-home.cluster.json';

type Cluster = OptimizeRequest['cluster'];

interface ClusterItem extends vscode.QuickPickItem {
  /** Gives the chosen cluster; throws where its file is not usable. */
  choose(): Promise<{ cluster: Cluster; key: string }>;
  readonly key: string;
}

/**
 * Asks which devices to plan for: the cluster files of the workspace, the built-in smart home, or a new file
 * made from it beside the model. `undefined`: the user turned away.
 */
export async function pickCluster(
  model: vscode.Uri,
  worker: WorkerClient,
  lastKey: string | undefined,
): Promise<{ cluster: Cluster; key: string } | undefined> {
  const files = await vscode.workspace.findFiles(CLUSTER_FILES, '**/node_modules/**', MOST_CLUSTERS);
  const example = await worker.request('exampleCluster', {});
  const fileItems = await Promise.all(files.map((file) => fileItem(file, worker)));
  const items: ClusterItem[] = [...fileItems.sort(byLabel), builtInItem(example.summary)];
  const exampleFile = vscode.Uri.joinPath(model, '..', EXAMPLE_NAME);
  if (!files.some((file) => file.path === exampleFile.path))
    items.push(createItem(exampleFile, example.text));
  // The last choice comes first: Enter takes it.
  items.sort((a, b) => Number(b.key === lastKey) - Number(a.key === lastKey));
  const chosen = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Devices to run {0} on', fileName(model)),
    placeHolder: vscode.l10n.t('Choose a cluster'),
    // The editor that opens beside it takes the focus.
    ignoreFocusOut: true,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.choose();
}

function byLabel(a: ClusterItem, b: ClusterItem): number {
  return a.label.localeCompare(b.label);
}

async function fileItem(file: vscode.Uri, worker: WorkerClient): Promise<ClusterItem> {
  const name = fileName(file);
  const path = vscode.workspace.asRelativePath(file);
  const description = path === name ? '' : path;
  const key = file.toString();
  try {
    const text = await readCluster(file);
    const summary = await worker.request('cluster', { text });
    const choose = async (): Promise<{ cluster: Cluster; key: string }> => ({ cluster: { name, text }, key });
    return { label: `$(server-environment) ${name}`, description, detail: detail(summary), key, choose };
  } catch (error) {
    const message = sentence(error);
    const choose = (): Promise<never> => Promise.reject(new UserError(`${name}: ${message}`));
    return { label: `$(error) ${name}`, description, detail: message, key, choose };
  }
}

async function readCluster(file: vscode.Uri): Promise<string> {
  const { size } = await vscode.workspace.fs.stat(file);
  if (size > LARGEST_CLUSTER_BYTES) throw new UserError(vscode.l10n.t('It is too large for a cluster file.'));
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
}

function builtInItem(summary: ClusterSummary): ClusterItem {
  return {
    label: `$(home) ${vscode.l10n.t('Smart home')}`,
    description: vscode.l10n.t('built in'),
    detail: detail(summary),
    key: 'built-in',
    choose: () => Promise.resolve({ cluster: null, key: 'built-in' }),
  };
}

function createItem(file: vscode.Uri, text: string): ClusterItem {
  return {
    label: `$(new-file) ${vscode.l10n.t('Create an example cluster file beside the model')}`,
    description: EXAMPLE_NAME,
    detail: vscode.l10n.t('Writes the smart home as a file to adapt, and plans for it'),
    key: 'create',
    choose: async () => {
      await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
      return { cluster: { name: EXAMPLE_NAME, text }, key: file.toString() };
    },
  };
}

/** `camera 48.0 MiB, 4.00 GFLOP/s · tv 96.0 MiB, 8.00 GFLOP/s`. */
function detail({ devices }: ClusterSummary): string {
  return devices
    .map(({ name, memory, compute }) => `${name} ${bytesText(memory)}, ${computeText(compute)}`)
    .join(' · ');
}
