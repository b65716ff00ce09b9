import { InputError } from '../graph/problem';
import type { ModelGraph, ModelNode } from '../onnx/model';

/** Names that the subgraphs of a graph's nodes take from outside, once per graph. */
export type Captures = Map<ModelGraph, ReadonlySet<string>>;

/**
 * Nodes in an execution order, as positions in `nodes`: every node after the producers of what it and its
 * subgraphs read, earliest in the file first. Throws `InputError` where nodes depend on each other in a cycle.
 */
export function orderNodes(nodes: readonly ModelNode[], captures: Captures): number[] {
  const producer = new Map<string, number>();
  for (const [at, node] of nodes.entries())
    for (const name of node.outputs) if (name !== '' && !producer.has(name)) producer.set(name, at);
  const inFileOrder = nodes.every((node, at) =>
    everyRead(node, captures, (name) => (producer.get(name) ?? -1) < at),
  );
  if (inFileOrder) return [...nodes.keys()];
  return sorted(nodes, producer, captures);
}

function everyRead(node: ModelNode, captures: Captures, holds: (name: string) => boolean): boolean {
  for (const name of node.inputs) if (name !== '' && !holds(name)) return false;
  for (const name of capturedBy(node, captures)) if (!holds(name)) return false;
  return true;
}

const NOTHING: ReadonlySet<string> = new Set();

function capturedBy(node: ModelNode, captures: Captures): ReadonlySet<string> {
  let all: Set<string> | undefined;
  for (const attribute of node.attributes.values()) {
    const graphs =
      attribute.kind === 'graph' ? [attribute.value] : attribute.kind === 'graphs' ? attribute.value : [];
    for (const graph of graphs)
      for (const name of capturedIn(graph as ModelGraph, captures)) (all ??= new Set()).add(name);
  }
  return all ?? NOTHING;
}

function capturedIn(graph: ModelGraph, captures: Captures): ReadonlySet<string> {
  const known = captures.get(graph);
  if (known !== undefined) return known;
  const own = new Set<string>();
  for (const { name } of [...graph.inputs, ...graph.initializers]) own.add(name);
  for (const node of graph.nodes) for (const name of node.outputs) own.add(name);
  const outside = new Set<string>();
  const note = (name: string) => {
    if (name !== '' && !own.has(name)) outside.add(name);
    return true;
  };
  for (const node of graph.nodes) everyRead(node, captures, note);
  for (const { name } of graph.outputs) note(name);
  captures.set(graph, outside);
  return outside;
}

/** Kahn's algorithm with the ready nodes in a heap by file position. */
function sorted(
  nodes: readonly ModelNode[],
  producer: ReadonlyMap<string, number>,
  captures: Captures,
): number[] {
  const waiting = nodes.map(() => 0);
  const readers: number[][] = nodes.map(() => []);
  for (const [at, node] of nodes.entries())
    everyRead(node, captures, (name) => {
      const from = producer.get(name);
      if (from !== undefined) {
        readers[from].push(at);
        waiting[at]++;
      }
      return true;
    });
  const ready = new Heap();
  for (const at of nodes.keys()) if (waiting[at] === 0) ready.push(at);
  const order: number[] = [];
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    order.push(at);
    for (const reader of readers[at]) if (--waiting[reader] === 0) ready.push(reader);
  }
  if (order.length < nodes.length) throw cycleError(nodes, readers, waiting);
  return order;
}

const NAMED_IN_CYCLE = 4;

function cycleError(
  nodes: readonly ModelNode[],
  readers: readonly number[][],
  waiting: readonly number[],
): InputError {
  // Backwards from any stuck node one stays among stuck nodes, so a repetition closes a cycle.
  const before = new Map<number, number>();
  for (const [from, all] of readers.entries())
    if (waiting[from] > 0) for (const reader of all) if (waiting[reader] > 0) before.set(reader, from);
  const seen = new Map<number, number>();
  const path: number[] = [];
  for (let at = before.keys().next().value!; !seen.has(at); at = before.get(at)!) {
    seen.set(at, path.length);
    path.push(at);
    if (!before.has(at)) break;
  }
  const last = before.get(path[path.length - 1]);
  const cycle = last === undefined ? path : path.slice(seen.get(last)).reverse();
  const names = cycle.slice(0, NAMED_IN_CYCLE).map((at) => `node ${at} (${nodes[at].type})`);
  const more = cycle.length > NAMED_IN_CYCLE ? ` and ${cycle.length - NAMED_IN_CYCLE} more` : '';
  return new InputError(
    `The graph has a cycle: ${names.join(', ')}${more} ${cycle.length === 1 ? 'reads its own result' : 'read each other’s results'}, so there is no order in which they can run.`,
  );
}

/** Smallest number first. */
class Heap {
  private readonly items: number[] = [];

  push(item: number): void {
    const { items } = this;
    let at = items.push(item) - 1;
    for (let up = (at - 1) >> 1; at > 0 && items[up] > item; up = (at - 1) >> 1) {
      items[at] = items[up];
      at = up;
    }
    items[at] = item;
  }

  pop(): number | undefined {
    const { items } = this;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= items.length) break;
      if (down + 1 < items.length && items[down + 1] < items[down]) down++;
      if (items[down] >= last) break;
      items[at] = items[down];
      at = down;
    }
    items[at] = last;
    return top;
  }
}
