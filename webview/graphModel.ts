import { OPERATOR_FLAGS, TENSOR_FLAGS, type ViewGraph } from '../src/protocol/webview';
import type { Arranged, Opened } from './layoutClient';
import type { SpatialIndex, TopologyData } from './layoutProtocol';
import type { Hierarchy } from './scene/hierarchy';
import type { Scene } from './scene/scene';
import { outputShape, shapeOf, shortType } from './scene/sizes';
import { countText } from './units';

/** An open graph (the model's, or a body's): what it holds, and the picture that is laid out of it. */
export class GraphModel {
  readonly key: number;
  readonly topology: TopologyData;
  readonly hierarchy: Hierarchy;
  open: Uint8Array;
  scene: Scene;
  spatial: SpatialIndex;
  /** Position in the scene of each node that shows, or -1. */
  place: Int32Array;

  constructor(
    readonly graph: ViewGraph,
    readonly title: string,
    opened: Opened,
  ) {
    this.key = opened.key;
    this.topology = opened.topology;
    this.hierarchy = opened.hierarchy;
    this.open = opened.open;
    this.scene = opened.scene;
    this.spatial = opened.spatial;
    this.place = placesOf(opened.scene, opened.hierarchy);
  }

  show({ open, scene, spatial }: Arranged): void {
    this.open = open;
    this.scene = scene;
    this.spatial = spatial;
    this.place = placesOf(scene, this.hierarchy);
  }

  get operatorCount(): number {
    return this.hierarchy.operatorCount;
  }

  isOperator(node: number): boolean {
    return node >= 0 && node < this.hierarchy.operatorCount;
  }

  isGroup(node: number): boolean {
    return node >= this.hierarchy.leafCount;
  }

  groupIndex(node: number): number {
    return node - this.hierarchy.leafCount;
  }

  isOpenGroup(node: number): boolean {
    return this.isGroup(node) && this.open[this.groupIndex(node)] === 1;
  }

  /** Tensor of a graph input or output node. */
  endTensor(node: number): number {
    const { operatorCount, inputCount } = this.hierarchy;
    const end = node - operatorCount;
    return end < inputCount ? this.graph.inputs[end] : this.graph.outputs[end - inputCount];
  }

  isInputNode(node: number): boolean {
    const { operatorCount, inputCount } = this.hierarchy;
    return node >= operatorCount && node < operatorCount + inputCount;
  }

  typeName(op: number): string {
    return this.graph.operators.typeNames[this.graph.operators.types[op]];
  }

  /** Types of a fused operator's nodes, joined. */
  typeText(op: number): string {
    return [this.typeName(op), ...(this.graph.operators.members[op] ?? [])].map(shortType).join(' + ');
  }

  title1(node: number): string {
    if (this.isOperator(node)) return this.typeText(node);
    if (this.isGroup(node)) return this.hierarchy.labels[this.groupIndex(node)];
    return this.graph.tensors.names[this.endTensor(node)];
  }

  /** One line for lists and screen readers. */
  describe(node: number): string {
    if (this.isOperator(node)) {
      const name = this.graph.operators.names[node];
      return [this.typeText(node), name, outputShape(this.graph, node)]
        .filter((part) => part !== '')
        .join(', ');
    }
    if (this.isGroup(node)) {
      const g = this.groupIndex(node);
      const inside = this.hierarchy.operatorsInside[g];
      return inside === 0
        ? this.hierarchy.labels[g]
        : `${this.hierarchy.labels[g]}, ${countText(inside, 'operator')}`;
    }
    const tensor = this.endTensor(node);
    const kind = this.isInputNode(node) ? 'Input' : 'Output';
    return `${kind} ${this.graph.tensors.names[tensor]}, ${shapeOf(this.graph, tensor)}`;
  }

  hasBody(op: number): boolean {
    return (this.graph.operators.flags[op] & OPERATOR_FLAGS.body) !== 0;
  }

  isOpaque(op: number): boolean {
    return (this.graph.operators.flags[op] & OPERATOR_FLAGS.opaque) !== 0;
  }

  isWeight(tensor: number): boolean {
    return (this.graph.tensors.flags[tensor] & TENSOR_FLAGS.weight) !== 0;
  }

  outputsOf(op: number): Int32Array {
    const { firstOutput, outputs } = this.graph.operators;
    return outputs.subarray(firstOutput[op], firstOutput[op + 1]).filter((tensor) => tensor >= 0);
  }

  inputsOf(op: number): Int32Array {
    const { firstInput, inputs } = this.graph.operators;
    return inputs.subarray(firstInput[op], firstInput[op + 1]).filter((tensor) => tensor >= 0);
  }

  consumersOf(tensor: number): Int32Array {
    return this.topology.consumers.subarray(
      this.topology.firstConsumer[tensor],
      this.topology.firstConsumer[tensor + 1],
    );
  }

  /** The node that stands for `node` in the picture: itself, or the outermost closed group around it. */
  shownFor(node: number): number {
    let shown = node;
    for (let at = this.hierarchy.parent[node]; at !== -1; at = this.hierarchy.parent[at]) {
      if (this.open[at - this.hierarchy.leafCount] === 0) shown = at;
    }
    return shown;
  }

  /** `open` with every group around `node` opened. */
  openedAround(node: number): Uint8Array | null {
    if (this.shownFor(node) === node) return null;
    const open = this.open.slice();
    for (let at = this.hierarchy.parent[node]; at !== -1; at = this.hierarchy.parent[at]) {
      open[at - this.hierarchy.leafCount] = 1;
    }
    return open;
  }

  /** Wires of the picture that leave or reach a node that shows. */
  wiresAt(node: number): { incoming: number[]; outgoing: number[] } {
    const { source, firstSink, sinks } = this.scene.wires;
    const incoming: number[] = [];
    const outgoing: number[] = [];
    for (let w = 0; w < source.length; w++) {
      if (source[w] === node) outgoing.push(w);
      else if (sinks.subarray(firstSink[w], firstSink[w + 1]).includes(node)) incoming.push(w);
    }
    return { incoming, outgoing };
  }
}

function placesOf(scene: Scene, hierarchy: Hierarchy): Int32Array {
  const place = new Int32Array(hierarchy.nodeCount).fill(-1);
  scene.node.forEach((node, i) => (place[node] = i));
  return place;
}
