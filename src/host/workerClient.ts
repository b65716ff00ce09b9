import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Connection, type Envelope } from '../protocol/rpc';
import type { HostToWorker, WorkerToHost } from '../protocol/worker';
import type { RunProgress } from '../protocol/webview';

/** What stands in for the constructor of a worker thread, so that a test can. */
export interface WorkerThread {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: Envelope) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  terminate(): unknown;
}

/** One worker thread and the typed connection to it. Its crash fails the requests that wait, nothing else. */
export class WorkerClient {
  private readonly connection: Connection<HostToWorker, WorkerToHost>;

  constructor(
    private readonly thread: WorkerThread,
    onProgress: (progress: RunProgress) => void = () => undefined,
  ) {
    this.connection = new Connection((message) => thread.postMessage(message), {
      requests: {},
      notices: { progress: onProgress },
    });
    thread.on('message', (message) => this.connection.receive(message));
    thread.on('error', (error) => this.connection.close(`The worker stopped: ${error.message}`));
    thread.on('exit', () => this.connection.close('The worker has ended.'));
  }

  readonly request: Connection<HostToWorker, WorkerToHost>['request'] = (name, params) =>
    this.connection.request(name, params);

  dispose(): void {
    this.connection.close('The worker was stopped.');
    void this.thread.terminate();
  }
}

/** Starts workers of the extension installed at `extensionPath`. */
export function workerStarter(
  extensionPath: string,
): (onProgress?: (progress: RunProgress) => void) => WorkerClient {
  const file = join(extensionPath, 'dist/worker.js');
  return (onProgress) => new WorkerClient(new Worker(file), onProgress);
}
export type StartWorker = ReturnType<typeof workerStarter>;
