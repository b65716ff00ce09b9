import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { latencyBound, type BoundRequest, type LatencyBound } from '../core/search/bounds/lowerBound';
import type { MakePool } from '../core/search/geneflow/searchPartition';
import { workerIslandPool } from './islandPool';

/** @param isStopped a safety stop, as for `latencyBound` */
export type ProveBound = (request: BoundRequest, isStopped: () => boolean) => Promise<LatencyBound>;

/** Where the parts of a search run that can run beside each other. */
export interface SearchWorkers {
  readonly makePool: MakePool;
  readonly proveBound: ProveBound;
}

/** @param folder of the bundles */
export function searchWorkers(folder: string): SearchWorkers {
  return {
    makePool: workerIslandPool(join(folder, 'islandWorker.js')),
    proveBound: workerBound(join(folder, 'boundWorker.js')),
  };
}

/** What a worker needs to prove a bound; it finds the rules by itself. */
export interface BoundWorkerData extends Omit<BoundRequest, 'rules'> {
  /** One 32-bit flag: not zero once it should come to an end. */
  readonly stop: SharedArrayBuffer;
}

/** How often it is asked whether it should stop. */
const STOP_POLL_MS = 25;

/** @param workerFile the bundle of `boundWorker.ts` */
export function workerBound(workerFile: string): ProveBound {
  return (request, isStopped) => {
    if (isStopped()) return Promise.resolve(latencyBound(request, isStopped));
    const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const worker = new Worker(workerFile, { workerData: { ...request, rules: undefined, stop } });
    const poll = setInterval(() => isStopped() && Atomics.store(new Int32Array(stop), 0, 1), STOP_POLL_MS);
    return new Promise<LatencyBound>((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('The worker that proves the bound ended early.')));
    }).finally(() => {
      clearInterval(poll);
      void worker.terminate();
    });
  };
}
