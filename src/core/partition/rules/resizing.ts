import { intAttribute, intsAttribute, stringAttribute } from '../../graph/attributes';
import type { ConstantOverrides, NodeFacts, NodeSplit } from './node';
import { along, axisSplit, blocks, firstInput, normalizeAxis, NO_CONSTANTS, ranged } from './node';

const SIZES_INPUT = 3;
const FIRST_WITH_MODES = 11;

/**
 * `Resize`, `Upsample`: axes that keep their size follow; where an axis grows by a whole factor and every output
 * of a block copies its one input, shards are whole blocks. Other axes are interpolated from a shard's inputs
 * and a halo around them, and the margins, which come out clamped, are cut off.
 */
export function resize(facts: NodeFacts): NodeSplit[] {
  const attributes = facts.node.attributes;
  const input = facts.inputs[0]!.shape;
  const output = facts.outputs[0]!.shape;
  const readsRegion =
    stringAttribute(attributes, 'coordinate_transformation_mode', '') === 'tf_crop_and_resize';
  const keepsAspect = stringAttribute(attributes, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch';
  if (readsRegion || keepsAspect) return [];
  const sizes = facts.node.type === 'Resize' ? facts.inputs[SIZES_INPUT] : undefined;
  if (sizes !== undefined && sizes.values === undefined) return [];
  const axes = intsAttribute(attributes, 'axes')?.map((axis) => normalizeAxis(axis, input.length));
  const copies = copiesBlocks(facts);
  const splits: NodeSplit[] = [];
  input.forEach((length, axis) => {
    const factor = output[axis] / length;
    if (!hasFactor(facts, axes, axis, factor)) return;
    const entry = axes === undefined ? axis : axes.indexOf(axis);
    const sized = (size: number): ConstantOverrides => {
      if (sizes?.values === undefined || entry < 0) return NO_CONSTANTS;
      return new Map([[SIZES_INPUT, sizes.values.map((old, index) => (index === entry ? size : old))]]);
    };
    const isCopied = Number.isInteger(factor) && factor > 1 && copies(factor);
    if (factor === 1 || isCopied) {
      const part = factor === 1 ? along(axis) : blocks(axis, factor, 1);
      const constants = (start: number, end: number): ConstantOverrides => sized(end - start);
      splits.push(axisSplit(facts, axis, firstInput(facts, part), { unit: factor, constants }));
    } else splits.push(...interpolatedSplit(facts, axis, sized));
  });
  return splits;
}

/** Elements on either side of a shard's own inputs that its outputs are interpolated from. */
const HALO: Readonly<Record<string, number>> = { nearest: 1, linear: 1, bilinear: 1, cubic: 2 };

/** Cuts between blocks of `p` outputs over `q` inputs, `p/q` being the factor: there both grids meet. */
function interpolatedSplit(
  facts: NodeFacts,
  axis: number,
  sized: (size: number) => ConstantOverrides,
): NodeSplit[] {
  const attributes = facts.node.attributes;
  const isModern = facts.node.type === 'Resize' && facts.node.opset >= FIRST_WITH_MODES;
  const coordinates = isModern
    ? stringAttribute(attributes, 'coordinate_transformation_mode', 'half_pixel')
    : 'asymmetric';
  const halo = HALO[stringAttribute(attributes, 'mode', 'nearest')];
  const [input, output] = [facts.inputs[0]!.shape[axis], facts.outputs[0]!.shape[axis]];
  const block = greatestDivisor(input, output);
  const [q, p] = [input / block, output / block];
  // A shard of a single output would be taken for a model of a single output, which has a rule of its own.
  const isShifted =
    coordinates === 'half_pixel' ||
    coordinates === 'asymmetric' ||
    (coordinates === 'pytorch_half_pixel' && p > 1);
  if (!isShifted || halo === undefined || intAttribute(attributes, 'antialias', 0) !== 0) return [];
  const margin = Math.ceil(halo / q) * q;
  const from = (start: number): number => Math.max(0, (start / p) * q - margin);
  const to = (end: number): number => Math.min(input, (end / p) * q + margin);
  const made = (start: number, end: number) => [(from(start) / q) * p, (to(end) / q) * p] as const;
  const part = ranged(
    axis,
    (start) => from(start),
    (_start, end) => to(end),
  );
  const constants = (start: number, end: number): ConstantOverrides =>
    sized(made(start, end)[1] - made(start, end)[0]);
  return [axisSplit(facts, axis, firstInput(facts, part), { unit: p, constants, made })];
}

function greatestDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller !== 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

/** The scale that the node uses may differ from the ratio of the lengths, which it rounds down. */
function hasFactor(
  facts: NodeFacts,
  axes: readonly number[] | undefined,
  axis: number,
  factor: number,
): boolean {
  const { node, inputs } = facts;
  if (node.type === 'Resize' && inputs[SIZES_INPUT] !== undefined) return true;
  const position = node.type === 'Resize' && node.opset >= FIRST_WITH_MODES ? 2 : 1;
  const entry = axes === undefined ? axis : axes.indexOf(axis);
  if (entry < 0) return true;
  const found = node.attributes.get('scales');
  const scales = inputs[position]?.values ?? (found?.kind === 'floats' ? found.value : undefined);
  return scales?.[entry] === factor;
}

/** Whether an axis that grows by a factor copies each element into one block. */
function copiesBlocks(facts: NodeFacts): (factor: number) => boolean {
  const attributes = facts.node.attributes;
  if (
    stringAttribute(attributes, 'mode', 'nearest') !== 'nearest' ||
    intAttribute(attributes, 'antialias', 0) !== 0
  )
    return () => false;
  if (facts.node.type === 'Upsample' || facts.node.opset < FIRST_WITH_MODES) return () => true;
  const coordinates = stringAttribute(attributes, 'coordinate_transformation_mode', 'half_pixel');
  const rounding = stringAttribute(attributes, 'nearest_mode', 'round_prefer_floor');
  if (coordinates === 'asymmetric')
    return (factor) => rounding === 'floor' || (rounding === 'round_prefer_floor' && factor === 2);
  return () => coordinates.includes('half_pixel') && rounding.startsWith('round_prefer');
}
