import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { NONE, type Nanoseconds } from '../core/graph/units';
import type { LatencyBound } from '../core/search/bounds/boxBound';
import { latencyBound, type BoundRequest } from '../core/search/bounds/lowerBound';
import { goingOn, higher, isEnough, type Tried } from '../core/search/bounds/boundTrial';
import type { MakePool } from '../core/search/geneflow/searchPartition';
import { workerIslandPool } from './islandPool';
import { searchThread } from './searchThread';
import { StopFlag } from './stopFlag';

/**
 * @param later latency of a better plan, for a bound that waits for it
 * @param isStopped a safety stop, as for `latencyBound`
 */
export type ProveBound = (
  request: BoundRequest,
  later: Promise<Nanoseconds | undefined>,
  isStopped: () => boolean,
) => Promise<LatencyBound>;

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
  return (request, later, isStopped) => {
    if (isStopped()) return Promise.resolve(latencyBound(request, isStopped));
    const stop = new StopFlag(isStopped);
    const threads: BoundThread[] = [];
    const begin = (way?: boolean): BoundThread => {
      const thread = new BoundThread(workerFile, { ...request, rules: undefined, way, stop: stop.buffer });
      threads.push(thread);
      return thread;
    };
    const proof = request.latency === 'overlapped' ? begin().next<LatencyBound>() : triedBound(begin, later);
    return stop.while(proof).finally(() => threads.forEach((thread) => thread.end()));
  };
}

/** Beside the search and one way, another way needs one more. */
const PROCESSORS_OF_TWO = 2;

/** The same as one way after the other (`WAYS`). */
async function triedBound(
  begin: (way: boolean) => BoundThread,
  later: Promise<Nanoseconds | undefined>,
): Promise<LatencyBound> {
  const trial = (way: boolean): { thread: BoundThread; tried: Promise<Tried> } => {
    const thread = begin(way);
    const tried = thread.next<Tried>();
    // A failure is met where it is awaited.
    tried.catch(() => undefined);
    return { thread, tried };
  };
  const kept = trial(false);
  // With the better plan the search is over, or nearly so.
  const isBusy = availableParallelism() <= PROCESSORS_OF_TWO;
  const early = isBusy ? await Promise.race([kept.tried, later.then(() => undefined)]) : undefined;
  const left = early !== undefined && isEnough(early) ? undefined : trial(true);
  const tried = [await kept.tried];
  if (left !== undefined && !isEnough(tried[0])) tried.push(await left.tried);
  const { bound, next } = goingOn(tried);
  [kept, left].forEach((other, way) => way !== next && other?.thread.end());
  if (next === NONE) return bound;
  const { thread } = next === 0 ? kept : left!;
  return higher(bound, await thread.goOn(tried[next].isClose ? await later : undefined));
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

  goOn(betterNs: Nanoseconds | undefined): Promise<LatencyBound> {
    this.worker.postMessage(betterNs);
    return this.next();
  }

  end(): void {
    void this.worker.terminate();
  }
}
