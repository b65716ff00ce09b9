import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { FLOP_TABLE } from '../../../src/core/analysis/flopTable';
import { knownOperators } from '../../../src/core/shape/rules/registry';
import { OPERATOR_DOCS, operatorDocs } from '../../../tools/operatorDocs';

describe('docs/operators.md', () => {
  it('is what the table says', async () => {
    assert.equal(readFileSync(OPERATOR_DOCS, 'utf8'), await operatorDocs());
  });

  it('has a formula for every operator with a shape rule, and for no other', () => {
    const ruled = knownOperators().map(({ domain, type }) => `${domain}:${type}`);
    const counted = [...FLOP_TABLE].flatMap(([domain, types]) =>
      [...types.keys()].map((type) => `${domain}:${type}`),
    );
    assert.deepEqual(counted.sort(), ruled.sort());
  });
});
