import type { Cluster } from '../../core/cluster/cluster';
import { LEAST_BANDWIDTH } from '../../core/cluster/parse';
import { bytesText, parseQuantity } from '../../core/cluster/quantity';
import { LEAST_GAIN, type Sweep } from '../../core/search/whatIf';
import { controlWith } from '../../engine/control';
import { type SweepProgress, sweepModel, type Swept } from '../../engine/sweep';
import { clusterOf, CLUSTER_OPTION } from '../cluster';
import {
  BIND_OPTION,
  choiceOption,
  type Command,
  flagOption,
  type Invocation,
  JSON_OPTION,
  textOption,
  UsageError,
} from '../command';
import { secondsText, table } from '../format';
import { FUSE_OPTION, openModel } from '../model';
import { LATENCY_OPTION, searchOptions, SEED_OPTION } from '../searchOptions';

/** What `--values` are. */
const VALUES: Readonly<Record<Swept, string>> = {
  bandwidth: 'bandwidths of every link such as "10 Mbit/s,100 Mbit/s,1 Gbit/s"',
  memory: 'factors on the memory of every device such as "0.5,1,2"',
};
const GAIN = `at least ${LEAST_GAIN * 100} % faster than the best single device`;

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
    values: { type: 'string', value: 'LIST', summary: `${VALUES.bandwidth}, or ${VALUES.memory}` },
    cluster: CLUSTER_OPTION,
    bind: BIND_OPTION,
    fuse: FUSE_OPTION,
    latency: LATENCY_OPTION,
    seed: SEED_OPTION,
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
    const analysis = openModel(invocation);
    const cluster = clusterOf(invocation);
    const result = await sweepModel(
      {
        ...{ analysis, cluster, of, values, workers: invocation.workers },
        options: searchOptions(invocation, DEFAULT_EVALUATIONS),
      },
      controlWith<SweepProgress>(output.cancelled, ({ latencyNs, fraction }) =>
        output.progress(
          `sweeping ${of}: ${Math.round(fraction * 100)} %, ` +
            (latencyNs === undefined ? 'no valid plan yet' : secondsText(latencyNs / 1e9)),
        ),
      ),
    );
    output.progress('');
    if (flagOption(invocation, 'json')) output.line(JSON.stringify(describe(result, of), null, 2));
    else for (const line of sweepLines(result, of, cluster, values.length)) output.line(line);
    return result.points.some(({ valid }) => valid) ? 0 : 1;
  },
};

function sweptValues(invocation: Invocation, of: Swept): number[] {
  const text = textOption(invocation, 'values');
  if (text === undefined)
    throw new UsageError(`--values is missing: with --of ${of} it takes ${VALUES[of]}.`);
  return text.split(',').map((part) => {
    const value = of === 'bandwidth' ? parseQuantity(part, 'bandwidth', '--values') : Number(part);
    if (!(value > 0 && Number.isFinite(value)))
      throw new UsageError(`--values takes ${VALUES[of]} with --of ${of}, not "${part.trim()}".`);
    if (of === 'bandwidth' && value < LEAST_BANDWIDTH)
      throw new UsageError(`--values must be at least ${LEAST_BANDWIDTH} B/s, not "${part.trim()}".`);
    return value;
  });
}

function describe({ points, splittingPaysFrom, stopped }: Sweep, of: Swept): object {
  return {
    of,
    splittingPaysFrom: splittingPaysFrom ?? null,
    leastGain: LEAST_GAIN,
    ...(stopped === undefined ? {} : { stopped }),
    points: points.map(({ value, valid, latencyNs, singleDeviceNs, totalMemory }) => ({
      value,
      valid,
      seconds: valid ? latencyNs / 1e9 : null,
      singleDeviceSeconds: singleDeviceNs === undefined ? null : singleDeviceNs / 1e9,
      totalMemory,
    })),
  };
}

function sweepLines(
  { points, splittingPaysFrom }: Sweep,
  of: Swept,
  { name }: Cluster,
  values: number,
): string[] {
  const text = (value: number): string => (of === 'bandwidth' ? `${(value * 8) / 1e6} Mbit/s` : `x ${value}`);
  const rows = points.map(({ value, valid, latencyNs, singleDeviceNs, totalMemory }) => [
    text(value),
    valid ? secondsText(latencyNs / 1e9) : 'does not fit',
    singleDeviceNs === undefined ? 'does not fit' : secondsText(singleDeviceNs / 1e9),
    bytesText(totalMemory),
  ]);
  return [
    ...table([[`${of} on ${name}`, 'latency', 'best single device', 'memory in all'], ...rows]),
    ...(points.length < values ? [`stopped: ${points.length} of ${values} values are done`] : []),
    splittingPaysFrom === undefined
      ? `splitting pays at none of these values${points.length < values ? ' that are done' : ''}: nowhere ${GAIN}`
      : `splitting pays from ${text(splittingPaysFrom)} on: ${GAIN}`,
  ];
}
