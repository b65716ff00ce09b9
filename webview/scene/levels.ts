import type { ViewGraph } from '../../src/protocol/webview';
import type { Hierarchy } from './hierarchy';
import type { Topology } from './topology';

/**
 * What is joined to what at every level that shows. A wire is everything that leaves one visible node by one
 * tensor (or, for a closed group, by any of its tensors); where it crosses the border of an open group it
 * passes a port.
 */
export interface Levels {
  readonly wires: readonly Wire[];
  /** By level: group index, the top last; `undefined` where the group does not show its contents. */
  readonly levels: readonly (Level | undefined)[];
  /** The node that stands for each node: itself, or the outermost closed group that holds it. */
  readonly shown: Int32Array;
}

export interface Wire {
  /** Visible node that it leaves. */
  readonly source: number;
  readonly tensors: readonly number[];
  /** Visible nodes that it reaches, each once. */
  readonly sinks: readonly number[];
}

export interface Level {
  readonly children: Int32Array;
  /** Wires with a port at the top and at the bottom; ports follow the children in the level's items. */
  readonly inputPorts: number[];
  readonly outputPorts: number[];
  readonly nets: LevelNet[];
}

export interface LevelNet {
  readonly wire: number;
  /** Child node, or -1: the wire's input port. */
  readonly source: number;
  readonly sinks: number[];
  toOutputPort: boolean;
}

export function levelsOf(
  graph: ViewGraph,
  topology: Topology,
  hierarchy: Hierarchy,
  open: Uint8Array,
): Levels {
  const shown = shownNodes(hierarchy, open);
  const wires = wiresOf(graph, topology, hierarchy, shown);
  const { leafCount, nodeCount, firstChild, children, parent } = hierarchy;
  const top = nodeCount - leafCount;
  const levels: (Level | undefined)[] = [];
  for (let g = 0; g <= top; g++) {
    const shows = g === top || (open[g] === 1 && shown[leafCount + g] === leafCount + g);
    const inside = children.subarray(firstChild[g], firstChild[g + 1]);
    levels.push(shows ? { children: inside, inputPorts: [], outputPorts: [], nets: [] } : undefined);
  }
  const levelOf = (node: number): number => (parent[node] === -1 ? top : parent[node] - leafCount);
  wires.forEach((wire, w) => threadWire(wire, w, levels, hierarchy, levelOf, top));
  return { wires, levels, shown };
}

function shownNodes({ leafCount, nodeCount, parent }: Hierarchy, open: Uint8Array): Int32Array {
  const shown = new Int32Array(nodeCount);
  const standFor = (node: number): number => {
    const group = parent[node];
    if (group === -1) return node;
    return shown[group] !== group || open[group - leafCount] === 0 ? shown[group] : node;
  };
  for (let node = leafCount; node < nodeCount; node++) shown[node] = standFor(node);
  for (let node = 0; node < leafCount; node++) shown[node] = standFor(node);
  return shown;
}

function wiresOf(graph: ViewGraph, topology: Topology, hierarchy: Hierarchy, shown: Int32Array): Wire[] {
  const { operatorCount, inputCount, leafCount } = hierarchy;
  const { producer, firstConsumer, consumers } = topology;
  const inputNode = new Map<number, number>();
  graph.inputs.forEach((tensor, i) => inputNode.set(tensor, operatorCount + i));
  const outputNodes = new Map<number, number[]>();
  graph.outputs.forEach((tensor, i) => {
    const nodes = outputNodes.get(tensor) ?? [];
    outputNodes.set(tensor, [...nodes, operatorCount + inputCount + i]);
  });
  const ofGroup = new Map<number, { tensors: number[]; sinks: Set<number> }>();
  const wires: Wire[] = [];
  for (let tensor = 0; tensor < topology.tensorCount; tensor++) {
    const from = producer[tensor] >= 0 ? producer[tensor] : inputNode.get(tensor);
    if (from === undefined || topology.isWeight(tensor)) continue;
    const source = shown[from];
    const sinks = new Set<number>();
    for (let c = firstConsumer[tensor]; c < firstConsumer[tensor + 1]; c++) sinks.add(shown[consumers[c]]);
    for (const node of outputNodes.get(tensor) ?? []) sinks.add(shown[node]);
    sinks.delete(source);
    if (sinks.size === 0) continue;
    if (source < leafCount) wires.push({ source, tensors: [tensor], sinks: [...sinks] });
    else {
      const known = ofGroup.get(source) ?? { tensors: [], sinks: new Set<number>() };
      known.tensors.push(tensor);
      for (const sink of sinks) known.sinks.add(sink);
      ofGroup.set(source, known);
    }
  }
  for (const [source, { tensors, sinks }] of ofGroup) wires.push({ source, tensors, sinks: [...sinks] });
  return wires;
}

function threadWire(
  wire: Wire,
  w: number,
  levels: readonly (Level | undefined)[],
  { leafCount }: Hierarchy,
  levelOf: (node: number) => number,
  top: number,
): void {
  const nets = new Map<number, LevelNet>();
  const above = new Map<number, number>();
  for (let node = wire.source; ;) {
    const level = levelOf(node);
    above.set(level, node);
    if (level === top) break;
    node = leafCount + level;
  }
  const netAt = (level: number): LevelNet => {
    let net = nets.get(level);
    if (net !== undefined) return net;
    net = { wire: w, source: above.get(level) ?? -1, sinks: [], toOutputPort: false };
    nets.set(level, net);
    levels[level]!.nets.push(net);
    if (net.source === -1) levels[level]!.inputPorts.push(w);
    return net;
  };
  const reached = new Set<number>();
  for (const sink of wire.sinks) {
    for (let node = sink; !reached.has(node);) {
      reached.add(node);
      const level = levelOf(node);
      netAt(level).sinks.push(node);
      if (above.has(level)) {
        leaveTo(level);
        break;
      }
      node = leafCount + level;
    }
  }

  /** The wire leaves every group around its source that lies below `level`. */
  function leaveTo(level: number): void {
    for (let at = levelOf(wire.source); at !== level; at = levelOf(leafCount + at)) {
      const net = netAt(at);
      if (net.toOutputPort) continue;
      net.toOutputPort = true;
      levels[at]!.outputPorts.push(w);
    }
  }
}
