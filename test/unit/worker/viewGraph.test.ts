import assert from 'node:assert/strict';
import type { Graph, Operator, Tensor } from '../../../src/core/graph/graph';
import { viewGraph } from '../../../src/worker/viewGraph';

function tensor(id: number, name: string, more: Partial<Tensor> = {}): Tensor {
  const plain = { type: 'float32', shape: [2], shapeText: '[2]', bytes: 8, isWeight: false } as const;
  return { id, name, ...plain, storage: id, producer: -1, consumers: [], ...more };
}

function conv(): Graph {
  const node = { index: 3, name: 'c', type: 'Conv', domain: '', opset: 17, attributes: new Map() };
  const ends = { inputs: [0, 1, -1], outputs: [2] };
  const operator: Operator = {
    ...{ ...node, ...ends, id: 0, members: [{ ...node, ...ends }] },
    ...{ isView: false, isElementwise: true, bodyPeak: { bytes: 0, known: true }, flops: undefined },
  };
  const tensors = [
    tensor(0, 'x', { consumers: [0] }),
    tensor(1, 'w', { isWeight: true, storage: -1, consumers: [0] }),
    tensor(2, 'y', { producer: 0, shape: [undefined], shapeText: '[n]', bytes: undefined }),
  ];
  const base = { storages: [], inputs: [0], outputs: [2], fuse: 'none' } as const;
  return { operators: [operator], tensors, ...base, weightBytes: { bytes: 8, known: true } };
}

describe('graph for the webview', () => {
  it('is flat, with unknown as NaN and absent as -1', () => {
    const view = viewGraph(conv(), 0, 'g');
    assert.deepEqual([...view.operators.inputs], [0, 1, -1]);
    assert.deepEqual([...view.operators.firstInput], [0, 3]);
    assert.deepEqual(view.operators.typeNames, ['Conv']);
    assert.deepEqual([...view.operators.nodes], [3]);
    assert.ok(Number.isNaN(view.operators.flops[0]));
    assert.equal(view.operators.weightBytes[0], 8);
    assert.equal(view.operators.flags[0], 2);
    assert.deepEqual([...view.tensors.flags], [2, 1, 4 | 8]);
    assert.ok(Number.isNaN(view.tensors.bytes[2]));
  });
});
