import {
  type Operation,
  type Outputs,
  type Rule,
  type Rules,
  RuleError,
  tensor,
  unknownDims,
} from '../operation';
import type { Dim } from '../types';
import { slidingSize, transposedSize, windowsOf } from '../window';

const LEADING = 2;

function pooledShape(op: Operation): Dim[] | undefined {
  const kernel = op.ints('kernel_shape');
  const x = op.shape(0) ?? (kernel && unknownDims(kernel.length + LEADING));
  if (x === undefined) return undefined;
  if (kernel === undefined) throw new RuleError(`it lacks its attribute 'kernel_shape'`);
  if (x.length <= LEADING) throw new RuleError(`its input has rank ${x.length}, without spatial axes`);
  const windows = windowsOf(op, kernel, x.length - LEADING);
  return x.map((dim, axis) => (axis < LEADING ? dim : slidingSize(windows, axis - LEADING, dim)));
}

const pool: Rule = (op) => [tensor(op.type(0), pooledShape(op))];

const maxPool: Rule = (op) => {
  const shape = pooledShape(op);
  return [tensor(op.type(0), shape), tensor('int64', shape)];
};

const globalPool: Rule = (op) => [
  tensor(
    op.type(0),
    op.shape(0)?.map((dim, axis) => (axis < LEADING ? dim : 1)),
  ),
];

/** The inverse of pooling; a third input gives the shape where several would fit. */
const unpool = (op: Operation): Outputs => {
  const x = op.shape(0);
  const given = op.values(2);
  if (given !== undefined) return [tensor(op.type(0), given)];
  const kernel = op.ints('kernel_shape');
  if (x === undefined || kernel === undefined) return [tensor(op.type(0), undefined)];
  if (op.has(2)) return [tensor(op.type(0), unknownDims(x.length))];
  const windows = windowsOf(op, kernel, x.length - LEADING);
  const shape = x.map((dim, axis) =>
    axis < LEADING ? dim : transposedSize(windows, axis - LEADING, dim, 0),
  );
  return [tensor(op.type(0), shape)];
};

const roiPool: Rule = (op) => {
  const pooled = op.ints('pooled_shape') ?? [undefined, undefined];
  return [tensor(op.type(0), [op.shape(1)?.[0], op.shape(0)?.[1], ...pooled])];
};

const roiAlign: Rule = (op) => [
  tensor(op.type(0), [
    op.shape(1)?.[0] ?? op.shape(2)?.[0],
    op.shape(0)?.[1],
    op.int('output_height', 1),
    op.int('output_width', 1),
  ]),
];

/** Channels last when the attribute says so (quantized pooling of ONNX Runtime). */
export const quantizedGlobalPool: Rule = (op) => {
  const shape = op.shape(0);
  const channel = op.int('channels_last', 0) === 1 ? (shape?.length ?? 0) - 1 : 1;
  return [
    tensor(
      op.type(0),
      shape?.map((dim, axis) => (axis === 0 || axis === channel ? dim : 1)),
    ),
  ];
};

export const poolingRules: Rules = {
  AveragePool: pool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  GlobalMaxPool: globalPool,
  LpPool: pool,
  MaxPool: maxPool,
  MaxRoiPool: roiPool,
  MaxUnpool: unpool,
  RoiAlign: roiAlign,
};
