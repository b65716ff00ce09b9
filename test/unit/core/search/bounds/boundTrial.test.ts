import assert from 'node:assert/strict';
import { smartHome } from '../../../../../src/core/cluster/smartHome';
import type { Graph } from '../../../../../src/core/graph/graph';
import { seededRandom } from '../../../../../src/core/graph/random';
import { NONE } from '../../../../../src/core/graph/units';
import { partitionRules } from '../../../../../src/core/partition/rules';
import { BoundTrial, goingOn, WAYS, type Tried } from '../../../../../src/core/search/bounds/boundTrial';
import { BoxBound, type LatencyBound } from '../../../../../src/core/search/bounds/boxBound';
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
      const whole = new BoxBound(scene, { areJoinsRelays: way }, undefined, LIMITS, () => false).upTo(
        LIMITS.work,
      );
      assert.deepEqual(trial.finish(), whole);
      assert.ok(tried.bound.ns > 0 && tried.bound.ns < whole.ns, `${tried.bound.ns} of ${whole.ns}`);
      assert.ok(tried.expectedNs >= tried.bound.ns);
    }
  });

  it('are one where there is nothing to join', () => {
    const scene = sceneOf(netOf(false));
    const [first, second] = WAYS.map((way) => new BoundTrial(scene, way, undefined, LIMITS, () => false));
    const tried = [first.begin(), second.begin()];
    const whole = new BoxBound(scene, { areJoinsRelays: false }, undefined, LIMITS, () => false);
    assert.deepEqual(first.finish(), whole.upTo(LIMITS.work));
    assert.deepEqual(tried[1], {
      bound: { ns: 0, method: 'none', stopped: false },
      expectedNs: 0,
      isNear: false,
      isClose: false,
    });
    assert.equal(goingOn(tried).next, 0);
  });

  it('end sooner beside a better plan that is known later, and the certificate says from when on', () => {
    const graph = netOf(true);
    const scene = sceneOf(graph);
    const limits = { ...LIMITS, work: 60_000_000 };
    const { ns: whole } = new BoxBound(scene, {}, undefined, limits, () => false).upTo(limits.work);
    const finished = (betterNs?: number): LatencyBound => {
      const trial = new BoundTrial(scene, false, 1.005 * whole, limits, () => false);
      assert.ok(trial.begin().isClose);
      return trial.finish(betterNs);
    };
    const roundsOf = ({ certificate }: LatencyBound): number =>
      certificate?.model === 'synchronous' ? certificate.rounds : NaN;
    const alone = finished();
    // As if there were one as fast as that: it ends as near to it.
    const betterNs = 0.98 * whole;
    const beside = finished(betterNs);
    assert.ok(roundsOf(beside) < roundsOf(alone), `${roundsOf(beside)} of ${roundsOf(alone)} rounds`);
    assert.ok(beside.ns <= betterNs && beside.ns >= 0.999 * betterNs - 2, `${beside.ns} of ${betterNs}`);
    const { certificate } = beside;
    assert.ok(certificate?.model === 'synchronous' && certificate.later?.incumbentNs === betterNs);
    const { rules, cluster } = scene;
    assert.equal(verifyBound(graph, rules, cluster, certificate), beside.ns);
    const first = { ...certificate, later: undefined };
    assert.notEqual(verifyBound(graph, rules, cluster, first), beside.ns);
  });

  it('are compared by what they promise, and the certificate says which it was', () => {
    const graph = netOf(true);
    const scene = sceneOf(graph);
    const request = { graph, rules: scene.rules, cluster: scene.cluster, latency: 'synchronous' } as const;
    const { ns, certificate } = latencyBound({ ...request, limits: LIMITS }, () => false);
    const [kept, left] = WAYS.map(
      (areJoinsRelays) =>
        new BoxBound(scene, { areJoinsRelays }, undefined, LIMITS, () => false).upTo(LIMITS.work).ns,
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
    const tried = (ns: number, isNear: boolean): Tried => ({
      bound: bound(ns),
      expectedNs: ns,
      isNear,
      isClose: false,
    });
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
    assert.ok(
      bound.ns < new BoxBound(scene, {}, undefined, LIMITS, () => random.next() > 2).upTo(LIMITS.work).ns,
    );
  });
});
