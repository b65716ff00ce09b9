import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../../src/core/graph/problem';
import type { ViewGraph } from '../../../src/protocol/webview';
import { OpenModel } from '../../../src/worker/openModel';
import { LayoutCache } from '../../../webview/layout/pieces';
import { hierarchyOf, openAtFirst } from '../../../webview/scene/hierarchy';
import { levelsOf } from '../../../webview/scene/levels';
import { buildScene, type Scene } from '../../../webview/scene/scene';
import { nodeSizes } from '../../../webview/scene/sizes';
import { topologyOf } from '../../../webview/scene/topology';
import { corpusFolder } from '../../support/corpus';
import { onnxFile, node, value } from '../../support/onnxFile';
import { transformerModel } from '../../support/webview/generator';

function graphOf(
  model: { kind: 'file'; path: string } | { kind: 'bytes'; name: string; bytes: Uint8Array },
): ViewGraph {
  const rules = { bindings: {}, fuse: 'none', inPlace: 'none' } as const;
  return OpenModel.read({ model, plan: { kind: 'none' }, ...rules }).state({ inPlace: 'none' }).document
    .graph;
}

type Opening = 'first' | 'all' | 'none';

function sceneOf(graph: ViewGraph, opening: Opening): { scene: Scene; groups: readonly string[] } {
  const topology = topologyOf(graph);
  const hierarchy = hierarchyOf(graph, topology);
  const groups = hierarchy.labels.length;
  const open =
    opening === 'first' ? openAtFirst(hierarchy) : new Uint8Array(groups).fill(opening === 'all' ? 1 : 0);
  const levels = levelsOf(graph, topology, hierarchy, open);
  const scene = buildScene(hierarchy, levels, nodeSizes(graph, hierarchy), new LayoutCache());
  return { scene, groups: hierarchy.labels };
}

/** Boxes lie apart or one inside the other; every line runs down and crosses no box. */
function assertPicture(scene: Scene, what: string): void {
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

/** `a` is read in the group around its own, then outside of both. */
function nestedModel(): Uint8Array {
  const add = (name: string, inputs: string, output: string): ReturnType<typeof node> =>
    node('Add', inputs, output, {}, { name });
  return onnxFile({
    input: [value('x', [4])],
    output: [value('y')],
    node: [
      add('/outer/inner/0', 'x x', 'b'),
      add('/outer/inner/1', 'b b', 'c'),
      add('/outer/inner/2', 'c c', 'a'),
      add('/outer/3', 'a a', 'd'),
      add('/outer/4', 'd d', 'e'),
      add('/rest/5', 'a e', 'f'),
      add('/rest/6', 'f f', 'g'),
      add('/rest/7', 'g g', 'y'),
    ],
  });
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

describe('scene of a graph', () => {
  const small = graphOf({ kind: 'bytes', name: 'm.onnx', bytes: transformerModel(90, false) });
  const skips = graphOf({ kind: 'bytes', name: 'm.onnx', bytes: transformerModel(600, true) });

  it('finds the repeated blocks of a graph without scopes', () => {
    const { groups } = sceneOf(small, 'all');
    assert.deepEqual(groups, ['Block 1', 'Block 2', 'Block 3', 'Block 4', 'Block 5']);
  });

  it('draws open and closed groups soundly', () => {
    for (const graph of [small, skips]) {
      for (const opening of ['first', 'all', 'none'] as const)
        assertPicture(sceneOf(graph, opening).scene, opening);
    }
  });

  it('gives equal blocks equal pictures, and the same graph the same picture', () => {
    const { scene } = sceneOf(small, 'all');
    const frames = Array.from(scene.frame, (isFrame, i) => (isFrame === 1 ? i : -1)).filter((i) => i !== -1);
    assert.equal(new Set(frames.slice(1, 3).map((i) => `${scene.width[i]} ${scene.height[i]}`)).size, 1);
    assert.deepEqual(sceneOf(small, 'all').scene, scene);
  });

  it('leads a tensor out of every group around its source, however near its first reader is', () => {
    const graph = graphOf({ kind: 'bytes', name: 'm.onnx', bytes: nestedModel() });
    const topology = topologyOf(graph);
    const hierarchy = hierarchyOf(graph, topology);
    assert.deepEqual(hierarchy.labels, ['outer', 'inner', 'rest']);
    const { levels } = levelsOf(graph, topology, hierarchy, Uint8Array.of(1, 1, 1));
    assert.deepEqual(
      levels.map((level) => level?.outputPorts.length),
      [2, 1, 1, 0],
    );
    assertPicture(sceneOf(graph, 'all').scene, 'nested');
  });

  it('keeps what is above an opened group where it was', () => {
    const topology = topologyOf(small);
    const hierarchy = hierarchyOf(small, topology);
    const sizes = nodeSizes(small, hierarchy);
    const scenes = [0, 1].map((last) => {
      const open = new Uint8Array(hierarchy.labels.length);
      open[hierarchy.labels.length - 1] = last;
      return buildScene(hierarchy, levelsOf(small, topology, hierarchy, open), sizes, new LayoutCache());
    });
    const place = (scene: Scene, node: number): number[] => {
      const i = scene.node.indexOf(node);
      return [scene.x[i], scene.y[i]];
    };
    const { node: nodes, y } = scenes[0];
    const fromTop = Array.from(nodes, (_, i) => i).sort((a, b) => y[a] - y[b]);
    for (const node of fromTop.slice(0, 5).map((i) => nodes[i]))
      assert.deepEqual(place(scenes[1], node), place(scenes[0], node));
  });

  const folder = corpusFolder();
  if (folder !== undefined) {
    it('draws every corpus model soundly', function () {
      this.timeout(120_000);
      let models = 0;
      let boxes = 0;
      for (const part of ['public', 'architectures', 'large']) {
        for (const name of readdirSync(join(folder, part)).filter((file) => /\.onnx$/.test(file))) {
          let graph: ViewGraph;
          try {
            graph = graphOf({ kind: 'file', path: join(folder, part, name) });
          } catch (error) {
            if ((error as Error).name !== InputError.name) throw error;
            continue;
          }
          for (const opening of ['first', 'all'] as const) {
            const { scene } = sceneOf(graph, opening);
            assertPicture(scene, `${name}, ${opening}`);
            boxes += scene.node.length;
          }
          models++;
        }
      }
      process.stdout.write(`  ${models} corpus models drawn, ${boxes} boxes\n`);
    });
  }
});
