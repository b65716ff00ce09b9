import type { Tensor } from 'onnxruntime-common';

/** How far one tensor is from another. */
export interface Difference {
  /** Largest absolute difference. */
  readonly absolute: number;
  /** The same against the largest magnitude of the expected values. */
  readonly relative: number;
  readonly isEqual: boolean;
  /** Why it is not equal, where the values are not what differs. */
  readonly reason?: string;
}

/**
 * Largest relative difference that sums in another order explain, against the largest magnitude of a tensor.
 * Partitioned models differ from whole ones by some 1e-6 in single precision; wrong halos by some 1e-1.
 */
const TOLERANCE: Readonly<Record<string, number>> = { float32: 2e-5, float64: 1e-9, float16: 4e-3 };

const EQUAL: Difference = { absolute: 0, relative: 0, isEqual: true };

/** Compares with a tolerance scaled to the expected values; integers, booleans and strings must be the same. */
export function compareTensors(actual: Tensor, expected: Tensor, slack = 1): Difference {
  if (actual.type !== expected.type) return unequal(`type ${actual.type} instead of ${expected.type}`);
  if (actual.dims.join() !== expected.dims.join())
    return unequal(`shape [${actual.dims.join(',')}] instead of [${expected.dims.join(',')}]`);
  if (expected.type === 'string') {
    const isSame = (actual.data as string[]).every(
      (text, index) => text === (expected.data as string[])[index],
    );
    return isSame ? EQUAL : unequal('other strings');
  }
  return compareNumbers(numbersOf(actual), numbersOf(expected), (TOLERANCE[expected.type] ?? 0) * slack);
}

function unequal(reason: string): Difference {
  return { absolute: Infinity, relative: Infinity, isEqual: false, reason };
}

/** `tolerance`: of the largest magnitude. Not-a-number and infinities must stand at the same places. */
export function compareNumbers(actual: Numbers, expected: Numbers, tolerance: number): Difference {
  let absolute = 0;
  let scale = 0;
  let strange = 0;
  for (let index = 0; index < expected.length; index++) {
    const wanted = Number(expected[index]);
    const got = Number(actual[index]);
    if (Number.isFinite(wanted) && Number.isFinite(got)) {
      const distance = Math.abs(got - wanted);
      if (distance > absolute) absolute = distance;
      const magnitude = Math.abs(wanted);
      if (magnitude > scale) scale = magnitude;
    } else if (!Object.is(wanted, got)) strange++;
  }
  const relative = absolute === 0 ? 0 : absolute / (scale === 0 ? 1 : scale);
  if (strange > 0)
    return {
      absolute,
      relative,
      isEqual: false,
      reason: `${strange} values are infinite or no number on one side only`,
    };
  return { absolute, relative, isEqual: relative <= tolerance };
}

export type Numbers = ArrayLike<number | bigint>;

/** Elements as numbers; half-precision values come as their bits where the engine has no type for them. */
export function numbersOf(tensor: Tensor): Numbers {
  const data = tensor.data as Numbers;
  if (tensor.type !== 'float16' || !(data instanceof Uint16Array)) return data;
  return Float32Array.from(data, halfValue);
}

/** Value of a half-precision number from its bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
