import assert from 'node:assert/strict';
import type { LevelGraph, LevelLayout } from '../../../../webview/layout/types';

/** A level of boxes of one size from `[source, ...sinks]` nets. */
export function levelOf(
  count: number,
  nets: readonly (readonly number[])[],
  width = 120,
  height = 50,
): LevelGraph {
  const first = new Uint32Array(nets.length + 1);
  nets.forEach((net, i) => (first[i + 1] = first[i] + net.length - 1));
  return {
    count,
    left: new Float64Array(count).fill(width / 2),
    right: new Float64Array(count).fill(width / 2),
    height: new Float64Array(count).fill(height),
    kind: new Uint8Array(count),
    nets: {
      count: nets.length,
      source: Int32Array.from(nets, (net) => net[0]),
      sourceOffset: new Float64Array(nets.length),
      first,
      sinks: Int32Array.from(nets.flatMap((net) => net.slice(1))),
      sinkOffset: new Float64Array(first[nets.length]),
    },
  };
}

/** Repeatable numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** No two boxes overlap, no edge runs upward, no line crosses a box that it does not belong to. */
export function assertSound(level: LevelGraph, layout: LevelLayout, what: string): void {
  assertNoOverlap(level, layout, what);
  const { nets } = level;
  for (let net = 0; net < nets.count; net++) {
    for (let s = nets.first[net]; s < nets.first[net + 1]; s++) {
      const bottom = layout.y[nets.source[net]] + level.height[nets.source[net]];
      assert.ok(layout.y[nets.sinks[s]] >= bottom, `${what}: net ${net} runs upward`);
    }
  }
  assertClear(level, layout, what);
}

function assertNoOverlap(level: LevelGraph, { x, y }: LevelLayout, what: string): void {
  const byTop = Array.from({ length: level.count }, (_, i) => i).sort((a, b) => y[a] - y[b]);
  for (let i = 0; i < byTop.length; i++) {
    const a = byTop[i];
    for (let j = i + 1; j < byTop.length && y[byTop[j]] < y[a] + level.height[a]; j++) {
      const b = byTop[j];
      const apart =
        x[a] + level.right[a] <= x[b] - level.left[b] || x[b] + level.right[b] <= x[a] - level.left[a];
      assert.ok(apart, `${what}: boxes ${a} and ${b} overlap`);
    }
  }
}

/** Lines go straight through the heights of boxes, so a straight piece beside every box is all there is to see. */
function assertClear(level: LevelGraph, layout: LevelLayout, what: string): void {
  const { x, y, routes } = layout;
  const byTop = Array.from({ length: level.count }, (_, i) => i).sort((a, b) => y[a] - y[b]);
  const tops = byTop.map((item) => y[item]);
  const tallest = level.height.reduce((a, b) => Math.max(a, b), 0);
  for (let line = 0; line < routes.count; line++) {
    for (let p = routes.first[line]; p + 3 < routes.first[line + 1]; p += 2) {
      const [x0, y0, x1, y1] = routes.points.subarray(p, p + 4);
      assert.ok(y1 >= y0 - 1e-9, `${what}: line ${line} runs upward`);
      for (let i = lowerBound(tops, y0 - tallest); i < tops.length && tops[i] < y1 - 0.01; i++) {
        const item = byTop[i];
        if (y[item] + level.height[item] <= y0 + 0.01) continue;
        const clear =
          Math.max(x0, x1) <= x[item] - level.left[item] || Math.min(x0, x1) >= x[item] + level.right[item];
        assert.ok(clear, `${what}: line ${line} crosses box ${item}`);
      }
    }
  }
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
