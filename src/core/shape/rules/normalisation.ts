import type { ElementType } from '../../graph/elementType';
import {
  frontAxis,
  like,
  type Operation,
  type Output,
  type Outputs,
  type Rule,
  type Rules,
  tensor,
} from '../operation';
import { elementTypeOf } from './elementwise';

const same: Rule = (op) => [like(op, 0)];

/** In training mode also running mean and variance, one entry per channel; older versions had up to five outputs. */
const batchNormalization: Rule = (op): Outputs => {
  const channels = op.shape(1) ?? (op.shape(0) && [op.shape(0)![1]]);
  const statistics = [3, 4, 3, 4].map((input) => tensor(op.type(input) ?? op.type(0), channels));
  return [like(op, 0), ...statistics.slice(0, Math.max(0, op.outputCount - 1))];
};

/** Mean and inverse deviation keep the leading axes, with 1 in place of the normalized ones. */
const layerNormalization: Rule = (op): Outputs => {
  const shape = op.shape(0);
  const statisticsType = op.hasAttribute('stash_type')
    ? elementTypeOf(op.int('stash_type'), 'stash_type')
    : 'float32';
  const axis = shape && frontAxis(op.int('axis', -1), shape.length);
  const statistics: Output = tensor(
    statisticsType satisfies ElementType,
    shape?.map((dim, one) => (one < axis! ? dim : 1)),
  );
  return [like(op, 0), statistics, statistics];
};

function checkedAxis(otherwise: (op: Operation) => number): Rule {
  return (op) => {
    const rank = op.shape(0)?.length;
    const axis = op.int('axis', otherwise(op));
    if (rank !== undefined && rank > 0 && axis !== rank) frontAxis(axis, rank);
    return [like(op, 0)];
  };
}

/** From opset 13 softmax works along one axis, the last by default; before, on a matrix cut at axis 1. */
const softmax = checkedAxis((op) => (op.version < 13 ? Math.min(1, op.shape(0)?.length ?? 1) : -1));

export const normalisationRules: Rules = {
  BatchNormalization: batchNormalization,
  GroupNormalization: same,
  Hardmax: softmax,
  InstanceNormalization: same,
  LayerNormalization: layerNormalization,
  LogSoftmax: softmax,
  LpNormalization: checkedAxis(() => -1),
  LRN: same,
  MeanVarianceNormalization: same,
  RMSNormalization: checkedAxis(() => -1),
  Softmax: softmax,
};
