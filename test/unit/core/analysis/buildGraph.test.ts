import assert from 'node:assert/strict';
import type { onnx } from 'onnx-proto';
import type { Graph, Operator, Tensor } from '../../../../src/core/graph/graph';
import { NONE } from '../../../../src/core/graph/units';
import { graphOf, int64s, node, value, zeros } from '../../../support/onnxFile';

const tensor = (graph: Graph, name: string): Tensor => {
  const found = graph.tensors.find((one) => one.name === name);
  return found ?? assert.fail(`no tensor ${name}`);
};
const types = (graph: Graph): string[] =>
  graph.operators.map(({ members }) => members.map((member) => member.type).join('+'));
const names = (graph: Graph, ids: readonly number[]): string[] =>
  ids.map((id) => (id === NONE ? '' : graph.tensors[id].name));
const storageOf = (graph: Graph, name: string) => graph.storages[tensor(graph, name).storage];
const only = (graph: Graph): Operator => {
  assert.equal(graph.operators.length, 1);
  return graph.operators[0];
};

const X = [value('x', [1, 4, 8, 8])];

describe('folding', () => {
  it('makes weights of what is computed from constants alone, and counts what is used, once', () => {
    const graph = graphOf({
      input: X,
      output: [value('y'), value('z')],
      initializer: [zeros('w', [4, 8, 8]), zeros('unused', [100]), zeros('half', [4, 8, 4])],
      node: [
        node('Concat', 'half half', 'joined', { axis: 2 }),
        node('Add', 'x w', 'a'),
        node('Mul', 'a w', 'y'),
        node('Sub', 'x joined', 'z'),
      ],
    });
    assert.deepEqual(types(graph), ['Add', 'Mul', 'Sub']);
    assert.ok(tensor(graph, 'joined').isWeight);
    assert.equal(tensor(graph, 'w').storage, NONE);
    assert.deepEqual(tensor(graph, 'w').consumers, [0, 1]);
    assert.deepEqual(graph.weightBytes, { bytes: 2 * 4 * 8 * 8 * 4, known: true });
    assert.ok(!graph.tensors.some(({ name }) => name === 'unused' || name === 'half'));
  });

  it('counts a weight once that folded views share', () => {
    const graph = graphOf({
      input: [value('x', [2, 6])],
      output: [value('y'), value('z')],
      initializer: [zeros('w', [12]), int64s('s', [2, 6])],
      node: [
        node('Reshape', 'w s', 'v'),
        node('Identity', 'v', 'u'),
        node('Add', 'x v', 'y'),
        node('Add', 'x u', 'z'),
      ],
    });
    assert.equal(graph.weightBytes.bytes, 48);
    assert.equal(tensor(graph, 'v').sharesWeight, tensor(graph, 'w').id);
    assert.equal(tensor(graph, 'u').sharesWeight, tensor(graph, 'w').id);
  });

  it('never folds what is random, or what reads an input', () => {
    const graph = graphOf({
      input: [value('x', [2])],
      output: [value('y')],
      initializer: [zeros('w', [2])],
      node: [node('RandomNormalLike', 'w', 'r'), node('Shape', 'x', 's'), node('Add', 'x r', 'y')],
    });
    assert.deepEqual(types(graph), ['RandomNormalLike', 'Shape', 'Add']);
  });

  it('takes initializers that are also inputs for weights', () => {
    const graph = graphOf({
      ir: 3,
      input: [value('x', [2]), value('w', [2])],
      output: [value('y')],
      initializer: [zeros('w', [2])],
      node: [node('Add', 'x w', 'y')],
    });
    assert.deepEqual(names(graph, graph.inputs), ['x']);
    assert.ok(tensor(graph, 'w').isWeight);
  });
});

describe('views', () => {
  it('share the storage of what they view, through chains', () => {
    const graph = graphOf({
      input: X,
      output: [value('y')],
      initializer: [int64s('s', [1, 256])],
      node: [
        node('Relu', 'x', 'a'),
        node('Reshape', 'a s', 'b'),
        node('Dropout', 'b', 'c'),
        node('Abs', 'c', 'y'),
      ],
    });
    const storage = storageOf(graph, 'a');
    assert.deepEqual(names(graph, storage.tensors), ['a', 'b', 'c']);
    assert.equal(storage.producer, 0);
    assert.deepEqual(storage.consumers, [1, 2, 3]);
    assert.deepEqual(
      graph.operators.map((one) => one.isView),
      [false, true, true, false],
    );
    assert.equal(graph.storages.length, 3);
  });

  it('of an input keep it an input, and of an output an output', () => {
    const graph = graphOf({
      input: [value('x', [4])],
      output: [value('y'), value('x')],
      node: [
        node('Identity', 'x', 'i'),
        node('Relu', 'i', 'r'),
        node('Identity', 'r', 'y'),
        node('Abs', 'r', 'unused'),
      ],
    });
    const input = storageOf(graph, 'i');
    assert.ok(input.isInput && input.isOutput);
    assert.equal(input, storageOf(graph, 'x'));
    const output = storageOf(graph, 'y');
    assert.ok(output.isOutput && !output.isInput);
    assert.deepEqual(output.consumers, [2, 3]);
    assert.deepEqual(storageOf(graph, 'unused').consumers, []);
  });

  it('of a weight are weights, also where the operator remains', () => {
    const graph = graphOf({
      input: [value('s', [2], 7)],
      output: [value('y')],
      initializer: [zeros('w', [12])],
      node: [node('Reshape', 'w s', 'v'), node('Relu', 'v', 'y')],
    });
    const view = tensor(graph, 'v');
    assert.ok(view.isWeight);
    assert.equal(view.storage, NONE);
    assert.equal(view.producer, 0);
    assert.equal(graph.weightBytes.bytes, 48);
  });

  const dropout = (opset: number, inputs: string, attributes = {}, ...more: onnx.ITensorProto[]): boolean =>
    only(
      graphOf({
        opset,
        input: [value('x', [4]), value('dynamic', [], 9)],
        output: [value('y')],
        initializer: more,
        node: [node('Dropout', inputs, 'y', attributes)],
      }),
    ).isView;

  it('Dropout is one in inference only, as its version says', () => {
    const training = (one: number): onnx.ITensorProto => ({
      name: 't',
      dims: [],
      dataType: 9,
      rawData: Uint8Array.of(one),
    });
    assert.equal(dropout(6, 'x', {}), false);
    assert.equal(dropout(6, 'x', { is_test: 1 }), true);
    assert.equal(dropout(10, 'x', {}), true);
    assert.equal(dropout(13, 'x', {}), true);
    assert.equal(dropout(13, 'x _ t', {}, training(0)), true);
    assert.equal(dropout(13, 'x _ t', {}, training(1)), false);
    assert.equal(dropout(13, 'x _ dynamic', {}), false);
  });
});

describe('fusion', () => {
  const conv = (more: onnx.INodeProto[], output = 'y', initializer: onnx.ITensorProto[] = []): Graph =>
    graphOf(
      {
        input: X,
        output: [value(output)],
        initializer: [
          zeros('w', [4, 4, 1, 1]),
          ...['a', 'b', 'm', 'v'].map((name) => zeros(name, [4])),
          ...initializer,
        ],
        node: [node('Conv', 'x w', 'c'), ...more],
      },
      'conv',
    );

  it('takes BatchNormalization and an activation into the convolution', () => {
    const graph = conv([node('BatchNormalization', 'c a b m v', 'n'), node('Relu', 'n', 'y')]);
    const operator = only(graph);
    assert.deepEqual(types(graph), ['Conv+BatchNormalization+Relu']);
    assert.deepEqual(names(graph, operator.inputs), ['x', 'w', 'a', 'b', 'm', 'v']);
    assert.deepEqual(names(graph, operator.outputs), ['y']);
    assert.equal(operator.type, 'Conv');
    assert.equal(operator.isElementwise, false);
    assert.equal(tensor(graph, 'c').storage, NONE);
    assert.equal(tensor(graph, 'n').storage, NONE);
    assert.equal(graph.storages.length, 2);
    assert.equal(graph.weightBytes.bytes, (16 + 16) * 4);
  });

  it('takes an activation with constant parameters, alone', () => {
    const graph = conv([node('PRelu', 'c slope', 'y')], 'y', [zeros('slope', [4, 1, 1])]);
    assert.deepEqual(names(graph, only(graph).inputs), ['x', 'w', 'slope']);
  });

  it('stops where the result has another consumer or is an output', () => {
    assert.deepEqual(types(conv([node('Relu', 'c', 'r'), node('Add', 'r c', 'y')])), ['Conv', 'Relu', 'Add']);
    assert.deepEqual(types(conv([node('Relu', 'c', 'y')], 'c')), ['Conv', 'Relu']);
    assert.deepEqual(types(conv([node('Mul', 'c c', 'y')])), ['Conv', 'Mul']);
  });

  it('stops where parameters are computed, or statistics are not fixed', () => {
    assert.deepEqual(types(conv([node('PRelu', 'c x', 'y')])), ['Conv', 'PRelu']);
    const training = node('BatchNormalization', 'c a b m v', 'y', { training_mode: 1 });
    assert.deepEqual(types(conv([training])), ['Conv', 'BatchNormalization']);
  });

  it('takes one activation, not two, and no BatchNormalization after one', () => {
    assert.deepEqual(types(conv([node('Relu', 'c', 'r'), node('Tanh', 'r', 'y')])), ['Conv+Relu', 'Tanh']);
    const after = [node('Relu', 'c', 'r'), node('BatchNormalization', 'r a b m v', 'y')];
    assert.deepEqual(types(conv(after)), ['Conv+Relu', 'BatchNormalization']);
  });
});

describe('graphs as files have them', () => {
  it('are put in order', () => {
    const graph = graphOf({
      input: [value('x', [1])],
      output: [value('y')],
      node: [node('Abs', 'b', 'y'), node('Neg', 'a', 'b'), node('Relu', 'x', 'a')],
    });
    assert.deepEqual(types(graph), ['Relu', 'Neg', 'Abs']);
    assert.deepEqual(
      graph.operators.map((one) => one.index),
      [2, 1, 0],
    );
  });

  it('keep omitted inputs and outputs as gaps, and count a double reader once', () => {
    const graph = graphOf({
      input: [value('x', [4])],
      output: [value('y')],
      initializer: [{ name: 'top', dims: [], dataType: 1, floatData: [6] }],
      node: [node('Clip', 'x _ top', 'c'), node('Mul', 'c c', 'y')],
    });
    assert.deepEqual(names(graph, graph.operators[0].inputs), ['x', '', 'top']);
    assert.deepEqual(tensor(graph, 'c').consumers, [1]);
    assert.deepEqual(tensor(graph, 'top').values, [6]);
  });

  it('hold unknown sizes as unknown, and say what is known', () => {
    const graph = graphOf({
      input: [value('x', ['length', 4])],
      output: [value('y')],
      node: [node('Relu', 'x', 'y')],
    });
    assert.equal(tensor(graph, 'y').bytes, undefined);
    assert.deepEqual(tensor(graph, 'y').shape, [undefined, 4]);
    assert.equal(tensor(graph, 'y').shapeText, '[length, 4]');
  });

  it("take the user's sizes for named dimensions", () => {
    const parts = {
      input: [value('x', ['length', 4])],
      output: [value('y')],
      node: [node('Relu', 'x', 'y')],
    };
    const graph = graphOf(parts, 'none', { length: 3 });
    assert.equal(tensor(graph, 'y').bytes, 48);
    assert.equal(tensor(graph, 'y').shapeText, '[length, 4]');
  });

  it('treat what nothing makes as there from the start', () => {
    const graph = graphOf({ output: [value('y')], node: [node('Relu', 'ghost', 'y')] });
    assert.equal(storageOf(graph, 'ghost').isInput, true);
    assert.deepEqual(graph.inputs, []);
  });

  it('mark elementwise operators', () => {
    const graph = graphOf({
      input: [value('x', [4])],
      output: [value('y')],
      node: [
        node('Relu', 'x', 'a'),
        node('Softmax', 'a', 'b'),
        node('Add', 'a b', 'c'),
        node('Relu', 'c', 'y', {}, { domain: 'other' }),
      ],
      domains: { other: 1 },
    });
    assert.deepEqual(
      graph.operators.map((one) => one.isElementwise),
      [true, false, true, false],
    );
  });
});

describe('bodies', () => {
  const branch = (
    inner: onnx.INodeProto[],
    output: string,
    initializer: onnx.ITensorProto[] = [],
  ): onnx.IGraphProto => ({
    name: 'branch',
    node: inner,
    output: [value(output)],
    initializer,
  });
  const CONDITION = value('p', [], 9);

  it("of If: captured tensors are read, inner tensors peak, outputs are the operator's own", () => {
    const graph = graphOf({
      input: [CONDITION, value('x', [100])],
      output: [value('y', [100])],
      initializer: [zeros('outer', [100])],
      node: [
        node('Relu', 'x', 'a'),
        node('If', 'p', 'y', {
          then_branch: branch(
            [node('Abs', 'a', 't'), node('Add', 't outer', 'u'), node('Neg', 'u', 'v')],
            'v',
          ),
          else_branch: branch([node('Add', 'a inner', 'w')], 'w', [zeros('inner', [100])]),
        }),
      ],
    });
    const [, operator] = graph.operators;
    assert.deepEqual(names(graph, operator.inputs), ['p', 'a', 'outer', 'If 1 (weights inside)']);
    assert.deepEqual(tensor(graph, 'a').consumers, [1]);
    assert.deepEqual(operator.bodyPeak, { bytes: 800, known: true });
    assert.deepEqual(graph.weightBytes, { bytes: 800, known: true });
  });

  it("of Loop: state counts inside, beside the operator's inputs and outputs", () => {
    const body = {
      name: 'body',
      input: [value('i', [], 7), value('go', [], 9), value('s', [10])],
      output: [value('go2', [], 9), value('s2', [10])],
      node: [node('Identity', 'go', 'go2'), node('Relu', 's', 'r'), node('Abs', 'r', 's2')],
    };
    const graph = graphOf({
      input: [value('n', [], 7), CONDITION, value('x', [10])],
      output: [value('y')],
      node: [node('Loop', 'n p x', 'y', { body })],
    });
    // go (also go2) throughout, then s with r, then r with s2; i is unused and there at step 0 only.
    assert.deepEqual(only(graph).bodyPeak, { bytes: 1 + 40 + 40, known: true });
  });

  it('of functions: one operator, inputs and outputs not counted twice, constants once for all calls', () => {
    const functions = [
      {
        name: 'F',
        domain: 'd',
        input: ['a'],
        output: ['b'],
        opsetImport: [{ domain: '', version: 17 }],
        node: [
          node('Constant', '', 'k', { value: zeros('', [50]) }),
          node('Add', 'a k', 't'),
          node('Neg', 't', 'b'),
        ],
      },
    ];
    const graph = graphOf({
      input: [value('x', [50])],
      output: [value('y')],
      node: [node('F', 'x', 'm', {}, { domain: 'd' }), node('F', 'm', 'y', {}, { domain: 'd' })],
      domains: { d: 1 },
      functions,
    });
    assert.deepEqual(types(graph), ['F', 'F']);
    assert.deepEqual(graph.operators[0].bodyPeak, { bytes: 200, known: true });
    assert.deepEqual(names(graph, graph.operators[1].inputs), ['m', 'F (weights inside)']);
    assert.deepEqual(graph.weightBytes, { bytes: 200, known: true });
    assert.equal(tensor(graph, 'y').bytes, 200);
  });

  it('of functions that call each other 20,000 deep, or twice each 60 deep, end', () => {
    const chain = (length: number, times: number): Graph => {
      const functions = Array.from({ length }, (_, i) => ({
        name: `F${i}`,
        domain: 'd',
        input: ['a'],
        output: ['b'],
        node: Array.from({ length: times }, (_, k) =>
          i + 1 < length
            ? node(`F${i + 1}`, k === 0 ? 'a' : 'm', k + 1 < times ? 'm' : 'b', {}, { domain: 'd' })
            : node('Relu', k === 0 ? 'a' : 'm', k + 1 < times ? 'm' : 'b'),
        ),
        opsetImport: [
          { domain: '', version: 17 },
          { domain: 'd', version: 1 },
        ],
      }));
      const call = [node('F0', 'x', 'y', {}, { domain: 'd' })];
      return graphOf({
        input: [value('x', [2])],
        output: [value('y', [2])],
        node: call,
        functions,
        domains: { d: 1 },
      });
    };
    assert.equal(only(chain(20_000, 1)).bodyPeak.known, false);
    chain(60, 2);
    // Each level holds its own tensor in between while a call runs.
    assert.deepEqual(only(chain(10, 2)).bodyPeak, { bytes: 80, known: true });
  });
});
