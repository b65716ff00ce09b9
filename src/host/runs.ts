import * as vscode from 'vscode';
import type { RunProgress } from '../protocol/webview';
import { progressText } from './format';
import { UserError } from './log';
import { fileName } from './session';
import type { Sessions } from './sessions';
import type { StartWorker, WorkerClient } from './workerClient';

/** Within this time a cancelled worker has stopped; one that had nothing to keep yet is ended then. */
const CANCEL_MS = 150;
/** One that has a result gets this long to check and save it. */
const KEEP_MS = 10_000;

/** The user stopped a run before it had a result; nothing was changed. */
export class CancelledError extends Error {}

interface Run {
  cancel(): void;
}

type Work<Result> = (worker: WorkerClient, cancel: SharedArrayBuffer) => Promise<Result>;

/** Long work on models: one at a time per model, each in a worker of its own, with progress and cancel. */
export class Runs {
  private readonly running = new Map<string, Run>();

  constructor(
    private readonly sessions: Sessions,
    private readonly startWorker: StartWorker,
  ) {}

  /** @throws UserError where the model is being worked on */
  requireFree(model: vscode.Uri): void {
    if (this.running.has(model.toString()))
      throw new UserError(
        vscode.l10n.t('{0} is being worked on: wait for it, or cancel it.', fileName(model)),
      );
  }

  cancel(model: vscode.Uri): void {
    this.running.get(model.toString())?.cancel();
  }

  /**
   * Runs `work` with a worker and a flag that asks it to stop; progress shows in the model's editor and a
   * notification. Throws `CancelledError` where it was stopped with nothing to keep.
   */
  async start<Result>(model: vscode.Uri, title: string, work: Work<Result>): Promise<Result> {
    const location = vscode.ProgressLocation.Notification;
    return vscode.window.withProgress({ location, title, cancellable: true }, async (notification, token) => {
      let fraction = 0;
      const running = this.startInEditor(model, work, (progress) => {
        const increment = Math.max(0, (progress.fraction ?? 0) - fraction) * 100;
        fraction = Math.max(fraction, progress.fraction ?? 0);
        notification.report({ message: progressText(progress), increment });
      });
      const listener = token.onCancellationRequested(() => this.cancel(model));
      return running.finally(() => listener.dispose());
    });
  }

  /** The same for what was asked for in the editor itself, where its progress and Cancel stand. */
  async startInEditor<Result>(
    model: vscode.Uri,
    work: Work<Result>,
    shown: (progress: RunProgress) => void = () => undefined,
  ): Promise<Result> {
    const flag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    let hasResult = false;
    let cancelled = false;
    const worker = this.startWorker((progress) => {
      hasResult ||= progress.bestSeconds !== null;
      shown(progress);
      for (const session of this.sessions.of(model)) session.showProgress(progress);
    });
    const cancel = (): void => {
      Atomics.store(new Int32Array(flag), 0, 1);
      cancelled = true;
      setTimeout(() => worker.dispose(), hasResult ? KEEP_MS : CANCEL_MS);
    };
    this.running.set(model.toString(), { cancel });
    try {
      return await work(worker, flag);
    } catch (error) {
      throw cancelled ? new CancelledError() : error;
    } finally {
      worker.dispose();
      this.running.delete(model.toString());
      for (const session of this.sessions.of(model)) session.showProgress(null);
    }
  }
}
