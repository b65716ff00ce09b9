import { Worker } from 'node:worker_threads';

/**
 * For objects that are soon let go, in MiB. A search makes many of them: measured with the default of 48, a search and
 * its proof spend an eighth of their time on collecting what is still in use over and over.
 */
const YOUNG_GENERATION = 192;

/** A thread of a search or of a proof. @param file its bundle */
export function searchThread(file: string, workerData: unknown): Worker {
  return new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION } });
}
