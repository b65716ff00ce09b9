import type { ViewGraph } from '../src/protocol/webview';
import { FramePainter } from './graph/frame';
import { TextFitter } from './graph/text';
import { GraphModel } from './graphModel';
import type { LayoutClient } from './layoutClient';
import { Session } from './session';

const OPERATORS = 24;

/**
 * Lays out and paints a small graph that nobody sees while the page waits for the model: the engine has then
 * compiled both, fonts are loaded, and the model's own first picture costs a third less.
 */
export async function rehearse(layout: LayoutClient): Promise<void> {
  const graph = smallGraph();
  const opened = await layout.open(graph, null);
  layout.close(opened.key);
  const context = document.createElement('canvas').getContext('2d', { alpha: false });
  if (context === null) return;
  const session = new Session();
  session.set({ trail: [new GraphModel(graph, '', opened)] });
  new FramePainter(session, new TextFitter(context)).paint(context, { k: 1, x: 150, y: 0 }, 300, 150, 1);
}

/** A chain with shortcuts, so that ranks, lines that pass by and blocks all occur. */
function smallGraph(): ViewGraph {
  const count = OPERATORS;
  const inputs = Int32Array.from({ length: 2 * count }, (_, i) => Math.max(0, (i >> 1) - 3 * (i & 1)));
  const tensors = count + 1;
  return {
    ...{ id: -1, name: '', fuse: 'none', weightBytes: { bytes: 0, known: true } },
    operators: {
      names: Array.from({ length: count }, (_, op) => `/block/${op >> 2}/operator ${op}`),
      typeNames: ['Conv', 'Relu', 'Add'],
      types: Uint32Array.from({ length: count }, (_, op) => op % 3),
      nodes: new Uint32Array(count),
      flops: new Float64Array(count),
      weightBytes: new Float64Array(count),
      flags: new Uint8Array(count),
      firstInput: Uint32Array.from({ length: count + 1 }, (_, op) => 2 * op),
      inputs,
      firstOutput: Uint32Array.from({ length: count + 1 }, (_, op) => op),
      outputs: Int32Array.from({ length: count }, (_, op) => op + 1),
      ...{ members: {}, bodies: {} },
    },
    tensors: {
      names: Array.from({ length: tensors }, (_, t) => `tensor ${t}`),
      ...{ shapeNames: ['[1, 64, 56, 56]'], shapes: new Uint32Array(tensors) },
      ...{ typeNames: ['float32'], types: new Uint8Array(tensors) },
      bytes: new Float64Array(tensors),
      producers: Int32Array.from({ length: tensors }, (_, t) => t - 1),
      storages: new Int32Array(tensors),
      flags: new Uint8Array(tensors),
    },
    inputs: Int32Array.of(0),
    outputs: Int32Array.of(count),
  };
}
