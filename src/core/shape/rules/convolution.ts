import type { ElementType } from '../../graph/elementType';
import { multiply, sizeOf } from '../dim';
import {
  type Operation,
  type Output,
  type Outputs,
  type Rules,
  RuleError,
  tensor,
  unknownDims,
} from '../operation';
import type { Dim } from '../types';
import { slidingSize, transposedSize, windowsOf } from '../window';

/** Batch and channels come before the spatial axes. */
const LEADING = 2;

/** Input and weights of a convolution as far as known, made the same rank. */
function operands(op: Operation, input: number, weights: number) {
  const x = op.shape(input);
  const w = op.shape(weights);
  const kernel = op.ints('kernel_shape');
  const rank = x?.length ?? w?.length ?? (kernel && kernel.length + LEADING);
  if (rank === undefined) return undefined;
  if (rank <= LEADING) throw new RuleError(`its input has rank ${rank}, without spatial axes`);
  if (w !== undefined && w.length !== rank)
    throw new RuleError(`its weights have rank ${w.length} where its input has ${rank}`);
  const axes = rank - LEADING;
  return {
    x: x ?? unknownDims(rank),
    w: w ?? unknownDims(rank),
    kernel: kernel ?? w?.slice(LEADING) ?? unknownDims(axes),
    axes,
  };
}

function convolution(op: Operation, input: number, weights: number, type: ElementType | undefined): Outputs {
  const found = operands(op, input, weights);
  if (found === undefined) return [tensor(type, undefined)];
  const { x, w, kernel, axes } = found;
  const group = op.int('group', 1);
  checkChannels(x[1], w[1], group);
  const windows = windowsOf(op, kernel, axes);
  const spatial = x.slice(LEADING).map((dim, axis) => slidingSize(windows, axis, dim));
  return [tensor(type, [x[0], w[0], ...spatial])];
}

/** Every group reads its own input channels. */
function checkChannels(channels: Dim, perGroup: Dim, group: number): void {
  if (group <= 0) throw new RuleError(`its attribute 'group' is ${group}`);
  const have = sizeOf(channels);
  const want = sizeOf(multiply(perGroup, group));
  if (have !== undefined && want !== undefined && have !== want)
    throw new RuleError(`its input has ${have} channels where its weights want ${want}`);
}

/** `output_shape` gives the spatial sizes (the first exporters wrote all of them). */
function transposed(op: Operation): Outputs {
  const found = operands(op, 0, 1);
  if (found === undefined) return [tensor(op.type(0), undefined)];
  const { x, w, kernel, axes } = found;
  const channels = multiply(w[1], op.int('group', 1));
  const given = op.ints('output_shape')?.slice(-axes);
  if (given?.length === axes) return [tensor(op.type(0), [x[0], channels, ...given])];
  const windows = windowsOf(op, kernel, axes);
  const extra = op.ints('output_padding') ?? [];
  const spatial = x.slice(LEADING).map((dim, axis) => transposedSize(windows, axis, dim, extra[axis] ?? 0));
  return [tensor(op.type(0), [x[0], channels, ...spatial])];
}

/** Keeps the length of the sequence; the state is what the next window still needs: kernel - 1 columns. */
function causal(op: Operation): Outputs {
  const x = op.shape(0);
  const kernel = op.shape(1)?.at(-1);
  const size = sizeOf(kernel);
  const state = x && [...x.slice(0, -1), size === undefined ? undefined : size - 1];
  const present: Output = tensor(op.type(0), op.shape(3) ?? state);
  return [tensor(op.type(0), x), present];
}

export const convolutionRules: Rules = {
  CausalConvWithState: causal,
  Conv: (op) => convolution(op, 0, 1, op.type(0) ?? op.type(1)),
  ConvInteger: (op) => convolution(op, 0, 1, 'int32'),
  ConvTranspose: transposed,
  DeformConv: (op) => convolution(op, 0, 1, op.type(0) ?? op.type(1)),
  QLinearConv: (op) => convolution(op, 0, 3, op.type(7)),
};
