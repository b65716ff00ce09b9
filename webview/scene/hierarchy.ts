import type { ViewGraph } from '../../src/protocol/webview';
import { blocksOf } from './blocks';
import { groupedText } from '../units';
import { namePaths, scopeTree, scopesAreUseful, type Draft } from './scopes';
import type { Topology } from './topology';

/**
 * The graph as a tree of nodes: operators (ids of the view graph), then a node per graph input, then one per
 * graph output, then groups. The picture of the children of any group is acyclic.
 */
export interface Hierarchy {
  readonly operatorCount: number;
  readonly inputCount: number;
  readonly outputCount: number;
  /** Operators, inputs and outputs. */
  readonly leafCount: number;
  readonly nodeCount: number;
  /** Group that holds a node, or -1 at the top. */
  readonly parent: Int32Array;
  /** `firstChild[g]..firstChild[g+1]` in `children`, by group index (node id - leafCount); the top is last. */
  readonly firstChild: Uint32Array;
  readonly children: Int32Array;
  readonly labels: readonly string[];
  /** Operators inside each group, at any depth. */
  readonly operatorsInside: Uint32Array;
  /** Groups of equal structure have equal numbers; -1 where nobody looked. */
  readonly alike: Int32Array;
}

/** A scope or graph with more direct operators than this is divided into blocks. */
const DIVIDE_ABOVE = 40;
/** More inputs (or outputs) than this, the caches of a language model or the columns of a table, are one group. */
const MOST_ENDS = 32;
/** Up to this many operators everything is open at first. */
const OPEN_UP_TO = 400;
/** Above it, groups are opened at first from the top while no more than this many nodes show. */
const SHOWN_AT_FIRST = 90;

export function hierarchyOf(graph: ViewGraph, topology: Topology): Hierarchy {
  const operatorCount = topology.operatorCount;
  const members = Array.from({ length: operatorCount }, (_, op) => op);
  const typeOf = (op: number): number => graph.operators.types[op];
  const paths = namePaths(graph.operators.names);
  const scoped = scopesAreUseful(paths) ? scopeTree(topology, paths, members) : members;
  const divide = (children: readonly (number | Draft)[]): readonly (number | Draft)[] => {
    const direct = children.filter((child): child is number => typeof child === 'number');
    const inner = children.map((c) => (typeof c === 'number' ? c : { ...c, children: divide(c.children) }));
    const plain = direct.length === children.length && direct.length > DIVIDE_ABOVE;
    return plain ? blocksOf(topology, direct, typeOf) : inner;
  };
  return flatten(graph, divide(scoped));
}

function flatten(graph: ViewGraph, top: readonly (number | Draft)[]): Hierarchy {
  const operatorCount = graph.operators.types.length;
  const inputCount = graph.inputs.length;
  const outputCount = graph.outputs.length;
  const leafCount = operatorCount + inputCount + outputCount;
  const groups: Draft[] = [];
  const ids = new Map<Draft, number>();
  const collect = (children: readonly (number | Draft)[]): void => {
    for (const child of children) {
      if (typeof child === 'number') continue;
      ids.set(child, leafCount + groups.length);
      groups.push(child);
      collect(child.children);
    }
  };
  collect(top);
  const ends = [
    ...gatherEnds(operatorCount, inputCount, 'inputs'),
    ...gatherEnds(operatorCount + inputCount, outputCount, 'outputs'),
  ];
  collect(ends);
  const lists = [...groups.map((group) => group.children), [...ends, ...top]];
  const firstChild = new Uint32Array(lists.length + 1);
  lists.forEach((list, i) => (firstChild[i + 1] = firstChild[i] + list.length));
  const children = Int32Array.from(
    lists.flatMap((list) => list.map((child) => (typeof child === 'number' ? child : ids.get(child)!))),
  );
  const nodeCount = leafCount + groups.length;
  const parent = new Int32Array(nodeCount).fill(-1);
  groups.forEach((_, g) => {
    for (let i = firstChild[g]; i < firstChild[g + 1]; i++) parent[children[i]] = leafCount + g;
  });
  return {
    ...{ operatorCount, inputCount, outputCount, leafCount, nodeCount, parent, firstChild, children },
    labels: groups.map((group) => group.label),
    operatorsInside: Uint32Array.from(groups, (group) => group.operators.length),
    alike: Int32Array.from(groups, (group) => group.alike),
  };
}

/** Inputs or outputs as they are, or as one group that holds no operators. */
function gatherEnds(first: number, count: number, kind: string): (number | Draft)[] {
  const ends = Array.from({ length: count }, (_, i) => first + i);
  if (count <= MOST_ENDS) return ends;
  return [{ label: `${groupedText(count)} ${kind}`, children: ends, operators: [], alike: -1 }];
}

/** Per group 1 where it is open at first; inputs and outputs that were gathered stay closed. */
export function openAtFirst(hierarchy: Hierarchy): Uint8Array {
  const { leafCount, nodeCount, firstChild, children, operatorCount, operatorsInside } = hierarchy;
  const open = new Uint8Array(nodeCount - leafCount);
  if (operatorCount <= OPEN_UP_TO) return open.map((_, g) => (operatorsInside[g] > 0 ? 1 : 0));
  const top = nodeCount - leafCount;
  let shown = firstChild[top + 1] - firstChild[top];
  let level = [top];
  while (level.length > 0) {
    const below: number[] = [];
    for (const g of level) {
      for (let i = firstChild[g]; i < firstChild[g + 1]; i++) {
        const group = children[i] - leafCount;
        if (group < 0 || operatorsInside[group] === 0) continue;
        const more = firstChild[group + 1] - firstChild[group];
        if (shown + more > SHOWN_AT_FIRST) continue;
        shown += more;
        open[group] = 1;
        below.push(group);
      }
    }
    level = below;
  }
  return open;
}

/**
 * Of the groups in `open` those from the top that show about `first` nodes, the others closed; `null` where fewer
 * than `least` nodes show in all. What stands above the first group that stays closed is laid out as in the whole.
 */
export function openFromTop(
  { leafCount, nodeCount, firstChild, children }: Hierarchy,
  open: Uint8Array,
  first: number,
  least: number,
): Uint8Array | null {
  const part = new Uint8Array(open.length);
  let shown = 0;
  const stack = [nodeCount - leafCount];
  while (stack.length > 0) {
    const g = stack.pop()!;
    if (shown < first && g < open.length) part[g] = 1;
    shown += firstChild[g + 1] - firstChild[g];
    for (let i = firstChild[g + 1] - 1; i >= firstChild[g]; i--) {
      const group = children[i] - leafCount;
      if (group >= 0 && open[group] === 1) stack.push(group);
    }
  }
  return shown < least ? null : part;
}
