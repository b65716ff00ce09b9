import { intsAttribute } from '../../graph/attributes';
import type { Graph, Operator } from '../../graph/graph';
import { NONE } from '../../graph/units';
import type { SplitLetter } from './node';

/**
 * The letters of axes, by role. `image`: `[N, C, ...spatial]`; `imageLast`: `[N, ...spatial, C]`;
 * `rows`: `[..., row, column]` as matrix products make them. Axes before the ones with a letter (batch, heads)
 * are rows too: the axis number stands beside the letter everywhere and tells them apart.
 */
export type Layout = 'image' | 'imageLast' | 'rows';

const IMAGE_TYPES = new Set([
  'Conv',
  'ConvTranspose',
  'ConvInteger',
  'QLinearConv',
  'DeformConv',
  'MaxPool',
  'AveragePool',
  'LpPool',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'GlobalLpPool',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
  'BatchNormalization',
  'InstanceNormalization',
  'GroupNormalization',
  'LRN',
  'DepthToSpace',
  'SpaceToDepth',
  'RoiAlign',
  'MaxRoiPool',
  'GridSample',
  'MaxUnpool',
  'Col2Im',
  'CenterCropPad',
]);
const ROWS_TYPES = new Set([
  'MatMul',
  'Gemm',
  'MatMulInteger',
  'QLinearMatMul',
  'LayerNormalization',
  'RMSNormalization',
  'Attention',
  'MatMulNBits',
  'FusedMatMul',
  'SkipLayerNormalization',
  'EmbedLayerNormalization',
  'RotaryEmbedding',
]);

/** Layout of each operator's first output, in one pass: from its type, else as its first input of equal rank. */
export function layouts(graph: Graph): Layout[] {
  const found: Layout[] = [];
  for (const operator of graph.operators) found.push(layoutOf(graph, operator, found));
  return found;
}

function layoutOf(graph: Graph, operator: Operator, found: readonly Layout[]): Layout {
  if (IMAGE_TYPES.has(operator.type)) return 'image';
  if (ROWS_TYPES.has(operator.type)) return 'rows';
  const rank = graph.tensors[operator.outputs[0]]?.shape?.length ?? 0;
  for (const input of operator.inputs) {
    if (input === NONE) continue;
    const tensor = graph.tensors[input];
    if (tensor.isWeight || tensor.producer === NONE || tensor.shape?.length !== rank) continue;
    const layout = found[tensor.producer];
    return operator.type === 'Transpose' ? transposed(operator, layout, rank) : layout;
  }
  return rank >= 4 ? 'image' : 'rows';
}

/** Exporters move the channels to the end and back. */
function transposed(operator: Operator, layout: Layout, rank: number): Layout {
  const order = intsAttribute(operator.attributes, 'perm');
  if (order === undefined || rank < 3) return layout;
  if (layout === 'image' && order[rank - 1] === 1) return 'imageLast';
  if (layout === 'imageLast' && order[1] === rank - 1) return 'image';
  return layout;
}

export function letterOf(layout: Layout, rank: number, axis: number): SplitLetter {
  const channel = layout === 'image' && rank >= 2 ? 1 : rank - 1;
  if (axis === channel) return 'C';
  if (layout === 'rows' || rank < 4) return 'H';
  const lastSpatial = layout === 'image' ? rank - 1 : rank - 2;
  return axis === lastSpatial ? 'W' : 'H';
}
