import { basename } from 'node:path';
import type { Cluster } from '../core/cluster/cluster';
import { parseCluster } from '../core/cluster/parse';
import { smartHome } from '../core/cluster/smartHome';
import { InputError } from '../core/graph/problem';
import { partitionRules } from '../core/partition/rules';
import { encodePlan } from '../core/plan/codec';
import type { Plan } from '../core/plan/plan';
import type { SearchWorkers } from '../engine/searchWorkers';
import { analyzeFile, type Analysis } from '../engine/analyze';
import { controlWith } from '../engine/control';
import {
  DEFAULT_OPTIMIZE_OPTIONS,
  optimizeModel,
  pinsOf,
  possiblePins,
  type OptimizeOptions,
  type OptimizeProgress,
  type PlanPin,
} from '../engine/optimize';
import { planPath, savePlan } from '../engine/planFile';
import type { RunProgress } from '../protocol/webview';
import type { OptimizeRequest, OptimizeResult, PlanSummary } from '../protocol/worker';
import { isCancelled } from './cancel';
import { withModelFile } from './modelFile';
import { findPlan } from './openPlan';

/** What a worker is given by its entry. */
export interface Surroundings {
  report(progress: RunProgress): void;
  /** Where the parts of a search run; this thread unless given. */
  readonly workers?: SearchWorkers;
}

/** Optimizes and, for a model on disk, saves the plan beside it; other models' plans go back as text. */
export function optimize(request: OptimizeRequest, surroundings: Surroundings): Promise<OptimizeResult> {
  const cluster = clusterOf(request.cluster);
  return withModelFile(request.model, async (path) => {
    const plan = await runOptimizer(path, cluster, request, surroundings);
    const target = planPath(path);
    const isOnDisk = request.model.kind === 'file';
    if (isOnDisk) savePlan(target, plan);
    return { planName: basename(target), text: isOnDisk ? null : encodePlan(plan), summary: summaryOf(plan) };
  });
}

function clusterOf(cluster: OptimizeRequest['cluster']): Cluster {
  if (cluster === null) return smartHome();
  try {
    return parseCluster(cluster.text);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${cluster.name}: ${error.message}`) : error;
  }
}

function runOptimizer(
  modelPath: string,
  cluster: Cluster,
  request: OptimizeRequest,
  { report, workers }: Surroundings,
): Promise<Plan> {
  const options = optionsOf(request);
  const bindings = new Map(Object.entries(request.bindings));
  const analysis = analyzeFile(modelPath, { bindings, fuse: options.fuse });
  const show = (progress: OptimizeProgress): void => report(searchProgress(progress, 'optimize'));
  const control = controlWith(() => isCancelled(request.cancel), show);
  const pins = pinsAtHand(request, analysis, cluster);
  return optimizeModel({ modelPath, analysis, cluster, options, pins, workers }, control);
}

/** Those of the plan at hand where it belongs to the model, as far as this graph and cluster still have them. */
function pinsAtHand(
  request: OptimizeRequest,
  { model, graph }: Analysis,
  cluster: Cluster,
): ReadonlyMap<number, PlanPin> {
  const found = findPlan(request, model);
  const pins = found.kind === 'current' ? pinsOf(found.plan) : new Map<number, PlanPin>();
  return pins.size === 0 ? pins : possiblePins(graph, partitionRules(graph), cluster, pins);
}

function optionsOf({ options: { timeLimitSeconds, ...options } }: OptimizeRequest): OptimizeOptions {
  const limit = timeLimitSeconds === undefined ? {} : { timeLimit: timeLimitSeconds };
  return { ...DEFAULT_OPTIMIZE_OPTIONS, ...options, ...limit };
}

export const NO_FIGURES = {
  bestSeconds: null,
  boundSeconds: null,
  bestPeakBytes: null,
  boundPeakBytes: null,
};

/** What a search shows of itself; `task` says whose it is. */
export function searchProgress(progress: OptimizeProgress, name: 'optimize' | 'whatIf'): RunProgress {
  const task = { task: name, fraction: null, ...NO_FIGURES } as const;
  switch (progress.phase) {
    case 'ordering': {
      const { peakBytes, lowerBoundBytes } = progress;
      return { ...task, phase: 'Ordering', bestPeakBytes: peakBytes, boundPeakBytes: lowerBoundBytes };
    }
    case 'partitioning': {
      const { fraction, latencySeconds } = progress;
      return { ...task, phase: 'Partitioning', fraction, bestSeconds: latencySeconds ?? null };
    }
    case 'bounding':
      return { ...task, phase: 'Proving a bound', fraction: 1 };
    case 'checking':
      return { ...task, phase: 'Checking', fraction: 1 };
  }
}

function summaryOf({ order, latency, stopped }: Plan): PlanSummary {
  const single = latency.baselines['singleDevice'];
  return {
    latencySeconds: latency.seconds,
    bestSingleSeconds: single?.valid ? single.seconds : null,
    peakBytes: order.peakBytes,
    randomPeakBytes: order.baselines['random']?.peakBytes ?? null,
    stopped: stopped ?? null,
  };
}
