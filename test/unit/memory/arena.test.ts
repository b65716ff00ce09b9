import assert from 'node:assert/strict';
import { seededRandom } from '../../../src/core/graph/random';
import { packBlocks, liveBoundBytes, heightOf, type Blocks } from '../../../src/core/memory/blocks';
import { ALL_PACK_RULES, ExactPacker, type PackRules } from '../../../src/core/memory/exactPack';
import { FIRST_FIT_ORDERS, firstFit, type FirstFitOrder } from '../../../src/core/memory/firstFit';
import { packWithin } from '../../../src/core/memory/packWithin';

const PROBLEMS = 150;

function randomBlocks(seed: number): Blocks {
  const random = seededRandom(seed);
  return packBlocks(
    Array.from({ length: 2 + random.below(5) }, () => {
      const lower = random.below(6);
      return { lower, upper: lower + 1 + random.below(4), size: 64 * (1 + random.below(5)) };
    }),
  );
}

/** The least height by trying every order of placing each block at its lowest free offset above the earlier ones. */
function leastHeight(blocks: Blocks): number {
  let least = Infinity;
  const offsets = new Float64Array(blocks.count);
  const place = (placed: readonly number[]): void => {
    if (placed.length === blocks.count) least = Math.min(least, heightOf(blocks, offsets));
    for (let block = 0; block < blocks.count; block++) {
      if (placed.includes(block)) continue;
      offsets[block] = 0;
      for (const other of placed) {
        if (overlap(blocks, block, other))
          offsets[block] = Math.max(offsets[block], offsets[other] + blocks.size[other]);
      }
      place([...placed, block]);
    }
  };
  place([]);
  return least;
}

function overlap({ lower, upper }: Blocks, a: number, b: number): boolean {
  return lower[a] < upper[b] && lower[b] < upper[a];
}

function assertDisjoint(blocks: Blocks, offsets: Float64Array): void {
  for (let a = 0; a < blocks.count; a++) {
    for (let b = 0; b < a; b++) {
      if (!overlap(blocks, a, b)) continue;
      assert.ok(offsets[a] + blocks.size[a] <= offsets[b] || offsets[b] + blocks.size[b] <= offsets[a]);
    }
  }
}

describe('arena', () => {
  const variants: Record<string, PackRules> = { 'all rules': ALL_PACK_RULES };
  for (const rule of Object.keys(ALL_PACK_RULES))
    variants[`without ${rule}`] = { ...ALL_PACK_RULES, [rule]: false };

  for (const [name, rules] of Object.entries(variants)) {
    it(`exact packing equals brute force on ${PROBLEMS} small problems, ${name}`, () => {
      for (let seed = 0; seed < PROBLEMS; seed++) {
        const blocks = randomBlocks(seed);
        const least = leastHeight(blocks);
        for (const renew of [true, false]) {
          const how = { ranking: 'crowd, lifetime, area', renew, noise: 0, nodeLimit: 1e6 } as const;
          const pack = (capacity: number) =>
            new ExactPacker(blocks, capacity, rules).pack(how, seededRandom(1), () => false);
          const packed = pack(least);
          assert.equal(packed.kind, 'packed', `problem ${seed}`);
          if (packed.kind === 'packed') assertDisjoint(blocks, packed.offsets);
          assert.equal(pack(least - 64).kind, 'impossible', `problem ${seed}`);
        }
      }
    });
  }

  it('first fit never overlaps and never beats the live bound', () => {
    for (let seed = 0; seed < PROBLEMS; seed++) {
      const blocks = randomBlocks(seed);
      for (const order of Object.keys(FIRST_FIT_ORDERS) as FirstFitOrder[]) {
        const offsets = firstFit(blocks, order);
        assertDisjoint(blocks, offsets);
        assert.ok(heightOf(blocks, offsets) >= liveBoundBytes(blocks));
      }
    }
  });

  it('says so when blocks cannot fit', () => {
    const blocks = packBlocks([
      { lower: 0, upper: 2, size: 64 },
      { lower: 1, upper: 3, size: 64 },
    ]);
    assert.equal(
      packWithin(blocks, 64, { nodes: 0, nodeLimit: 1e5, interrupted: () => false }).kind,
      'impossible',
    );
  });
});
