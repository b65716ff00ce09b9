import { bytesText } from '../../core/cluster/quantity';
import { liveBytes, lifetimes } from '../../core/memory/lifetimes';
import { orderProblem, type InPlaceRule, type WeightsRule } from '../../core/memory/problem';
import { findOrder, type OrderProgress, type OrderResult } from '../../core/order/btsearch';
import { controlWith } from '../../engine/control';
import {
  BIND_OPTION,
  choiceOption,
  type Command,
  flagOption,
  type Invocation,
  JSON_OPTION,
  numberOption,
  STOPPED_TEXT,
} from '../command';
import { changeText, table } from '../format';
import { FUSE_OPTION, IN_PLACE_OPTION, modelName, openModel } from '../model';
import type { Graph } from '../../core/graph/graph';

export const orderCommand: Command = {
  name: 'order',
  usage: 'model.onnx',
  summary: 'the execution order with the least peak memory (BTSearch), proven, and its arena',
  files: [1, 1],
  options: {
    json: JSON_OPTION,
    bind: BIND_OPTION,
    fuse: FUSE_OPTION,
    'in-place': IN_PLACE_OPTION,
    weights: {
      type: 'string',
      value: 'resident|streamed',
      summary: 'weights in memory throughout (default), or only during their step',
    },
    'time-limit': { type: 'string', value: 'SECONDS', summary: 'stop after so long with the best so far' },
    'memory-limit': {
      type: 'string',
      value: 'BYTES',
      summary: 'memory for the table of states (default 1 GB)',
    },
    steps: { type: 'boolean', summary: 'list the order' },
  },
  async run(invocation) {
    const { output } = invocation;
    const inPlace = choiceOption<InPlaceRule>(invocation, 'in-place', ['none', 'elementwise'], 'none');
    const weights = choiceOption<WeightsRule>(invocation, 'weights', ['resident', 'streamed'], 'resident');
    const { graph } = openModel(invocation);
    const problem = orderProblem(graph, { inPlace, weights });
    const control = controlWith<OrderProgress>(output.cancelled, ({ peakBytes, lowerBoundBytes }) =>
      output.progress(`ordering: peak ${bytesText(peakBytes)}, bound ${bytesText(lowerBoundBytes)}`),
    );
    const result = findOrder(
      problem,
      {
        timeLimitSeconds: numberOption(invocation, 'time-limit', 0, false),
        tableBytes: numberOption(invocation, 'memory-limit', 1, true),
      },
      control,
    );
    output.progress('');
    const live = liveBytes(problem, result.steps, lifetimes(problem, result.steps));
    if (flagOption(invocation, 'json')) {
      output.line(
        JSON.stringify(describe(graph, result, live, { inPlace, weights, known: problem.known }), null, 2),
      );
    } else {
      print(invocation, graph, result, live.peakStep, problem.known, { inPlace, weights });
    }
    return 0;
  },
};

function describe(
  graph: Graph,
  result: OrderResult,
  live: { perStep: Float64Array; peakStep: number },
  rules: { inPlace: InPlaceRule; weights: WeightsRule; known: boolean },
): object {
  return {
    ...rules,
    status: result.status,
    stopped: result.stopped,
    peakBytes: result.peakBytes,
    lowerBoundBytes: result.lowerBoundBytes,
    peakStep: live.peakStep,
    ...(graph.unknownSizes !== undefined && { unknownSizes: graph.unknownSizes }),
    arenaBytes: result.arena.bytes,
    weightBytes: graph.weightBytes.bytes,
    totalBytes: result.peakBytes + graph.weightBytes.bytes,
    orderMatters: result.orderMatters,
    states: result.states,
    baselines: result.baselines,
    steps: result.steps.map((operator) => graph.operators[operator].index),
    liveBytes: [...live.perStep],
  };
}

function print(
  invocation: Invocation,
  graph: Graph,
  result: OrderResult,
  peakStep: number,
  known: boolean,
  rules: { inPlace: InPlaceRule; weights: WeightsRule },
): void {
  const line = (text?: string): void => invocation.output.line(text);
  const atLeast = known ? '' : 'at least ';
  const proof = result.status === 'optimal' ? 'proven optimal' : `bound ${bytesText(result.lowerBoundBytes)}`;
  line(
    `${modelName(invocation)}: ${graph.operators.length} operators, in-place ${rules.inPlace}, weights ${rules.weights}`,
  );
  line(`peak of activations  ${atLeast}${bytesText(result.peakBytes)} (${result.peakBytes} bytes), ${proof}`);
  if (rules.weights === 'resident') {
    line(`with weights         ${atLeast}${bytesText(result.peakBytes + graph.weightBytes.bytes)}`);
  }
  if (graph.operators.length > 0) {
    const operator = graph.operators[result.steps[peakStep]];
    line(`reached at           step ${peakStep}, ${operator.type} ${operator.name}`);
  }
  line(arenaText(result));
  if (graph.unknownSizes !== undefined) line(graph.unknownSizes);
  if (result.stopped) line(STOPPED_TEXT[result.stopped]);
  line();
  if (!result.orderMatters) {
    line('Every order that was tried has the same peak: order does not matter for this model.');
  } else {
    const rows = Object.entries(result.baselines).map(([name, { peakBytes }]) => [
      name,
      bytesText(peakBytes),
      changeText(peakBytes, result.peakBytes),
    ]);
    for (const row of table([['order', 'peak', 'BTSearch'], ...rows])) line(`  ${row}`);
  }
  if (flagOption(invocation, 'steps')) {
    result.steps.forEach((id, step) =>
      line(`${step}\t${graph.operators[id].index}\t${graph.operators[id].type}\t${graph.operators[id].name}`),
    );
  }
}

/** Fragmentation is arena / peak - 1; what comes of rounding every size up to 64 bytes is told apart. */
function arenaText({ arena, peakBytes }: OrderResult): string {
  const text = `arena                ${bytesText(arena.bytes)}`;
  if (peakBytes === 0) return text;
  const above = (bytes: number): string => `${((bytes / peakBytes - 1) * 100).toFixed(1)} %`;
  const rounding = arena.lowerBoundBytes > peakBytes ? `, ${above(arena.lowerBoundBytes)} by alignment` : '';
  return `${text}, fragmentation ${above(arena.bytes)}${rounding}`;
}
