import assert from 'node:assert/strict';
import type { Model } from '../../../../src/core/onnx/model';
import { inferShapes } from '../../../../src/core/shape/inferShapes';
import type { ShapeResult } from '../../../../src/core/shape/types';
import { graphOf, modelOf, type PlainFunction, type PlainNode } from '../../../support/modelOf';
import { describeValue } from '../../../support/shapeText';

function infer(model: Model, bindings: Record<string, number> = {}): ShapeResult {
  return inferShapes(model, { bindings: new Map(Object.entries(bindings)) });
}

function valueOf(result: ShapeResult, name: string): string {
  return describeValue(result.main.values.get(name));
}

const loopBody = (nodes: readonly PlainNode[], carried: readonly string[], outputs: readonly string[]) =>
  graphOf({
    inputs: { i: 'int64[]', go: 'bool[]', ...Object.fromEntries(carried.map((name) => [name, 'float32'])) },
    nodes: [{ type: 'Identity', inputs: ['go'], outputs: ['go_on'] }, ...nodes],
    outputs: ['go_on', ...outputs],
  });

describe('shapes through If', () => {
  const branches = {
    then_branch: {
      graph: graphOf({ nodes: [{ type: 'Relu', inputs: ['x'], outputs: ['a'] }], outputs: ['a'] }),
    },
    else_branch: {
      graph: graphOf({
        nodes: [{ type: 'Concat', inputs: ['x', 'x'], outputs: ['b'], attributes: { axis: 0 } }],
        outputs: ['b'],
      }),
    },
  };
  const model = (condition: string) =>
    modelOf({
      inputs: { c: condition, x: 'float32[h, 3]' },
      nodes: [{ type: 'If', inputs: ['c'], outputs: ['y'], attributes: branches }],
      outputs: ['y'],
    });

  it('keeps what both branches share', () => {
    const result = infer(model('bool[]'));
    assert.equal(valueOf(result, 'y'), 'float32[?, 3]');
    assert.deepEqual([...result.main.bodies.get(0)!.keys()].sort(), ['else_branch', 'then_branch']);
    assert.equal(
      describeValue(result.main.bodies.get(0)!.get('else_branch')!.values.get('b')),
      'float32[2*h, 3]',
    );
  });

  it('follows a known condition', () => {
    assert.equal(valueOf(infer(model('bool[] = 1')), 'y'), 'float32[h, 3]');
    assert.equal(valueOf(infer(model('bool[] = 0')), 'y'), 'float32[2*h, 3]');
  });

  it('does not mind what is wrong in a branch that never runs', () => {
    const broken = graphOf({
      nodes: [{ type: 'Add', inputs: ['x', 'two'], outputs: ['b'] }],
      outputs: ['b'],
    });
    const graph = {
      inputs: { c: 'bool[] = 1', x: 'float32[h, 3]', two: 'float32[2]' },
      nodes: [
        {
          type: 'If',
          inputs: ['c'],
          outputs: ['y'],
          attributes: { ...branches, else_branch: { graph: broken } },
        },
      ],
      outputs: ['y'],
    };
    assert.deepEqual(infer(modelOf(graph)).problems, []);
    const unsure = infer(modelOf({ ...graph, inputs: { ...graph.inputs, c: 'bool[]' } }));
    assert.match(
      unsure.problems[0].message,
      /\(inside node 0\) cannot run: sizes 3 and 2 cannot be broadcast/,
    );
    assert.equal(unsure.problems[0].node, 0);
  });
});

describe('shapes through Loop, Scan and SequenceMap', () => {
  const growing = loopBody(
    [{ type: 'Concat', inputs: ['state', 'one'], outputs: ['next'], attributes: { axis: 0 } }],
    ['state'],
    ['next', 'one'],
  );
  const loop = (limit: string) =>
    modelOf({
      inputs: { m: limit, start: 'float32[2, 3]', one: 'float32[1, 3]' },
      nodes: [
        {
          type: 'Loop',
          inputs: ['m', '', 'start'],
          outputs: ['end', 'scan'],
          attributes: { body: { graph: growing } },
        },
      ],
      outputs: ['end', 'scan'],
    });

  it('widens what grows from pass to pass until it is settled', () => {
    const result = infer(loop('int64[]'));
    assert.equal(valueOf(result, 'end'), 'float32[?, 3]');
    assert.equal(valueOf(result, 'scan'), 'float32[?, 1, 3]');
  });

  it('goes through a known number of passes', () => {
    const result = infer(loop('int64[] = 4'));
    assert.equal(valueOf(result, 'end'), 'float32[6, 3]');
    assert.equal(valueOf(result, 'scan'), 'float32[4, 1, 3]');
    assert.equal(valueOf(infer(loop('int64[] = 0')), 'end'), 'float32[2, 3]');
    assert.equal(valueOf(infer(loop('int64[] = 1000')), 'scan'), 'float32[1000, 1, 3]');
  });

  it('knows nothing of how often a condition holds that depends on data', () => {
    const body = graphOf({
      inputs: { i: 'int64[]', go: 'bool[]', state: 'float32' },
      nodes: [
        { type: 'ReduceMax', inputs: ['state'], outputs: ['most'], attributes: { keepdims: 0 } },
        { type: 'Cast', inputs: ['most'], outputs: ['go_on'], attributes: { to: 9 } },
      ],
      outputs: ['go_on', 'state', 'most'],
    });
    const result = infer(
      modelOf({
        inputs: { m: 'int64[] = 5', start: 'float32[2, 3]' },
        nodes: [
          {
            type: 'Loop',
            inputs: ['m', '', 'start'],
            outputs: ['end', 'scan'],
            attributes: { body: { graph: body } },
          },
        ],
        outputs: ['end', 'scan'],
      }),
    );
    assert.equal(valueOf(result, 'end'), 'float32[2, 3]');
    assert.equal(valueOf(result, 'scan'), 'float32[?]');
  });

  it('scans along any axis, and with a batch before opset 9', () => {
    const body = graphOf({
      inputs: { state: 'float32', slice: 'float32' },
      nodes: [{ type: 'Add', inputs: ['state', 'slice'], outputs: ['sum'] }],
      outputs: ['sum', 'sum'],
    });
    const nine = modelOf({
      inputs: { s: 'float32[3]', x: 'float32[3, time]' },
      nodes: [
        {
          type: 'Scan',
          inputs: ['s', 'x'],
          outputs: ['end', 'all'],
          attributes: {
            body: { graph: body },
            num_scan_inputs: 1,
            scan_input_axes: [1],
            scan_output_axes: [-1],
          },
        },
      ],
      outputs: ['end', 'all'],
    });
    assert.equal(valueOf(infer(nine), 'all'), 'float32[3, time]');
    const eight = modelOf(
      {
        inputs: { s: 'float32[batch, 3]', x: 'float32[batch, time, 3]' },
        nodes: [
          {
            type: 'Scan',
            inputs: ['', 's', 'x'],
            outputs: ['end', 'all'],
            attributes: { body: { graph: body }, num_scan_inputs: 1 },
          },
        ],
        outputs: ['end', 'all'],
      },
      { opset: 8 },
    );
    assert.equal(valueOf(infer(eight), 'end'), 'float32[batch, 3]');
    assert.equal(valueOf(infer(eight), 'all'), 'float32[batch, time, 3]');
  });

  it('maps over the elements of a sequence', () => {
    const body = graphOf({
      inputs: { e: 'float32' },
      nodes: [{ type: 'Shape', inputs: ['e'], outputs: ['s'] }],
      outputs: ['s'],
    });
    const model = modelOf({
      inputs: { a: 'float32[h, 2]', b: 'float32[3, 4]', at: 'int64[] = 1' },
      nodes: [
        { type: 'SequenceConstruct', inputs: ['a', 'b'], outputs: ['sequence'] },
        {
          type: 'SequenceMap',
          inputs: ['sequence'],
          outputs: ['shapes'],
          attributes: { body: { graph: body } },
        },
        { type: 'SequenceAt', inputs: ['shapes', 'at'], outputs: ['second'] },
        { type: 'SequenceLength', inputs: ['shapes'], outputs: ['count'] },
      ],
      outputs: ['second', 'count'],
    });
    assert.equal(valueOf(infer(model), 'second'), 'int64[2] = 3 4');
    assert.equal(valueOf(infer(model), 'count'), 'int64[] = 2');
  });
});

describe('shapes through functions', () => {
  const pad: PlainFunction = {
    name: 'PadLast',
    domain: 'my.lib',
    inputs: ['x', 'pads', 'value'],
    outputs: ['y'],
    attributes: ['mode'],
    nodes: [
      {
        type: 'Pad',
        inputs: ['x', 'pads', 'value'],
        outputs: ['padded'],
        attributes: { mode: { reference: 'mode' } },
      },
      { type: 'Transpose', inputs: ['padded'], outputs: ['y'], attributes: { perm: { reference: 'perm' } } },
    ],
  };
  const call = (attributes: PlainNode['attributes']) =>
    modelOf(
      {
        inputs: { x: 'float32[2, h]', pads: 'int64[4] = 0 1 0 1' },
        nodes: [{ type: 'PadLast', domain: 'my.lib', inputs: ['x', 'pads'], outputs: ['y'], attributes }],
        outputs: ['y'],
      },
      { functions: [pad] },
    );

  it('infers the body with the call’s inputs and attributes', () => {
    assert.equal(valueOf(infer(call({})), 'y'), 'float32[h + 2, 2]');
    assert.equal(valueOf(infer(call({ perm: [0, 1] })), 'y'), 'float32[2, h + 2]');
    assert.equal(
      describeValue(infer(call({})).main.bodies.get(0)!.get('body')!.values.get('padded')),
      'float32[2, h + 2]',
    );
  });

  it('refuses a function that calls itself', () => {
    const again = { ...pad, nodes: [{ type: 'PadLast', domain: 'my.lib', inputs: ['x'], outputs: ['y'] }] };
    const model = {
      ...call({}),
      functions: modelOf({ nodes: [], outputs: [] }, { functions: [again] }).functions,
    };
    assert.match(infer(model).problems[0].message, /its function 'PadLast' calls itself/);
  });

  it('goes through calls with the same of everything once', () => {
    const levels = Array.from({ length: 30 }, (_, level): PlainFunction => {
      const next = level === 29 ? { type: 'Relu' } : { type: `F${level + 1}`, domain: 'my.lib' };
      const nodes = [
        { ...next, inputs: ['x'], outputs: ['z'] },
        { ...next, inputs: ['z'], outputs: ['y'] },
      ];
      return { name: `F${level}`, domain: 'my.lib', inputs: ['x'], outputs: ['y'], nodes };
    });
    const nodes = [{ type: 'F0', domain: 'my.lib', inputs: ['x'], outputs: ['y'] }];
    const model = modelOf({ inputs: { x: 'float32[2, h]' }, nodes, outputs: ['y'] }, { functions: levels });
    assert.equal(valueOf(infer(model), 'y'), 'float32[2, h]');
  });
});

describe('work inside bodies', () => {
  it('is bounded: what would take too long is left unknown', () => {
    const nested = (depth: number): PlainNode => ({
      type: 'Loop',
      inputs: ['m', '', 'start'],
      outputs: [`end${depth}`],
      attributes: {
        body: {
          graph: loopBody(
            depth === 0
              ? [{ type: 'Relu', inputs: ['state'], outputs: ['next'] }]
              : [nested(depth - 1), { type: 'Add', inputs: ['state', `end${depth - 1}`], outputs: ['next'] }],
            ['state'],
            ['next'],
          ),
        },
      },
    });
    const model = modelOf({
      inputs: { m: 'int64[] = 30', start: 'float32[2, 3]' },
      nodes: [nested(5)],
      outputs: ['end5'],
    });
    assert.match(infer(model).problems[0].message, /too much work to infer/);
  });
});
