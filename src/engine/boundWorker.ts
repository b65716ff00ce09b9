import { parentPort, workerData } from 'node:worker_threads';
import { partitionRules } from '../core/partition/rules';
import { latencyBound } from '../core/search/bounds/lowerBound';
import type { BoundWorkerData } from './searchWorkers';
import { flagReader } from './stopFlag';

/** Entry of a worker thread that proves one bound and ends. */
const { stop, ...request } = workerData as BoundWorkerData;
const rules = partitionRules(request.graph);
parentPort?.postMessage(latencyBound({ ...request, rules }, flagReader(stop)));
