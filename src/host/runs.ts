import * as vscode from 'vscode';
import type { RunProgress } from '../protocol/webview';
import { progressText } from './format';
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

/** Long work on models: one at a time per model, each in a worker of its own, with progress and cancel. */
export class Runs {
  private readonly running = new Map<string, Run>();

  constructor(
    private readonly sessions: Sessions,
    private readonly startWorker: StartWorker,
  ) {}

  isRunning(model: vscode.Uri): boolean {
    return this.running.has(model.toString());
  }

  cancel(model: vscode.Uri): void {
    this.running.get(model.toString())?.cancel();
  }

  /**
   * Runs `work` with a worker and a flag that asks it to stop; progress shows in the model's editor and a
   * notification. Throws `CancelledError` where it was stopped with nothing to keep.
   */
  async start<Result>(
    model: vscode.Uri,
    title: string,
    work: (worker: WorkerClient, cancel: SharedArrayBuffer) => Promise<Result>,
  ): Promise<Result> {
    const location = vscode.ProgressLocation.Notification;
    return vscode.window.withProgress({ location, title, cancellable: true }, async (notification, token) => {
      const flag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
      let fraction = 0;
      let hasResult = false;
      const show = (progress: RunProgress): void => {
        hasResult ||= progress.bestSeconds !== null;
        const increment = Math.max(0, (progress.fraction ?? 0) - fraction) * 100;
        fraction = Math.max(fraction, progress.fraction ?? 0);
        notification.report({ message: progressText(progress), increment });
        for (const session of this.sessions.of(model)) session.showProgress(progress);
      };
      let cancelled = false;
      const worker = this.startWorker(show);
      const cancel = (): void => {
        Atomics.store(new Int32Array(flag), 0, 1);
        cancelled = true;
        setTimeout(() => worker.dispose(), hasResult ? KEEP_MS : CANCEL_MS);
      };
      this.running.set(model.toString(), { cancel });
      const listener = token.onCancellationRequested(cancel);
      try {
        return await work(worker, flag);
      } catch (error) {
        throw cancelled ? new CancelledError() : error;
      } finally {
        listener.dispose();
        worker.dispose();
        this.running.delete(model.toString());
        for (const session of this.sessions.of(model)) session.showProgress(null);
      }
    });
  }
}
