import { sizeOf, subtract } from '../dim';
import {
  countOf,
  like,
  MAX_VALUES,
  type Output,
  type Rule,
  type Rules,
  RuleError,
  scalar,
  sizesOf,
  tensor,
} from '../operation';
import type { Initializer } from '../../onnx/model';
import { fit } from '../scalar';
import type { Dim } from '../types';
import { elementTypeOf } from './elementwise';
import { dimsFromLength } from './reshaping';

/** A constant of the file, with its values where they were read. */
export function constantTensor(initializer: Initializer): Output {
  const { type, dims, values } = initializer;
  const followed = values !== undefined && values.length === countOf(dims) && values.length <= MAX_VALUES;
  return tensor(type, dims, followed ? values : undefined);
}

const constant: Rule = (op) => {
  const value = op.tensor('value') ?? op.tensor('sparse_value');
  if (value !== undefined) return [constantTensor(value)];
  const one = op.int('value_int');
  if (one !== undefined) return [scalar('int64', one)];
  if (op.hasAttribute('value_float')) return [scalar('float32', op.float('value_float', 0))];
  if (op.hasAttribute('value_string')) return [scalar('string')];
  const ints = op.ints('value_ints');
  if (ints !== undefined) return [vector('int64', ints)];
  const floats = op.floats('value_floats');
  if (floats !== undefined) return [vector('float32', floats)];
  const strings = op.strings('value_strings');
  if (strings !== undefined) return [tensor('string', [strings.length])];
  throw new RuleError('it has no value');
};

function vector(type: 'int64' | 'float32', values: readonly number[]): Output {
  return tensor(type, [values.length], values.length <= MAX_VALUES ? values : undefined);
}

const constantOfShape: Rule = (op) => {
  const value = op.tensor('value');
  const shape = op.values(0) ?? dimsFromLength(op, 0);
  const sizes = sizesOf(shape);
  for (const size of sizes ?? [])
    if (size < 0 || !Number.isInteger(size)) throw new RuleError(`its shape holds ${size}`);
  const fill = value === undefined ? 0 : value.values?.[0];
  const small = sizes !== undefined && countOf(sizes) <= MAX_VALUES && fill !== undefined;
  return [tensor(value?.type ?? 'float32', shape, small ? Array<Dim>(countOf(sizes)).fill(fill) : undefined)];
};

/** `max(ceil((limit - start) / delta), 0)` elements. */
const range: Rule = (op) => {
  const type = op.type(0) ?? op.type(1) ?? op.type(2);
  const start = op.values(0)?.[0];
  const limit = op.values(1)?.[0];
  const delta = op.values(2)?.[0];
  const [from, to, by] = [start, limit, delta].map(sizeOf);
  const difference = by === 1 ? subtract(limit, start) : undefined;
  if (from === undefined || to === undefined || by === undefined) return [tensor(type, [difference])];
  if (by === 0) throw new RuleError('its delta is 0');
  const count = Math.max(Math.ceil((to - from) / by), 0);
  if (!Number.isSafeInteger(count)) return [tensor(type, [undefined])];
  const values =
    count <= MAX_VALUES ? Array.from({ length: count }, (_, at) => fit(from + at * by, type)) : undefined;
  return [tensor(type, [sizeOf(difference) === count ? difference : count], values)];
};

const eyeLike: Rule = (op) => [
  like(op, 0, op.hasAttribute('dtype') ? elementTypeOf(op.int('dtype'), 'dtype') : op.type(0)),
];

/** Random values: never constants, whatever their inputs are. */
export const RANDOM = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

const random: Rule = (op) => [tensor(elementTypeOf(op.int('dtype', 1), 'dtype'), op.ints('shape'))];

const multinomial: Rule = (op) => [
  tensor(elementTypeOf(op.int('dtype', 6), 'dtype'), [op.shape(0)?.[0], op.int('sample_size', 1)]),
];

/** Hann, Hamming and Blackman windows: as many samples as the input says. */
const window: Rule = (op) => [
  tensor(elementTypeOf(op.int('output_datatype', 1), 'output_datatype'), [op.values(0)?.[0]]),
];

const melWeights: Rule = (op) => {
  const length = op.values(1)?.[0];
  const size = sizeOf(length);
  const bins = size === undefined ? undefined : Math.floor(size / 2) + 1;
  return [tensor(elementTypeOf(op.int('output_datatype', 1), 'output_datatype'), [bins, op.values(0)?.[0]])];
};

export const generatorRules: Rules = {
  Bernoulli: eyeLike,
  BlackmanWindow: window,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  HammingWindow: window,
  HannWindow: window,
  MelWeightMatrix: melWeights,
  Multinomial: multinomial,
  RandomNormal: random,
  RandomNormalLike: eyeLike,
  RandomUniform: random,
  RandomUniformLike: eyeLike,
  Range: range,
};
