import assert from 'node:assert/strict';
import { seededRandom } from '../../../../src/core/graph/random';
import { TripleMap } from '../../../../src/core/latency/tripleMap';

describe('a map from three integers', () => {
  it('has what a map by text has, also once it has grown', () => {
    const random = seededRandom(5);
    const map = new TripleMap<number>();
    const known = new Map<string, number>();
    // Few numbers, so that keys share parts and come again; large and negative ones among them.
    const part = (): number => (random.below(2) === 0 ? 1 : -1) * random.below(40) * 50_000_003;
    for (let i = 0; i < 60_000; i++) {
      const [a, b, c] = [part(), part(), random.below(7)];
      const key = `${a} ${b} ${c}`;
      assert.equal(map.get(a, b, c), known.get(key));
      if (known.has(key)) continue;
      map.add(a, b, c, i);
      known.set(key, i);
    }
    assert.equal(map.size, known.size);
    assert.ok(map.size > 20_000, String(map.size));
    for (const [key, value] of known) {
      const [a, b, c] = key.split(' ').map(Number);
      assert.equal(map.get(a, b, c), value);
    }
  });

  it('has nothing any more once it is cleared', () => {
    const map = new TripleMap<string>();
    map.add(1, 2, 3, 'x');
    map.clear();
    assert.equal(map.get(1, 2, 3), undefined);
    assert.equal(map.size, 0);
    map.add(1, 2, 3, 'y');
    assert.equal(map.get(1, 2, 3), 'y');
  });
});
