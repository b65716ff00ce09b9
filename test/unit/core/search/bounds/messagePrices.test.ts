import assert from 'node:assert/strict';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { priceMessages } from '../../../../../src/core/search/bounds/messagePrices';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { SynchronousProblem } from '../../../../../src/core/search/bounds/synchronousProblem';
import { fourDevices } from '../../../../support/fourDevices';
import { NetBuilder } from '../../../../support/netGraph';

describe('prices of what devices lack', () => {
  // The first boxes pass all of what the source makes on for nothing: steps that price every storage alike go on for
  // long before a bit of the largest one is paid, and gain nothing meanwhile.
  it('gain as much where storages differ in size by far', () => {
    const net = new NetBuilder();
    let x = net.maxPool(net.conv(net.input([1, 3, 112, 111]), 32, 7, 2), 3, 2);
    for (let module = 0; module < 2; module++) {
      x = net.concat([
        net.conv(x, 8, 1),
        net.conv(net.conv(x, 8, 1), 16, 3),
        net.conv(net.conv(x, 2, 1), 8, 5),
        net.conv(net.maxPool(x, 3, 1), 8, 1),
      ]);
    }
    const graph = net.finish([x]);
    const cluster = fourDevices('100m', 2 ** 31);
    const problem = new SynchronousProblem(
      new BoundScene(graph, partitionRules(graph), cluster),
      undefined,
      () => false,
    );
    const limits = { turns: 150, leastGain: 0.4, enough: Infinity, tableLimit: 1_000_000 };
    assert.ok(priceMessages(problem, undefined, Infinity, limits, () => false).isUseful);
  });
});
