import assert from 'node:assert/strict';
import { holdsPromises } from '../../../support/planProperties';

describe('random networks on random clusters', () => {
  it('every plan passes the checker, none falls below its bound or behind an opponent', async () => {
    let valid = 0;
    for (let seed = 0; seed < 60; seed++) if (await holdsPromises(seed)) valid++;
    assert.ok(valid > 30, String(valid));
  });
});
