import { intAttribute, intsAttribute, stringAttribute } from '../../graph/attributes';
import type { ConstantOverrides, NodeFacts, NodeSplit, Part } from './node';
import { along, axisSplit, blocks, broadcast, each, firstInput, NO_CONSTANTS, WHOLE } from './node';

/** `Transpose`: output axis `i` is input axis `perm[i]`. */
export function transpose(facts: NodeFacts): NodeSplit[] {
  const rank = facts.outputs[0]!.shape.length;
  const order = intsAttribute(facts.node.attributes, 'perm');
  return facts.outputs[0]!.shape.map((_length, axis) =>
    axisSplit(facts, axis, [along(order === undefined ? rank - 1 - axis : order[axis])]),
  );
}

/** `Expand`: a broadcast to a constant shape; a shard's shape is its own. */
export function expand(facts: NodeFacts): NodeSplit[] {
  const shape = facts.outputs[0]!.shape;
  const target = facts.inputs[1]?.values;
  const input = facts.inputs[0]!.shape;
  if (target === undefined) return [];
  return shape.map((length, axis) => {
    const entry = axis - (shape.length - target.length);
    const constants = (start: number, end: number): ConstantOverrides => {
      if (entry < 0 || target[entry] === 1) return NO_CONSTANTS;
      return new Map([[1, target.map((size, index) => (index === entry ? end - start : size))]]);
    };
    return axisSplit(facts, axis, firstInput(facts, broadcast(input, shape.length, axis, length)), {
      constants,
    });
  });
}

/** `Tile`: axes that are not repeated follow; repeated ones are cut between whole copies. */
export function tile(facts: NodeFacts): NodeSplit[] {
  const repeats = facts.inputs[1]?.values;
  const input = facts.inputs[0]!.shape;
  if (repeats === undefined || facts.inputs.length !== 2 || repeats.length !== input.length) return [];
  return input.map((length, axis) => {
    if (repeats[axis] === 1) return axisSplit(facts, axis, firstInput(facts, along(axis)));
    const constants = (start: number, end: number) =>
      new Map([[1, repeats.map((count, index) => (index === axis ? (end - start) / length : count))]]);
    return axisSplit(facts, axis, firstInput(facts, WHOLE), { unit: Math.max(1, length), constants });
  });
}

/** `DepthToSpace`: rows and columns in whole blocks; channels where each output channel's inputs lie together. */
export function depthToSpace(facts: NodeFacts): NodeSplit[] {
  const block = intAttribute(facts.node.attributes, 'blocksize', 1);
  const splits = [axisSplit(facts, 0, [along(0)])];
  if (stringAttribute(facts.node.attributes, 'mode', 'DCR') === 'CRD')
    splits.push(axisSplit(facts, 1, [blocks(1, 1, block * block)]));
  for (const axis of [2, 3]) splits.push(axisSplit(facts, axis, [blocks(axis, block, 1)], { unit: block }));
  return splits;
}

/** `SpaceToDepth`: rows and columns; its output channels interleave those of the input. */
export function spaceToDepth(facts: NodeFacts): NodeSplit[] {
  const block = intAttribute(facts.node.attributes, 'blocksize', 1);
  return [
    axisSplit(facts, 0, [along(0)]),
    axisSplit(facts, 2, [blocks(2, 1, block)]),
    axisSplit(facts, 3, [blocks(3, 1, block)]),
  ];
}

/** `OneHot`: every axis of the indices; the new axis stays whole. */
export function oneHot(facts: NodeFacts): NodeSplit[] {
  const rank = facts.outputs[0]!.shape.length;
  const given = intAttribute(facts.node.attributes, 'axis', -1);
  const added = given < 0 ? given + rank : given;
  const splits: NodeSplit[] = [];
  for (let axis = 0; axis < rank; axis++) {
    if (axis === added) continue;
    const part: Part = along(axis < added ? axis : axis - 1);
    splits.push(axisSplit(facts, axis, firstInput(facts, part)));
  }
  return splits;
}

/** `Einsum` without ellipsis: each letter of the result follows through; summed letters give partial sums. */
export function einsum(facts: NodeFacts): NodeSplit[] {
  const equation = stringAttribute(facts.node.attributes, 'equation', '').replace(/\s/g, '');
  const [left, right] = equation.split('->');
  if (right === undefined || equation.includes('.')) return [];
  const terms = left.split(',');
  const repeats = (term: string): boolean => new Set(term).size !== term.length;
  if (terms.length !== facts.inputs.length || terms.some(repeats)) return [];
  const parts = (letter: string): Part[] =>
    each(facts.inputs, (_tensor, index) =>
      terms[index].includes(letter) ? along(terms[index].indexOf(letter)) : WHOLE,
    );
  const splits = [...right].map((letter, axis) => axisSplit(facts, axis, parts(letter)));
  [...terms[0]].forEach((letter, axis) => {
    if (right.includes(letter)) return;
    const length = facts.inputs[0]!.shape[axis];
    splits.push({ dimension: 'K', axis, length, unit: 1, inputs: parts(letter), outputs: [WHOLE] });
  });
  return splits;
}
