import type { Cluster } from '../core/cluster/cluster';
import { smartHome } from '../core/cluster/smartHome';
import { loadCluster } from '../engine/clusterFile';
import { type CommandOption, type Invocation, textOption } from './command';

export const CLUSTER_OPTION: CommandOption = {
  type: 'string',
  value: 'FILE',
  summary: 'cluster file (default: the built-in smart home)',
};

export function clusterOf(invocation: Invocation): Cluster {
  const path = textOption(invocation, 'cluster');
  return path === undefined ? smartHome() : loadCluster(path);
}
