import assert from 'node:assert/strict';
import { buildGraph } from '../../../../src/core/analysis/buildGraph';
import { inspectModel, type Inspection } from '../../../../src/core/analysis/inspect';
import { inferShapes } from '../../../../src/core/shape/inferShapes';
import { int64s, modelOf, node, onnxFile, value, zeros, type FileParts } from '../../../support/onnxFile';

function inspect(parts: FileParts): Inspection {
  const model = modelOf(onnxFile(parts));
  const shapes = inferShapes(model, { bindings: new Map() });
  const graph = buildGraph(model, shapes, { fuse: 'none' });
  return inspectModel(model, shapes, graph, [...model.problems, ...shapes.problems]);
}

describe('inspecting a model', () => {
  const branch = (type: string, name: string) => ({
    name,
    node: [
      node('If', 'p', 'i', { then_branch: leaf('Abs'), else_branch: leaf('Neg') }),
      node(type, 'i', 'o'),
    ],
    output: [value('o', [2])],
  });
  const leaf = (type: string) => ({ name: 'leaf', node: [node(type, 'a', 'l')], output: [value('l', [2])] });
  const parts: FileParts = {
    input: [value('x', ['N', 2]), value('p', [], 9)],
    output: [value('y')],
    initializer: [int64s('s', [-1]), zeros('w', [2, 2])],
    node: [
      node('Gemm', 'x w', 'g', { transB: 1 }),
      node('Reshape', 'g s', 'a'),
      node('If', 'p', 'b', { then_branch: branch('Relu', 't'), else_branch: branch('Exp', 'e') }),
      node('F', 'b', 'y', {}, { domain: 'd' }),
    ],
    domains: { d: 1 },
    functions: [
      {
        name: 'F',
        domain: 'd',
        input: ['u'],
        output: ['v'],
        node: [node('Tanh', 'u', 'v')],
        opsetImport: [{ version: 17 }],
      },
    ],
  };
  const found = inspect(parts);

  it('describes operators, attributes and tensors with their values', () => {
    const [gemm, reshape] = found.operators;
    assert.deepEqual(gemm.attributes, { transB: '1' });
    assert.equal(gemm.weightBytes, 16);
    assert.ok(reshape.view);
    const tensor = (name: string) => found.tensors.find((one) => one.name === name);
    assert.equal(tensor('s')?.values, '[-1]');
    assert.equal(tensor('w')?.location, 'in the file');
    assert.equal(tensor('g')?.shapeText, '[N, 2]');
    assert.equal(tensor('g')?.storage, tensor('a')?.storage);
    assert.deepEqual(found.symbols, { N: 1 });
  });

  it('describes bodies as graphs, at any depth, and functions', () => {
    const [, , branches, called] = found.operators;
    assert.deepEqual(Object.keys(branches.bodies ?? {}), ['then_branch', 'else_branch']);
    const then = branches.bodies!['then_branch'];
    assert.deepEqual(
      then.operators.map(({ type }) => type),
      ['If', 'Relu'],
    );
    const deepest = then.operators[0].bodies!['else_branch'];
    assert.deepEqual(
      deepest.operators.map(({ type, inputs, outputs }) => [type, ...inputs, ...outputs]),
      [['Neg', 'a', 'l']],
    );
    assert.deepEqual(called.bodies!['body'].inputs, ['u']);
    assert.equal(called.bodies!['body'].tensors.find(({ name }) => name === 'v')?.bytes, 8);
    assert.deepEqual(found.functions, ['d.F']);
  });

  it('survives JSON as it is', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
  });

  it('says why an operator is opaque', () => {
    const { operators, problems } = inspect({
      input: [value('x', [2])],
      output: [value('y')],
      node: [node('Secret', 'x', 'h', {}, { domain: 'corp' }), node('Relu', 'h', 'y')],
      domains: { corp: 3 },
    });
    assert.match(operators[0].opaqueReason ?? '', /corp\.Secret is not known/);
    assert.match(operators[1].opaqueReason ?? '', /shape of its output "y" is not known/);
    assert.ok(problems.every(({ severity }) => severity !== 'error'));
  });
});
