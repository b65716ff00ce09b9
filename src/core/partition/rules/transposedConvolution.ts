import { intAttribute, intsAttribute, stringAttribute } from '../../graph/attributes';
import type { AttributeOverrides, NodeFacts, NodeSplit, Part } from './node';
import {
  ABSENT,
  along,
  axisSplit,
  blocks,
  each,
  intsValue,
  intValue,
  partialSum,
  ranged,
  WHOLE,
} from './node';

/**
 * One spatial axis of a transposed convolution. Input `i` adds to the places `[i * stride, i * stride + extent)`
 * of the uncropped result; the output is that result without its first `crop` and what lies beyond its length.
 */
interface Axis {
  readonly stride: number;
  readonly extent: number;
  readonly crop: number;
  readonly input: number;
  readonly cropEnd: number;
  readonly outputPadding: number;
}

/** `ConvTranspose`: data `[N, C, ...]`, weights `[C, M/group, ...]`, bias `[M]`. */
export function transposedConvolution(facts: NodeFacts): NodeSplit[] {
  const [data, weights, bias] = facts.inputs;
  if (data === undefined || weights === undefined) return [];
  const group = intAttribute(facts.node.attributes, 'group', 1);
  const unit = group === 1 ? 1 : weights.shape[1];
  const dataPart: Part = group === 1 ? WHOLE : blocks(1, unit, data.shape[1] / group);
  const weightPart: Part = group === 1 ? along(1) : blocks(0, unit, data.shape[1] / group);
  const parts = (own: Part, weight: Part, biasPart: Part): Part[] =>
    each(facts.inputs, (_tensor, index) => [own, weight, biasPart][index]);
  const attributes = (start: number, end: number): AttributeOverrides =>
    new Map(group === 1 ? [] : [['group', intValue((end - start) / unit)]]);
  const splits = [
    axisSplit(facts, 0, parts(along(0), WHOLE, WHOLE)),
    axisSplit(facts, 1, parts(dataPart, weightPart, along(0)), { unit, attributes }),
    ...spatialSplits(facts, parts),
  ];
  if (group === 1 && (bias === undefined || bias.isWeight)) {
    const more = bias === undefined ? {} : { bias: 2 };
    splits.push(partialSum(facts, 1, parts(along(1), along(0), ABSENT), more));
  }
  return splits;
}

function spatialSplits(
  facts: NodeFacts,
  parts: (own: Part, weight: Part, bias: Part) => Part[],
): NodeSplit[] {
  const axes = spatialAxes(facts);
  const splits: NodeSplit[] = [];
  axes.forEach((own, spatial) => {
    // Outputs that no input reaches would be shards of nothing.
    if (own.stride > own.extent || own.outputPadding > 0 || own.crop < 0 || own.cropEnd < 0) return;
    const axis = spatial + 2;
    const rows = ranged(
      axis,
      (start) => firstInput(own, start),
      (_start, end) => lastInput(own, end),
    );
    splits.push(
      axisSplit(facts, axis, parts(rows, WHOLE, WHOLE), {
        attributes: (start, end) => shardAttributes(axes, spatial, start, end),
      }),
    );
  });
  return splits;
}

function firstInput(axis: Axis, start: number): number {
  return Math.max(0, Math.ceil((start + axis.crop - axis.extent + 1) / axis.stride));
}

function lastInput(axis: Axis, end: number): number {
  return Math.min(axis.input, Math.floor((end - 1 + axis.crop) / axis.stride) + 1);
}

/** Explicit crops (`pads`) for the shard; the other axes keep what they had. */
function shardAttributes(axes: readonly Axis[], cut: number, start: number, end: number): AttributeOverrides {
  const begin = axes.map((axis) => axis.crop);
  const finish = axes.map((axis) => axis.cropEnd);
  const own = axes[cut];
  begin[cut] = start + own.crop - firstInput(own, start) * own.stride;
  finish[cut] = (lastInput(own, end) - 1) * own.stride + own.extent - (end + own.crop);
  return new Map([
    ['pads', intsValue([...begin, ...finish])],
    ['auto_pad', { kind: 'string', value: 'NOTSET' } as const],
    ['output_shape', intsValue([])],
  ]);
}

function spatialAxes(facts: NodeFacts): Axis[] {
  const attributes = facts.node.attributes;
  const kernel = intsAttribute(attributes, 'kernel_shape') ?? facts.inputs[1]!.shape.slice(2);
  const strides = intsAttribute(attributes, 'strides');
  const dilations = intsAttribute(attributes, 'dilations');
  const extra = intsAttribute(attributes, 'output_padding');
  const pads = intsAttribute(attributes, 'pads');
  const autoPad = stringAttribute(attributes, 'auto_pad', 'NOTSET');
  const isFromShape = attributes.has('output_shape') || autoPad.startsWith('SAME');
  return kernel.map((size, spatial) => {
    const stride = strides?.[spatial] ?? 1;
    const extent = (size - 1) * (dilations?.[spatial] ?? 1) + 1;
    const input = facts.inputs[0]!.shape[spatial + 2];
    const outputPadding = extra?.[spatial] ?? 0;
    const total = stride * (input - 1) + outputPadding + extent - facts.outputs[0]!.shape[spatial + 2];
    const half = Math.floor(total / 2);
    const crop = isFromShape ? (autoPad === 'SAME_UPPER' ? half : total - half) : (pads?.[spatial] ?? 0);
    return { stride, extent, crop, input, cropEnd: total - crop, outputPadding };
  });
}
