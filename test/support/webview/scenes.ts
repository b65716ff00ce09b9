import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../../src/core/graph/problem';
import type { ViewGraph } from '../../../src/protocol/webview';
import type { ModelSource } from '../../../src/protocol/worker';
import { OpenModel } from '../../../src/worker/openModel';
import { LayoutCache } from '../../../webview/layout/pieces';
import { hierarchyOf, openAtFirst, type Hierarchy } from '../../../webview/scene/hierarchy';
import { levelsOf } from '../../../webview/scene/levels';
import { buildScene, type Scene } from '../../../webview/scene/scene';
import { nodeSizes } from '../../../webview/scene/sizes';
import { topologyOf } from '../../../webview/scene/topology';
import { corpusFolder } from '../corpus';

/** The graph that the webview would get of a model. */
export function viewGraphOf(model: ModelSource): ViewGraph {
  const rules = { bindings: {}, fuse: 'none', inPlace: 'none' } as const;
  return OpenModel.read({ model, plan: { kind: 'none' }, ...rules }).state({ inPlace: 'none' }).document
    .graph;
}

export function viewGraphOfBytes(bytes: Uint8Array): ViewGraph {
  return viewGraphOf({ kind: 'bytes', name: 'm.onnx', bytes });
}

/** A graph with its groups: pictures of it with any of them open. */
export class Pictures {
  readonly hierarchy: Hierarchy;
  private readonly topology;
  private readonly sizes;

  constructor(readonly graph: ViewGraph) {
    this.topology = topologyOf(graph);
    this.hierarchy = hierarchyOf(graph, this.topology);
    this.sizes = nodeSizes(graph, this.hierarchy);
  }

  get openAtFirst(): Uint8Array {
    return openAtFirst(this.hierarchy);
  }

  scene(open: Uint8Array | 'first' | 'all' | 'none'): Scene {
    const groups = this.hierarchy.labels.length;
    const shown =
      open === 'first'
        ? this.openAtFirst
        : typeof open === 'string'
          ? new Uint8Array(groups).fill(open === 'all' ? 1 : 0)
          : open;
    const levels = levelsOf(this.graph, this.topology, this.hierarchy, shown);
    return buildScene(this.hierarchy, levels, this.sizes, new LayoutCache());
  }
}

/** Every corpus model that can be read, by file name. */
export function* corpusPictures(): Generator<[string, Pictures]> {
  for (const part of ['public', 'architectures', 'large']) {
    const folder = corpusFolder(part);
    if (folder === undefined) continue;
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.onnx'))) {
      try {
        yield [name, new Pictures(viewGraphOf({ kind: 'file', path: join(folder, name) }))];
      } catch (error) {
        if ((error as Error).name !== InputError.name) throw error;
      }
    }
  }
}

/** Boxes lie apart or one inside the other; every line runs down and crosses no box. */
export function assertPicture(scene: Scene, what: string): void {
  const { x, y, width, height, frame, node } = scene;
  const order = Array.from(node, (_, i) => i).sort((a, b) => y[a] - y[b] || b - a);
  for (let i = 0; i < order.length; i++) {
    const a = order[i];
    if (frame[a] === 1) continue;
    for (let j = i + 1; j < order.length && y[order[j]] < y[a] + height[a] - 0.1; j++) {
      const b = order[j];
      const apart = x[a] + width[a] <= x[b] + 0.1 || x[b] + width[b] <= x[a] + 0.1;
      assert.ok(apart, `${what}: boxes ${node[a]} and ${node[b]} overlap`);
    }
  }
  assertLines(scene, order, what);
}

function assertLines(scene: Scene, order: readonly number[], what: string): void {
  const { x, y, width, height, frame, lines } = scene;
  const boxes = order.filter((i) => frame[i] === 0);
  const tops = boxes.map((i) => y[i]);
  const tallest = boxes.reduce((most, i) => Math.max(most, height[i]), 0);
  for (let line = 0; line < lines.wire.length; line++) {
    for (let p = lines.first[line]; p + 3 < lines.first[line + 1]; p += 2) {
      const [x0, y0, x1, y1] = lines.points.subarray(p, p + 4);
      assert.ok(y1 >= y0 - 0.1, `${what}: line ${line} runs upward`);
      for (let i = firstAbove(tops, y0 - tallest); i < boxes.length && tops[i] < y1 - 0.2; i++) {
        const b = boxes[i];
        if (y[b] + height[b] <= y0 + 0.2) continue;
        const clear = Math.max(x0, x1) <= x[b] + 0.1 || Math.min(x0, x1) >= x[b] + width[b] - 0.1;
        assert.ok(clear, `${what}: line ${line} crosses box ${scene.node[b]}`);
      }
    }
  }
}

function firstAbove(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
