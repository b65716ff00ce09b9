import assert from 'node:assert/strict';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom } from '../../../../../src/core/graph/random';
import { NONE } from '../../../../../src/core/graph/units';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { BoundTrial, goingOn, WAYS, type Tried } from '../../../../../src/core/search/bounds/boundTrial';
import { boxBound } from '../../../../../src/core/search/bounds/boxBound';
import { verifyBound } from '../../../../../src/core/search/bounds/certificate';
import { latencyBound } from '../../../../../src/core/search/bounds/lowerBound';
import { BoundScene } from '../../../../../src/core/search/bounds/scene';
import { NetBuilder } from '../../../../support/netGraph';

const LIMITS = { rounds: 1000, work: 4_000_000, tableLimit: 1_000_000, gap: 0.001 };

/** Blocks of branches that are concatenated, or a chain. */
function netOf(areJoined: boolean): Graph {
  const net = new NetBuilder();
  let x = net.conv(net.input([1, 4, 24, 24]), 16, 3);
  for (let i = 0; i < 4; i++) {
    const wide = net.relu(net.conv(x, 8, 3));
    x = areJoined ? net.concat([net.relu(net.conv(x, 8, 1)), wide]) : wide;
  }
  return net.finish([net.gemm(net.flatten(net.globalPool(x)), 10)]);
}

function sceneOf(graph: Graph): BoundScene {
  return new BoundScene(graph, partitionRules(graph), smartHome());
}

describe('the ways to bound a synchronous latency', () => {
  it('go on where they were halted as if they had not been', () => {
    for (const way of WAYS) {
      const scene = sceneOf(netOf(true));
      const trial = new BoundTrial(scene, way, undefined, LIMITS, () => false);
      const tried = trial.begin();
      const whole = boxBound(scene, { areJoinsRelays: way }, undefined, LIMITS, () => false);
      assert.deepEqual(trial.finish(), whole);
      assert.ok(tried.bound.ns > 0 && tried.bound.ns < whole.ns, `${tried.bound.ns} of ${whole.ns}`);
      assert.ok(tried.expectedNs >= tried.bound.ns);
    }
  });

  it('are one where there is nothing to join', () => {
    const scene = sceneOf(netOf(false));
    const [first, second] = WAYS.map((way) => new BoundTrial(scene, way, undefined, LIMITS, () => false));
    const tried = [first.begin(), second.begin()];
    assert.deepEqual(tried[0].bound, first.finish());
    assert.deepEqual(tried[1], {
      bound: { ns: 0, method: 'none', stopped: false },
      expectedNs: 0,
      isNear: false,
    });
    assert.equal(goingOn(tried).next, 0);
  });

  it('are compared by what they promise, and the certificate says which it was', () => {
    const graph = netOf(true);
    const scene = sceneOf(graph);
    const request = { graph, rules: scene.rules, cluster: scene.cluster, latency: 'synchronous' } as const;
    const { ns, certificate } = latencyBound({ ...request, limits: LIMITS }, () => false);
    const [kept, left] = WAYS.map(
      (areJoinsRelays) => boxBound(scene, { areJoinsRelays }, undefined, LIMITS, () => false).ns,
    );
    assert.ok(ns >= Math.max(kept, left) * 0.985, `${ns} of ${kept} and ${left}`);
    assert.ok(certificate?.model === 'synchronous');
    assert.equal(certificate.areJoinsRelays ?? false, ns === left);
    assert.equal(verifyBound(graph, scene.rules, scene.cluster, certificate), ns);
    const other = { ...certificate, areJoinsRelays: !(certificate.areJoinsRelays ?? false) };
    assert.notEqual(verifyBound(graph, scene.rules, scene.cluster, other), ns);
  });

  it('end with the first that is as good as a known plan', () => {
    const bound = (ns: number) => ({ ns, method: 'any', stopped: false });
    const tried = (ns: number, isNear: boolean): Tried => ({ bound: bound(ns), expectedNs: ns, isNear });
    assert.deepEqual(goingOn([tried(5, true)]), { bound: bound(5), next: NONE });
    assert.deepEqual(goingOn([tried(5, false), tried(7, true)]), { bound: bound(7), next: NONE });
    assert.deepEqual(goingOn([tried(5, false), tried(7, false)]), { bound: bound(7), next: 1 });
  });

  it('keep what is proven when they are stopped', () => {
    let asked = 0;
    const scene = sceneOf(netOf(true));
    const trial = new BoundTrial(scene, false, undefined, LIMITS, () => asked++ > 200);
    const { bound } = trial.begin();
    assert.ok(bound.stopped && bound.ns > 0);
    assert.deepEqual(trial.finish(), bound);
    const random = seededRandom(1);
    assert.ok(bound.ns < boxBound(scene, {}, undefined, LIMITS, () => random.next() > 2).ns);
  });
});
