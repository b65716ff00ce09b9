import { layoutLevel } from '../layout/level';
import type { LayoutCache } from '../layout/pieces';
import { ITEM, type LevelGraph, type LevelLayout } from '../layout/types';
import type { Hierarchy } from './hierarchy';
import type { Level, Levels } from './levels';
import type { NodeSizes } from './sizes';

/** The picture as data: boxes, lines and stubs in absolute coordinates. Frames stand before what they hold. */
export interface Scene {
  /** Node of the hierarchy; `x`, `y`: its left upper corner. */
  readonly node: Int32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly width: Float32Array;
  readonly height: Float32Array;
  /** 1: an open group, drawn as a frame around its contents. */
  readonly frame: Uint8Array;
  readonly lines: SceneLines;
  /** Per stub: wire and the node where the drawn edge would have ended. */
  readonly stubWire: Int32Array;
  readonly stubNode: Int32Array;
  readonly wires: SceneWires;
  readonly bounds: { readonly minX: number; readonly maxX: number; readonly height: number };
}

export interface SceneLines {
  readonly wire: Int32Array;
  /** Node that the line's arrow points at, or -1 where it ends at a port. */
  readonly end: Int32Array;
  readonly first: Uint32Array;
  /** Pairs x, y; see `Routes`. */
  readonly points: Float32Array;
}

export interface SceneWires {
  readonly source: Int32Array;
  readonly firstTensor: Uint32Array;
  readonly tensors: Int32Array;
  readonly firstSink: Uint32Array;
  readonly sinks: Int32Array;
}

/** Space between a frame and its contents; above, where nothing enters, the frame's title needs more. */
const FRAME = { side: 14, title: 28, bottom: 14 } as const;

interface Placed {
  readonly level: Level;
  readonly layout: LevelLayout;
  /** Items of the level that are ports, by wire. */
  readonly inputPort: ReadonlyMap<number, number>;
  readonly outputPort: ReadonlyMap<number, number>;
  readonly contentTop: number;
  readonly height: number;
}

/** Lays out every level that shows, innermost first, and puts them into each other. */
export function buildScene(
  hierarchy: Hierarchy,
  levels: Levels,
  sizes: NodeSizes,
  cache: LayoutCache,
): Scene {
  const placed: (Placed | undefined)[] = levels.levels.map(() => undefined);
  const top = levels.levels.length - 1;
  for (let g = top - 1; g >= 0; g--) place(g);
  place(top);
  return assemble(hierarchy, levels, sizes, placed);

  function place(g: number): void {
    const level = levels.levels[g];
    if (level === undefined) return;
    const { graph, inputPort, outputPort } = levelGraph(level, hierarchy, sizes, placed);
    const layout = layoutLevel(graph, cache);
    const isTop = g === top;
    const contentTop = isTop || level.inputPorts.length > 0 ? 0 : FRAME.title;
    const below = isTop || level.outputPorts.length > 0 ? 0 : FRAME.bottom;
    placed[g] = {
      level,
      layout,
      inputPort,
      outputPort,
      contentTop,
      height: contentTop + layout.height + below,
    };
  }
}

function levelGraph(
  level: Level,
  { leafCount }: Hierarchy,
  sizes: NodeSizes,
  placed: readonly (Placed | undefined)[],
): { graph: LevelGraph } & Pick<Placed, 'inputPort' | 'outputPort'> {
  const boxes = level.children.length;
  const count = boxes + level.inputPorts.length + level.outputPorts.length;
  const left = new Float64Array(count);
  const right = new Float64Array(count);
  const height = new Float64Array(count);
  const kind = new Uint8Array(count);
  const local = new Map<number, number>();
  level.children.forEach((node, i) => {
    local.set(node, i);
    const inner = node >= leafCount ? placed[node - leafCount] : undefined;
    left[i] = inner ? FRAME.side - inner.layout.minX : sizes.width[node] / 2;
    right[i] = inner ? FRAME.side + inner.layout.maxX : sizes.width[node] / 2;
    height[i] = inner ? inner.height : sizes.height[node];
  });
  const inputPort = new Map(level.inputPorts.map((wire, i) => [wire, boxes + i]));
  const outputPort = new Map(level.outputPorts.map((wire, i) => [wire, boxes + inputPort.size + i]));
  kind.fill(ITEM.inputPort, boxes, boxes + inputPort.size);
  kind.fill(ITEM.outputPort, boxes + inputPort.size);
  const portOffset = (node: number, wire: number, side: 'inputPort' | 'outputPort'): number => {
    const inner = node >= leafCount ? placed[node - leafCount] : undefined;
    return inner === undefined ? 0 : inner.layout.x[inner[side].get(wire)!];
  };
  const nets = level.nets;
  const first = new Uint32Array(nets.length + 1);
  nets.forEach((net, i) => (first[i + 1] = first[i] + net.sinks.length + (net.toOutputPort ? 1 : 0)));
  const sinks = new Int32Array(first[nets.length]);
  const sinkOffset = new Float64Array(sinks.length);
  nets.forEach((net, i) => {
    net.sinks.forEach((node, k) => {
      sinks[first[i] + k] = local.get(node)!;
      sinkOffset[first[i] + k] = portOffset(node, net.wire, 'inputPort');
    });
    if (net.toOutputPort) sinks[first[i + 1] - 1] = outputPort.get(net.wire)!;
  });
  const source = Int32Array.from(nets, (n) =>
    n.source === -1 ? inputPort.get(n.wire)! : local.get(n.source)!,
  );
  const sourceOffset = Float64Array.from(nets, (n) => portOffset(n.source, n.wire, 'outputPort'));
  const levelNets = { count: nets.length, source, sourceOffset, first, sinks, sinkOffset };
  return { graph: { count, left, right, height, kind, nets: levelNets }, inputPort, outputPort };
}

function assemble(
  { leafCount }: Hierarchy,
  levels: Levels,
  sizes: NodeSizes,
  placed: readonly (Placed | undefined)[],
): Scene {
  const box = {
    node: [] as number[],
    x: [] as number[],
    y: [] as number[],
    width: [] as number[],
    height: [] as number[],
    frame: [] as number[],
  };
  const line = { wire: [] as number[], end: [] as number[], first: [0], points: [] as number[] };
  const stub = { wire: [] as number[], node: [] as number[] };
  const top = placed[placed.length - 1]!;
  put(top, 0, 0);
  return {
    node: Int32Array.from(box.node),
    x: Float32Array.from(box.x),
    y: Float32Array.from(box.y),
    width: Float32Array.from(box.width),
    height: Float32Array.from(box.height),
    frame: Uint8Array.from(box.frame),
    lines: {
      wire: Int32Array.from(line.wire),
      end: Int32Array.from(line.end),
      first: Uint32Array.from(line.first),
      points: Float32Array.from(line.points),
    },
    stubWire: Int32Array.from(stub.wire),
    stubNode: Int32Array.from(stub.node),
    wires: flattenWires(levels),
    bounds: { minX: top.layout.minX, maxX: top.layout.maxX, height: top.height },
  };

  function put({ level, layout, contentTop }: Placed, axis: number, above: number): void {
    level.children.forEach((node, i) => {
      const inner = node >= leafCount ? placed[node - leafCount] : undefined;
      const x = axis + layout.x[i];
      const y = above + contentTop + layout.y[i];
      box.node.push(node);
      box.x.push(x - (inner ? FRAME.side - inner.layout.minX : sizes.width[node] / 2));
      box.y.push(y);
      box.width.push(inner ? 2 * FRAME.side + inner.layout.maxX - inner.layout.minX : sizes.width[node]);
      box.height.push(inner ? inner.height : sizes.height[node]);
      box.frame.push(inner ? 1 : 0);
      if (inner) put(inner, x, y);
    });
    putLines(level, layout, axis, above + contentTop);
  }

  function putLines(level: Level, { routes }: LevelLayout, axis: number, above: number): void {
    for (let i = 0; i < routes.count; i++) {
      const item = routes.sink[i];
      const node = item < level.children.length ? level.children[item] : -1;
      line.wire.push(level.nets[routes.net[i]].wire);
      line.end.push(node !== -1 && (node < leafCount || placed[node - leafCount] === undefined) ? node : -1);
      for (let p = routes.first[i]; p < routes.first[i + 1]; p += 2) {
        line.points.push(axis + routes.points[p], above + routes.points[p + 1]);
      }
      line.first.push(line.points.length);
    }
    let s = 0;
    for (const net of level.nets) {
      for (const sink of net.sinks) {
        if (routes.stub[s++] === 0) continue;
        stub.wire.push(net.wire);
        stub.node.push(sink);
      }
      if (net.toOutputPort) s++;
    }
  }
}

function flattenWires({ wires }: Levels): SceneWires {
  const firstTensor = new Uint32Array(wires.length + 1);
  const firstSink = new Uint32Array(wires.length + 1);
  wires.forEach((wire, w) => {
    firstTensor[w + 1] = firstTensor[w] + wire.tensors.length;
    firstSink[w + 1] = firstSink[w] + wire.sinks.length;
  });
  return {
    source: Int32Array.from(wires, (wire) => wire.source),
    firstTensor,
    tensors: Int32Array.from(wires.flatMap((wire) => wire.tensors)),
    firstSink,
    sinks: Int32Array.from(wires.flatMap((wire) => wire.sinks)),
  };
}
