import { ELEMENT_TYPE_BY_CODE, type ElementType } from '../../graph/elementType';
import { broadcast, mapValues } from '../broadcast';
import { ceil, compare, floor, isSymbolic, maximum, minimum, multiply, sizeOf } from '../dim';
import {
  like,
  type Operation,
  type Output,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  tensor,
} from '../operation';
import { BINARY, fit, isInteger, modulo, type Scalar, UNARY } from '../scalar';
import type { Dim } from '../types';

/** Broadcasting of all operators at once came with opset 7; before, the second operand was fitted to the first. */
const NUMPY_BROADCAST = 7;

const sameAsInput: Rule = (op) => [like(op, 0)];
const predicate: Rule = (op) => [like(op, 0, 'bool')];

/** Operators that keep the input's type and shape and whose values nothing depends on. */
const SAME = [
  ...[
    'Acos',
    'Acosh',
    'Affine',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'BitwiseNot',
    'Celu',
    'Cos',
    'Cosh',
    'Elu',
  ],
  ...['Erf', 'Exp', 'Gelu', 'HardSigmoid', 'HardSwish', 'ImageScaler', 'LeakyRelu', 'Log', 'Mish'],
  ...['ParametricSoftplus', 'PRelu', 'ScaledTanh', 'Selu', 'Shrink', 'Sigmoid', 'Sin', 'Sinh', 'Softplus'],
  ...['Softsign', 'Swish', 'Tan', 'Tanh', 'ThresholdedRelu'],
];

const unary: Rule = (op) => {
  const f = UNARY[op.node.type];
  const type = op.type(0);
  const values = op.values(0)?.map((value) => unaryValue(op.node.type, f, value, type));
  return [{ ...like(op, 0), values }];
};

function unaryValue(name: string, f: (x: number) => number, value: Dim, type: ElementType | undefined): Dim {
  if (!isSymbolic(value)) return value === undefined ? undefined : fit(f(value), type);
  if (name === 'Neg') return multiply(value, -1);
  if (name === 'Floor') return floor(value);
  if (name === 'Ceil') return ceil(value);
  if ((name === 'Abs' || name === 'Relu') && compare(value, 0) !== -1) return value;
  const size = sizeOf(value);
  return size === undefined ? undefined : fit(f(size), type);
}

function elementwise(
  op: Operation,
  inputs: readonly number[],
  type: ElementType | undefined,
  f?: Scalar,
): Output {
  const operands = inputs.map((input) => ({ shape: op.shape(input), values: op.values(input) }));
  const operandType = inputs.map((input) => op.type(input)).find((one) => one !== undefined);
  const values = f && mapValues(operands, (all) => all.reduce((a, b) => f(a, b, operandType)));
  return tensor(type, broadcast(operands.map((operand) => operand.shape)), values);
}

function commonType(op: Operation): ElementType | undefined {
  return op.type(0) ?? op.type(1);
}

function binary(resultType?: ElementType): Rule {
  return (op) => {
    const type = resultType ?? commonType(op);
    if (op.version < NUMPY_BROADCAST && op.node.domain === '') return [like(op, 0, type)];
    return [elementwise(op, [0, 1], type, BINARY[op.node.type])];
  };
}

const power: Rule = (op) =>
  op.version < NUMPY_BROADCAST ? [like(op, 0)] : [elementwise(op, [0, 1], op.type(0), BINARY['Pow'])];

const variadic: Rule = (op) => {
  const scalar = BINARY[op.node.type === 'Sum' ? 'Add' : op.node.type];
  const inputs = op.inputs.map((_, input) => input);
  const type = inputs.map((input) => op.type(input)).find((one) => one !== undefined);
  return [elementwise(op, inputs, type, scalar)];
};

const mod: Rule = (op) => [elementwise(op, [0, 1], commonType(op), modulo(op.int('fmod', 0) === 1))];

const shiftBits: Rule = (op) => {
  const left = op.string('direction', 'LEFT') === 'LEFT';
  const shift: Scalar = (a, b, type) => {
    const x = sizeOf(a);
    const y = sizeOf(b);
    if (x === undefined || y === undefined) return undefined;
    return fit(left ? x * 2 ** y : Math.floor(x / 2 ** y), type);
  };
  return [elementwise(op, [0, 1], commonType(op), shift)];
};

const not: Rule = (op) => {
  const values = op
    .values(0)
    ?.map((value) => (value === undefined ? undefined : 1 - Number(sizeOf(value) !== 0)));
  return [{ ...like(op, 0, 'bool'), values }];
};

const where: Rule = (op) => {
  const operands = [0, 1, 2].map((input) => ({ shape: op.shape(input), values: op.values(input) }));
  const values = mapValues(operands, ([condition, a, b]) =>
    condition === undefined ? (a === b ? a : undefined) : condition === 0 ? b : a,
  );
  return [tensor(op.type(1) ?? op.type(2), broadcast(operands.map((operand) => operand.shape)), values)];
};

/** Bounds are attributes before opset 11, optional scalar inputs since. */
const clip: Rule = (op) => {
  const [low, high] = ['min', 'max'].map((name, one) =>
    op.version < 11
      ? op.float(name, name === 'min' ? -Infinity : Infinity)
      : op.has(one + 1)
        ? op.values(one + 1)?.[0]
        : null,
  );
  const bound = (value: Dim): Dim => {
    const raised = low === null || low === -Infinity ? value : maximum(value, low);
    return high === null || high === Infinity ? raised : minimum(raised, high);
  };
  return [{ ...like(op, 0), values: op.values(0)?.map(bound) }];
};

export function elementTypeOf(code: number | undefined, attribute: string): ElementType {
  const type = code === undefined ? undefined : ELEMENT_TYPE_BY_CODE[code];
  if (type === undefined) throw new RuleError(`its attribute '${attribute}' names no element type`);
  return type;
}

/** The first operator sets wrote the type as a name. */
const cast: Rule = (op) => {
  const name = op.string('to', '').toLowerCase();
  const names: Record<string, ElementType> = { float: 'float32', double: 'float64' };
  const type = name ? (names[name] ?? (name as ElementType)) : elementTypeOf(op.int('to'), 'to');
  return [castTo(op, type)];
};

function castTo(op: Operation, type: ElementType | undefined): Output {
  const values =
    type === op.type(0) ? op.values(0) : op.values(0)?.map((value) => castValue(value, op.type(0), type));
  return { ...like(op, 0, type), values };
}

function castValue(value: Dim, from: ElementType | undefined, type: ElementType | undefined): Dim {
  if (value === undefined || from === 'string' || type === 'string') return undefined;
  if (type === 'bool') return compare(value, 0) === undefined ? undefined : Number(compare(value, 0) !== 0);
  if (isSymbolic(value)) return isInteger(type) && !isInteger(from) ? floor(value) : value;
  return fit(isInteger(type) ? Math.trunc(value) : value, type);
}

const bitCast: Rule = (op) => [like(op, 0, elementTypeOf(op.int('to'), 'to'))];

const dropout: Rule = (op): Outputs => {
  const training = op.version < 12 ? false : op.has(2) && op.number(2) !== 0;
  const maskType = op.version < 10 ? op.type(0) : 'bool';
  return [{ ...like(op, 0), values: training ? undefined : op.values(0) }, like(op, 0, maskType)];
};

const identity: Rule = (op) => {
  const value = op.inputs[0];
  return value ? [{ type: value.type, values: value.values, elements: value.elements }] : [];
};

export const elementwiseRules: Rules = {
  ...Object.fromEntries(SAME.map((name) => [name, sameAsInput])),
  ...Object.fromEntries(Object.keys(UNARY).map((name) => [name, unary])),
  ...Object.fromEntries(['Add', 'Sub', 'Mul', 'Div'].map((name) => [name, binary()])),
  ...Object.fromEntries(['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].map((name) => [name, binary()])),
  ...Object.fromEntries(
    ['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'And', 'Or', 'Xor'].map((name) => [
      name,
      binary('bool'),
    ]),
  ),
  ...Object.fromEntries(['Max', 'Min', 'Sum', 'Mean'].map((name) => [name, variadic])),
  BitCast: bitCast,
  BitShift: shiftBits,
  Cast: cast,
  CastLike: (op) => [castTo(op, op.type(1))],
  Clip: clip,
  Dropout: dropout,
  Identity: identity,
  IsInf: predicate,
  IsNaN: predicate,
  Mod: mod,
  Not: not,
  Pow: power,
  SwiGLU: binary(),
  Where: where,
};
