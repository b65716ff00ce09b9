import { intAttribute, intsAttribute } from '../../graph/attributes';
import type { NodeFacts, NodeSplit, Part } from './node';
import { ABSENT, along, blocks, each, intValue, ranged, WHOLE } from './node';
import type { Window } from './window';
import { everyWindowReads, shardPads, spatialWindows, windowFrom, windowTo } from './window';

/** Where the tensors of a convolution-like node stand among its inputs, and which share the weights' axes. */
export interface ConvolutionInputs {
  readonly data: number;
  readonly weights: number;
  readonly bias: number;
  /** Inputs that have either one element or one per output channel: scales and zero points of the weights. */
  readonly perChannel: readonly number[];
  /** Partial sums of input channels add up to the result. */
  readonly isAdditive: boolean;
}

/** `Conv`: data `[N, C, ...]`, weights `[M, C/group, ...]`, bias `[M]`; 1-D to 3-D, grouped, dilated, padded. */
export function convolution(facts: NodeFacts): NodeSplit[] {
  return convolutionSplits(facts, { data: 0, weights: 1, bias: 2, perChannel: [], isAdditive: true });
}

/** The rules of every node that computes a convolution, wherever its tensors stand. */
export function convolutionSplits(facts: NodeFacts, roles: ConvolutionInputs): NodeSplit[] {
  const data = facts.inputs[roles.data];
  const weights = facts.inputs[roles.weights];
  const output = facts.outputs[0];
  if (data === undefined || weights === undefined || output === undefined) return [];
  const kernel = intsAttribute(facts.node.attributes, 'kernel_shape') ?? weights.shape.slice(2);
  const windows = spatialWindows({ ...facts, inputs: [data] }, kernel);
  if (windows === undefined) return [];
  const splits = [batchSplit(facts, roles), channelSplit(facts, roles)];
  windows.forEach((window, spatial) => {
    if (everyWindowReads(window)) splits.push(spatialSplit(facts, roles, windows, spatial));
  });
  const group = intAttribute(facts.node.attributes, 'group', 1);
  const bias = facts.inputs[roles.bias];
  const canAddBias = bias === undefined || (bias.isWeight && facts.node.opset >= 7);
  if (roles.isAdditive && group === 1 && canAddBias) splits.push(partialSplit(facts, roles));
  return splits;
}

function batchSplit(facts: NodeFacts, roles: ConvolutionInputs): NodeSplit {
  return {
    dimension: facts.letter(0),
    axis: 0,
    length: facts.outputs[0]!.shape[0],
    unit: 1,
    inputs: each(facts.inputs, (_tensor, index) => (index === roles.data ? along(0) : WHOLE)),
    outputs: [along(0)],
  };
}

/** Output channels: a slice of the weights; whole groups where there are several. */
function channelSplit(facts: NodeFacts, roles: ConvolutionInputs): NodeSplit {
  const group = intAttribute(facts.node.attributes, 'group', 1);
  const channels = facts.outputs[0]!.shape[1];
  const inputChannels = facts.inputs[roles.data]!.shape[1];
  const unit = group === 1 ? 1 : channels / group;
  const dataPart: Part = group === 1 ? WHOLE : blocks(1, unit, inputChannels / group);
  const inputs = each(facts.inputs, (tensor, index) => {
    if (index === roles.data) return dataPart;
    if (index === roles.weights || index === roles.bias) return along(0);
    if (roles.perChannel.includes(index) && tensor.shape.length > 0 && tensor.shape[0] === channels)
      return along(0);
    return WHOLE;
  });
  const attributes = (start: number, end: number) => new Map([['group', intValue((end - start) / unit)]]);
  const split = { dimension: facts.letter(1), axis: 1, length: channels, unit, inputs, outputs: [along(1)] };
  return group === 1 ? split : { ...split, attributes };
}

function spatialSplit(
  facts: NodeFacts,
  roles: ConvolutionInputs,
  windows: readonly Window[],
  spatial: number,
): NodeSplit {
  const window = windows[spatial];
  const axis = spatial + 2;
  const rows = ranged(
    axis,
    (start) => windowFrom(window, start),
    (_start, end) => windowTo(window, end),
  );
  return {
    dimension: facts.letter(axis),
    axis,
    length: window.output,
    unit: 1,
    inputs: each(facts.inputs, (_tensor, index) => (index === roles.data ? rows : WHOLE)),
    outputs: [along(axis)],
    attributes: (start, end) => shardPads(windows, spatial, start, end),
  };
}

/** Input channels: each shard a partial sum over its slice; the bias is added once, after the reduction. */
function partialSplit(facts: NodeFacts, roles: ConvolutionInputs): NodeSplit {
  const hasBias = facts.inputs[roles.bias] !== undefined;
  return {
    dimension: 'K',
    axis: 1,
    length: facts.inputs[roles.data]!.shape[1],
    unit: 1,
    inputs: each(facts.inputs, (_tensor, index) => {
      if (index === roles.bias) return ABSENT;
      return index === roles.data || index === roles.weights ? along(1) : WHOLE;
    }),
    outputs: [WHOLE],
    ...(hasBias ? { bias: roles.bias } : {}),
  };
}
