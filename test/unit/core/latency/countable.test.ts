import assert from 'node:assert/strict';
import type { Cluster } from '../../../../src/core/cluster/cluster';
import { smartHome } from '../../../../src/core/cluster/smartHome';
import { requireCountable } from '../../../../src/core/latency/countable';
import { createWorkload } from '../../../../src/core/latency/workload';
import { partitionRules } from '../../../../src/core/partition/rules';
import { NetBuilder } from '../../../support/netGraph';

const HOME = smartHome();

/** 2 * 4 * 64 * 4 * 9 FLOPs each. */
function twoConvolutions(cluster: Cluster): () => void {
  const net = new NetBuilder();
  const graph = net.finish([net.conv(net.conv(net.input([1, 4, 8, 8]), 4, 3), 4, 3)]);
  return () => requireCountable(createWorkload(graph, partitionRules(graph), cluster, [0, 1], 'overlapped'));
}

/** With one device more that is so fast, or all of them. */
function withCompute(compute: number, all = false): Cluster {
  const slow = { ...HOME.devices[0], name: 'slow', compute, memoryBandwidth: undefined, operatorOverhead: 0 };
  const others = all ? HOME.devices.map((device) => ({ ...device, compute })) : HOME.devices;
  return { ...HOME, devices: [...others, slow] };
}

describe('what can be counted in nanoseconds', () => {
  it('is every model on devices of this world', () => {
    assert.doesNotThrow(twoConvolutions(HOME));
    // 18432 FLOPs at 0.003 FLOP/s: 71 days.
    assert.doesNotThrow(twoConvolutions(withCompute(0.003)));
  });

  it('is no operator that takes longer than whole numbers count on some device', () => {
    assert.throws(twoConvolutions(withCompute(0.001)), {
      name: 'InputError',
      message:
        /^Operator 0 \(Conv[^)]*\) takes 213 days on device "slow", but no more than 104 days can be counted in whole nanoseconds: [^.]+\.$/,
    });
  });

  it('is no model that takes too long on every device', () => {
    assert.throws(twoConvolutions(withCompute(0.01, true)), {
      name: 'InputError',
      message:
        /^The whole model takes 43 days on device "[^"]+", where it is fastest, but no more than 26 days/,
    });
  });

  it('is no message that takes longer over some link', () => {
    const links = [{ from: 0, to: 1, bandwidth: 1e-5, latency: undefined }];
    assert.throws(twoConvolutions({ ...HOME, network: { ...HOME.network, links } }), {
      name: 'InputError',
      message:
        /^A message with tensor "[^"]+" takes 1,185 days from "camera" to "tv", but no more than 104 days .* more bandwidth\.$/,
    });
  });
});
