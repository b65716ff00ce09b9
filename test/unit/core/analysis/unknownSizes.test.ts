import assert from 'node:assert/strict';
import { buildGraph } from '../../../../src/core/analysis/buildGraph';
import { inferShapes } from '../../../../src/core/shape/inferShapes';
import { modelOf, type PlainGraph } from '../../../support/modelOf';

/** The sentence for a graph under some bindings. */
function reason(graph: PlainGraph, bindings: Readonly<Record<string, number>> = {}): string | undefined {
  const model = modelOf(graph, { opsets: { 'com.acme': 1 } });
  const shapes = inferShapes(model, { bindings: new Map(Object.entries(bindings)) });
  return buildGraph(model, shapes, { fuse: 'none' }).unknownSizes;
}

describe('unknown sizes', () => {
  const open: PlainGraph = {
    inputs: { x: 'float32[batch, rows, cols]', past: 'float32[2, past + 1, rows]' },
    nodes: [{ type: 'Relu', inputs: ['x'], outputs: ['y'] }],
    outputs: ['y', 'past'],
  };

  it('are none where everything is bound', () => {
    assert.equal(reason(open, { rows: 2, cols: 3, past: 4 }), undefined);
  });

  it('name the dimensions that have no size, each once, with the option that gives them', () => {
    assert.equal(
      reason(open, { cols: 3 }),
      'The size of tensor "x" ([batch, rows, cols]) is not known, since the dimensions rows and past have no sizes: ' +
        'give them on the command line with --bind rows=SIZE --bind past=SIZE, in the editor where it asks for sizes.',
    );
  });

  it('find names inside expressions, and quote those that a shell would read otherwise', () => {
    const graph: PlainGraph = {
      inputs: { x: 'float32[1, 1, ?]', w: 'float32[1, 1, 3] = 1 2 3' },
      nodes: [
        { type: 'Conv', inputs: ['x', 'w'], outputs: ['c'], attributes: { strides: [2] } },
        { type: 'Shape', inputs: ['x'], outputs: ['y'] },
      ],
      outputs: ['c', 'y'],
    };
    assert.match(reason(graph)!, /the dimension x\[2\] has no size: give it one .* --bind "x\[2\]=SIZE"/);
  });

  it('are the first shape error, in the model’s words, where no dimension could help', () => {
    const graph: PlainGraph = {
      inputs: { x: 'float32[rows, 4]', z: 'float32[8, 4]' },
      nodes: [
        { type: 'Add', name: 'sum', inputs: ['x', 'z'], outputs: ['y'] },
        { type: 'Add', name: 'next', inputs: ['y', 'z'], outputs: ['out'] },
      ],
      outputs: ['out'],
    };
    assert.match(reason(graph)!, /since the dimension rows has no size/);
    assert.equal(
      reason(graph, { rows: 16 }),
      'The size of tensor "y" is not known: Node 0 \'sum\' (Add) cannot run: sizes 16 and 8 cannot be broadcast together.',
    );
  });

  it('are the operator’s whose result depends on the data', () => {
    const graph: PlainGraph = {
      inputs: { x: 'float32[4, 4]' },
      nodes: [
        { type: 'Relu', inputs: ['x'], outputs: ['a'] },
        { type: 'NonZero', name: 'where', inputs: ['a'], outputs: ['found'] },
        { type: 'Neg', inputs: ['found'], outputs: ['y'] },
      ],
      outputs: ['y'],
    };
    assert.equal(
      reason(graph),
      'The size of tensor "found" ([2, ?]) depends on the data: node 1 \'where\' (NonZero) decides it when the model runs.',
    );
  });

  it('are those of what is no tensor', () => {
    const graph: PlainGraph = {
      inputs: { x: 'float32[1, 3]' },
      nodes: [{ type: 'SequenceConstruct', inputs: ['x'], outputs: ['y'] }],
      outputs: ['y'],
    };
    assert.equal(
      reason(graph),
      '"y" is a sequence of float32[1, 3]: node 0 (SequenceConstruct) makes it, and its size is known only when the model runs.',
    );
  });

  it('are those of operators that are not known here', () => {
    const graph: PlainGraph = {
      inputs: { x: 'float32[1, 3]' },
      nodes: [{ type: 'Magic', domain: 'com.acme', inputs: ['x'], outputs: ['y'] }],
      outputs: ['y'],
    };
    assert.equal(
      reason(graph),
      'The size of tensor "y" is not known: node 0 (com.acme.Magic) makes it, an operator that is not known here.',
    );
  });

  it('are of functions what their bodies decide', () => {
    const model = modelOf(
      {
        inputs: { x: 'float32[4]' },
        nodes: [{ type: 'find', domain: 'com.acme', inputs: ['x'], outputs: ['y'] }],
        outputs: ['y'],
      },
      {
        opsets: { 'com.acme': 1 },
        functions: [
          {
            name: 'find',
            domain: 'com.acme',
            inputs: ['a'],
            outputs: ['b'],
            nodes: [{ type: 'NonZero', inputs: ['a'], outputs: ['b'] }],
          },
        ],
      },
    );
    const shapes = inferShapes(model, { bindings: new Map() });
    assert.match(
      buildGraph(model, shapes, { fuse: 'none' }).unknownSizes!,
      /node 0 \(com.acme.find\) decides it/,
    );
  });

  it('are those of inputs whose shape the model leaves out', () => {
    const graph: PlainGraph = {
      inputs: { x: 'float32' },
      nodes: [{ type: 'Relu', inputs: ['x'], outputs: ['y'] }],
      outputs: ['y'],
    };
    assert.equal(reason(graph), 'The model does not say of which type and shape its input "x" is.');
  });

  it('are those of strings', () => {
    const graph: PlainGraph = {
      inputs: { x: 'string[3]' },
      nodes: [{ type: 'Identity', inputs: ['x'], outputs: ['y'] }],
      outputs: ['y'],
    };
    assert.equal(reason(graph), 'Tensor "x" holds strings, which have no fixed size.');
  });

  it('do not count where nobody needs the tensor', () => {
    const graph: PlainGraph = {
      inputs: { x: 'float32[4]' },
      nodes: [
        { type: 'NonZero', inputs: ['x'], outputs: ['unused'] },
        { type: 'Relu', inputs: ['x'], outputs: ['y'] },
      ],
      outputs: ['y'],
    };
    assert.equal(reason(graph), undefined);
  });
});
