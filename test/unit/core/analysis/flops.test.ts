import assert from 'node:assert/strict';
import { buildGraph } from '../../../../src/core/analysis/buildGraph';
import { inferShapes } from '../../../../src/core/shape/inferShapes';
import { graphOf, modelOf, type PlainAttributes, type PlainFunction } from '../../../support/modelOf';

interface FlopCase {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly attributes?: PlainAttributes;
  readonly outputs?: number;
  readonly functions?: readonly PlainFunction[];
  readonly flops: number | undefined;
}

const relu = (input: string, output: string) => ({ type: 'Relu', inputs: [input], outputs: [output] });
const branch = (repeats: number) => ({
  graph: graphOf({
    nodes: Array.from({ length: repeats }, (_, at) => relu(at === 0 ? 'in1' : `r${at - 1}`, `r${at}`)),
    outputs: [`r${repeats - 1}`],
  }),
});
const loopBody = graphOf({
  inputs: { i: 'int64[]', go: 'bool[]', s: 'float32[10]' },
  nodes: [relu('s', 'next'), { type: 'Identity', inputs: ['go'], outputs: ['on'] }],
  outputs: ['on', 'next', 'next'],
});
const twice: PlainFunction = {
  name: 'Twice',
  domain: 'my.lib',
  inputs: ['x'],
  outputs: ['y'],
  nodes: [relu('x', 'z'), { type: 'Tanh', inputs: ['z'], outputs: ['y'] }],
};

const CASES: readonly FlopCase[] = [
  {
    op: 'Conv',
    inputs: ['float32[1, 8, 10, 10]', 'float32[16, 4, 3, 3] = ...'],
    attributes: { group: 2 },
    flops: 2 * 16 * 64 * 4 * 9,
  },
  { op: 'Conv', inputs: ['float32[1, 8, h, 10]', 'float32[16, 8, 3, 3] = ...'], flops: undefined },
  {
    op: 'ConvTranspose',
    inputs: ['float32[1, 4, 5, 5]', 'float32[4, 8, 2, 2] = ...'],
    attributes: { strides: [2, 2] },
    flops: 2 * 4 * 25 * 8 * 4,
  },
  { op: 'MatMul', inputs: ['float32[6, 2, 3]', 'float32[6, 3, 5]'], flops: 2 * 6 * 2 * 3 * 5 },
  {
    op: 'Gemm',
    inputs: ['float32[7, 2]', 'float32[7, 3] = ...', 'float32[3] = ...'],
    attributes: { transA: 1 },
    flops: 2 * 2 * 3 * 7,
  },
  {
    op: 'Einsum',
    inputs: ['float32[2, 3, 4]', 'float32[2, 4, 5]'],
    attributes: { equation: 'bij,bjk->bik' },
    flops: 2 * 2 * 3 * 4 * 5,
  },
  {
    op: 'MaxPool',
    inputs: ['float32[1, 2, 8, 8]'],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    flops: 2 * 16 * 4,
  },
  { op: 'GlobalAveragePool', inputs: ['float32[1, 2, 8, 8]'], flops: 128 },
  {
    op: 'LSTM',
    inputs: ['float32[5, 1, 10]', 'float32[1, 80, 10] = ...', 'float32[1, 80, 20] = ...'],
    attributes: { hidden_size: 20 },
    flops: 5 * 4 * 20 * (2 * 30 + 5),
  },
  {
    op: 'Attention',
    inputs: ['float32[1, 2, 3, 4]', 'float32[1, 2, 6, 4]', 'float32[1, 2, 6, 8]'],
    flops: 2 * 3 * 6 * (2 * (4 + 8) + 5),
  },
  { op: 'Add', inputs: ['float32[2, 3]', 'float32[3]'], flops: 6 },
  { op: 'Sum', inputs: ['float32[4]', 'float32[4]', 'float32[4]'], flops: 8 },
  { op: 'Softmax', inputs: ['float32[2, 3]'], flops: 30 },
  { op: 'ReduceMean', inputs: ['float32[2, 30]'], flops: 60 },
  { op: 'Transpose', inputs: ['float32[h, 3]'], flops: 0 },
  {
    op: 'Resize',
    inputs: ['float32[1, 1, 2, 2]', '', 'float32[4] = 1 1 2 2'],
    attributes: { mode: 'linear' },
    flops: 80,
  },
  { op: 'Secret', domain: 'my.lib', inputs: ['float32[2]'], flops: undefined },
  {
    op: 'If',
    inputs: ['bool[]', 'float32[10]'],
    attributes: { then_branch: branch(1), else_branch: branch(3) },
    flops: 30,
  },
  {
    op: 'Loop',
    inputs: ['int64[] = 4', '', 'float32[10]'],
    attributes: { body: { graph: loopBody } },
    outputs: 2,
    flops: 40,
  },
  {
    op: 'Loop',
    inputs: ['int64[]', '', 'float32[10]'],
    attributes: { body: { graph: loopBody } },
    outputs: 2,
    flops: undefined,
  },
  { op: 'Twice', domain: 'my.lib', inputs: ['float32[10]'], functions: [twice], flops: 60 },
];

describe('FLOPs of an operator', () => {
  for (const one of CASES)
    it(`${one.op}(${one.inputs.join('; ')}): ${one.flops ?? 'unknown'}`, () =>
      assert.equal(flopsOf(one), one.flops));
});

function flopsOf(one: FlopCase): number | undefined {
  const names = one.inputs.map((text, at) => (text === '' ? '' : `in${at}`));
  const outputs = Array.from({ length: one.outputs ?? 1 }, (_, at) => `out${at}`);
  // `If` reads its second input from inside its branches.
  const listed = one.op === 'If' ? names.slice(0, 1) : names;
  const model = modelOf(
    {
      inputs: Object.fromEntries(one.inputs.flatMap((text, at) => (text === '' ? [] : [[names[at], text]]))),
      nodes: [{ type: one.op, domain: one.domain, inputs: listed, outputs, attributes: one.attributes }],
      outputs,
    },
    { opset: 23, functions: one.functions },
  );
  const graph = buildGraph(model, inferShapes(model, { bindings: new Map() }), { fuse: 'none' });
  return graph.operators[0].flops;
}
