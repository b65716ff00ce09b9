import dagre from '@dagrejs/dagre';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { ViewGraph } from '../../../../src/protocol/webview';
import { OpenModel } from '../../../../src/worker/openModel';
import type { ModelSource } from '../../../../src/protocol/worker';
import { LayoutCache } from '../../../../webview/layout/pieces';
import { SPACING } from '../../../../webview/layout/types';
import { hierarchyOf } from '../../../../webview/scene/hierarchy';
import { levelsOf } from '../../../../webview/scene/levels';
import { buildScene } from '../../../../webview/scene/scene';
import { nodeSizes } from '../../../../webview/scene/sizes';
import { topologyOf } from '../../../../webview/scene/topology';
import { corpusFolder } from '../../../support/corpus';
import { transformerModel } from '../../../support/webview/generator';

const CORPUS = [
  ...[
    'public/light_squeezenet',
    'public/light_inception_v1',
    'public/light_resnet50',
    'public/light_shufflenet',
  ],
  ...['architectures/unet', 'architectures/bert-2l-seq128', 'architectures/unetpp', 'public/yunet_n_dynamic'],
];

function graphOf(model: ModelSource): ViewGraph {
  const rules = { bindings: {}, fuse: 'none', inPlace: 'none' } as const;
  return OpenModel.read({ model, plan: { kind: 'none' }, ...rules }).state({ inPlace: 'none' }).document
    .graph;
}

/** Widths of the same boxes without groups: ours, and dagre's with the same spacing. */
function widths(graph: ViewGraph): { ours: number; dagres: number } {
  const topology = topologyOf(graph);
  const grouped = hierarchyOf(graph, topology);
  const { leafCount } = grouped;
  const flat = {
    ...grouped,
    nodeCount: leafCount,
    parent: new Int32Array(leafCount).fill(-1),
    firstChild: Uint32Array.of(0, leafCount),
    children: Int32Array.from({ length: leafCount }, (_, i) => i),
  };
  const sizes = nodeSizes(graph, flat);
  const levels = levelsOf(graph, topology, flat, new Uint8Array(0));
  const { bounds } = buildScene(flat, levels, sizes, new LayoutCache());
  const other = new dagre.graphlib.Graph({ multigraph: true });
  const { betweenBoxes, betweenLines, betweenRanks } = SPACING;
  other.setGraph({ nodesep: betweenBoxes, edgesep: betweenLines, ranksep: betweenRanks });
  for (let i = 0; i < leafCount; i++) {
    other.setNode(String(i), { width: sizes.width[i], height: sizes.height[i] });
  }
  levels.wires.forEach(({ source, sinks }, wire) => {
    for (const sink of sinks) other.setEdge(String(source), String(sink), {}, String(wire));
  });
  dagre.layout(other);
  return { ours: bounds.maxX - bounds.minX, dagres: other.graph().width! };
}

describe('width of the layout beside that of dagre', () => {
  it('is no larger for a transformer', () => {
    const { ours, dagres } = widths(
      graphOf({ kind: 'bytes', name: 'm.onnx', bytes: transformerModel(60, true) }),
    );
    assert.ok(ours <= dagres, `${ours} against ${dagres}`);
  });

  const folder = corpusFolder();
  if (folder !== undefined) {
    it('is no larger for known architectures', function () {
      this.timeout(60_000);
      for (const name of CORPUS) {
        const { ours, dagres } = widths(graphOf({ kind: 'file', path: join(folder, `${name}.onnx`) }));
        assert.ok(ours <= dagres + 0.5, `${name}: ${ours} against ${dagres}`);
        process.stdout.write(`  ${name}: ${Math.round(ours)} against ${Math.round(dagres)}\n`);
      }
    });
  }
});
