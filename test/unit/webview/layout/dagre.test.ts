import dagre from '@dagrejs/dagre';
import assert from 'node:assert/strict';
import type { ViewGraph } from '../../../../src/protocol/webview';
import { LayoutCache } from '../../../../webview/layout/pieces';
import { SPACING } from '../../../../webview/layout/types';
import { hierarchyOf } from '../../../../webview/scene/hierarchy';
import { levelsOf } from '../../../../webview/scene/levels';
import { buildScene } from '../../../../webview/scene/scene';
import { nodeSizes } from '../../../../webview/scene/sizes';
import { topologyOf } from '../../../../webview/scene/topology';
import { corpusFolder } from '../../../support/corpus';
import { transformerModel } from '../../../support/webview/generator';
import { corpusPictures, viewGraphOfBytes } from '../../../support/webview/scenes';

/** dagre needs seconds beyond this many boxes; docs/view.md tells of the larger models of the corpus. */
const MOST_BOXES = 260;

/** Models whose straight main path costs some width: how many times as wide as dagre's they may be. */
const WIDER: Readonly<Record<string, number>> = {
  'fastestdet.onnx': 1.18,
  'sinet_softmax.onnx': 1.06,
  'zigzag_resnet8.onnx': 1.04,
  'silero_vad.onnx': 1.03,
};

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
    const { ours, dagres } = widths(viewGraphOfBytes(transformerModel(60, true)));
    assert.ok(ours <= dagres, `${ours} against ${dagres}`);
  });

  if (corpusFolder() !== undefined) {
    it('is no larger for the models of the corpus', function () {
      this.timeout(120_000);
      let models = 0;
      for (const [name, { graph }] of corpusPictures()) {
        const boxes = graph.operators.types.length + graph.inputs.length + graph.outputs.length;
        if (boxes < 4 || boxes > MOST_BOXES) continue;
        const { ours, dagres } = widths(graph);
        assert.ok(ours <= dagres * (WIDER[name] ?? 1) + 0.5, `${name}: ${ours} against ${dagres}`);
        models++;
      }
      const excepted = Object.keys(WIDER).length;
      process.stdout.write(`  ${models} corpus models, all but ${excepted} no wider than dagre's\n`);
    });
  }
});
