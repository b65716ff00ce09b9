import assert from 'node:assert/strict';
import { openFromTop } from '../../../webview/scene/hierarchy';
import { levelsOf } from '../../../webview/scene/levels';
import type { Scene } from '../../../webview/scene/scene';
import { topologyOf } from '../../../webview/scene/topology';
import { corpusFolder } from '../../support/corpus';
import { node, onnxFile, value } from '../../support/onnxFile';
import { transformerModel } from '../../support/webview/generator';
import { assertPicture, corpusPictures, Pictures, viewGraphOfBytes } from '../../support/webview/scenes';

const AXIS = { name: 'axis', type: 2, i: 0 };

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

/** Graphs that no exporter makes, and that must be drawn all the same. */
const ODD: Readonly<Record<string, () => Uint8Array>> = {
  'a single operator': () =>
    onnxFile({ input: [value('x', [1])], output: [value('y')], node: [node('Relu', 'x', 'y')] }),
  '500 branches side by side': () => {
    const branches = Array.from({ length: 500 }, (_, i) => node('Relu', 'x', `b${i}`));
    const join = {
      ...node('Concat', branches.map(({ output }) => output![0]).join(' '), 'y'),
      attribute: [AXIS],
    };
    return onnxFile({ input: [value('x', [1])], output: [value('y')], node: [...branches, join] });
  },
  'scopes twenty levels deep': () => {
    const scope = (depth: number): string =>
      Array.from({ length: depth + 1 }, (_, level) => `level${level}`).join('/');
    const nodes = Array.from({ length: 60 }, (_, i) =>
      node('Relu', i === 0 ? 'x' : `t${i - 1}`, `t${i}`, {}, { name: `/${scope(Math.floor(i / 3))}/${i}` }),
    );
    return onnxFile({ input: [value('x', [1])], output: [value('t59')], node: nodes });
  },
};

/** What opening one group changes for all the other boxes. */
function changeByOpening(
  pictures: Pictures,
  group: number,
): { sideways: number; downwards: Set<number>; swaps: number } {
  const opened = pictures.hierarchy.leafCount + group;
  const places = (scene: Scene): Map<number, { x: number; y: number; bottom: number }> =>
    new Map(
      Array.from(scene.node, (id, i) => [
        id,
        { x: scene.x[i] + scene.width[i] / 2, y: scene.y[i], bottom: scene.y[i] + scene.height[i] },
      ]),
    );
  const before = places(pictures.scene('none'));
  const open = new Uint8Array(pictures.hierarchy.labels.length);
  open[group] = 1;
  const after = places(pictures.scene(open));
  const rest = [...before.keys()]
    .filter((id) => id !== opened)
    .sort((a, b) => before.get(a)!.y - before.get(b)!.y);
  let sideways = 0;
  let swaps = 0;
  const downwards = new Set<number>();
  rest.forEach((id, i) => {
    const [was, is] = [before.get(id)!, after.get(id)!];
    sideways = Math.max(sideways, Math.abs(is.x - was.x));
    if (was.y >= before.get(opened)!.bottom) downwards.add(Math.round(is.y - was.y));
    for (const other of rest.slice(i + 1)) {
      const [beside, now] = [before.get(other)!, after.get(other)!];
      if (beside.y >= was.bottom) break;
      if (Math.sign(beside.x - was.x) !== Math.sign(now.x - is.x)) swaps++;
    }
  });
  return { sideways, downwards, swaps };
}

/** Up to eight groups of the top level, from first to last. */
function someGroups({ hierarchy }: Pictures): number[] {
  const top = hierarchy.labels
    .map((_, g) => g)
    .filter((g) => hierarchy.parent[hierarchy.leafCount + g] === -1);
  return top.filter((_, i) => i % Math.ceil(top.length / 8) === 0);
}

describe('scene of a graph', () => {
  const small = new Pictures(viewGraphOfBytes(transformerModel(90, false)));
  const skips = new Pictures(viewGraphOfBytes(transformerModel(600, true)));

  it('finds the repeated blocks of a graph without scopes', () => {
    assert.deepEqual(small.hierarchy.labels, ['Block 1', 'Block 2', 'Block 3', 'Block 4', 'Block 5']);
  });

  it('draws open and closed groups soundly', () => {
    for (const pictures of [small, skips]) {
      for (const open of ['first', 'all', 'none'] as const) assertPicture(pictures.scene(open), open);
    }
  });

  it('gives equal blocks equal pictures, and the same graph the same picture', () => {
    const scene = small.scene('all');
    const frames = Array.from(scene.frame, (isFrame, i) => (isFrame === 1 ? i : -1)).filter((i) => i !== -1);
    assert.equal(new Set(frames.slice(1, 3).map((i) => `${scene.width[i]} ${scene.height[i]}`)).size, 1);
    assert.deepEqual(new Pictures(small.graph).scene('all'), scene);
  });

  it('leads a tensor out of every group around its source, however near its first reader is', () => {
    const pictures = new Pictures(viewGraphOfBytes(nestedModel()));
    const { graph, hierarchy } = pictures;
    assert.deepEqual(hierarchy.labels, ['outer', 'inner', 'rest']);
    const { levels } = levelsOf(graph, topologyOf(graph), hierarchy, Uint8Array.of(1, 1, 1));
    assert.deepEqual(
      levels.map((level) => level?.outputPorts.length),
      [2, 1, 1, 0],
    );
    assertPicture(pictures.scene('all'), 'nested');
  });

  it('keeps the rest of a chain of blocks where it was when one opens, and moves what is below as one', () => {
    for (let group = 0; group < small.hierarchy.labels.length; group++) {
      const { sideways, downwards, swaps } = changeByOpening(small, group);
      assert.deepEqual([sideways, downwards.size, swaps], [0, 1, 0]);
    }
  });

  it('lays out the upper part of a large picture first, just as it stands in the whole', () => {
    const pictures = new Pictures(viewGraphOfBytes(transformerModel(5000, false)));
    const all = new Uint8Array(pictures.hierarchy.labels.length).fill(1);
    const part = openFromTop(pictures.hierarchy, all, 300, 2000)!;
    const [first, whole] = [pictures.scene(part), pictures.scene(all)];
    assert.ok(first.node.length < 1000 && whole.node.length > 5000);
    const isClosed = (i: number): boolean =>
      first.frame[i] === 0 && first.node[i] >= pictures.hierarchy.leafCount;
    const closed = Math.min(...Array.from(first.node, (_, i) => (isClosed(i) ? first.y[i] : Infinity)));
    const place = new Map(Array.from(whole.node, (id, i) => [id, [whole.x[i], whole.y[i]]]));
    const above = Array.from(first.node, (_, i) => i).filter(
      (i) => first.frame[i] === 0 && first.y[i] < closed,
    );
    assert.ok(above.length >= 200);
    for (const i of above) assert.deepEqual([first.x[i], first.y[i]], place.get(first.node[i]));
    assert.equal(openFromTop(pictures.hierarchy, part, 300, 2000), null);
  });

  it('gathers many inputs and outputs into one closed group each', () => {
    const names = Array.from({ length: 40 }, (_, i) => `input ${i}`);
    const pictures = new Pictures(
      viewGraphOfBytes(
        onnxFile({
          input: names.map((name) => value(name, [1])),
          output: [value('y')],
          node: [{ opType: 'Concat', input: names, output: ['y'], attribute: [AXIS] }],
        }),
      ),
    );
    assert.deepEqual(pictures.hierarchy.labels, ['40 inputs']);
    assert.equal(pictures.scene('first').node.length, 3);
    assert.equal(pictures.scene('all').node.length, 43);
    assertPicture(pictures.scene('all'), 'open');
  });

  for (const [what, bytes] of Object.entries(ODD)) {
    it(`draws ${what}`, () => {
      const pictures = new Pictures(viewGraphOfBytes(bytes()));
      for (const open of ['first', 'all', 'none'] as const) assertPicture(pictures.scene(open), open);
    });
  }

  if (corpusFolder() !== undefined) {
    it('draws every corpus model soundly', function () {
      this.timeout(120_000);
      let models = 0;
      let boxes = 0;
      for (const [name, pictures] of corpusPictures()) {
        for (const open of ['first', 'all'] as const) {
          const scene = pictures.scene(open);
          assertPicture(scene, `${name}, ${open}`);
          boxes += scene.node.length;
        }
        models++;
      }
      process.stdout.write(`  ${models} corpus models drawn, ${boxes} boxes\n`);
    });

    it('turns nothing round when a group of a corpus model opens', function () {
      this.timeout(120_000);
      let opened = 0;
      let still = 0;
      for (const [name, pictures] of corpusPictures()) {
        for (const group of someGroups(pictures)) {
          const { sideways, swaps } = changeByOpening(pictures, group);
          assert.equal(swaps, 0, `${name}: opening ${pictures.hierarchy.labels[group]} swaps boxes`);
          opened++;
          if (sideways <= 1) still++;
        }
      }
      process.stdout.write(`  ${opened} groups opened, ${still} of them without moving anything sideways\n`);
    });
  }
});
