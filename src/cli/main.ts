import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { searchWorkers } from '../engine/searchWorkers';
import { runCommandLine } from './run';

/**
 * The command runs in a worker so that the first Ctrl-C can ask it to stop and keep its best result, even in
 * the middle of a long computation; a second one ends the process.
 */
const EXIT_INTERRUPTED = 130;

interface Start {
  readonly argv: readonly string[];
  readonly cancel: SharedArrayBuffer;
  readonly isTerminal: boolean;
}

function supervise(): void {
  const cancel = new SharedArrayBuffer(4);
  const start: Start = { argv: process.argv.slice(2), cancel, isTerminal: process.stderr.isTTY === true };
  const worker = new Worker(__filename, { workerData: start });
  worker.on('message', (status: number) => (process.exitCode = status));
  worker.on('error', (error) => {
    process.stderr.write(`memorianova: ${error.message}\n`);
    process.exitCode = 1;
  });
  process.on('SIGINT', () => {
    if (Atomics.exchange(new Int32Array(cancel), 0, 1) === 1) process.exit(EXIT_INTERRUPTED);
  });
  // A closed pipe (`| head`) is no error of ours.
  process.stdout.on('error', () => process.exit(0));
}

async function work({ argv, cancel, isTerminal }: Start): Promise<void> {
  const flag = new Int32Array(cancel);
  const status = await runCommandLine(argv, {
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    isTerminal,
    cancelled: () => Atomics.load(flag, 0) !== 0,
    workers: searchWorkers(__dirname),
  });
  parentPort?.postMessage(status);
}

if (isMainThread) supervise();
else void work(workerData as Start);
