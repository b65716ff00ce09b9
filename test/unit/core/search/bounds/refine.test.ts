import assert from 'node:assert/strict';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { refine } from '../../../../../src/core/search/bounds/refine';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { SynchronousProblem } from '../../../../../src/core/search/bounds/synchronousProblem';
import { fourDevices } from '../../../../support/fourDevices';
import { NetBuilder } from '../../../../support/netGraph';

describe('box refinement', () => {
  // Charged orders of the branches pay wide boxes, whose order changes for nothing: a bound that was 7.3 ms high began
  // anew at 6.9, and had not come back in the rest of its rounds.
  it('takes charges back that lower the minimum', () => {
    const net = new NetBuilder();
    let x = net.input([1, 192, 13, 13]);
    for (let module = 0; module < 3; module++) {
      const squeezed = net.conv(x, 48, 1);
      x = net.concat([net.conv(squeezed, 192, 1), net.conv(squeezed, 192, 3)]);
    }
    const graph = net.finish([x]);
    const cluster = fourDevices('1g', 2 ** 31);
    const scene = new BoundScene(graph, partitionRules(graph), cluster);
    const limits = { rounds: 200, work: 4e8, tableLimit: 1_000_000, gap: 0, isPatient: true };
    const bound = (charges?: number): { bound: number; charges: number } =>
      refine(
        new SynchronousProblem(scene, undefined, () => false),
        Infinity,
        { ...limits, charges },
        () => false,
      );
    const [charged, plain] = [bound(), bound(0)];
    assert.equal(charged.charges, 1);
    assert.ok(charged.bound > 0.97 * plain.bound, `${charged.bound} of ${plain.bound}`);
  });
});
