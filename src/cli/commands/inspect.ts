import { type Command, BIND_OPTION, flagOption, JSON_OPTION } from '../command';
import { bytesText, flopsText, table } from '../format';
import { FUSE_OPTION, modelName, openModel } from '../model';
import type { Analysis } from '../../engine/analyze';
import { NONE } from '../../core/graph/units';

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

function describe(file: string, { model, graph, shapes, problems }: Analysis): object {
  const tensorRef = (id: number): string => (id === NONE ? '' : graph.tensors[id].name);
  const tensor = (id: number): object => {
    const { name, type, shape, shapeText, bytes } = graph.tensors[id];
    return {
      name,
      type: type ?? null,
      shape: shape?.map((length) => length ?? null) ?? null,
      shapeText,
      bytes: bytes ?? null,
    };
  };
  return {
    file,
    bytes: model.fileBytes,
    irVersion: model.irVersion,
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    opsets: Object.fromEntries(model.opsets),
    structureSha256: model.structureSha256,
    symbols: Object.fromEntries([...shapes.symbols].map(([name, size]) => [name, size ?? null])),
    weightBytes: graph.weightBytes,
    flops: totalFlops(graph),
    inputs: graph.inputs.map(tensor),
    outputs: graph.outputs.map(tensor),
    operators: graph.operators.map((operator) => ({
      index: operator.index,
      name: operator.name,
      type: operator.type,
      domain: operator.domain,
      members: operator.members.length > 1 ? operator.members.map((member) => member.index) : undefined,
      view: operator.isView || undefined,
      flops: operator.flops ?? null,
      inputs: operator.inputs.map(tensorRef),
      outputs: operator.outputs.map(tensorRef),
      bodyPeakBytes: operator.bodyPeak.bytes || undefined,
      opaqueReason: operator.opaqueReason,
    })),
    tensors: graph.tensors
      .filter((entry) => !entry.isWeight)
      .map((entry) => ({ ...tensor(entry.id), storage: entry.storage })),
    functions: model.functions.map((f) => `${f.domain}.${f.name}`),
    problems,
  };
}

function totalFlops(graph: Analysis['graph']): { flops: number; known: boolean } {
  return {
    flops: graph.operators.reduce((sum, operator) => sum + (operator.flops ?? 0), 0),
    known: graph.operators.every((operator) => operator.flops !== undefined),
  };
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
