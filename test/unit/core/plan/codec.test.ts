import assert from 'node:assert/strict';
import { InputError } from '../../../../src/core/graph/problem';
import { encodePlan, parsePlan } from '../../../../src/core/plan/codec';
import { diffPlans } from '../../../../src/core/plan/diff';
import type { Plan } from '../../../../src/core/plan/plan';

const PLAN: Plan = {
  format: 'memorianova-plan',
  version: 1,
  model: { file: 'm.onnx', bytes: 10, structureSha256: 'aa', sha256: 'bb', bindings: { N: 1 } },
  cluster: {
    name: 'pair',
    devices: [
      { name: 'a', memory: 100, baseMemory: 0, compute: 1e9, operatorOverhead: 0 },
      { name: 'b', memory: 100, baseMemory: 0, compute: 1e9, operatorOverhead: 0, efficiency: { Conv: 0.5 } },
    ],
    network: { kind: 'switched', bandwidth: 1e6, latency: 1e-3, links: [{ from: 'a', to: 'b', latency: 0 }] },
    source: 'a',
    sink: 'a',
  },
  options: {
    seed: 1,
    latency: 'overlapped',
    strategy: 'hybrid',
    inPlace: 'none',
    fuse: 'none',
    evaluations: 5,
  },
  order: {
    status: 'optimal',
    peakBytes: 32,
    lowerBoundBytes: 32,
    arenaBytes: 64,
    weightBytes: 0,
    steps: [0],
    baselines: { model: { peakBytes: 32 } },
  },
  tensors: [
    { name: 't', type: 'float32', shape: [4], bytes: 16, storage: 0, firstStep: 0, lastStep: 0, offset: 0 },
  ],
  operators: [
    {
      index: 0,
      name: 'r',
      type: 'Relu',
      step: 0,
      flops: 4,
      weightBytes: 0,
      partition: { dimension: 'none', axis: -1, shards: [{ device: 'a', start: 0, end: 1 }] },
    },
  ],
  devices: [{ name: 'a', limitBytes: 100, peakBytes: 32, peakStep: 0, weightBytes: 0, busySeconds: 4e-9 }],
  latency: {
    model: 'overlapped',
    seconds: 4e-9,
    lowerBoundSeconds: 0,
    boundMethod: 'none',
    baselines: { singleDevice: { seconds: 4e-9, valid: true } },
  },
  timeline: [
    { kind: 'compute', operator: 0, device: 'a', start: 0, end: 4e-9 },
    { kind: 'transfer', tensor: 't', operator: null, from: 'a', to: 'b', bytes: 16, start: 0, end: 4e-9 },
  ],
};

/** The plan with the value at a path of names and positions replaced. */
function altered(path: readonly (string | number)[], value: unknown): string {
  const copy = JSON.parse(JSON.stringify(PLAN)) as Record<string | number, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path[path.length - 1]] = value;
  return JSON.stringify(copy);
}

describe('plan codec', () => {
  it('reads what it writes, and writes the same bytes again', () => {
    const text = encodePlan(PLAN);
    assert.deepEqual(parsePlan(text), PLAN);
    assert.equal(encodePlan(parsePlan(text)), text);
  });

  it('takes memory inside an operator, or none', () => {
    const body = { bytes: 24, offset: 64 };
    assert.deepEqual(parsePlan(altered(['operators', 0, 'body'], body)).operators[0].body, body);
    assert.equal(parsePlan(encodePlan(PLAN)).operators[0].body, undefined);
  });

  it('keeps fields that it does not know', () => {
    const plan = parsePlan(altered(['latency', 'certificate'], { method: 'x' }));
    assert.deepEqual(plan.latency.certificate, { method: 'x' });
  });

  const refusals: readonly [what: string, text: string, message: RegExp][] = [
    ['text that is no JSON', 'hello', /not valid JSON/],
    ['another format', '{"format":"other"}', /not a MemoriaNova plan/],
    ['a list', '[]', /not a MemoriaNova plan/],
    ['a later version', altered(['version'], 2), /version 2/],
    ['a missing field', altered(['order', 'peakBytes'], undefined), /order\.peakBytes/],
    ['text for a number', altered(['operators', 0, 'step'], '0'), /operators\[0\]\.step/],
    ['an infinite time', altered(['timeline', 0, 'end'], null), /timeline\[0\]\.end/],
    ['an unknown dimension', altered(['operators', 0, 'partition', 'dimension'], 'Z'), /dimension/],
    [
      'a body without an address',
      altered(['operators', 0, 'body'], { bytes: 24 }),
      /operators\[0\]\.body\.offset/,
    ],
    ['an unknown event', altered(['timeline', 1, 'kind'], 'nap'), /timeline\[1\]\.kind/],
    ['a negative size', altered(['tensors', 0, 'bytes'], -1), /tensors\[0\]\.bytes/],
  ];
  for (const [what, text, message] of refusals) {
    it(`refuses ${what} in one sentence`, () => {
      assert.throws(
        () => parsePlan(text),
        (error: Error) =>
          error instanceof InputError && message.test(error.message) && !error.message.includes('\n'),
      );
    });
  }
});

describe('plan diff', () => {
  it('names operators whose partition changed', () => {
    const other = parsePlan(altered(['operators', 0, 'partition', 'shards', 0, 'device'], 'b'));
    assert.deepEqual(diffPlans(PLAN, other).operators, [{ index: 0, name: 'r', before: 'a', after: 'b' }]);
    assert.deepEqual(diffPlans(PLAN, PLAN).operators, []);
  });
});
