import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../../../src/core/graph/random';
import { corpusFolder } from '../../../support/corpus';
import { mutate, survives } from '../../../support/fuzz';
import { int64s, node, onnxFile, value, zeros } from '../../../support/onnxFile';

const OP_TYPES =
  'Add Concat Conv Gather If Loop Pad Range Reshape Resize Scan Shape Slice Split Tile Transpose'.split(' ');
const LARGEST_FILE = 20_000;
const MUTANTS = 1500;

const branch = { name: 'b', node: [node('Abs', 'a', 'o')], output: [value('o')] };
const FIXTURES = [
  onnxFile({
    input: [value('x', ['N', 3, 8, 8]), value('p', [], 9)],
    output: [value('y')],
    initializer: [zeros('w', [4, 3, 3, 3]), int64s('s', [0, -1])],
    node: [
      node('Conv', 'x w', 'c', { pads: [1, 1, 1, 1] }),
      node('Relu', 'c', 'a'),
      node('If', 'p', 'b', { then_branch: branch, else_branch: branch }),
      node('Reshape', 'b s', 'r'),
      node('Shape', 'r', 'd'),
      node('ConstantOfShape', 'd', 'y'),
    ],
  }),
];

function mutants(files: readonly Uint8Array[], seed: number): { accepted: number; refused: number } {
  const random = seededRandom(seed);
  const tally = { accepted: 0, refused: 0 };
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = mutate(files[random.below(files.length)], random, OP_TYPES);
    tally[survives(mutant) ? 'accepted' : 'refused']++;
  }
  return tally;
}

describe('damaged files', () => {
  it('are accepted or refused with one sentence, never anything else', () => {
    const { accepted, refused } = mutants(FIXTURES, 1);
    assert.ok(accepted > MUTANTS / 20 && refused > MUTANTS / 20, `${accepted} accepted, ${refused} refused`);
  });

  it('of the corpus too', () => {
    const folder = corpusFolder('public');
    if (folder === undefined) return;
    const names = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
    const files = names.map((name) => new Uint8Array(readFileSync(join(folder, name))));
    const { accepted, refused } = mutants(
      files.filter(({ length }) => length <= LARGEST_FILE),
      2,
    );
    process.stdout.write(`  ${MUTANTS} mutants of the corpus: ${accepted} accepted, ${refused} refused\n`);
  });
});
