import { parentPort, workerData } from 'node:worker_threads';
import type { Nanoseconds } from '../core/graph/units';
import { partitionRules } from '../core/partition/rules';
import { boundTrial, latencyBound } from '../core/search/bounds/lowerBound';
import type { BoundWorkerData } from './searchWorkers';
import { flagReader } from './stopFlag';

/** Entry of a worker thread that proves one bound, or tries one way to prove it and waits whether to go on. */
const { stop, way, ...rest } = workerData as BoundWorkerData;
const request = { ...rest, rules: partitionRules(rest.graph) };
const isStopped = flagReader(stop);
if (way === undefined) parentPort?.postMessage(latencyBound(request, isStopped));
else {
  const trial = boundTrial(request, way, isStopped);
  parentPort?.once('message', (betterNs: Nanoseconds | undefined) =>
    parentPort?.postMessage(trial.finish(betterNs)),
  );
  parentPort?.postMessage(trial.begin());
}
