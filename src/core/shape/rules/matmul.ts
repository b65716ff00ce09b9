import type { ElementType } from '../../graph/elementType';
import { broadcast, broadcastDim, unify } from '../broadcast';
import { type Operation, type Outputs, type Rule, type Rules, RuleError, tensor } from '../operation';
import type { Dim } from '../types';

/** numpy.matmul: a vector is a row on the left and a column on the right, and its axis vanishes from the result. */
export function matMulShape(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): Dim[] | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a.length === 0 || b.length === 0) throw new RuleError('its inputs should have at least one axis');
  const left = a.length === 1 ? [1, a[0]] : a;
  const right = b.length === 1 ? [b[0], 1] : b;
  unify(left[left.length - 1], right[right.length - 2]);
  const batch = broadcast([left.slice(0, -2), right.slice(0, -2)])!;
  const rows = a.length === 1 ? [] : [left[left.length - 2]];
  const columns = b.length === 1 ? [] : [right[right.length - 1]];
  return [...batch, ...rows, ...columns];
}

export function matMul(op: Operation, a: number, b: number, type: ElementType | undefined): Outputs {
  return [tensor(type, matMulShape(op.shape(a), op.shape(b)))];
}

const gemm: Rule = (op) => {
  const type = op.type(0) ?? op.type(1);
  const a = matrix(op, 0, 'transA');
  const b = matrix(op, 1, 'transB');
  if (a && b) unify(a[1], b[0]);
  const bias = op.shape(2);
  const shape = [a?.[0] ?? biasDim(bias, 2), b?.[1] ?? biasDim(bias, 1)];
  return [tensor(type, shape)];
};

/** A bias that is not broadcast along an axis tells the result's size there. */
function biasDim(bias: readonly Dim[] | undefined, fromEnd: number): Dim {
  const dim = bias?.at(-fromEnd);
  return dim === 1 ? undefined : dim;
}

function matrix(op: Operation, input: number, flag: string): readonly Dim[] | undefined {
  const shape = op.shape(input);
  if (shape === undefined) return undefined;
  if (shape.length !== 2) throw new RuleError(`its input ${input} has rank ${shape.length}, not 2`);
  return op.int(flag, 0) !== 0 ? [shape[1], shape[0]] : shape;
}

/** `ab,bc->ac`, with `...` for broadcast axes; without an arrow the letters that occur once, in order. */
const einsum: Rule = (op) => {
  const [left, right] = op.string('equation', '').replace(/\s/g, '').split('->');
  const terms = left.split(',');
  const sizes = new Map<string, Dim>();
  let ellipsis: Dim[] | undefined;
  if (terms.length !== op.inputs.length)
    throw new RuleError(`its equation has ${terms.length} terms for ${op.inputs.length} inputs`);
  for (const [input, term] of terms.entries()) {
    const shape = op.shape(input);
    if (shape === undefined) return [tensor(op.type(0), undefined)];
    const [before, after] = term.split('...');
    const dots = after === undefined ? 0 : shape.length - before.length - after.length;
    if (dots < 0 || (after === undefined && before.length !== shape.length))
      throw new RuleError(`its equation's term '${term}' does not fit a tensor of rank ${shape.length}`);
    if (after !== undefined) {
      const middle = shape.slice(before.length, before.length + dots);
      ellipsis = broadcast([ellipsis ?? [], middle]);
    }
    [...before].forEach((letter, axis) => note(sizes, letter, shape[axis]));
    [...(after ?? '')].forEach((letter, axis) => note(sizes, letter, shape[before.length + dots + axis]));
  }
  const result = right ?? implicitOutput(left);
  const [before, after] = result.split('...');
  const dims = (letters: string) => [...letters].map((letter) => sizes.get(letter));
  const shape = [...dims(before), ...(after === undefined ? [] : [...(ellipsis ?? []), ...dims(after)])];
  return [tensor(op.type(0), shape)];
};

function note(sizes: Map<string, Dim>, letter: string, dim: Dim): void {
  sizes.set(letter, sizes.has(letter) ? broadcastDim(sizes.get(letter), dim) : dim);
}

function implicitOutput(left: string): string {
  const letters = left.replace(/[.,]/g, '');
  const once = [...letters]
    .filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter))
    .sort();
  return (left.includes('...') ? '...' : '') + once.join('');
}

export const matMulRules: Rules = {
  Det: (op) => [tensor(op.type(0), op.shape(0)?.slice(0, -2))],
  Einsum: einsum,
  Gemm: gemm,
  MatMul: (op) => matMul(op, 0, 1, op.type(0) ?? op.type(1)),
  MatMulInteger: (op) => matMul(op, 0, 1, 'int32'),
  QLinearMatMul: (op) => matMul(op, 0, 3, op.type(7)),
};
