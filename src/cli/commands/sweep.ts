import type { Cluster } from '../../core/cluster/cluster';
import { parseQuantity } from '../../core/cluster/quantity';
import { orderProblem } from '../../core/memory/problem';
import { findOrder } from '../../core/order/btsearch';
import { partitionRules } from '../../core/partition/rules';
import type { PartitionProgress } from '../../core/search/geneflow/problem';
import { atBandwidth, atMemory, type Sweep, sweep, type SweptCluster } from '../../core/search/whatIf';
import { controlWith } from '../../engine/control';
import { DEFAULT_OPTIMIZE_OPTIONS } from '../../engine/optimize';
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
  UsageError,
} from '../command';
import { bytesText, secondsText, table } from '../format';
import { FUSE_OPTION, openModel } from '../model';

type Swept = 'bandwidth' | 'memory';

const SWEPT: Readonly<Record<Swept, { at: SweptCluster; example: string }>> = {
  bandwidth: { at: atBandwidth, example: '10 Mbit/s,100 Mbit/s,1 Gbit/s' },
  memory: { at: atMemory, example: '0.5,1,2 (factors on every memory)' },
};
/** Of each point; every point starts from its neighbours' plans. */
const DEFAULT_EVALUATIONS = 20_000;

export const sweepCommand: Command = {
  name: 'sweep',
  usage: 'model.onnx',
  summary: 'latency at several bandwidths or memories, and from where on splitting pays',
  files: [1, 1],
  options: {
    json: JSON_OPTION,
    of: { type: 'string', value: 'bandwidth|memory', summary: 'what is swept (default bandwidth)' },
    values: { type: 'string', value: 'LIST', summary: 'values, with commas between' },
    cluster: CLUSTER_OPTION,
    bind: BIND_OPTION,
    fuse: FUSE_OPTION,
    latency: {
      type: 'string',
      value: 'overlapped|synchronous',
      summary: 'how time is counted (default overlapped)',
    },
    seed: { type: 'string', value: 'N', summary: 'seed of all randomness (default 1)' },
    evaluations: {
      type: 'string',
      value: 'N',
      summary: `plans tried at each value (default ${DEFAULT_EVALUATIONS})`,
    },
  },
  async run(invocation) {
    const { output } = invocation;
    const of = choiceOption<Swept>(invocation, 'of', ['bandwidth', 'memory'], 'bandwidth');
    const values = sweptValues(invocation, of);
    const { graph } = openModel(invocation);
    const cluster = clusterOf(invocation);
    const order = findOrder(
      orderProblem(graph, { inPlace: 'none' }),
      {},
      controlWith(output.cancelled, () => undefined),
    );
    const result = await sweep(
      {
        graph,
        rules: partitionRules(graph),
        cluster,
        order: order.steps,
        options: {
          ...DEFAULT_OPTIMIZE_OPTIONS,
          freeOrder: false,
          latency: choiceOption(invocation, 'latency', ['overlapped', 'synchronous'], 'overlapped'),
          seed: numberOption(invocation, 'seed', 0, true) ?? DEFAULT_OPTIMIZE_OPTIONS.seed,
          evaluations: numberOption(invocation, 'evaluations', 1, true) ?? DEFAULT_EVALUATIONS,
        },
      },
      SWEPT[of].at,
      values,
      controlWith<PartitionProgress>(output.cancelled, ({ latencyNs }) =>
        output.progress(
          `sweeping ${of}: ${latencyNs === undefined ? 'no valid plan yet' : secondsText(latencyNs / 1e9)}`,
        ),
      ),
      invocation.makePool,
    );
    output.progress('');
    if (flagOption(invocation, 'json')) output.line(JSON.stringify(describe(result, of), null, 2));
    else for (const line of sweepLines(result, of, cluster)) output.line(line);
    return result.points.some(({ valid }) => valid) ? 0 : 1;
  },
};

function sweptValues(invocation: Invocation, of: Swept): number[] {
  const text = textOption(invocation, 'values');
  if (text === undefined) throw new UsageError(`--values is missing: for ${of}, ${SWEPT[of].example}, say.`);
  return text.split(',').map((part) => {
    const value = of === 'bandwidth' ? parseQuantity(part, 'bandwidth', '--values') : Number(part);
    if (!(value > 0 && Number.isFinite(value)))
      throw new UsageError(`--values must be above 0, not "${part}".`);
    return value;
  });
}

function describe({ points, splittingPaysFrom }: Sweep, of: Swept): object {
  return {
    of,
    splittingPaysFrom: splittingPaysFrom ?? null,
    points: points.map(({ value, valid, latencyNs, singleDeviceNs, totalMemory }) => ({
      value,
      valid,
      seconds: valid ? latencyNs / 1e9 : null,
      singleDeviceSeconds: singleDeviceNs === undefined ? null : singleDeviceNs / 1e9,
      totalMemory,
    })),
  };
}

function sweepLines({ points, splittingPaysFrom }: Sweep, of: Swept, { name }: Cluster): string[] {
  const text = (value: number): string => (of === 'bandwidth' ? `${(value * 8) / 1e6} Mbit/s` : `x ${value}`);
  const rows = points.map(({ value, valid, latencyNs, singleDeviceNs, totalMemory }) => [
    text(value),
    valid ? secondsText(latencyNs / 1e9) : 'does not fit',
    singleDeviceNs === undefined ? 'does not fit' : secondsText(singleDeviceNs / 1e9),
    bytesText(totalMemory),
  ]);
  return [
    ...table([[`${of} on ${name}`, 'latency', 'best single device', 'memory in all'], ...rows]),
    splittingPaysFrom === undefined
      ? 'splitting pays at none of these values'
      : `splitting pays from ${text(splittingPaysFrom)} on`,
  ];
}
