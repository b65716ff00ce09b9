import * as vscode from 'vscode';
import type { OptimizeRequest, OptimizeResult } from '../protocol/worker';
import { pickCluster } from './clusterPick';
import { MODEL_EDITOR } from './editors';
import { changeText, secondsText } from './format';
import { UserError } from './log';
import { modelSource } from './modelSource';
import type { Runs } from './runs';
import { fileName, type Session } from './session';
import type { Sessions } from './sessions';
import { settingsFor } from './settings';

const LAST_CLUSTER = 'lastCluster';

/** What the command works with. */
export interface OptimizeServices {
  readonly sessions: Sessions;
  readonly runs: Runs;
  readonly memory: vscode.Memento;
}

/**
 * The main command: opens the model, asks for what is missing (sizes, devices), runs the optimizer and saves the
 * plan beside the model; the open editor then shows it. Turning a question away ends it without a trace.
 */
export async function optimizeModel(model: vscode.Uri, services: OptimizeServices): Promise<void> {
  services.runs.requireFree(model);
  const session = await openedSession(model, services.sessions);
  if (!(await bindDimensions(session))) return;
  const choice = await pickCluster(model, session.reader, services.memory.get(LAST_CLUSTER));
  if (choice === undefined) return;
  await services.memory.update(LAST_CLUSTER, choice.key);
  const request = { cluster: choice.cluster, bindings: session.bindings, plan: session.planSource };
  const result = await runOptimizer(model, request, services.runs);
  if (result.text !== null) await savePlan(model, result.planName, result.text);
  await Promise.all(services.sessions.of(model).map((each) => each.refresh()));
  vscode.window.setStatusBarMessage(resultText(result), 10_000);
}

/** Opens the model's editor and waits until it is read. */
export async function openedSession(model: vscode.Uri, sessions: Sessions): Promise<Session> {
  if (sessions.of(model).length === 0)
    await vscode.commands.executeCommand('vscode.openWith', model, MODEL_EDITOR);
  const session = sessions.of(model)[0];
  if (session === undefined) throw new UserError(vscode.l10n.t('{0} could not be opened.', fileName(model)));
  // Asking to work on a large file answers the question whether to open it.
  if ((await session.settled()).kind === 'confirm') await session.openAnyway();
  const { document } = session;
  if (document.kind === 'failed') throw new UserError(document.message);
  return session;
}

/** Asks for the sizes of dimensions that nobody has bound. False: the user turned away. */
async function bindDimensions(session: Session): Promise<boolean> {
  if (session.document.kind !== 'opened') return false;
  const unbound = session.document.dimensions.filter(({ value }) => value === null);
  const bindings: Record<string, number> = {};
  for (const [at, { name }] of unbound.entries()) {
    const text = await vscode.window.showInputBox({
      title: vscode.l10n.t('Sizes of {0} ({1} of {2})', fileName(session.uri), at + 1, unbound.length),
      // The editor that opens beside it takes the focus.
      ignoreFocusOut: true,
      prompt: vscode.l10n.t('Size of the dimension "{0}", which the model leaves open', name),
      validateInput: (value) =>
        /^[1-9]\d{0,8}$/.test(value.trim()) ? undefined : vscode.l10n.t('A whole number of at least 1'),
    });
    if (text === undefined) return false;
    bindings[name] = Number(text);
  }
  if (unbound.length > 0) await session.bind(bindings);
  return true;
}

async function runOptimizer(
  model: vscode.Uri,
  request: Pick<OptimizeRequest, 'cluster' | 'bindings' | 'plan'>,
  runs: Runs,
): Promise<OptimizeResult> {
  const source = await modelSource(model);
  const options = settingsFor(model).optimize;
  const title = vscode.l10n.t('Optimizing {0}', fileName(model));
  return runs.start(model, title, (worker, cancel) =>
    worker.request('optimize', { ...request, model: source, options, cancel }),
  );
}

/** Plans of virtual file systems: written beside, then renamed, so that a reader never sees half of one. */
export async function savePlan(model: vscode.Uri, name: string, text: string): Promise<void> {
  const target = vscode.Uri.joinPath(model, '..', name);
  const partial = vscode.Uri.joinPath(model, '..', `.${name}.partial`);
  await vscode.workspace.fs.writeFile(partial, new TextEncoder().encode(text));
  await vscode.workspace.fs.rename(partial, target, { overwrite: true });
}

/** One line that stays out of the way: the editor itself shows the result. */
function resultText({ summary, planName }: OptimizeResult): string {
  const { latencySeconds, bestSingleSeconds, stopped } = summary;
  const change = bestSingleSeconds === null ? '' : ` (${changeText(bestSingleSeconds, latencySeconds)})`;
  const latency = `${secondsText(latencySeconds)}${change}`;
  return stopped === null
    ? vscode.l10n.t('MemoriaNova: {0} saved, {1}', planName, latency)
    : vscode.l10n.t('MemoriaNova: stopped early; best plan so far saved as {0}, {1}', planName, latency);
}
