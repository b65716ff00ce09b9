import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { NONE } from '../core/graph/units';
import type { LatencyBound } from '../core/search/bounds/boxBound';
import { latencyBound, type BoundRequest } from '../core/search/bounds/lowerBound';
import { goingOn, higher, WAYS, type Tried } from '../core/search/bounds/boundTrial';
import type { MakePool } from '../core/search/geneflow/searchPartition';
import { workerIslandPool } from './islandPool';
import { searchThread } from './searchThread';
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
  /** One of the ways of the synchronous bound: the worker says how its trial went, and finishes it when told to. */
  readonly way?: boolean;
  /** Of a `StopFlag`. */
  readonly stop: SharedArrayBuffer;
}

/** @param workerFile the bundle of `boundWorker.ts` */
export function workerBound(workerFile: string): ProveBound {
  return (request, isStopped) => {
    if (isStopped()) return Promise.resolve(latencyBound(request, isStopped));
    const stop = new StopFlag(isStopped);
    const threads = (request.latency === 'overlapped' ? [undefined] : WAYS).map(
      (way) => new BoundThread(workerFile, { ...request, rules: undefined, way, stop: stop.buffer }),
    );
    const proof = request.latency === 'overlapped' ? threads[0].next<LatencyBound>() : triedBound(threads);
    return stop.while(proof).finally(() => threads.forEach((thread) => thread.end()));
  };
}

/** The same as all ways one after the other. */
async function triedBound(threads: readonly BoundThread[]): Promise<LatencyBound> {
  const trials = threads.map((thread) => thread.next<Tried>());
  // A failure is met where it is awaited.
  for (const trial of trials) trial.catch(() => undefined);
  const tried: Tried[] = [];
  for (const trial of trials) {
    tried.push(await trial);
    if (tried[tried.length - 1].isNear) break;
  }
  const { bound, next } = goingOn(tried);
  if (next === NONE) return bound;
  threads.forEach((thread, way) => way !== next && thread.end());
  return higher(bound, await threads[next].goOn());
}

class BoundThread {
  private readonly worker: Worker;

  constructor(file: string, workerData: Omit<BoundWorkerData, 'rules'> & { readonly rules: undefined }) {
    this.worker = searchThread(file, workerData);
  }

  next<Message>(): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.worker.once('message', resolve);
      this.worker.once('error', reject);
      this.worker.once('exit', () => reject(new Error('The worker that proves the bound ended early.')));
    });
  }

  goOn(): Promise<LatencyBound> {
    this.worker.postMessage('go on');
    return this.next();
  }

  end(): void {
    void this.worker.terminate();
  }
}
