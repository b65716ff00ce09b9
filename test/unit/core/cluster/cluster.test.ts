import assert from 'node:assert/strict';
import { encodeCluster } from '../../../../src/core/cluster/encode';
import { parseCluster } from '../../../../src/core/cluster/parse';
import { SMART_HOME_FILE, smartHome } from '../../../../src/core/cluster/smartHome';
import { InputError } from '../../../../src/core/graph/problem';

const DEVICE = { name: 'tv', memory: '2 GiB', compute: '12 GFLOP/s', operatorOverhead: '50 us' };
const NETWORK = { kind: 'switched', bandwidth: '1 Gbit/s', latency: '0.2 ms' };

function withDevice(change: object): unknown {
  return { name: 'c', devices: [{ ...DEVICE, ...change }], network: NETWORK };
}

function withNetwork(change: object): unknown {
  return { name: 'c', devices: [DEVICE, { ...DEVICE, name: 'hub' }], network: { ...NETWORK, ...change } };
}

function refusal(json: unknown): string {
  try {
    parseCluster(json);
  } catch (error) {
    assert.ok(error instanceof InputError);
    return error.message;
  }
  return 'accepted';
}

describe('cluster file', () => {
  it('reads every unit', () => {
    const cases: [string, string, number][] = [
      ['memory', '1 B', 1],
      ['memory', '1.5kB', 1500],
      ['memory', '2 MB', 2e6],
      ['memory', '3 GB', 3e9],
      ['memory', '4 KiB', 4096],
      ['memory', '5 MiB', 5 * 2 ** 20],
      ['memory', '0.5 GiB', 2 ** 29],
      ['compute', '7000 FLOP/s', 7000],
      ['compute', '7 MFLOP/s', 7e6],
      ['compute', '7e0 GFLOP/s', 7e9],
      ['compute', '.5 TFLOP/s', 5e11],
      ['memoryBandwidth', '8000 bit/s', 1000],
      ['memoryBandwidth', '8 kbit/s', 1e3],
      ['memoryBandwidth', '100 Mbit/s', 12.5e6],
      ['memoryBandwidth', '1 Gbit/s', 125e6],
      ['memoryBandwidth', '2000 B/s', 2000],
      ['memoryBandwidth', '2 kB/s', 2e3],
      ['memoryBandwidth', '2 MB/s', 2e6],
      ['memoryBandwidth', '2 GB/s', 2e9],
      ['operatorOverhead', '50 ns', 50e-9],
      ['operatorOverhead', '50 us', 50e-6],
      ['operatorOverhead', '50 µs', 50e-6],
      ['operatorOverhead', '50 ms', 50e-3],
      ['operatorOverhead', '50 s', 50],
      ['operatorOverhead', '0', 0],
    ];
    for (const [field, text, expected] of cases) {
      const device = parseCluster(withDevice({ [field]: text })).devices[0];
      assert.equal(device[field as 'memory'], expected, `${field} ${text}`);
    }
  });

  it('takes numbers in base units and fills defaults', () => {
    const cluster = parseCluster(
      JSON.stringify({
        name: 'one',
        devices: [{ name: 'a', memory: 10, compute: 5000, operatorOverhead: 0.5, efficiency: { Conv: 0.8 } }],
        network: { kind: 'shared', bandwidth: 3, latency: 0 },
      }),
    );
    assert.deepEqual(cluster, {
      name: 'one',
      devices: [
        {
          name: 'a',
          memory: 10,
          baseMemory: 0,
          compute: 5000,
          memoryBandwidth: undefined,
          operatorOverhead: 0.5,
          efficiency: new Map([['Conv', 0.8]]),
        },
      ],
      network: { kind: 'shared', bandwidth: 3, latency: 0, links: [] },
      source: 0,
      sink: 0,
    });
  });

  it('comes back from a plan as it was', () => {
    const cluster = smartHome();
    assert.deepEqual(parseCluster(encodeCluster(cluster)), cluster);
    assert.equal(cluster.devices[cluster.source].name, SMART_HOME_FILE.source);
    assert.equal(cluster.network.links[0].bandwidth, 5e6);
  });

  it('refuses what it cannot use in one sentence that names the field', () => {
    const cases: [unknown, RegExp][] = [
      ['{', /not valid JSON/],
      [[], /must be an object/],
      [{ devices: [], network: NETWORK }, /^name must be a text/],
      [{ name: 'c', devices: [], network: NETWORK }, /devices is empty/],
      [{ name: 'c', devices: 3, network: NETWORK }, /devices must be a list/],
      [{ name: 'c', devices: [DEVICE, DEVICE], network: NETWORK }, /two entries named "tv"/],
      [{ name: 'c', devices: [DEVICE] }, /network must be an object/],
      [{ name: 'c', devices: [DEVICE], network: NETWORK, colour: 1 }, /unknown field "colour"/],
      [
        { name: 'c', devices: [DEVICE], network: NETWORK, sink: 'x' },
        /sink must name one of the devices \(tv\)/,
      ],
      [withDevice({ cores: 4 }), /devices\[0\] has an unknown field "cores"/],
      [withDevice({ name: '' }), /devices\[0\].name/],
      [withDevice({ memory: undefined }), /"tv": memory is missing/],
      [withDevice({ memory: '2 GFLOP/s' }), /"tv": memory has the unit "GFLOP\/s"; it must be one of B, kB/],
      [withDevice({ memory: 'much' }), /"tv": memory must be a number or text with a unit/],
      [withDevice({ memory: -1 }), /memory must be above 0/],
      [withDevice({ memory: null }), /memory must be a number/],
      [withDevice({ compute: Number.NaN }), /compute is not a number that can be used/],
      [withDevice({ compute: '1e400 FLOP/s' }), /compute is not a number that can be used/],
      [withDevice({ compute: 0 }), /^devices\[0\] "tv": compute must be at least 1000 FLOP\/s, not 0\.$/],
      [
        withDevice({ compute: '1 FLOP/s' }),
        /^devices\[0\] "tv": compute must be at least 1000 FLOP\/s, not 1\.$/,
      ],
      [
        withDevice({ memoryBandwidth: '1 B/s' }),
        /^devices\[0\] "tv": memoryBandwidth must be at least 1000 B\/s, not 1\.$/,
      ],
      [withDevice({ operatorOverhead: '-1 us' }), /operatorOverhead must not be negative/],
      [
        withDevice({ operatorOverhead: '4000 s' }),
        /^devices\[0\] "tv": operatorOverhead must be at most 3600 s, not 4000\.$/,
      ],
      [withDevice({ operatorOverhead: '1 min' }), /operatorOverhead has the unit "min"/],
      [withDevice({ efficiency: { Conv: 1.5 } }), /efficiency of "Conv" must be a number from 0.000001 to 1/],
      [
        withDevice({ efficiency: { Conv: 0 } }),
        /efficiency of "Conv" must be a number from 0.000001 to 1, not 0/,
      ],
      [withNetwork({ kind: 'ring' }), /network.kind must be "switched" or "shared"/],
      [withNetwork({ bandwidth: undefined }), /network.bandwidth is missing/],
      [withNetwork({ bandwidth: '1 bit/s' }), /^network.bandwidth must be at least 1 B\/s, not 0.125\.$/],
      [withNetwork({ latency: '2e9 ms' }), /^network.latency must be at most 3600 s, not 2000000\.$/],
      [withNetwork({ links: [{ from: 'tv', to: 'tv' }] }), /network.links\[0\] leads from "tv" to itself/],
      [withNetwork({ links: [{ from: 'tv', to: 'x' }] }), /network.links\[0\].to must name/],
      [
        withNetwork({
          links: [
            { from: 'tv', to: 'hub' },
            { from: 'tv', to: 'hub' },
          ],
        }),
        /same direction/,
      ],
    ];
    for (const [json, message] of cases) assert.match(refusal(json), message);
  });
});
