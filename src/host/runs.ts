import * as vscode from 'vscode';
import type { RunProgress } from '../protocol/webview';
import { progressText } from './format';
import type { Sessions } from './sessions';
import type { StartWorker, WorkerClient } from './workerClient';

/** A cancelled worker that does not answer within this time is ended; it keeps what it had saved. */
const CANCEL_GRACE_MS = 10_000;

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

  /** Runs `work` with a worker and a flag that asks it to stop; progress shows in the model's editor and a notification. */
  async start<Result>(
    model: vscode.Uri,
    title: string,
    work: (worker: WorkerClient, cancel: SharedArrayBuffer) => Promise<Result>,
  ): Promise<Result> {
    const location = vscode.ProgressLocation.Notification;
    return vscode.window.withProgress({ location, title, cancellable: true }, async (notification, token) => {
      const flag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
      let fraction = 0;
      const show = (progress: RunProgress): void => {
        const increment = Math.max(0, (progress.fraction ?? 0) - fraction) * 100;
        fraction = Math.max(fraction, progress.fraction ?? 0);
        notification.report({ message: progressText(progress), increment });
        for (const session of this.sessions.of(model)) session.showProgress(progress);
      };
      const worker = this.startWorker(show);
      const cancel = (): void => {
        Atomics.store(new Int32Array(flag), 0, 1);
        setTimeout(() => worker.dispose(), CANCEL_GRACE_MS).unref();
      };
      this.running.set(model.toString(), { cancel });
      const listener = token.onCancellationRequested(cancel);
      try {
        return await work(worker, flag);
      } finally {
        listener.dispose();
        worker.dispose();
        this.running.delete(model.toString());
        for (const session of this.sessions.of(model)) session.showProgress(null);
      }
    });
  }
}
