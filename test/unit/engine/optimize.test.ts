import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smartHome } from '../../../src/core/cluster/smartHome';
import type { Graph } from '../../../src/core/graph/graph';
import { LocalIslandPool } from '../../../src/core/search/geneflow/islandPool';
import { analyzeFile, type Analysis } from '../../../src/engine/analyze';
import { doorbellModel } from '../../../src/engine/example/doorbell';
import { DEFAULT_OPTIMIZE_OPTIONS, optimizeModel, type OptimizeProgress } from '../../../src/engine/optimize';
import type { SearchWorkers } from '../../../src/engine/searchWorkers';
import { toyGraph } from '../../support/toyGraph';
import { wattsStrogatz } from '../../support/wattsStrogatz';

/** Opponents and proofs that never end by themselves. */
const ENDLESS: SearchWorkers = {
  makePool(problem, stop) {
    const pool = new LocalIslandPool(problem, stop);
    pool.opponents = async () => {
      // The search goes on meanwhile.
      while (!stop()) await Promise.resolve();
      return undefined;
    };
    return pool;
  },
  async proveBound(_request, _later, isStopped) {
    while (!isStopped()) await Promise.resolve();
    return { ns: 0, method: 'none', stopped: true };
  },
};

describe('a time limit', () => {
  let folder = '';
  let modelPath = '';
  let analysis: Analysis;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'memorianova-'));
    modelPath = join(folder, 'doorbell.onnx');
    writeFileSync(modelPath, doorbellModel());
    analysis = analyzeFile(modelPath, { bindings: new Map(), fuse: 'none' });
  });

  after(() => rmSync(folder, { recursive: true }));

  interface Ran {
    /** When each phase began, and when all was over. */
    readonly began: Readonly<Record<string, number>>;
    readonly end: number;
    readonly stopped: string | undefined;
  }

  /** With a clock on which every look takes a second. */
  async function run(
    timeLimit: number,
    latency: 'overlapped' | 'synchronous',
    graph: Graph,
    workers?: SearchWorkers,
  ): Promise<Ran> {
    let clock = 0;
    const began: Record<string, number> = {};
    const control = {
      cancelled: () => false,
      now: () => ++clock,
      report: ({ phase }: OptimizeProgress) => void (began[phase] ??= clock),
    };
    const options = { ...DEFAULT_OPTIMIZE_OPTIONS, latency, timeLimit };
    const { stopped } = await optimizeModel(
      {
        ...{ modelPath, analysis: { ...analysis, graph }, cluster: smartHome(), options },
        ...(workers === undefined ? {} : { workers }),
      },
      control,
    );
    return { began, end: clock, stopped };
  }

  for (const latency of ['overlapped', 'synchronous'] as const) {
    it(`is one for search and proof, which has the last of it, ${latency}`, async () => {
      const { began, end, stopped } = await run(10_000, latency, analysis.graph, ENDLESS);
      assert.equal(stopped, 'time');
      assert.ok(began['bounding'] > 8000 && began['bounding'] < 9000, `bounding at ${began['bounding']}`);
      assert.ok(end > 9900 && end < 10_100, `${end}`);
    });
  }

  it('leaves the search its part where the proof runs on the same thread', async () => {
    const { began, end } = await run(2000, 'synchronous', analysis.graph);
    assert.ok(began['bounding'] < 1800, `bounding at ${began['bounding']}`);
    assert.ok(end < 2100, `${end}`);
  });

  it('leaves most of itself to the search where the order is hard', async () => {
    // Without a limit the order takes 150 looks.
    const { began, end, stopped } = await run(
      200,
      'synchronous',
      toyGraph(wattsStrogatz(64, 1, 'distinct')),
      ENDLESS,
    );
    assert.equal(stopped, 'time');
    assert.ok(
      began['partitioning'] > 40 && began['partitioning'] < 60,
      `partitioning at ${began['partitioning']}`,
    );
    assert.ok(end > 180 && end < 220, `${end}`);
  });
});
