import { parentPort } from 'node:worker_threads';
import { searchWorkers } from '../engine/searchWorkers';
import { Connection, type Envelope } from '../protocol/rpc';
import type { HostToWorker, WorkerToHost } from '../protocol/worker';
import { workerHandlers } from './handlers';

/** The worker's entry only connects; what it does stands in `handlers.ts`. */
const port = parentPort;
if (port === null) throw new Error('This script runs as a worker of the extension.');
const connection: Connection<WorkerToHost, HostToWorker> = new Connection(
  (message) => port.postMessage(message),
  workerHandlers({
    report: (progress) => connection.notify('progress', progress),
    workers: searchWorkers(__dirname),
  }),
);
port.on('message', (message: Envelope) => connection.receive(message));
