import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { latencyBound, type BoundRequest, type LatencyBound } from '../core/search/bounds/lowerBound';
import type { MakePool } from '../core/search/geneflow/searchPartition';
import { workerIslandPool } from './islandPool';
import { StopFlag } from './stopFlag';

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
  /** Of a `StopFlag`. */
  readonly stop: SharedArrayBuffer;
}

/** @param workerFile the bundle of `boundWorker.ts` */
export function workerBound(workerFile: string): ProveBound {
  return (request, isStopped) => {
    if (isStopped()) return Promise.resolve(latencyBound(request, isStopped));
    const stop = new StopFlag(isStopped);
    const workerData = { ...request, rules: undefined, stop: stop.buffer };
    const worker = new Worker(workerFile, { workerData });
    const proof = new Promise<LatencyBound>((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('The worker that proves the bound ended early.')));
    });
    return stop.while(proof).finally(() => void worker.terminate());
  };
}
