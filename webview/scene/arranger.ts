import type { ViewGraph } from '../../src/protocol/webview';
import { wholeGraph, type FromLayout, type ToLayout, type TopologyData } from '../layoutProtocol';
import { LayoutCache } from '../layout/pieces';
import { hierarchyOf, openAtFirst, openFromTop, type Hierarchy } from './hierarchy';
import { levelsOf } from './levels';
import { buildScene, type Scene } from './scene';
import { nodeSizes, type NodeSizes } from './sizes';
import { spatialIndex } from './spatial';
import { topologyOf, type Topology } from './topology';

interface Opened {
  readonly graph: ViewGraph;
  readonly topology: Topology;
  readonly hierarchy: Hierarchy;
  readonly sizes: NodeSizes;
  readonly cache: LayoutCache;
}

/** Nodes of the first part of a picture that comes in two, and how many a picture has at least to be one. */
const FIRST_PART = 300;
const IN_PARTS_FROM = 2000;

/** What the layout worker does: keeps the open graphs and answers messages about them. */
export class Arranger {
  private readonly graphs = new Map<number, Opened>();

  *answers(message: ToLayout): Generator<FromLayout> {
    try {
      if (message.kind === 'open') yield this.open(message);
      else if (message.kind === 'arrange') yield* this.arrange(message);
      else this.graphs.delete(message.key);
    } catch (error) {
      yield { kind: 'failed', key: message.key, message: String(error) };
    }
  }

  private open(message: Extract<ToLayout, { kind: 'open' }>): FromLayout {
    const { key, open } = message;
    const graph = wholeGraph(message);
    const topology = topologyOf(graph);
    const hierarchy = hierarchyOf(graph, topology);
    const opened = {
      graph,
      topology,
      hierarchy,
      sizes: nodeSizes(graph, hierarchy),
      cache: new LayoutCache(),
    };
    this.graphs.set(key, opened);
    const groups = hierarchy.labels.length;
    const shown = open !== null && open.length === groups ? open : openAtFirst(hierarchy);
    const scene = sceneOf(opened, shown);
    const topologyData = withoutFunctions(topology);
    const spatial = spatialIndex(scene);
    return { kind: 'opened', key, topology: topologyData, hierarchy, open: shown, scene, spatial };
  }

  private *arrange({ key, open, fromTop }: Extract<ToLayout, { kind: 'arrange' }>): Generator<FromLayout> {
    const opened = this.graphs.get(key);
    if (opened === undefined) {
      yield { kind: 'failed', key, message: 'This graph is closed.' };
      return;
    }
    const arranged = (shown: Uint8Array, isPart: boolean): FromLayout => {
      const scene = sceneOf(opened, shown);
      return { kind: 'arranged', key, isPart, open: shown, scene, spatial: spatialIndex(scene) };
    };
    const part = fromTop ? openFromTop(opened.hierarchy, open, FIRST_PART, IN_PARTS_FROM) : null;
    if (part !== null) yield arranged(part, true);
    yield arranged(open, false);
  }
}

function sceneOf({ graph, topology, hierarchy, sizes, cache }: Opened, open: Uint8Array): Scene {
  return buildScene(hierarchy, levelsOf(graph, topology, hierarchy, open), sizes, cache);
}

/** Functions do not travel between threads. */
function withoutFunctions(topology: Topology): TopologyData {
  const data: Partial<Topology> = { ...topology };
  delete (data as { isWeight?: unknown }).isWeight;
  return data as TopologyData;
}

/** Buffers that only the receiver needs from now on. */
export function transferables(message: FromLayout): ArrayBuffer[] {
  if (message.kind === 'failed') return [];
  const { scene, spatial } = message;
  const arrays = [
    scene,
    scene.lines,
    scene.wires,
    spatial,
    { stubs: scene.stubWire, nodes: scene.stubNode },
  ].flatMap((part) => Object.values(part).filter(ArrayBuffer.isView));
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))];
}
