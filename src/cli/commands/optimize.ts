import { controlWith } from '../../engine/control';
import {
  DEFAULT_OPTIMIZE_OPTIONS,
  optimizeModel,
  type OptimizeOptions,
  type OptimizeProgress,
} from '../../engine/optimize';
import { loadPlan, planPath, savePlan } from '../../engine/planFile';
import { clusterOf, CLUSTER_OPTION } from '../cluster';
import {
  BIND_OPTION,
  choiceOption,
  type Command,
  flagOption,
  type Invocation,
  JSON_OPTION,
  numberOption,
  textOption,
} from '../command';
import { bytesText, secondsText } from '../format';
import { FUSE_OPTION, IN_PLACE_OPTION, openModel } from '../model';
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
    latency: {
      type: 'string',
      value: 'overlapped|synchronous',
      summary: 'how time is counted (default overlapped)',
    },
    strategy: {
      type: 'string',
      value: 'hybrid|horizontal|vertical',
      summary: 'which plans may be made (default hybrid)',
    },
    order: {
      type: 'string',
      value: 'btsearch|free',
      summary: 'keep the order of least memory (default), or let the search change it',
    },
    seed: { type: 'string', value: 'N', summary: `seed of all randomness (default ${DEFAULTS.seed})` },
    evaluations: { type: 'string', value: 'N', summary: `plans tried (default ${DEFAULTS.evaluations})` },
    'time-limit': { type: 'string', value: 'SECONDS', summary: 'stop after so long with the best so far' },
    ...WHAT_IF_OPTIONS,
  },
  async run(invocation) {
    const { files, output } = invocation;
    const options = optionsOf(invocation);
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
        makePool: invocation.makePool,
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

function optionsOf(invocation: Invocation): OptimizeOptions {
  const timeLimit = numberOption(invocation, 'time-limit', 0, false);
  return {
    seed: numberOption(invocation, 'seed', 0, true) ?? DEFAULTS.seed,
    latency: choiceOption(invocation, 'latency', ['overlapped', 'synchronous'], DEFAULTS.latency),
    strategy: choiceOption(invocation, 'strategy', ['hybrid', 'horizontal', 'vertical'], DEFAULTS.strategy),
    inPlace: choiceOption(invocation, 'in-place', ['none', 'elementwise'], DEFAULTS.inPlace),
    fuse: choiceOption(invocation, 'fuse', ['none', 'conv'], DEFAULTS.fuse),
    order: choiceOption(invocation, 'order', ['btsearch', 'free'], DEFAULTS.order),
    evaluations: numberOption(invocation, 'evaluations', 1, true) ?? DEFAULTS.evaluations,
    ...(timeLimit === undefined ? {} : { timeLimit }),
  };
}

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
