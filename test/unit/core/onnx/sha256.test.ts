import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Sha256 } from '../../../../src/core/onnx/sha256';

describe('SHA-256', () => {
  it('agrees with the platform for every length around block borders, however it is fed', () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 37) & 255);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length);
      const cut = length >> 1;
      const ours = new Sha256().update(part.subarray(0, cut)).update(part.subarray(cut)).digest();
      assert.equal(ours, createHash('sha256').update(part).digest('hex'), `length ${length}`);
    }
  });
});
