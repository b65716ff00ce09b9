import { bytesText } from '../../core/cluster/quantity';
import { type Command, BIND_OPTION, flagOption, JSON_OPTION } from '../command';
import { flopsText, table } from '../format';
import { FUSE_OPTION, modelName, openModel } from '../model';
import type { Analysis } from '../../engine/analyze';
import { inspectModel, totalFlops } from '../../core/analysis/inspect';
import type { Graph } from '../../core/graph/graph';
import { NONE } from '../../core/graph/units';
import { orderProblem } from '../../core/memory/problem';
import { modelOrder, peakOf } from '../../core/order/baselines';

export const inspectCommand: Command = {
  name: 'inspect',
  usage: 'model.onnx',
  summary: 'structure, shapes, memory and FLOPs of a model',
  files: [1, 1],
  options: {
    json: JSON_OPTION,
    bind: BIND_OPTION,
    fuse: FUSE_OPTION,
    all: { type: 'boolean', summary: 'list every operator' },
  },
  async run(invocation) {
    const analysis = openModel(invocation);
    const { output } = invocation;
    if (flagOption(invocation, 'json'))
      output.line(JSON.stringify(describe(modelName(invocation), analysis), null, 2));
    else
      printSummary(modelName(invocation), analysis, flagOption(invocation, 'all'), (text) =>
        output.line(text),
      );
    return 0;
  },
};

/** Everything that is known, and the activation peak of the model's own order. */
function describe(file: string, { model, graph, shapes, problems }: Analysis): object {
  return { file, ...inspectModel(model, shapes, graph, problems), memory: modelOrderMemory(graph) };
}

interface ModelOrderMemory {
  readonly peakBytes: number;
  readonly weightBytes: number;
  /** Peak of activations and all weights together. */
  readonly totalBytes: number;
  /** False: some size is unknown, and all three are at least so much. */
  readonly known: boolean;
}

function modelOrderMemory(graph: Graph): ModelOrderMemory {
  const problem = orderProblem(graph, { inPlace: 'none' });
  const peakBytes = peakOf(problem, modelOrder(problem));
  const weightBytes = graph.weightBytes.bytes;
  const known = problem.known && graph.weightBytes.known;
  return { peakBytes, weightBytes, totalBytes: peakBytes + weightBytes, known };
}

const OPERATORS_SHOWN = 12;

function printSummary(
  file: string,
  { model, graph, shapes, problems }: Analysis,
  all: boolean,
  line: (text: string) => void,
): void {
  const producer = `${model.producerName} ${model.producerVersion}`.trim();
  const opsets = [...model.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', ');
  line(
    `${file}: ${bytesText(model.fileBytes)}, IR ${model.irVersion}, ${opsets}${producer ? `, by ${producer}` : ''}`,
  );
  const { flops, known } = totalFlops(graph);
  const atLeast = (isKnown: boolean): string => (isKnown ? '' : 'at least ');
  line(
    `${graph.operators.length} operators, weights ${atLeast(graph.weightBytes.known)}${bytesText(graph.weightBytes.bytes)}, ` +
      `${atLeast(known)}${flopsText(flops)}`,
  );
  const memory = modelOrderMemory(graph);
  line(
    `memory in the model's own order: activations ${atLeast(memory.known)}${bytesText(memory.peakBytes)}, ` +
      `with weights ${atLeast(memory.known)}${bytesText(memory.totalBytes)}`,
  );
  for (const id of graph.inputs) line(`input  ${tensorLine(graph.tensors[id])}`);
  for (const id of graph.outputs) line(`output ${tensorLine(graph.tensors[id])}`);
  for (const [name, size] of shapes.symbols)
    line(`dimension ${name} = ${size ?? 'unknown (give it with --bind)'}`);
  line('');
  const operators = all ? graph.operators : byFlops(graph).slice(0, OPERATORS_SHOWN);
  line(all ? 'operators' : 'operators with most FLOPs');
  const rows = operators.map((operator) => {
    const output = operator.outputs.find((id) => id !== NONE);
    const tensor = output === undefined ? undefined : graph.tensors[output];
    return [
      `${operator.index} ${operator.members.map((member) => member.type).join('+')} ${operator.name}`,
      tensor?.shapeText ?? '',
      tensor?.bytes === undefined ? 'unknown' : bytesText(tensor.bytes),
      operator.flops === undefined ? 'unknown' : flopsText(operator.flops),
    ];
  });
  for (const row of table([['operator', 'output', 'size', 'FLOPs'], ...rows])) line(`  ${row}`);
  for (const problem of problems) line(`${problem.severity}: ${problem.message}`);
}

function tensorLine(tensor: Analysis['graph']['tensors'][number]): string {
  return `${tensor.name} ${tensor.type ?? 'unknown type'} ${tensor.shapeText} ${tensor.bytes === undefined ? 'of unknown size' : bytesText(tensor.bytes)}`;
}

function byFlops(graph: Analysis['graph']): Analysis['graph']['operators'][number][] {
  return [...graph.operators].sort((a, b) => (b.flops ?? 0) - (a.flops ?? 0) || a.id - b.id);
}
