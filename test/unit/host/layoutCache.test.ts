import assert from 'node:assert';
import { LayoutCache } from '../../../src/host/layoutCache';

const MIB = 2 ** 20;

describe('layout cache', () => {
  it('gives back what it was given', () => {
    const cache = new LayoutCache();
    const layout = new ArrayBuffer(8);
    cache.set('a', layout);
    assert.equal(cache.get('a'), layout);
    assert.equal(cache.get('b'), undefined);
  });

  it('forgets what was used longest ago, and refuses what is too large', () => {
    const cache = new LayoutCache();
    cache.set('a', new ArrayBuffer(30 * MIB));
    cache.set('b', new ArrayBuffer(30 * MIB));
    cache.get('a');
    cache.set('c', new ArrayBuffer(30 * MIB));
    assert.ok(cache.get('a'));
    assert.equal(cache.get('b'), undefined);
    cache.set('d', new ArrayBuffer(65 * MIB));
    assert.equal(cache.get('d'), undefined);
    assert.ok(cache.get('c'));
  });
});
