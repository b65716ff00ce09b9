import { add, ceilDivide, floorDivide, multiply, sizeOf, subtract } from './dim';
import { type Operation, RuleError } from './operation';
import type { Dim } from './types';

/** How a kernel slides over the spatial axes: one entry per axis. */
export interface Windows {
  readonly kernel: readonly Dim[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  readonly autoPad: string;
  readonly ceil: boolean;
}

/** Reads the common attributes of convolution and pooling for `axes` spatial axes. */
export function windowsOf(op: Operation, kernel: readonly Dim[], axes = kernel.length): Windows {
  const list = (name: string, length: number, otherwise: number): readonly number[] => {
    const given = op.ints(name);
    if (given === undefined || given.length === 0) return Array<number>(length).fill(otherwise);
    if (given.length !== length)
      throw new RuleError(`its attribute '${name}' has ${given.length} entries where ${length} are needed`);
    return given;
  };
  if (kernel.length !== axes)
    throw new RuleError(`its kernel has ${kernel.length} axes where its input has ${axes}`);
  const strides = list('strides', axes, 1);
  const dilations = list('dilations', axes, 1);
  if (strides.some((one) => one <= 0) || dilations.some((one) => one <= 0))
    throw new RuleError('its strides and dilations should be positive');
  const autoPad = op.string('auto_pad', 'NOTSET');
  const pads = autoPad === 'NOTSET' ? list('pads', 2 * axes, 0) : Array<number>(2 * axes).fill(0);
  return {
    kernel,
    strides,
    dilations,
    padsBegin: pads.slice(0, axes),
    padsEnd: pads.slice(axes),
    autoPad,
    ceil: op.int('ceil_mode', 0) === 1,
  };
}

/** Width of the dilated kernel. */
export function effectiveKernel(windows: Windows, axis: number): Dim {
  return add(multiply(windows.dilations[axis], subtract(windows.kernel[axis], 1)), 1);
}

/** Length of spatial `axis` of the result, given that of the input. */
export function slidingSize(windows: Windows, axis: number, input: Dim): Dim {
  const stride = windows.strides[axis];
  if (windows.autoPad.startsWith('SAME')) return ceilDivide(input, stride);
  const kernel = effectiveKernel(windows, axis);
  const begin = windows.padsBegin[axis];
  const room = subtract(add(input, begin + windows.padsEnd[axis]), kernel);
  const size = sizeOf(room);
  if (size !== undefined && size < 0) throw new RuleError(`its window is wider than its padded input`);
  const plain = add(floorDivide(room, stride), 1);
  if (!windows.ceil) return plain;
  return withoutLastInPadding(windows, axis, input, add(ceilDivide(room, stride), 1));
}

/**
 * With `ceil_mode` a last window that would start in the padding behind the input is dropped:
 * (out - 1) * stride >= input + begin. That can happen only where stride + end > kernel.
 */
function withoutLastInPadding(windows: Windows, axis: number, input: Dim, out: Dim): Dim {
  const stride = windows.strides[axis];
  const kernel = sizeOf(effectiveKernel(windows, axis));
  if (kernel !== undefined && stride + windows.padsEnd[axis] <= kernel) return out;
  const count = sizeOf(out);
  const end = sizeOf(add(input, windows.padsBegin[axis]));
  if (count === undefined || end === undefined) return undefined;
  return (count - 1) * stride >= end ? subtract(out, 1) : out;
}

/** Length of spatial `axis` of a transposed convolution, without `output_shape`. */
export function transposedSize(windows: Windows, axis: number, input: Dim, outputPadding: number): Dim {
  const stride = windows.strides[axis];
  if (windows.autoPad.startsWith('SAME')) return multiply(input, stride);
  const reach = add(multiply(subtract(input, 1), stride), effectiveKernel(windows, axis));
  const out = add(reach, outputPadding - windows.padsBegin[axis] - windows.padsEnd[axis]);
  const size = sizeOf(out);
  if (size !== undefined && size < 0) throw new RuleError(`its pads are wider than its result`);
  return out;
}
