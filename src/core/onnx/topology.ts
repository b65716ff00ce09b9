import type { ModelNode } from './model';
import { capturedNames } from './scopes';

export type Topology =
  | { readonly kind: 'order'; readonly order: readonly number[]; readonly isFileOrder: boolean }
  /** Nodes that read each other in a ring, each reading an output of the next. */
  | { readonly kind: 'cycle'; readonly nodes: readonly number[] };

/**
 * An execution order of the nodes as indices: the file's own where it is valid, else the file's order with what
 * a node reads (values that its subgraphs capture included) moved before it.
 */
export function topologicalOrder(nodes: readonly ModelNode[]): Topology {
  let topology = topologies.get(nodes);
  if (topology === undefined) topologies.set(nodes, (topology = findOrder(nodes)));
  return topology;
}

/** Models are immutable, and several passes ask for the same order. */
const topologies = new WeakMap<readonly ModelNode[], Topology>();

function findOrder(nodes: readonly ModelNode[]): Topology {
  const producer = new Map<string, number>();
  for (const node of nodes) {
    for (const name of node.outputs) if (name !== '' && !producer.has(name)) producer.set(name, node.index);
  }
  if (nodes.every((node) => readsEarlier(node, producer))) {
    return { kind: 'order', order: nodes.map((_, i) => i), isFileOrder: true };
  }
  return depthFirstOrder(nodes.map((node) => readNodes(node, producer)));
}

function readsEarlier(node: ModelNode, producer: ReadonlyMap<string, number>): boolean {
  for (const name of node.inputs) if ((producer.get(name) ?? -1) >= node.index) return false;
  for (const name of capturedNames(node)) if ((producer.get(name) ?? -1) >= node.index) return false;
  return true;
}

function readNodes(node: ModelNode, producer: ReadonlyMap<string, number>): number[] {
  const sources: number[] = [];
  const read = (name: string): void => {
    const source = producer.get(name);
    if (source !== undefined) sources.push(source);
  };
  node.inputs.forEach(read);
  capturedNames(node).forEach(read);
  return sources;
}

/**
 * The order in which what each one reads (indices) comes before it. Depth first without recursion: a chain of any
 * length may stand in reverse.
 */
export function depthFirstOrder(reads: readonly (readonly number[])[]): Topology {
  const UNSEEN = 0;
  const OPEN = 1;
  const DONE = 2;
  const state = new Uint8Array(reads.length);
  const next = new Int32Array(reads.length);
  const order: number[] = [];
  for (let root = 0; root < reads.length; root++) {
    const path = state[root] === UNSEEN ? [root] : [];
    while (path.length > 0) {
      const node = path[path.length - 1];
      state[node] = OPEN;
      if (next[node] === reads[node].length) {
        state[node] = DONE;
        order.push(node);
        path.pop();
        continue;
      }
      const source = reads[node][next[node]++];
      if (state[source] === OPEN) return { kind: 'cycle', nodes: path.slice(path.indexOf(source)) };
      if (state[source] === UNSEEN) path.push(source);
    }
  }
  return { kind: 'order', order, isFileOrder: false };
}
