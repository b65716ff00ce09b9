import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { Cluster } from '../core/cluster/cluster';
import type { Graph } from '../core/graph/graph';
import type { OperatorId } from '../core/graph/units';
import {
  ISLANDS,
  type FoundSeed,
  type IslandPool,
  type IslandReport,
} from '../core/search/geneflow/islandPool';
import type { PartitionOptions, Seed, SeedResult } from '../core/search/geneflow/problem';
import type { MakePool } from '../core/search/geneflow/searchPartition';
import { searchThread } from './searchThread';
import { StopFlag } from './stopFlag';

/** What a worker needs to set its islands up. */
export interface IslandWorkerData {
  readonly graph: Graph;
  readonly cluster: Cluster;
  readonly order: readonly OperatorId[];
  readonly options: PartitionOptions;
  /** Positions of its islands among all. */
  readonly islands: readonly number[];
  /** Of a `StopFlag`. */
  readonly stop: SharedArrayBuffer;
}

export type IslandRequest =
  | {
      readonly kind: 'opponents';
      readonly cluster: Cluster;
      readonly isOwn: boolean;
      /** Of a `StopFlag`. */
      readonly late: SharedArrayBuffer;
    }
  | { readonly kind: 'start'; readonly seeds: readonly Seed[] }
  | {
      readonly kind: 'run';
      readonly evaluations: number;
      readonly immigrants: readonly (IslandReport | undefined)[];
    };

/** `found` comes before the reply to `opponents`, and is none itself. */
export type IslandReply =
  | { readonly kind: 'found'; readonly seed: Seed }
  | { readonly kind: 'opponents'; readonly seeds: readonly Seed[] }
  | { readonly kind: 'start'; readonly results: readonly SeedResult[] }
  | { readonly kind: 'run'; readonly reports: readonly IslandReport[] };

/**
 * Pools whose islands are spread over worker threads, one per processor at most.
 * @param workerFile the bundle of `islandWorker.ts`
 */
export function workerIslandPool(workerFile: string, workers = availableParallelism()): MakePool {
  return ({ graph, cluster, order, options }, stop) => {
    const flag = new StopFlag(stop);
    const count = Math.max(1, Math.min(workers, ISLANDS));
    const members = Array.from({ length: count }, (_, first) => {
      const islands = Array.from({ length: ISLANDS }, (_unused, island) => island).filter(
        (island) => island % count === first,
      );
      return new IslandWorker(workerFile, { graph, cluster, order, options, islands, stop: flag.buffer });
    });
    return new WorkerIslandPool(members, cluster, flag);
  };
}

class WorkerIslandPool implements IslandPool {
  constructor(
    private readonly members: readonly IslandWorker[],
    private readonly cluster: Cluster,
    private readonly flag: StopFlag,
  ) {}

  /**
   * Whichever worker is free takes the next cluster; deaf meanwhile: where the search stops they are not waited for.
   */
  async opponents(
    clusters: readonly Cluster[],
    isLate: () => boolean,
    found: FoundSeed,
  ): Promise<readonly (readonly Seed[])[] | undefined> {
    const late = new StopFlag(isLate);
    const seeds = new Array<readonly Seed[]>(clusters.length);
    const left = clusters.entries();
    const shares = this.members.map(async (member) => {
      for (const [at, cluster] of left) {
        const isOwn = cluster === this.cluster;
        const reply = await member.ask({ kind: 'opponents', cluster, isOwn, late: late.buffer }, found);
        if (reply.kind === 'opponents') seeds[at] = reply.seeds;
      }
    });
    const all = Promise.all(shares).then(() => seeds);
    all.catch(() => undefined);
    let tell = (): void => undefined;
    const stopped = new Promise<undefined>((resolve) => (tell = () => resolve(undefined)));
    return this.flag.while(late.while(Promise.race([all, stopped])), tell);
  }

  async start(seeds: readonly Seed[]): Promise<readonly SeedResult[]> {
    const replies = await this.ask(() => ({ kind: 'start', seeds }));
    const [first] = replies;
    return first.kind === 'start' ? first.results : [];
  }

  async run(
    evaluations: number,
    immigrants: readonly (IslandReport | undefined)[],
  ): Promise<readonly IslandReport[]> {
    const replies = await this.ask(({ islands }) => ({
      kind: 'run',
      evaluations,
      immigrants: islands.map((island) => immigrants[island]),
    }));
    const reports = new Array<IslandReport>(ISLANDS);
    replies.forEach((reply, member) => {
      if (reply.kind !== 'run') return;
      this.members[member].islands.forEach((island, position) => (reports[island] = reply.reports[position]));
    });
    return reports;
  }

  dispose(): void {
    for (const member of this.members) member.end();
  }

  private async ask(request: (member: IslandWorker) => IslandRequest): Promise<readonly IslandReply[]> {
    this.flag.pass();
    return this.flag.while(Promise.all(this.members.map((member) => member.ask(request(member)))));
  }
}

/** One thread with some of the islands; answers one request at a time. */
class IslandWorker {
  readonly islands: readonly number[];
  private readonly worker: Worker;
  private settle:
    { resolve(reply: IslandReply): void; reject(error: Error): void; found: FoundSeed } | undefined;
  private failure: Error | undefined;

  constructor(file: string, data: IslandWorkerData) {
    this.islands = data.islands;
    this.worker = searchThread(file, data);
    this.worker.on('message', (reply: IslandReply) =>
      reply.kind === 'found' ? this.settle?.found(reply.seed) : this.settle?.resolve(reply),
    );
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('A worker of the search ended early.')));
  }

  ask(request: IslandRequest, found: FoundSeed = () => undefined): Promise<IslandReply> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.settle = { resolve, reject, found };
      this.worker.postMessage(request);
    });
  }

  end(): void {
    this.settle = undefined;
    void this.worker.terminate();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.settle?.reject(error);
  }
}
