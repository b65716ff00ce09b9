import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { doorbellModel } from '../../../src/engine/example/doorbell';
import { corpusFolder } from '../../support/corpus';
import { transformerModel } from '../../support/webview/generator';
import { denseNet, hourglassNet, inceptionNet, residualNet } from '../../support/webview/nets';
import { assertPicture, Pictures, viewGraphOf, viewGraphOfBytes } from '../../support/webview/scenes';

const GOLDEN = resolve(__dirname, '../../golden/layout');

/** A picture as text: a line per box (frames with what they hold after them), then one per edge. */
function pictureText(pictures: Pictures): string {
  const { graph, hierarchy } = pictures;
  const { node, x, y, width, height, frame, lines } = pictures.scene('first');
  const nameOf = (id: number): string => {
    if (id >= hierarchy.leafCount) return hierarchy.labels[id - hierarchy.leafCount];
    if (id < hierarchy.operatorCount) return graph.operators.typeNames[graph.operators.types[id]];
    const end = id - hierarchy.operatorCount;
    const ends = [...graph.inputs, ...graph.outputs];
    return graph.tensors.names[ends[end]];
  };
  const number = (value: number): string => String(Math.round(value * 10) / 10);
  const boxes = Array.from(node, (id, i) => {
    const place = [x[i], y[i], width[i], height[i]].map(number).join(' ');
    return `${frame[i] === 1 ? 'frame' : 'box'} ${place} ${nameOf(id)}`;
  });
  const edges = Array.from(lines.wire, (_, line) => {
    const points = [...lines.points.subarray(lines.first[line], lines.first[line + 1])].map(number);
    return `edge ${points.join(' ')}`;
  });
  return `${[...boxes, ...edges].join('\n')}\n`;
}

const PICTURES: Readonly<Record<string, () => Uint8Array>> = {
  residual: () => residualNet(3),
  dense: () => denseNet(5),
  inception: () => inceptionNet(2),
  hourglass: () => hourglassNet(4),
  transformer: () => transformerModel(40, false),
  'transformer-with-skips': () => transformerModel(40, true),
  doorbell: () => doorbellModel(),
};

/** x of the middles of boxes, each once. */
function columns(pictures: Pictures): Map<number, number> {
  const { node, x, width, frame } = pictures.scene('all');
  const found = new Map<number, number>();
  node.forEach((id, i) => {
    if (frame[i] === 1 || id >= pictures.hierarchy.operatorCount) return;
    const middle = Math.round(x[i] + width[i] / 2);
    found.set(middle, (found.get(middle) ?? 0) + 1);
  });
  return found;
}

describe('golden pictures', () => {
  for (const [name, bytes] of Object.entries(PICTURES)) {
    it(`${name} is drawn as it was`, () => {
      const pictures = new Pictures(viewGraphOfBytes(bytes()));
      assertPicture(pictures.scene('first'), name);
      const path = join(GOLDEN, `${name}.txt`);
      const text = pictureText(pictures);
      if (process.env['WRITE_GOLDEN'] !== undefined) writeFileSync(path, text);
      assert.ok(existsSync(path), `${path} is missing: look at the picture, then run with WRITE_GOLDEN=1`);
      assert.equal(text, readFileSync(path, 'utf8'), 'if the new picture is better, run with WRITE_GOLDEN=1');
    });
  }
});

describe('pictures as in a textbook', () => {
  it('a residual net is one straight column with its projection beside it', () => {
    const found = columns(new Pictures(viewGraphOfBytes(residualNet(4))));
    assert.deepEqual([...found.values()], [30, 1]);
  });

  it('a dense net is one straight column', () => {
    assert.equal(columns(new Pictures(viewGraphOfBytes(denseNet(6)))).size, 1);
  });

  it('branches of an inception module stand symmetrically around the main path', () => {
    const found = [...columns(new Pictures(viewGraphOfBytes(inceptionNet(2)))).keys()].sort((a, b) => a - b);
    assert.deepEqual(found, found.map((middle) => 0 - middle).reverse());
  });

  const folder = corpusFolder('public');
  if (folder !== undefined) {
    it('ResNet-50 is one column with four projections beside it, DenseNet-121 is one column', () => {
      const of = (name: string): number[] =>
        [
          ...columns(
            new Pictures(viewGraphOf({ kind: 'file', path: join(folder, `${name}.onnx`) })),
          ).values(),
        ].sort((a, b) => b - a);
      assert.deepEqual(of('light_resnet50'), [168, 8]);
      assert.deepEqual(of('light_densenet121'), [668]);
    });
  }
});
