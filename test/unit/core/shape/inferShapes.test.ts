import assert from 'node:assert/strict';
import { InputError } from '../../../../src/core/graph/problem';
import { inferShapes } from '../../../../src/core/shape/inferShapes';
import { modelOf, type PlainGraph } from '../../../support/modelOf';
import { describeValue } from '../../../support/shapeText';

function infer(graph: PlainGraph, bindings: Record<string, number> = {}) {
  return inferShapes(modelOf(graph), { bindings: new Map(Object.entries(bindings)) });
}

const relu = (input: string, output: string) => ({ type: 'Relu', inputs: [input], outputs: [output] });

describe('symbolic dimensions', () => {
  const graph = (shape: string): PlainGraph => ({
    inputs: { x: shape },
    nodes: [relu('x', 'y')],
    outputs: ['y'],
  });
  const symbols = (shape: string, bindings?: Record<string, number>) => [
    ...infer(graph(shape), bindings).symbols,
  ];

  it('binds names for the number of samples to 1', () => {
    assert.deepEqual(symbols('float32[batch_size, s]'), [
      ['batch_size', 1],
      ['s', undefined],
    ]);
    assert.deepEqual(symbols('float32[2, batch]'), [['batch', 1]]);
    assert.deepEqual(symbols('float32[N, N]'), [['N', 1]]);
    assert.deepEqual(symbols('float32[?, ?]'), [
      ['x[0]', 1],
      ['x[1]', undefined],
    ]);
    assert.deepEqual(symbols('float32[unk__12, 3]'), [['unk__12', 1]]);
    assert.deepEqual(symbols('float32[2, -1]'), [['x[1]', undefined]]);
  });

  it('leaves others to the user: a single dimension, a sequence', () => {
    assert.deepEqual(symbols('float32[?]'), [['x[0]', undefined]]);
    assert.deepEqual(symbols('float32[N]'), [['N', undefined]]);
    assert.deepEqual(symbols('float32[sequence, batch]'), [
      ['sequence', undefined],
      ['batch', 1],
    ]);
  });

  it('takes what the user binds', () => {
    assert.deepEqual(symbols('float32[batch, h]', { h: 5, batch: 4 }), [
      ['batch', 4],
      ['h', 5],
    ]);
    const type = infer(graph('float32[?, h]'), { 'x[0]': 2, h: 3 }).main.values.get('y')!.type;
    assert.ok(type.kind === 'tensor');
    assert.deepEqual(
      type.shape!.map((dim) => (typeof dim === 'object' ? dim.value : dim)),
      [2, 3],
    );
  });

  it('reads names that are expressions', () => {
    const result = infer(graph('float32[batch, past + 2*new, floor(s/2) x]'), { past: 7 });
    assert.equal(describeValue(result.main.values.get('y')), 'float32[batch, 2*new + past, floor(s/2) x]');
    assert.deepEqual([...result.symbols.keys()], ['batch', 'past', 'new', 'floor(s/2) x']);
  });
});

describe('what a file declares', () => {
  it('fills in what is not known', () => {
    const result = infer({
      inputs: { x: 'float32[3]' },
      nodes: [{ type: 'Secret', inputs: ['x'], outputs: ['y'] }, relu('y', 'z')],
      outputs: ['z'],
      valueInfo: { y: 'float32[3, found]' },
    });
    assert.equal(describeValue(result.main.values.get('z')), 'float32[3, found]');
    assert.deepEqual([...result.symbols], [['found', undefined]]);
  });

  it('is contradicted aloud', () => {
    const result = infer({
      inputs: { x: 'float32[3, h]' },
      nodes: [relu('x', 'y'), relu('y', 'z')],
      outputs: { z: 'int64[3, h]' },
      valueInfo: { y: 'float32[4, any]' },
    });
    assert.deepEqual(
      result.problems.map(({ severity, message, node, tensor }) => ({ severity, message, node, tensor })),
      [
        {
          severity: 'warning',
          message: "Node 0 (Relu) makes 'y', declared with shape [4, ?] but computed as [3, h].",
          node: 0,
          tensor: 'y',
        },
        {
          severity: 'warning',
          message: "Node 1 (Relu) makes 'z', declared as int64 but computed as float32.",
          node: 1,
          tensor: 'z',
        },
      ],
    );
    assert.equal(describeValue(result.main.values.get('z')), 'float32[3, h]');
  });
});

describe('constants and order', () => {
  it('marks what is computed from constants alone, random values excepted', () => {
    const { values } = infer({
      inputs: { x: 'float32[2]', w: 'float32[2] = ...', s: 'int64[1] = 2' },
      nodes: [
        { type: 'Exp', inputs: ['w'], outputs: ['folded'] },
        { type: 'Add', inputs: ['folded', 'x'], outputs: ['mixed'] },
        { type: 'RandomUniformLike', inputs: ['w'], outputs: ['random'] },
        { type: 'Shape', inputs: ['x'], outputs: ['shape'] },
        { type: 'Secret', inputs: ['w'], outputs: ['opaque'] },
      ],
      outputs: ['mixed'],
    }).main;
    const constant = [...values].filter(([, value]) => value.isConstant).map(([name]) => name);
    assert.deepEqual(constant, ['w', 's', 'folded']);
  });

  it('puts nodes in order', () => {
    const result = infer({
      inputs: { x: 'float32[2]' },
      nodes: [relu('y', 'z'), relu('x', 'y')],
      outputs: ['z'],
    });
    assert.deepEqual(result.main.order, [1, 0]);
    assert.equal(describeValue(result.main.values.get('z')), 'float32[2]');
    assert.deepEqual(result.problems, []);
  });

  it('refuses a cycle in one sentence', () => {
    const graph = { inputs: {}, nodes: [relu('b', 'a'), relu('a', 'b')], outputs: ['a'] };
    assert.throws(
      () => infer(graph),
      (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.match(
          error.message,
          /^The graph has a cycle: node \d \(Relu\), node \d \(Relu\) read each other's results/,
        );
        return true;
      },
    );
  });

  it('goes on where a name is missing or made twice, which the reader tells', () => {
    const result = infer({ inputs: {}, nodes: [relu('nobody', 'a'), relu('a', 'a')], outputs: ['a'] });
    assert.equal(describeValue(result.main.values.get('a')), '?');
  });
});

describe('the arithmetic on shapes that exporters write', () => {
  it('follows a reshape that keeps the batch and flattens the rest', () => {
    const result = infer({
      inputs: {
        x: 'float32[batch, 8, h, w]',
        zero: 'int64[] = 0',
        minus: 'int64[1] = -1',
        axes: 'int64[1] = 0',
      },
      nodes: [
        { type: 'Shape', inputs: ['x'], outputs: ['shape'] },
        { type: 'Gather', inputs: ['shape', 'zero'], outputs: ['n'] },
        { type: 'Unsqueeze', inputs: ['n', 'axes'], outputs: ['n1'] },
        { type: 'Concat', inputs: ['n1', 'minus'], outputs: ['target'], attributes: { axis: 0 } },
        { type: 'Reshape', inputs: ['x', 'target'], outputs: ['y'] },
      ],
      outputs: ['y'],
    });
    assert.equal(describeValue(result.main.values.get('y')), 'float32[batch, 8*h*w]');
  });

  it('follows a resize to twice the size, through real numbers', () => {
    const result = infer({
      inputs: {
        x: 'float32[1, 3, h, w]',
        two: 'float32[2] = 2 2',
        start: 'int64[1] = 2',
        end: 'int64[1] = 4',
        nc: 'int64[2] = 1 3',
      },
      nodes: [
        { type: 'Shape', inputs: ['x'], outputs: ['shape'] },
        { type: 'Slice', inputs: ['shape', 'start', 'end'], outputs: ['hw'] },
        { type: 'Cast', inputs: ['hw'], outputs: ['real'], attributes: { to: 1 } },
        { type: 'Mul', inputs: ['real', 'two'], outputs: ['doubled'] },
        { type: 'Floor', inputs: ['doubled'], outputs: ['floored'] },
        { type: 'Cast', inputs: ['floored'], outputs: ['whole'], attributes: { to: 7 } },
        { type: 'Concat', inputs: ['nc', 'whole'], outputs: ['sizes'], attributes: { axis: 0 } },
        { type: 'Resize', inputs: ['x', '', '', 'sizes'], outputs: ['y'] },
      ],
      outputs: ['y'],
    });
    assert.equal(describeValue(result.main.values.get('y')), 'float32[1, 3, 2*h, 2*w]');
  });

  it('follows positions that start behind the past', () => {
    const result = infer({
      inputs: { past: 'float32[p, 8]', ids: 'int64[s]', zero: 'int64[] = 0', one: 'int64[] = 1' },
      nodes: [
        { type: 'Shape', inputs: ['past'], outputs: ['pastShape'] },
        { type: 'Gather', inputs: ['pastShape', 'zero'], outputs: ['start'] },
        { type: 'Shape', inputs: ['ids'], outputs: ['idsShape'] },
        { type: 'Gather', inputs: ['idsShape', 'zero'], outputs: ['length'] },
        { type: 'Add', inputs: ['start', 'length'], outputs: ['end'] },
        { type: 'Range', inputs: ['start', 'end', 'one'], outputs: ['positions'] },
      ],
      outputs: ['positions'],
    });
    assert.equal(describeValue(result.main.values.get('positions')), 'int64[s]');
  });

  it('follows an expand whose -1 stands for the input’s own size', () => {
    const result = infer({
      inputs: {
        x: 'float32[1, s]',
        wanted: 'int64[2] = 4 -1',
        minus: 'int64[] = -1',
        ones: 'int64[2] = 1 1',
      },
      nodes: [
        { type: 'Equal', inputs: ['wanted', 'minus'], outputs: ['own'] },
        { type: 'Where', inputs: ['own', 'ones', 'wanted'], outputs: ['target'] },
        { type: 'Expand', inputs: ['x', 'target'], outputs: ['y'] },
      ],
      outputs: ['y'],
    });
    assert.equal(describeValue(result.main.values.get('y')), 'float32[4, s]');
  });
});
