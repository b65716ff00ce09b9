import { parseCluster } from '../core/cluster/parse';
import type { Cluster } from '../core/cluster/cluster';
import { InputError } from '../core/graph/problem';
import { basename } from 'node:path';
import { readText } from './files';

export const CLUSTER_EXTENSION = '.cluster.json';
const LARGEST_CLUSTER_BYTES = 2 ** 20;

/** Reads a cluster file; a refusal names the file and the field. */
export function loadCluster(path: string): Cluster {
  const text = readText(path, LARGEST_CLUSTER_BYTES);
  try {
    return parseCluster(text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${basename(path)}: ${error.message}`);
  }
}
