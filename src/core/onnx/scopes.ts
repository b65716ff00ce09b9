import type { ModelGraph, ModelNode } from './model';

const NO_SUBGRAPHS: readonly (readonly [string, ModelGraph])[] = [];
const NO_NAMES: ReadonlySet<string> = new Set();

/** The subgraphs of a node in attribute order; of `graphs` attributes each with its position (`bodies[1]`). */
export function subgraphsOf(node: ModelNode): readonly (readonly [string, ModelGraph])[] {
  if (node.attributes.size === 0) return NO_SUBGRAPHS;
  let found: (readonly [string, ModelGraph])[] | undefined;
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'graph') (found ??= []).push([name, attribute.value as ModelGraph]);
    else if (attribute.kind === 'graphs') {
      const graphs = attribute.value.map((graph, i) => [`${name}[${i}]`, graph as ModelGraph] as const);
      (found ??= []).push(...graphs);
    }
  }
  return found ?? NO_SUBGRAPHS;
}

/** What a node's domain, type and overload must be to call a function. */
export function functionKey(domain: string, name: string, overload: string): string {
  return `${domain}\0${name}\0${overload}`;
}

const freeNamesOfGraph = new WeakMap<ModelGraph, ReadonlySet<string>>();

/** Names that a subgraph reads from the graphs around it. */
export function freeNames(graph: ModelGraph): ReadonlySet<string> {
  const known = freeNamesOfGraph.get(graph);
  if (known) return known;
  const defined = new Set<string>();
  for (const value of graph.inputs) defined.add(value.name);
  for (const value of graph.initializers) defined.add(value.name);
  for (const node of graph.nodes) for (const name of node.outputs) defined.add(name);
  const free = new Set<string>();
  const read = (name: string): void => {
    if (name !== '' && !defined.has(name)) free.add(name);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach(read);
    capturedNames(node).forEach(read);
  }
  for (const value of graph.outputs) read(value.name);
  freeNamesOfGraph.set(graph, free);
  return free;
}

/** Names that the subgraphs of a node read from the graph that the node is in, and from those around it. */
export function capturedNames(node: ModelNode): ReadonlySet<string> {
  const graphs = subgraphsOf(node);
  if (graphs.length === 0) return NO_NAMES;
  if (graphs.length === 1) return freeNames(graphs[0][1]);
  const names = new Set<string>();
  for (const [, graph] of graphs) for (const name of freeNames(graph)) names.add(name);
  return names;
}
