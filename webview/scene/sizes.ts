import { TENSOR_FLAGS, type ViewGraph } from '../../src/protocol/webview';
import type { Hierarchy } from './hierarchy';

/** Size of every node at zoom 1. Names do not widen a box (they are shortened), so equal blocks have equal sizes. */
export interface NodeSizes {
  readonly width: Float64Array;
  readonly height: Float64Array;
}

export const BOX = {
  /** Two rows: type and shape. A third for the name, where operators have names. */
  height: 38,
  nameRow: 13,
  least: 116,
  most: 236,
  padding: 24,
  /** Room for the badge of the partition dimension beside the type. */
  badge: 44,
  /** Room for the step beside the shape. */
  step: 38,
} as const;
export const GROUP_BOX = { width: 212, height: 66 } as const;
export const PILL = { height: 34, least: 72, most: 236, padding: 24 } as const;

/** Widths of the faces in use, in em, by class of character; boxes are sized without measuring on a canvas. */
const NARROW = /[.,:;|!'`()[\]{}ijltfrI ]/;
const WIDE = /[mwMW@%×]/;
const BOLD = 1.13;

export function textWidth(text: string, fontSize: number, bold = false): number {
  let em = 0;
  for (const letter of text) em += NARROW.test(letter) ? 0.36 : WIDE.test(letter) ? 0.88 : 0.63;
  return em * fontSize * (bold ? BOLD : 1);
}

export const TYPE_FONT = 13;
export const SHAPE_FONT = 11;
export const NAME_FONT = 11;

export function nodeSizes(graph: ViewGraph, hierarchy: Hierarchy): NodeSizes {
  const { operatorCount, inputCount, leafCount, nodeCount } = hierarchy;
  const width = new Float64Array(nodeCount);
  const height = new Float64Array(nodeCount);
  const typeWidths = graph.operators.typeNames.map((name) => textWidth(shortType(name), TYPE_FONT, true));
  const shapeWidths = new Map<string, number>();
  const shapeWidth = (shape: string): number => {
    const known = shapeWidths.get(shape) ?? textWidth(shape, SHAPE_FONT);
    shapeWidths.set(shape, known);
    return known;
  };
  for (let op = 0; op < operatorCount; op++) {
    const type = typeWidths[graph.operators.types[op]] + BOX.badge;
    const shape = shapeWidth(outputShape(graph, op)) + BOX.step;
    width[op] = clamp(Math.max(type, shape) + BOX.padding, BOX.least, BOX.most);
    height[op] = BOX.height + (graph.operators.names[op] === '' ? 0 : BOX.nameRow);
  }
  for (let i = operatorCount; i < leafCount; i++) {
    const end = i - operatorCount;
    const tensor = end < inputCount ? graph.inputs[end] : graph.outputs[end - inputCount];
    const text = Math.max(
      textWidth(graph.tensors.names[tensor], SHAPE_FONT),
      shapeWidth(shapeOf(graph, tensor)),
    );
    width[i] = clamp(text + PILL.padding, PILL.least, PILL.most);
    height[i] = PILL.height;
  }
  width.fill(GROUP_BOX.width, leafCount);
  height.fill(GROUP_BOX.height, leafCount);
  return { width, height };
}

function clamp(value: number, least: number, most: number): number {
  return Math.round(Math.min(most, Math.max(least, value)) / 2) * 2;
}

/** `Conv` for `ai.onnx`, the last part of the name outside it. */
export function shortType(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf('.') + 1);
}

/** Shape of the operator's first output that is no weight, as the picture shows it: `1×64×56×56`. */
export function outputShape(graph: ViewGraph, op: number): string {
  const { firstOutput, outputs } = graph.operators;
  for (let i = firstOutput[op]; i < firstOutput[op + 1]; i++) {
    const tensor = outputs[i];
    if (tensor >= 0 && (graph.tensors.flags[tensor] & TENSOR_FLAGS.weight) === 0) {
      return shapeOf(graph, tensor);
    }
  }
  return '';
}

/** Shape of a tensor as the picture shows it. */
export function shapeOf({ tensors }: ViewGraph, tensor: number): string {
  return shapeText(tensors.shapeNames[tensors.shapes[tensor]]);
}

/** `[1, 64, 56, 56]` -> `1×64×56×56`; a scalar's `[]` -> `scalar`. */
function shapeText(shape: string): string {
  if (shape === '[]') return 'scalar';
  return shape.startsWith('[') ? shape.slice(1, -1).replaceAll(', ', '×') : shape;
}
