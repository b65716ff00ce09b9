import { parentPort, workerData } from 'node:worker_threads';
import { partitionRules } from '../core/partition/rules';
import { IslandHost, opponentSeeds, searchSpace } from '../core/search/geneflow/islandPool';
import type { Seed } from '../core/search/geneflow/problem';
import type { IslandReply, IslandRequest, IslandWorkerData } from './islandPool';
import { flagReader } from './stopFlag';

/** Entry of a worker thread that hosts some of the islands. */
const { islands, stop, graph, ...data } = workerData as IslandWorkerData;
const isStopped = flagReader(stop);
const problem = { ...data, graph, rules: partitionRules(graph) };
const space = searchSpace(problem);
const hosts = islands.map((island) => new IslandHost(space, island, isStopped));

function answer(request: IslandRequest): IslandReply {
  if (request.kind === 'opponents') {
    const { cluster, isOwn, late } = request;
    const found = (seed: Seed): void => tell({ kind: 'found', seed });
    return { kind: 'opponents', seeds: opponentSeeds(problem, cluster, isOwn, flagReader(late), found) };
  }
  if (request.kind === 'start') {
    const results = hosts.map((host) => host.start(request.seeds));
    return { kind: 'start', results: results[0] };
  }
  const { evaluations, immigrants } = request;
  return { kind: 'run', reports: hosts.map((host, position) => host.run(evaluations, immigrants[position])) };
}

function tell(reply: IslandReply): void {
  parentPort?.postMessage(reply);
}

parentPort?.on('message', (request: IslandRequest) => tell(answer(request)));
