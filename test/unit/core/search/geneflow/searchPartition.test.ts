import assert from 'node:assert/strict';
import type { Cluster } from '../../../../../src/core/cluster/cluster';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom } from '../../../../../src/core/graph/random';
import { geneDevices, type Gene } from '../../../../../src/core/latency/gene';
import { createWorkload, type LatencyModel } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { checkPlan } from '../../../../../src/core/plan/check';
import {
  LocalIslandPool,
  opponentSeeds,
  type IslandReport,
} from '../../../../../src/core/search/geneflow/islandPool';
import {
  EPOCHS,
  type PartitionOptions,
  type PartitionProblem,
  type PartitionResult,
} from '../../../../../src/core/search/geneflow/problem';
import { searchPartition, type MakePool } from '../../../../../src/core/search/geneflow/searchPartition';
import { freeControl } from '../../../../support/control';
import { NetBuilder, randomNet } from '../../../../support/netGraph';
import { planOf } from '../../../../support/planOf';
import { randomCluster } from '../../../../support/randomPlan';

const OPTIONS: PartitionOptions = {
  seed: 1,
  latency: 'overlapped',
  strategy: 'hybrid',
  evaluations: 2000,
  freeOrder: false,
};

function search(
  graph: Graph,
  cluster: Cluster,
  options: Partial<PartitionOptions> = {},
): Promise<PartitionResult> {
  const order = graph.operators.map(({ id }) => id);
  const problem = {
    graph,
    rules: partitionRules(graph),
    cluster,
    order,
    options: { ...OPTIONS, ...options },
  };
  return searchPartition(problem, freeControl());
}

describe('GenEFlow', () => {
  it('begins very large models with those opponents that take a moment', () => {
    const net = new NetBuilder();
    let x = net.input([1, 1, 2, 2]);
    for (let layer = 0; layer < 2001; layer++) x = net.relu(x);
    const graph = net.finish([x]);
    const problem = {
      graph,
      rules: partitionRules(graph),
      cluster: smartHome(),
      order: graph.operators.map(({ id }) => id),
      options: { ...OPTIONS, evaluations: 500_000 },
    };
    const late = (): boolean => false;
    const names = opponentSeeds(problem, problem.cluster, true, late, () => undefined).map(
      ({ name }) => name,
    );
    assert.ok(
      names.includes('layer pipeline') && names.includes('fused row tiles (DeepThings)'),
      names.join(),
    );
    assert.ok(!names.includes('greedy (EdgeFlow)'));
  });

  it('makes plans that the checker accepts, none worse than a seed', async () => {
    const random = seededRandom(3);
    for (let round = 0; round < 12; round++) {
      const graph = randomNet(random, 4 + random.below(10));
      const cluster = randomCluster(random, 60_000);
      const latency: LatencyModel = round % 2 === 0 ? 'overlapped' : 'synchronous';
      const result = await search(graph, cluster, { latency });
      const rules = partitionRules(graph);
      const workload = createWorkload(graph, rules, cluster, result.order, latency);
      const genome = result.genes.map((gene, id) =>
        gene === undefined ? undefined : workload.genes.compile(id, gene),
      );
      const { violations } = checkPlan(graph, rules, planOf(workload, genome, result.timeline));
      assert.deepEqual(
        violations.filter(({ rule }) => result.valid || rule !== 'memory'),
        [],
      );
      for (const seed of result.seeds) {
        if (seed.valid) assert.ok(result.valid && result.timeline.latencyNs <= seed.latencyNs, seed.name);
      }
    }
  });

  it('gives the same plan for the same seed', async () => {
    const graph = randomNet(seededRandom(5), 14);
    const first = await search(graph, smartHome());
    const second = await search(graph, smartHome());
    assert.deepEqual(second, first);
  });

  it('keeps what was pinned and what the strategy allows', async () => {
    const graph = randomNet(seededRandom(6), 10);
    const rules = partitionRules(graph);
    const pins = new Map([
      [0, { device: 2 }],
      [3, { dimension: 'none' as const }],
    ]);
    const pinned = await search(graph, smartHome(), { pins });
    assert.deepEqual(
      pinned.partitions[0]?.shards.map(({ device }) => device),
      [2],
    );
    assert.equal(pinned.partitions[3]?.dimension, 'none');
    const horizontal = await search(graph, smartHome(), { strategy: 'horizontal' });
    horizontal.partitions.forEach((partition, id) => {
      if (partition !== undefined && rules.splits(id).length > 0)
        assert.notEqual(partition.dimension, 'none');
    });
  });

  it('runs whole operators on one device after another where the strategy is vertical', async () => {
    const graph = randomNet(seededRandom(8), 10);
    const cluster = smartHome();
    const result = await search(graph, cluster, { strategy: 'vertical' });
    const devices = result.order.flatMap(
      (id) => result.partitions[id]?.shards.map(({ device }) => device) ?? [],
    );
    const changes = devices.filter((device, position) => position === 0 || device !== devices[position - 1]);
    assert.equal(new Set(changes).size, changes.length);
    assert.ok(
      result.partitions.every((partition) => partition === undefined || partition.dimension === 'none'),
    );
  });

  it('may change the order where that helps, and says what the given order takes', async () => {
    const graph = randomNet(seededRandom(12), 12);
    const { order, givenOrder, timeline, valid } = await search(graph, smartHome(), { freeOrder: true });
    assert.ok(valid && givenOrder !== undefined && timeline.latencyNs <= givenOrder.latencyNs);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      graph.operators.map(({ id }) => id),
    );
  });

  it('says what is lacking where nothing fits', async () => {
    const graph = randomNet(seededRandom(8), 10);
    const home = smartHome();
    const cluster = {
      ...home,
      devices: home.devices.map((device) => ({ ...device, memory: 1000, baseMemory: 0 })),
    };
    const { valid, shortfall, timeline } = await search(graph, cluster);
    assert.ok(!valid && shortfall !== undefined);
    const lacking = timeline.devices.map(({ peakBytes }) => Math.max(0, peakBytes - 1000));
    assert.deepEqual(shortfall.lackingBytes, lacking);
    assert.equal(shortfall.leastTotalBytes, 4000 + lacking.reduce((sum, bytes) => sum + bytes, 0));
  });

  it('says what is lacking where operators take no time', async () => {
    const net = new NetBuilder();
    const graph = net.finish([net.relu(net.relu(net.input([1, 1, 8, 8])))]);
    const home = smartHome();
    const devices = [{ ...home.devices[0], compute: 1e30, operatorOverhead: 0, memory: 300, baseMemory: 0 }];
    const network = { ...home.network, links: [] };
    const { valid, shortfall } = await search(graph, { ...home, devices, network, source: 0, sink: 0 });
    assert.ok(!valid);
    // What the second reads and what it makes.
    assert.deepEqual(shortfall, { lackingBytes: [212], leastTotalBytes: 512 });
  });

  it('never returns a plan that exceeds a memory as valid, though islands may exceed it meanwhile', async () => {
    const random = seededRandom(21);
    let valid = 0;
    for (let round = 0; round < 8; round++) {
      const graph = randomNet(random, 16);
      const cluster = randomCluster(random);
      const free = await search(graph, cluster);
      const tight = {
        ...cluster,
        devices: cluster.devices.map((device, d) => ({
          ...device,
          memory: Math.ceil(free.timeline.devices[d].peakBytes * 0.9) + 1000,
        })),
      };
      const result = await search(graph, tight);
      const fits = result.timeline.devices.every(({ peakBytes }, d) => peakBytes <= tight.devices[d].memory);
      assert.equal(result.valid, fits);
      if (result.valid) valid++;
    }
    assert.ok(valid > 0);
  });

  it('starts from what it finds in the other latency model and with less memory', async () => {
    const graph = randomNet(seededRandom(9), 12);
    const rich = smartHome();
    const home = { ...rich, devices: rich.devices.map((device) => ({ ...device, memory: 1e9 })) };
    const names = ({ seeds }: PartitionResult): string[] =>
      seeds.map(({ name }) => name).filter((name) => /other|less/.test(name));
    for (const latency of ['overlapped', 'synchronous'] as const) {
      const result = await search(graph, home, { latency });
      assert.deepEqual(names(result), ['other latency model', 'less memory (40 %)', 'less memory (60 %)']);
      // They count among the evaluations.
      assert.ok(result.evaluations <= 1.1 * OPTIONS.evaluations, String(result.evaluations));
    }
    const tight = {
      ...home,
      devices: home.devices.map((device) => ({ ...device, memory: 1, baseMemory: 0 })),
    };
    assert.deepEqual(names(await search(graph, tight)), ['other latency model']);
    // Where memory is not short the synchronous elimination leaves nothing to look for elsewhere.
    const settled = await search(graph, home, { latency: 'synchronous', evaluations: 60_000 });
    assert.deepEqual(names(settled), ['less memory (40 %)', 'less memory (60 %)']);
    assert.ok(settled.evaluations < 40_000, String(settled.evaluations));
    // Nor with less memory, but in the smallest models.
    const net = new NetBuilder();
    let last = net.input([1, 2, 6, 6]);
    for (let layer = 0; layer < 26; layer++) last = net.relu(net.conv(last, 2, 3));
    const larger = net.finish([last]);
    assert.deepEqual(names(await search(larger, home, { latency: 'synchronous', evaluations: 60_000 })), []);
    assert.equal(names(await search(larger, home, { latency: 'overlapped', evaluations: 60_000 })).length, 2);
  });

  it('goes on where the elimination had to leave combinations out', async () => {
    const graph = randomNet(seededRandom(7), 10);
    const order = graph.operators.map(({ id }) => id);
    const epochs = async (isExact: boolean): Promise<number> => {
      let runs = 0;
      class JudgingPool extends LocalIslandPool {
        override async opponents(
          ...asked: Parameters<LocalIslandPool['opponents']>
        ): ReturnType<LocalIslandPool['opponents']> {
          const found = await super.opponents(...asked);
          return found?.map((seeds) =>
            seeds.map((seed) => (seed.isExact === undefined ? seed : { ...seed, isExact })),
          );
        }

        override run(...asked: Parameters<LocalIslandPool['run']>): ReturnType<LocalIslandPool['run']> {
          runs++;
          return super.run(...asked);
        }
      }
      const problem = {
        ...{ graph, rules: partitionRules(graph), cluster: smartHome(), order },
        options: { ...OPTIONS, latency: 'synchronous', evaluations: 20_000 },
      } as const;
      await searchPartition(problem, freeControl(), (given, stop) => new JudgingPool(given, stop));
      return runs;
    };
    assert.ok((await epochs(true)) < EPOCHS);
    assert.ok((await epochs(false)) >= 2 * EPOCHS);
  });

  it('within a time limit keeps to the parts of it, and to the best plan of any part', async () => {
    const graph = randomNet(seededRandom(7), 10);
    const order = graph.operators.map(({ id }) => id);
    const runs = new Map<string, number>();
    let seconds = 0;
    // Every epoch takes a second, and finds a plan of its strategy's own latency.
    class SlowPool extends LocalIslandPool {
      constructor(
        private readonly given: PartitionProblem,
        stop: () => boolean,
      ) {
        super(given, stop);
      }

      override async run(
        ...[evaluations, immigrants]: Parameters<LocalIslandPool['run']>
      ): Promise<readonly IslandReport[]> {
        seconds++;
        const { strategy, latency } = this.given.options;
        const part = `${strategy} ${latency}`;
        runs.set(part, (runs.get(part) ?? 0) + 1);
        const reports = await super.run(evaluations, immigrants);
        return reports.map((report) => ({ ...report, latencyNs: strategy === 'horizontal' ? 1 : 2 }));
      }
    }
    const problem = {
      ...{ graph, rules: partitionRules(graph), cluster: smartHome(), order },
      options: { ...OPTIONS, timeLimit: 10 },
    };
    const control = { ...freeControl(), now: () => seconds };
    const makePool: MakePool = (given, stop) => new SlowPool(given, stop);
    const { stopped, genes } = await searchPartition(problem, control, makePool);
    assert.equal(stopped, 'time');
    // 30 % of the time, 10 % of what is left then, and the rest (two scenes of less memory first, 5 % each), which is
    // too little for the late plan to join.
    assert.deepEqual(Object.fromEntries(runs), {
      'hybrid synchronous': 4,
      'horizontal overlapped': 1,
      'hybrid overlapped': 6,
    });
    const rules = partitionRules(graph);
    const isShared = (gene: Gene | undefined, id: number): boolean =>
      gene === undefined || rules.splits(id).length === 0 || geneDevices(gene).length > 1;
    assert.ok(genes.every(isShared));
  });

  it('stops when told to, with the best plan so far', async () => {
    const graph = randomNet(seededRandom(7), 10);
    const order = graph.operators.map(({ id }) => id);
    let asked = 0;
    const control = { ...freeControl(), cancelled: () => ++asked > 3 };
    const problem = { graph, rules: partitionRules(graph), cluster: smartHome(), order, options: OPTIONS };
    const result = await searchPartition(problem, control);
    assert.equal(result.stopped, 'cancel');
    assert.ok(result.valid);
  });
});
