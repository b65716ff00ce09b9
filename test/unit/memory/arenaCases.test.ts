import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { heightOf, packBlocks } from '../../../src/core/memory/blocks';
import { packWithin } from '../../../src/core/memory/packWithin';
import { corpusFolder } from '../../support/corpus';

const CAPACITY = 1_048_576;
/** The published cases that take well under a second; the benchmark runs all. */
const QUICK = ['A', 'C', 'D', 'F', 'G', 'I', 'J', 'K'];

describe('published offset-assignment cases', () => {
  const folder = corpusFolder('arena');
  if (folder === undefined) return;
  for (const name of QUICK) {
    it(`packs ${name} into ${CAPACITY} bytes`, () => {
      const lines = readFileSync(join(folder, `${name}.${CAPACITY}.csv`), 'utf8')
        .trim()
        .split('\n')
        .slice(1);
      const blocks = packBlocks(
        lines.map((line) => {
          const [, lower, upper, size] = line.split(',').map(Number);
          return { lower, upper, size };
        }),
      );
      const outcome = packWithin(blocks, CAPACITY, { nodes: 0, nodeLimit: 2e5, interrupted: () => false });
      assert.equal(outcome.kind, 'packed');
      if (outcome.kind === 'packed') assert.ok(heightOf(blocks, outcome.offsets) <= CAPACITY);
    });
  }
});
