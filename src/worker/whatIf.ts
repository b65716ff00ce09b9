import type { Cluster } from '../core/cluster/cluster';
import { parseCluster } from '../core/cluster/parse';
import { encodePlan, parsePlan } from '../core/plan/codec';
import type { Plan } from '../core/plan/plan';
import { LEAST_GAIN } from '../core/search/whatIf';
import { analyzeFile, type Analysis } from '../engine/analyze';
import { controlWith } from '../engine/control';
import {
  DEFAULT_OPTIMIZE_OPTIONS,
  optimizeModel,
  type OptimizeOptions,
  type OptimizeProgress,
  type PlanPin,
} from '../engine/optimize';
import { sweepModel, type SweepProgress } from '../engine/sweep';
import type { SweepResult } from '../protocol/webview';
import type { SweepRequest, WhatIfRequest } from '../protocol/worker';
import { isCancelled } from './cancel';
import { withModelFile } from './modelFile';
import { NO_FIGURES, searchProgress, type Surroundings } from './optimize';

/** A plan for another cluster, from the plan at hand; nothing is saved. */
export async function whatIf(
  request: WhatIfRequest,
  { report, workers }: Surroundings,
): Promise<{ text: string }> {
  const asked = askedFor(request);
  return withModelFile(request.model, async (modelPath) => {
    const analysis = analysisUnder(asked.start, modelPath);
    const show = (progress: OptimizeProgress): void => report(searchProgress(progress, 'whatIf'));
    const control = controlWith(() => isCancelled(request.cancel), show);
    return { text: encodePlan(await optimizeModel({ modelPath, analysis, ...asked, workers }, control)) };
  });
}

/** Latency at several bandwidths or memories, with the plan at hand among the starts. */
export async function sweep(request: SweepRequest, { report, workers }: Surroundings): Promise<SweepResult> {
  const asked = askedFor(request);
  const { of, values, cancel } = request;
  return withModelFile(request.model, async (modelPath) => {
    const analysis = analysisUnder(asked.start, modelPath);
    const show = ({ fraction }: SweepProgress): void =>
      report({ task: 'sweep', phase: 'Sweeping', fraction, ...NO_FIGURES });
    const control = controlWith(() => isCancelled(cancel), show);
    const { points, splittingPaysFrom, stopped } = await sweepModel(
      { analysis, of, values, ...asked, workers },
      control,
    );
    if (points.length === 0) return { kind: 'cancelled' };
    return {
      kind: 'swept',
      points: points.map(({ value, valid, latencyNs, singleDeviceNs }) => ({
        value,
        seconds: valid ? latencyNs / 1e9 : null,
        singleSeconds: singleDeviceNs === undefined ? null : singleDeviceNs / 1e9,
      })),
      splittingPaysFrom: splittingPaysFrom ?? null,
      leastGain: LEAST_GAIN,
      isTimedOut: stopped === 'time',
    };
  });
}

interface Asked {
  readonly start: Plan;
  readonly cluster: Cluster;
  readonly options: OptimizeOptions;
  readonly pins: ReadonlyMap<number, PlanPin>;
}

/** The plan's own options, so that what changes is the cluster alone. */
function askedFor({ start: text, cluster, pins, evaluations, timeLimitSeconds }: WhatIfRequest): Asked {
  const start = parsePlan(text);
  const { seed, latency, strategy, inPlace, fuse } = start.options;
  return {
    start,
    cluster: parseCluster(cluster),
    options: {
      ...DEFAULT_OPTIMIZE_OPTIONS,
      ...{ seed, latency, strategy, inPlace, fuse, evaluations },
      ...(timeLimitSeconds === undefined ? {} : { timeLimit: timeLimitSeconds }),
    },
    pins: new Map(Object.entries(pins).map(([node, pin]) => [Number(node), pin])),
  };
}

function analysisUnder({ model, options }: Plan, path: string): Analysis {
  return analyzeFile(path, { bindings: new Map(Object.entries(model.bindings)), fuse: options.fuse });
}
