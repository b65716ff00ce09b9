import assert from 'node:assert/strict';
import { layoutLevel } from '../../../../webview/layout/level';
import { LayoutCache } from '../../../../webview/layout/pieces';
import type { LevelGraph } from '../../../../webview/layout/types';
import { assertSound, levelOf, seeded } from './support';

const layout = (level: LevelGraph) => layoutLevel(level, new LayoutCache());

function randomLevel(count: number, reach: number, seed: number): LevelGraph {
  const random = seeded(seed);
  const nets: number[][] = [];
  for (let item = 0; item + 1 < count; item++) {
    const sinks = new Set<number>();
    for (let k = 0; k < 1 + random() * 3; k++) {
      sinks.add(Math.min(count - 1, item + 1 + Math.floor(random() * reach)));
    }
    nets.push([item, ...sinks]);
  }
  const level = levelOf(count, nets);
  for (let item = 0; item < count; item++) {
    level.left[item] = level.right[item] = 30 + Math.floor(random() * 60);
    level.height[item] = 20 + Math.floor(random() * 60);
  }
  return level;
}

describe('layered layout of a level', () => {
  it('stands a chain on one straight line', () => {
    const { x, y, rank } = layout(
      levelOf(3, [
        [0, 1],
        [1, 2],
      ]),
    );
    assert.deepEqual([...x], [0, 0, 0]);
    assert.deepEqual([...y], [0, 74, 148]);
    assert.deepEqual([...rank], [0, 1, 2]);
  });

  it('keeps a residual block straight and runs its shortcut beside it', () => {
    const { x, routes } = layout(
      levelOf(6, [
        [0, 1, 4],
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 5],
      ]),
    );
    assert.deepEqual([...x], [0, 0, 0, 0, 0, 0]);
    const shortcut = [...routes.points].filter((_, i) => i % 2 === 0);
    assert.equal(Math.max(...shortcut), 74);
    assert.equal(Math.min(...shortcut), 0);
  });

  it('puts equal branches symmetrically around the middle', () => {
    const { x } = layout(
      levelOf(5, [
        [0, 1, 2, 3],
        [1, 4],
        [2, 4],
        [3, 4],
      ]),
    );
    assert.deepEqual([...x], [0, -144, 0, 144, 0]);
  });

  it('sinks a source beside its consumer', () => {
    const { rank } = layout(
      levelOf(4, [
        [0, 1],
        [1, 2],
        [3, 2],
      ]),
    );
    assert.deepEqual([...rank], [0, 1, 2, 1]);
  });

  it('draws edges over very many ranks as stubs', () => {
    const chain = Array.from({ length: 99 }, (_, i) => (i === 0 ? [0, 1, 2, 50, 99] : [i, i + 1]));
    const { routes, minX, maxX } = layout(levelOf(100, chain));
    assert.deepEqual([...routes.stub.subarray(0, 4)], [0, 0, 1, 1]);
    assert.ok(maxX - minX < 200);
  });

  it('gives sound pictures of random graphs, the same each time', () => {
    for (let seed = 0; seed < 60; seed++) {
      const level = randomLevel(5 + seed * 3, 2 + (seed % 30), seed);
      const first = layout(level);
      assertSound(level, first, `seed ${seed}`);
      assert.deepEqual(layout(level), first);
    }
  });

  it('lays equal blocks out equally', () => {
    const nets: number[][] = [];
    const random = seeded(7);
    const inner = Array.from({ length: 20 }, () => Math.floor(random() * 3));
    for (let block = 0; block < 4; block++) {
      const base = block * 9;
      nets.push([base, base + 1, base + 2, base + 3]);
      for (let k = 1; k < 6; k++) nets.push([base + k, base + 6 + (inner[k] % 2), base + 8]);
      nets.push([base + 6, base + 8], [base + 7, base + 8]);
      nets.push([base + 8, base + 9]);
    }
    const { x } = layout(levelOf(37, nets));
    for (let k = 0; k < 27; k++) assert.equal(x[k], x[k + 9]);
  });

  it('grows linearly: 20,000 items with long skips stay quick', () => {
    const level = randomLevel(20_000, 30, 3);
    const begin = process.cpuUsage();
    layout(level);
    const used = process.cpuUsage(begin);
    assert.ok((used.user + used.system) / 1000 < 6000);
  });
});
