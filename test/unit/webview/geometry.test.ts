import assert from 'node:assert/strict';
import type { LifetimeBox } from '../../../webview/lifetimes/boxes';
import { aliveAt, tilesOf } from '../../../webview/lifetimes/geometry';
import { memoryAt } from '../../../webview/plan/memory';
import { stepArea } from '../../../webview/panels/chartPath';
import { PlanIndex } from '../../../webview/plan/planIndex';
import { criticalPath } from '../../../webview/timeline/criticalPath';
import { lanesOf } from '../../../webview/timeline/lanes';
import { SearchIndex } from '../../../webview/search';
import { bytesText, changeText, secondsText } from '../../../webview/units';
import type { ViewGraph, ViewPlan } from '../../../src/protocol/webview';

const box = (storage: number, from: number, to: number, offset: number, bytes: number): LifetimeBox => ({
  ...{ storage, tensor: storage, from, to, offset, bytes },
});

describe('lifetime boxes', () => {
  const boxes = [box(0, 0, 2, 0, 64), box(1, 1, 3, 64, 128), box(2, 2, 4, 0, 64)];

  it('map: steps across, addresses up', () => {
    const { tiles, most } = tilesOf(boxes, 'map');
    assert.equal(most, 192);
    assert.deepEqual(tiles[1], { box: 1, from: 1, to: 3, low: 64, high: 192 });
  });

  it('area: the outline is live memory, and what stands on a storage sinks when it dies', () => {
    const { tiles, most } = tilesOf(boxes, 'area');
    assert.equal(most, 192);
    assert.deepEqual(tiles, [
      { box: 0, from: 0, to: 2, low: 0, high: 64 },
      { box: 1, from: 1, to: 2, low: 64, high: 192 },
      { box: 1, from: 2, to: 3, low: 0, high: 128 },
      { box: 2, from: 2, to: 3, low: 128, high: 192 },
      { box: 2, from: 3, to: 4, low: 0, high: 64 },
    ]);
  });

  it('gantt: a row each, in the order of birth', () => {
    assert.deepEqual(
      tilesOf(boxes, 'gantt').tiles.map(({ box, high }) => [box, high]),
      [0, 1, 2].map((i) => [i, 3 - i - 0.1]),
    );
  });

  it('names what is alive at a step, largest first', () => {
    assert.deepEqual(
      aliveAt(boxes, 2).map(({ storage }) => storage),
      [1, 2],
    );
  });
});

describe('charts', () => {
  it('draws no more than one step per pixel column', () => {
    assert.equal(
      stepArea([1, 1, 3], 30, (v) => 10 - v),
      'M0,10.0H0.0V9.0H20.0V7.0H30.0V10.0Z',
    );
    const many = stepArea(
      Float64Array.from({ length: 100_000 }, (_, i) => i % 7),
      50,
      (v) => v,
    );
    assert.ok(many.length < 50 * 20);
  });

  it('looks up a device in time', () => {
    const memory = { times: Float64Array.of(0, 1, 2), bytes: Float64Array.of(5, 9, 4) };
    assert.deepEqual(
      [-1, 0, 1.5, 9].map((t) => memoryAt(memory, t)),
      [NaN, 5, 9, 4],
    );
  });
});

function graph(): ViewGraph {
  return {
    ...{ id: 0, name: 'g', fuse: 'none', weightBytes: { bytes: 0, known: true } },
    operators: {
      names: ['/a/Conv_0', '/b/Relu_1'],
      typeNames: ['Conv', 'Relu'],
      types: Uint32Array.of(0, 1),
      nodes: Uint32Array.of(0, 1),
      flops: Float64Array.of(8, 2),
      weightBytes: Float64Array.of(16, 0),
      flags: new Uint8Array(2),
      firstInput: Uint32Array.of(0, 1, 2),
      inputs: Int32Array.of(0, 1),
      firstOutput: Uint32Array.of(0, 1, 2),
      outputs: Int32Array.of(1, 2),
      members: {},
      bodies: {},
    },
    tensors: {
      names: ['x', 'mid', 'y'],
      shapeNames: ['[4]'],
      shapes: new Uint32Array(3),
      typeNames: ['float32'],
      types: new Uint8Array(3),
      bytes: Float64Array.of(16, 16, 16),
      producers: Int32Array.of(-1, 0, 1),
      storages: Int32Array.of(0, 1, 2),
      flags: Uint8Array.of(2, 0, 4),
    },
    inputs: Int32Array.of(0),
    outputs: Int32Array.of(2),
  };
}

/** Conv split 3 : 1 over two devices, Relu whole on the second: one message, no halo. */
function planIndex(): PlanIndex {
  const partition = (dimension: string, shards: object[]): object => ({ dimension, axis: 0, shards });
  const plan = {
    cluster: {
      devices: [{ name: 'a' }, { name: 'b' }],
      network: { kind: 'switched' },
      source: 'a',
      sink: 'b',
    },
    operators: [
      {
        index: 0,
        weightBytes: 16,
        partition: partition('H', [
          { device: 'a', start: 0, end: 3 },
          { device: 'b', start: 3, end: 4 },
        ]),
      },
      { index: 1, weightBytes: 0, partition: partition('none', [{ device: 'b', start: 0, end: 1 }]) },
    ],
    devices: [],
    latency: { model: 'overlapped', seconds: 5 },
    timeline: [
      { kind: 'compute', operator: 0, device: 'a', start: 0, end: 3 },
      { kind: 'compute', operator: 0, device: 'b', start: 0, end: 1 },
      { kind: 'transfer', tensor: 'mid', operator: 1, from: 'a', to: 'b', bytes: 12, start: 3, end: 4 },
      { kind: 'compute', operator: 1, device: 'b', start: 4, end: 5 },
    ],
  };
  const memory = { operators: Int32Array.of(0, 1) };
  const view = { plan, memory, deviceMemory: [], planOperators: Int32Array.of(0, 1) } as unknown as ViewPlan;
  return new PlanIndex(view, graph());
}

describe('the plan, looked up', () => {
  const plan = planIndex();

  it('knows shares, copies of weights and messages', () => {
    assert.deepEqual(
      plan.shares(0).map(({ device, fraction }) => [device, fraction]),
      [
        [0, 0.75],
        [1, 0.25],
      ],
    );
    assert.equal(plan.copiesOfWeights(0), 2);
    assert.equal(plan.copiesOfWeights(1), 1);
    assert.equal(plan.mainDevice(0), 0);
    assert.deepEqual(
      plan.transfers('mid').map(({ bytes }) => bytes),
      [12],
    );
    assert.equal(plan.stepOf(1), 1);
  });

  it('lays events out in lanes and finds the critical path', () => {
    assert.deepEqual(
      lanesOf(plan).map(({ label, events, busy }) => [label, [...events], busy]),
      [
        ['a', [0], 3],
        ['b', [1, 3], 2],
        ['a → b', [2], 1],
      ],
    );
    assert.deepEqual([...criticalPath(plan, () => 0)], [3, 2, 0]);
  });
});

describe('search', () => {
  const index = new SearchIndex(graph());

  it('finds types, names and tensors, every word, case aside', () => {
    assert.deepEqual(index.find('relu'), [{ kind: 'operator', id: 1 }]);
    assert.deepEqual(index.find('CONV a'), [{ kind: 'operator', id: 0 }]);
    assert.deepEqual(index.find('mid'), [{ kind: 'tensor', id: 1 }]);
    assert.deepEqual(index.find('conv relu'), []);
    assert.deepEqual(index.find('  '), []);
  });
});

describe('quantities', () => {
  it('have three digits and their unit', () => {
    const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
    assert.deepEqual(
      [0, 999, 1024, 4_365_312, NaN].map((b) => plain(bytesText(b))),
      ['0 B', '999 B', '1.00 KiB', '4.16 MiB', '?'],
    );
    assert.deepEqual(
      [0, 2.5e-8, 1.5e-5, 0.0334, 12].map((s) => plain(secondsText(s))),
      ['0 ms', '25.0 ns', '15.0 µs', '33.4 ms', '12.0 s'],
    );
    assert.deepEqual(
      [
        [76, 100],
        [100, 100],
        [103, 100],
      ].map(([a, b]) => plain(changeText(a, b))),
      ['−24 %', '±0 %', '+3 %'],
    );
  });
});
