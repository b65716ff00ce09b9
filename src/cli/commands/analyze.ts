import type { Cluster } from '../../core/cluster/cluster';
import { bytesText } from '../../core/cluster/quantity';
import type { Graph } from '../../core/graph/graph';
import { NONE } from '../../core/graph/units';
import { type Alternative, type OperatorAnalysis, OperatorAnalyzer } from '../../core/latency/analyze';
import { partitionRules } from '../../core/partition/rules';
import { clusterOf, CLUSTER_OPTION } from '../cluster';
import { BIND_OPTION, type Command, flagOption, JSON_OPTION, numberOption, UsageError } from '../command';
import { secondsText, table } from '../format';
import { FUSE_OPTION, modelName, openModel } from '../model';

export const analyzeCommand: Command = {
  name: 'analyze',
  usage: 'model.onnx',
  summary: 'what each way to split each operator costs in time, traffic and memory; the cheapest marked',
  files: [1, 1],
  options: {
    json: JSON_OPTION,
    cluster: CLUSTER_OPTION,
    bind: BIND_OPTION,
    fuse: FUSE_OPTION,
    operator: { type: 'string', value: 'INDEX', summary: 'only this operator, with all alternatives' },
  },
  async run(invocation) {
    const { graph } = openModel(invocation);
    const cluster = clusterOf(invocation);
    const index = numberOption(invocation, 'operator', 0, true);
    const chosen = graph.operators.filter((operator) => index === undefined || operator.index === index);
    if (chosen.length === 0) throw new UsageError(`${modelName(invocation)} has no operator ${index}.`);
    const analyzer = new OperatorAnalyzer(graph, partitionRules(graph), cluster);
    const analyses = chosen.map((operator) => analyzer.analyze(operator.id));
    const { output } = invocation;
    if (flagOption(invocation, 'json')) {
      output.line(JSON.stringify(describe(graph, cluster, analyses), null, 2));
    } else if (index === undefined) {
      for (const line of overview(graph, analyses)) output.line(line);
    } else {
      for (const line of detail(graph, cluster, analyses[0])) output.line(line);
    }
    return 0;
  },
};

function describe(graph: Graph, { name, devices }: Cluster, analyses: readonly OperatorAnalysis[]): object {
  const alternative = (entry: Alternative, cheapest: boolean): object => ({
    dimension: entry.dimension,
    axis: entry.axis,
    cheapest,
    seconds: entry.totalNs / 1e9,
    computeSeconds: entry.computeNs / 1e9,
    trafficSeconds: entry.trafficNs / 1e9,
    trafficBytes: entry.trafficBytes,
    shards: entry.shares.map(({ device, computeNs, ...share }) => ({
      device: devices[device].name,
      computeSeconds: computeNs / 1e9,
      ...share,
    })),
  });
  return {
    cluster: name,
    ...(graph.unknownSizes !== undefined && { unknownSizes: graph.unknownSizes }),
    operators: analyses.map(({ operator, alternatives, cheapest }) => ({
      index: graph.operators[operator].index,
      name: graph.operators[operator].name,
      type: graph.operators[operator].type,
      alternatives: alternatives.map((entry, position) => alternative(entry, position === cheapest)),
    })),
  };
}

function overview(graph: Graph, analyses: readonly OperatorAnalysis[]): string[] {
  const rows = analyses
    .filter(({ operator }) => !graph.operators[operator].isView)
    .map(({ operator, alternatives, cheapest }) => {
      const { index, type, name } = graph.operators[operator];
      const title = `${index} ${type} ${name}`;
      if (cheapest === NONE) return [title, 'unknown', '', '', ''];
      const whole = alternatives[0];
      const best = alternatives[cheapest];
      return [
        title,
        secondsText(whole.totalNs / 1e9),
        wayText(best),
        secondsText(best.totalNs / 1e9),
        bytesText(best.trafficBytes),
      ];
    });
  return [
    'each operator on its own, its inputs where an operator that is split alike would leave them',
    ...table([['operator', 'whole', 'cheapest', 'time', 'traffic'], ...rows]),
    ...(graph.unknownSizes === undefined ? [] : [graph.unknownSizes]),
  ];
}

function wayText({ dimension, shares }: Alternative): string {
  return dimension === 'none' ? 'whole' : `${dimension} on ${shares.length}`;
}

function detail(
  { operators, unknownSizes }: Graph,
  { devices }: Cluster,
  { operator, alternatives, cheapest }: OperatorAnalysis,
): string[] {
  const { index, type, name, isView } = operators[operator];
  const lines = [`${index} ${type} ${name}`];
  if (isView) return [...lines, 'a view: no time, no message, no memory of its own'];
  if (alternatives.length === 0) return [...lines, unknownSizes ?? 'the size of what it makes is not known'];
  const rows = alternatives.map((entry, position) => {
    const largest = entry.shares.reduce((most, share) => (held(share) > held(most) ? share : most));
    return [
      `${position === cheapest ? '*' : ' '} ${wayText(entry)}${entry.axis === NONE ? '' : ` (axis ${entry.axis})`}`,
      secondsText(entry.totalNs / 1e9),
      secondsText(entry.computeNs / 1e9),
      bytesText(entry.trafficBytes),
      `${bytesText(held(largest))} on ${devices[largest.device].name}`,
      bytesText(largest.weightBytes),
    ];
  });
  return [
    ...lines,
    ...table([['  way', 'time', 'compute', 'traffic', 'most memory', 'of it weights'], ...rows]),
    '* cheapest',
  ];
}

function held({ weightBytes, inputBytes, outputBytes }: Alternative['shares'][number]): number {
  return weightBytes + inputBytes + outputBytes;
}
