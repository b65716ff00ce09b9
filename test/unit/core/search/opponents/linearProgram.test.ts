import assert from 'node:assert/strict';
import { parseCluster } from '../../../../../src/core/cluster/parse';
import type { Cluster } from '../../../../../src/core/cluster/cluster';
import { seededRandom } from '../../../../../src/core/graph/random';
import { Evaluator } from '../../../../../src/core/latency/evaluator';
import type { Gene } from '../../../../../src/core/latency/gene';
import { createWorkload, type LatencyModel, type Workload } from '../../../../../src/core/latency/workload';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { byOperator } from '../../../../../src/core/search/opponents/geneProblem';
import {
  constant,
  LinearBuilder,
  plus,
  type SolveLinear,
  times,
} from '../../../../../src/core/search/opponents/linearModel';
import { linearProgramPlan } from '../../../../../src/core/search/opponents/linearProgram';
import { linearSolver } from '../../../../support/linearSolver';
import { NetBuilder, randomNet } from '../../../../support/netGraph';
import { randomCluster } from '../../../../support/randomPlan';

function evaluated(workload: Workload, genes: readonly Gene[]): Evaluator {
  const evaluator = new Evaluator(workload);
  evaluator.evaluate(byOperator(workload, genes), Infinity, true);
  return evaluator;
}

/** Two devices, the second three times as fast, over a link that hardly counts. */
function pair(memory: string): Cluster {
  return parseCluster({
    name: 'pair',
    devices: [
      { name: 'slow', memory, compute: '1 MFLOP/s', operatorOverhead: 0 },
      { name: 'fast', memory, compute: '3 MFLOP/s', operatorOverhead: 0 },
    ],
    network: { kind: 'switched', bandwidth: '1 GB/s', latency: 0 },
  });
}

function oneConvolution(channels: number, cluster: Cluster, latency: LatencyModel): Workload {
  const net = new NetBuilder();
  const graph = net.finish([net.conv(net.input([1, 4, 16, 16]), channels, 1)]);
  return createWorkload(graph, partitionRules(graph), cluster, [0], latency);
}

describe('linear program', () => {
  let solve: SolveLinear;
  before(async () => (solve = await linearSolver()));

  it('is solved to its optimum, and has none where its rows contradict each other', () => {
    const builder = new LinearBuilder();
    const x = builder.variable(0, 10, 0.5);
    const most = builder.most([plus(constant(6), x, -1), times(x, 2)], 1);
    builder.notNegative(plus(x, constant(-1)));
    assert.deepEqual(
      [...solve(builder.build())!].map((value) => Math.round(value * 1e6) / 1e6),
      [2, 4],
    );
    builder.notNegative(plus(constant(3), most, -1));
    assert.equal(solve(builder.build()), undefined);
  });

  for (const latency of ['overlapped', 'synchronous'] as const) {
    it(`shares an operator by speed where the network is free, ${latency}`, () => {
      const [gene] = linearProgramPlan(oneConvolution(8, pair('1 GB'), latency), solve);
      assert.deepEqual(gene.cuts, [0, 4, 16]);
    });

    it(`makes plans of random networks, the same each time, ${latency}`, () => {
      for (let seed = 0; seed < 8; seed++) {
        const graph = randomNet(seededRandom(seed), 8);
        const order = graph.operators.map(({ id }) => id);
        const cluster = randomCluster(seededRandom(70 + seed));
        const workload = createWorkload(graph, partitionRules(graph), cluster, order, latency);
        const genes = linearProgramPlan(workload, solve);
        assert.deepEqual(linearProgramPlan(workload, solve), genes);
        const { latencyNs, violation } = evaluated(workload, genes);
        assert.ok(Number.isFinite(latencyNs) && violation === 0);
      }
    });
  }

  it('slices weights that no device can hold whole', () => {
    const net = new NetBuilder();
    // 256 x 1000 weights of 4 bytes: 1.02 MB, the devices have 0.7 MB each.
    const graph = net.finish([net.gemm(net.flatten(net.input([1, 4, 8, 8])), 1000)]);
    const order = graph.operators.map(({ id }) => id);
    const workload = createWorkload(graph, partitionRules(graph), pair('0.7 MB'), order, 'synchronous');
    const [{ cuts }] = linearProgramPlan(workload, solve);
    assert.ok(cuts[1] > 0 && cuts[1] < cuts[2], String(cuts));
    assert.equal(evaluated(workload, linearProgramPlan(workload, solve)).violation, 0);
  });
});
