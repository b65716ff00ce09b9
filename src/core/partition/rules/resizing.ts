import { intAttribute, intsAttribute, stringAttribute } from '../../graph/attributes';
import type { ConstantOverrides, NodeFacts, NodeSplit } from './node';
import { along, axisSplit, blocks, firstInput, normalizeAxis, NO_CONSTANTS } from './node';

const SIZES_INPUT = 3;
const FIRST_WITH_MODES = 11;

/**
 * `Resize`, `Upsample`: axes that keep their size follow; axes that grow by a whole factor are cut in blocks
 * where every output of a block is a copy of its one input. Interpolated axes stay whole: the ends of a shard
 * would be clamped where the whole tensor is not.
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
    if (factor !== 1 && !(Number.isInteger(factor) && factor > 1 && copies(factor))) return;
    const entry = axes === undefined ? axis : axes.indexOf(axis);
    const constants = (start: number, end: number): ConstantOverrides => {
      if (sizes?.values === undefined || entry < 0) return NO_CONSTANTS;
      return new Map([
        [SIZES_INPUT, sizes.values.map((size, index) => (index === entry ? end - start : size))],
      ]);
    };
    const part = factor === 1 ? along(axis) : blocks(axis, factor, 1);
    splits.push(axisSplit(facts, axis, firstInput(facts, part), { unit: factor, constants }));
  });
  return splits;
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
