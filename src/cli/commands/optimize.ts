import { bytesText } from '../../core/cluster/quantity';
import { controlWith } from '../../engine/control';
import { DEFAULT_OPTIMIZE_OPTIONS, optimizeModel, type OptimizeProgress } from '../../engine/optimize';
import { loadPlan, planPath, savePlan } from '../../engine/planFile';
import { clusterOf, CLUSTER_OPTION } from '../cluster';
import { BIND_OPTION, type Command, flagOption, JSON_OPTION, textOption } from '../command';
import { secondsText } from '../format';
import { FUSE_OPTION, IN_PLACE_OPTION, openModel } from '../model';
import { LATENCY_OPTION, ORDER_OPTION, searchOptions, SEED_OPTION, STRATEGY_OPTION } from '../searchOptions';
import { planSummary } from '../summary';
import { changedCluster, pinsOf, WHAT_IF_OPTIONS } from '../whatIf';

const DEFAULTS = DEFAULT_OPTIMIZE_OPTIONS;

export const optimizeCommand: Command = {
  name: 'optimize',
  usage: 'model.onnx',
  summary: 'order and partition a model over a cluster, and save the checked plan beside it',
  files: [1, 1],
  options: {
    json: { ...JSON_OPTION, summary: 'print the plan as JSON' },
    cluster: CLUSTER_OPTION,
    out: { type: 'string', value: 'FILE', summary: 'where to save the plan (default: beside the model)' },
    bind: BIND_OPTION,
    fuse: FUSE_OPTION,
    'in-place': IN_PLACE_OPTION,
    latency: LATENCY_OPTION,
    strategy: STRATEGY_OPTION,
    order: ORDER_OPTION,
    seed: SEED_OPTION,
    evaluations: { type: 'string', value: 'N', summary: `plans tried (default ${DEFAULTS.evaluations})` },
    'time-limit': {
      type: 'string',
      value: 'SECONDS',
      summary: 'stop after so long, order and proof included, with the best so far',
    },
    ...WHAT_IF_OPTIONS,
  },
  async run(invocation) {
    const { files, output } = invocation;
    const options = searchOptions(invocation, DEFAULTS.evaluations);
    const cluster = changedCluster(invocation, clusterOf(invocation));
    const from = textOption(invocation, 'from');
    const analysis = openModel(invocation);
    const control = controlWith<OptimizeProgress>(output.cancelled, (progress) =>
      output.progress(progressText(progress)),
    );
    const plan = await optimizeModel(
      {
        modelPath: files[0],
        analysis,
        cluster,
        options,
        pins: pinsOf(invocation),
        workers: invocation.workers,
        ...(from === undefined ? {} : { start: loadPlan(from) }),
      },
      control,
    );
    output.progress('');
    const path = textOption(invocation, 'out') ?? planPath(files[0]);
    savePlan(path, plan);
    if (flagOption(invocation, 'json')) output.line(JSON.stringify(plan, null, 2));
    else {
      for (const line of planSummary(plan)) output.line(line);
      output.line(`plan saved as ${path}`);
    }
    return 0;
  },
};

function progressText(progress: OptimizeProgress): string {
  switch (progress.phase) {
    case 'ordering':
      return `ordering: peak ${bytesText(progress.peakBytes)}, bound ${bytesText(progress.lowerBoundBytes)}`;
    case 'partitioning': {
      const best =
        progress.latencySeconds === undefined ? 'no valid plan yet' : secondsText(progress.latencySeconds);
      return `partitioning: ${Math.round(progress.fraction * 100)} %, ${best}`;
    }
    case 'bounding':
      return 'proving a bound';
    case 'checking':
      return 'checking the plan';
  }
}
