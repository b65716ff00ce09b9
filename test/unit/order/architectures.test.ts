import assert from 'node:assert/strict';
import { join } from 'node:path';
import { replayOrder } from '../../../src/core/memory/check';
import { orderProblem } from '../../../src/core/memory/problem';
import { findOrder } from '../../../src/core/order/btsearch';
import { analyzeFile } from '../../../src/engine/analyze';
import { freeControl } from '../../support/control';
import { corpusFolder } from '../../support/corpus';

/** Least peaks in bytes under the rule `none`; all but the last were also found by another exact solver. */
const LEAST_PEAKS: Record<string, number> = {
  'nasnet-imagenet': 4_365_312,
  'nasnet-imagenet-nocse': 4_619_904,
  'amoebanet-cifar': 1_327_104,
  'darts-cifar': 1_401_408,
  'pnas-imagenet': 4_845_696,
  'randwire-sum-s0': 3_913_728,
  'randwire-stack-s1': 4_647_552,
  'hrnet-w18': 9_633_792,
  unetpp: 100_663_296,
  'resnet50-fpn': 54_976_512,
  'wscell-s0': 14_336,
  'ws48-s0': 20_480,
  'ws64-s1': 28_672,
  'ws96-s0': 39_936,
};

describe('BTSearch on published architectures', () => {
  const folder = corpusFolder('architectures');
  if (folder === undefined) return;
  for (const [name, peakBytes] of Object.entries(LEAST_PEAKS)) {
    it(`proves ${name} and packs it into its peak`, () => {
      const { graph } = analyzeFile(join(folder, `${name}.onnx`), { bindings: new Map(), fuse: 'none' });
      const problem = orderProblem(graph, { inPlace: 'none' });
      const result = findOrder(problem, {}, freeControl());
      assert.equal(result.status, 'optimal');
      assert.equal(result.peakBytes, peakBytes);
      assert.equal(result.arena.bytes, result.arena.lowerBoundBytes);
      assert.deepEqual(replayOrder(problem, result.steps, result.arena), { peakBytes, violations: [] });
    });
  }
});
