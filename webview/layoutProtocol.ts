import type { ViewGraph } from '../src/protocol/webview';
import type { Hierarchy } from './scene/hierarchy';
import type { Scene } from './scene/scene';
import type { Topology } from './scene/topology';

/** Between names that travel as one text: one long string is copied far faster than many short ones. */
const SEPARATOR = '\u0000';

/** What layout needs of a graph: all names of operators as one text, of tensors those of inputs and outputs. */
export function slimGraph(graph: ViewGraph): { graph: ViewGraph; operatorNames: string } {
  const names: string[] = [];
  for (const tensor of [...graph.inputs, ...graph.outputs]) names[tensor] = graph.tensors.names[tensor];
  const operatorNames = graph.operators.names.map((name) => name.replaceAll(SEPARATOR, ' ')).join(SEPARATOR);
  const slim = {
    ...graph,
    operators: { ...graph.operators, names: [] },
    tensors: { ...graph.tensors, names },
  };
  return { graph: slim, operatorNames };
}

export function wholeGraph({ graph, operatorNames }: { graph: ViewGraph; operatorNames: string }): ViewGraph {
  return { ...graph, operators: { ...graph.operators, names: operatorNames.split(SEPARATOR) } };
}

/** Messages between the webview and its layout worker. Typed arrays travel by transfer. */
export type ToLayout =
  | {
      readonly kind: 'open';
      readonly key: number;
      readonly graph: ViewGraph;
      readonly operatorNames: string;
      readonly open: Uint8Array | null;
    }
  /** Groups to show open; the scene follows, and of a large one, `fromTop`, its upper part ahead of it. */
  | {
      readonly kind: 'arrange';
      readonly key: number;
      readonly open: Uint8Array;
      readonly fromTop: boolean;
    }
  | { readonly kind: 'close'; readonly key: number };

export type FromLayout =
  | {
      readonly kind: 'opened';
      readonly key: number;
      readonly topology: TopologyData;
      readonly hierarchy: Hierarchy;
      readonly open: Uint8Array;
      readonly scene: Scene;
      readonly spatial: SpatialIndex;
    }
  | {
      readonly kind: 'arranged';
      readonly key: number;
      /** Only the upper groups are open yet; the whole scene follows, with all above the first closed one in place. */
      readonly isPart: boolean;
      readonly open: Uint8Array;
      readonly scene: Scene;
      readonly spatial: SpatialIndex;
    }
  | { readonly kind: 'failed'; readonly key: number; readonly message: string };

export type TopologyData = Omit<Topology, 'isWeight'>;

/** Boxes and lines by bands of equal height, for culling and for finding what is under the pointer. */
export interface SpatialIndex {
  readonly bandHeight: number;
  readonly firstBox: Uint32Array;
  readonly boxes: Uint32Array;
  readonly firstLine: Uint32Array;
  readonly lines: Uint32Array;
  /** Four per line: minX, minY, maxX, maxY. */
  readonly lineBounds: Float32Array;
}
