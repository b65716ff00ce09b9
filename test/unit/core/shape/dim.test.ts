import assert from 'node:assert/strict';
import * as dims from '../../../../src/core/shape/dim';
import type { Dim } from '../../../../src/core/shape/types';
import { randomInts } from '../../../support/random';

const h = dims.symbol('h', undefined);
const w = dims.symbol('w', undefined);

function textOf(dim: Dim): string {
  return typeof dim === 'object' ? dim.text : String(dim);
}

describe('arithmetic on dimensions', () => {
  const cases: [string, Dim, string][] = [
    ['terms are collected', dims.add(dims.multiply(h, 2), dims.subtract(h, 3)), '3*h - 3'],
    ['what cancels is gone', dims.subtract(dims.add(h, w), w), 'h'],
    ['products are sorted', dims.multiply(dims.multiply(w, h), w), 'h*w*w'],
    ['nothing times anything is nothing', dims.multiply(0, undefined), '0'],
    ['a halved stride', dims.add(dims.floorDivide(dims.subtract(h, 1), 2), 1), 'floor((h + 1)/2)'],
    ['rounding up is rounding down', dims.ceilDivide(h, 2), 'floor((h + 1)/2)'],
    ['floors of floors join', dims.floorDivide(dims.floorDivide(h, 2), 3), 'floor(h/6)'],
    ['common factors go', dims.floorDivide(dims.add(dims.multiply(h, 4), 3), 8), 'floor(h/2)'],
    [
      'whole parts come out',
      dims.floorDivide(dims.add(dims.multiply(h, 3), 5), 2),
      'floor((h + 1)/2) + h + 2',
    ],
    [
      'exact quotients',
      dims.floorDivide(dims.multiply(dims.add(h, 1), dims.multiply(w, 6)), dims.multiply(dims.add(h, 1), 2)),
      '3*w',
    ],
    ['inexact quotients by names', dims.floorDivide(h, w), 'floor(h/w)'],
    ['real factors that are fractions', dims.floor(dims.multiply(h, 0.75)), 'floor(3*h/4)'],
    ['real factors that are none', dims.floor(dims.multiply(h, 0.37)), 'floor(0.37*h)'],
    ['smaller of equal ones', dims.minimum(dims.add(h, 1), dims.add(1, h)), 'h + 1'],
    ['smaller of comparable ones', dims.minimum(h, dims.add(h, 1)), 'h'],
    ['smaller of others', dims.minimum(7, h), 'min(7, h)'],
    ['beyond exact integers', dims.multiply(2 ** 40, 2 ** 40), 'undefined'],
    ['division by nothing', dims.floorDivide(h, 0), 'undefined'],
  ];
  for (const [title, dim, text] of cases) it(`${title}: ${text}`, () => assert.equal(textOf(dim), text));

  it('knows values under bindings, and decides by them', () => {
    const bound = dims.symbol('h', 7);
    assert.equal(dims.sizeOf(dims.floorDivide(dims.add(bound, 1), 3)), 2);
    assert.equal(textOf(dims.maximum(bound, 5)), 'h');
    assert.equal(dims.compare(h, -1), 1);
    assert.equal(dims.compare(h, 3), undefined);
    assert.equal(dims.merge(bound, 7), 7);
    assert.equal(dims.merge(h, w), undefined);
  });

  it('stays small: what grows too large becomes its value or unknown', () => {
    let free: Dim = 1;
    let bound: Dim = 1;
    for (let i = 0; i < 40; i++) {
      free = dims.add(free, dims.symbol(`free${i}`, undefined));
      bound = dims.add(bound, dims.symbol(`bound${i}`, 2));
    }
    assert.equal(free, undefined);
    assert.equal(dims.sizeOf(bound), 81);
  });

  it('evaluates to what the same steps give on numbers, and equal expressions have equal texts', () => {
    const random = randomInts(11);
    for (let round = 0; round < 2000; round++) {
      const values = { h: 1 + random(50), w: 1 + random(50) };
      const bindings = new Map(Object.entries(values));
      let symbolic: Dim = h;
      let number = values.h;
      for (let step = 0; step < 4; step++) {
        const n = 1 + random(6);
        const [next, value] = [
          () => [dims.add(symbolic, n), number + n],
          () => [dims.multiply(symbolic, n), number * n],
          () => [dims.floorDivide(symbolic, n), Math.floor(number / n)],
          () => [dims.ceilDivide(symbolic, n), Math.ceil(number / n)],
          () => [dims.add(symbolic, w), number + values.w],
          () => [dims.minimum(symbolic, n), Math.min(number, n)],
          () => [dims.maximum(symbolic, w), Math.max(number, values.w)],
        ][random(7)]() as [Dim, number];
        [symbolic, number] = [next, value];
      }
      const result = typeof symbolic === 'object' ? symbolic.evaluate(bindings) : symbolic;
      assert.equal(result, number, textOf(symbolic));
    }
  });
});
