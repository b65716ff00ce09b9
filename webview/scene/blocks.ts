import type { Draft } from './scopes';
import type { Topology } from './topology';

/**
 * Groups for graphs without name scopes: the execution order is cut where a single tensor crosses, what lies
 * between two cuts is a cell, and cells that repeat (alone or as a pattern of several) become blocks. Runs of
 * an execution order never make a picture cyclic.
 */

/** Tensors that feed at least this many operators over at least this many steps (masks, positions) cut nothing. */
const SHARED_CONSUMERS = 3;
const SHARED_SPAN = 32;
/** Longest repeating pattern of cells that is looked for. */
const LONGEST_PATTERN = 8;
/** A pattern of several cells repeats at least this often: two alike in a row may be chance. */
const LEAST_REPEATS = 3;
/** A pattern becomes one block up to this many operators. */
const LARGEST_PATTERN = 160;
/** A straight chain without cells is divided into blocks of about this many operators. */
const CHAIN_BLOCK = 12;
const SMALLEST_BLOCK = 3;
/** Cells above this size are cut where more tensors cross, up to this many. */
const LARGEST_CELL = 160;
const MOST_CROSSING = 4;
/** More blocks than this beside each other are gathered into sections. */
const MOST_BLOCKS = 48;

export type TypeOf = (operator: number) => number;

/** Blocks of `members` (ascending), in execution order; operators outside any block stay as they are. */
export function blocksOf(topology: Topology, members: readonly number[], typeOf: TypeOf): (number | Draft)[] {
  const order = depthFirst(topology, members);
  const cells = joinSingles(smallCells(topology, order));
  const tokens = tokensOf(topology, cells, typeOf);
  const blocks = joinPatterns(cells, tokens);
  if (blocks.length < 2) return [...members];
  return sections(drafts(topology, blocks, typeOf));
}

/** An execution order in which each operator stands close to what first needs it. */
function depthFirst({ producer, firstInput, inputs }: Topology, members: readonly number[]): number[] {
  const inside = new Set(members);
  const used = new Set<number>();
  for (const op of members) {
    for (let i = firstInput[op]; i < firstInput[op + 1]; i++) used.add(producer[inputs[i]]);
  }
  const done = new Set<number>();
  const order: number[] = [];
  for (const root of members) {
    if (used.has(root)) continue;
    const stack = [{ op: root, next: firstInput[root] }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (done.has(top.op)) stack.pop();
      else if (top.next < firstInput[top.op + 1]) {
        const from = producer[inputs[top.next++]];
        if (inside.has(from) && !done.has(from)) stack.push({ op: from, next: firstInput[from] });
      } else {
        done.add(top.op);
        order.push(top.op);
        stack.pop();
      }
    }
  }
  return order;
}

/**
 * Splits the order where a single tensor crosses. Where that leaves a cell that is too large (each cell of a
 * searched architecture reads the two before it), two tensors may cross, then more.
 */
function smallCells(topology: Topology, order: readonly number[]): number[][] {
  const crossing = crossingTensors(topology, order);
  let cells: number[][] = [];
  for (let most = 1; most <= MOST_CROSSING; most++) {
    cells = cutCells(order, crossing, most);
    if (cells.every((cell) => cell.length <= LARGEST_CELL)) break;
  }
  return cells;
}

/** How many unshared tensors cross behind each position of the order; graph inputs from their first reader on. */
function crossingTensors(topology: Topology, order: readonly number[]): Int32Array {
  const { tensorCount, producer, firstConsumer, consumers } = topology;
  const position = new Int32Array(topology.operatorCount).fill(-1);
  order.forEach((op, i) => (position[op] = i));
  const crossing = new Int32Array(order.length + 1);
  for (let t = 0; t < tensorCount; t++) {
    let begin = producer[t] < 0 ? Infinity : position[producer[t]];
    if (begin < 0) continue;
    let end = -1;
    let count = 0;
    for (let c = firstConsumer[t]; c < firstConsumer[t + 1]; c++) {
      const at = position[consumers[c]];
      if (at < 0) continue;
      end = Math.max(end, at);
      if (producer[t] < 0) begin = Math.min(begin, at);
      count++;
    }
    if (count === 0) continue;
    if (count >= SHARED_CONSUMERS && end - begin >= SHARED_SPAN) continue;
    crossing[begin]++;
    crossing[end]--;
  }
  for (let i = 1; i < crossing.length; i++) crossing[i] += crossing[i - 1];
  return crossing;
}

/** Above one, only the narrowest places between two wider ones are cuts, or every operator would be a cell. */
function cutCells(order: readonly number[], crossing: Int32Array, most: number): number[][] {
  const cells: number[][] = [];
  let begin = 0;
  let widest = 0;
  order.forEach((_, i) => {
    widest = Math.max(widest, crossing[i]);
    const narrow =
      crossing[i] <= 1 || (crossing[i] <= most && widest > most && crossing[i + 1] > crossing[i]);
    if (!narrow && i < order.length - 1) return;
    cells.push(order.slice(begin, i + 1));
    begin = i + 1;
    widest = 0;
  });
  return cells;
}

/** Single operators join the cell before them (an activation after a residual block); long chains are divided. */
function joinSingles(cells: readonly number[][]): number[][] {
  const out: number[][] = [];
  let chain: number[] = [];
  const endChain = (): void => {
    const last = out[out.length - 1];
    if (last !== undefined && chain.length < SMALLEST_BLOCK) last.push(...chain);
    else if (chain.length > 0) {
      const parts = Math.ceil(chain.length / CHAIN_BLOCK);
      for (let i = 0; i < parts; i++) {
        const part = chain.slice((i * chain.length) / parts, ((i + 1) * chain.length) / parts);
        out.push(part);
      }
    }
    chain = [];
  };
  for (const cell of cells) {
    if (cell.length === 1) chain.push(cell[0]);
    else {
      endChain();
      out.push([...cell]);
    }
  }
  endChain();
  return out;
}

/** A number per cell, equal for cells of equal structure. */
function tokensOf(topology: Topology, cells: readonly number[][], typeOf: TypeOf): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(cells, (cell) => {
    const key = structureOf(topology, cell, typeOf);
    const token = known.get(key) ?? known.size;
    known.set(key, token);
    return token;
  });
}

/** Operator types and wiring in relative positions. */
function structureOf(topology: Topology, operators: readonly number[], typeOf: TypeOf): string {
  const local = new Map(operators.map((op, i) => [op, i]));
  let key = '';
  for (const op of operators) {
    key += `${typeOf(op)}(`;
    for (let i = topology.firstInput[op]; i < topology.firstInput[op + 1]; i++) {
      key += `${local.get(topology.producer[topology.inputs[i]]) ?? 'x'},`;
    }
    key += ')';
  }
  return key;
}

/** Left to right, the pattern that covers the most cells by repeating becomes blocks of one period each. */
function joinPatterns(cells: readonly number[][], tokens: Int32Array): number[][] {
  const blocks: number[][] = [];
  for (let at = 0; at < cells.length;) {
    let period = 1;
    let times = 1;
    for (let p = 1; p <= LONGEST_PATTERN; p++) {
      const count = repeats(tokens, at, p);
      if (count < (p === 1 ? 2 : LEAST_REPEATS) || count * p <= period * times) continue;
      const size = cells.slice(at, at + p).reduce((sum, cell) => sum + cell.length, 0);
      if (size <= LARGEST_PATTERN) [period, times] = [p, count];
    }
    for (let i = 0; i < times; i++) blocks.push(cells.slice(at + i * period, at + (i + 1) * period).flat());
    at += period * times;
  }
  return blocks;
}

function repeats(tokens: Int32Array, at: number, period: number): number {
  let length = period;
  while (at + length < tokens.length && tokens[at + length] === tokens[at + length - period]) length++;
  return Math.floor(length / period);
}

function drafts(topology: Topology, blocks: readonly number[][], typeOf: TypeOf): (number | Draft)[] {
  const kinds = new Map<string, number>();
  let count = 0;
  return blocks.flatMap((operators): (number | Draft)[] => {
    if (operators.length < SMALLEST_BLOCK) return operators;
    const key = structureOf(topology, operators, typeOf);
    const alike = kinds.get(key) ?? kinds.size;
    kinds.set(key, alike);
    return [{ label: `Block ${++count}`, children: operators, operators, alike }];
  });
}

/** Many blocks are gathered into sections of about the square root of their number. */
function sections(children: readonly (number | Draft)[]): (number | Draft)[] {
  if (children.length <= MOST_BLOCKS) return [...children];
  const size = Math.ceil(Math.sqrt(children.length));
  const out: Draft[] = [];
  for (let begin = 0; begin < children.length; begin += size) {
    const part = children.slice(begin, begin + size);
    const labels = part.flatMap((child) => (typeof child === 'number' ? [] : [child.label]));
    out.push({
      label: sectionLabel(labels, out.length + 1),
      children: part,
      operators: part.flatMap((child) => (typeof child === 'number' ? [child] : child.operators)),
      alike: -1,
    });
  }
  return out;
}

function sectionLabel(labels: readonly string[], number: number): string {
  if (labels.length === 0) return `Section ${number}`;
  if (labels.length === 1) return labels[0];
  return `Blocks ${labels[0].replace('Block ', '')} – ${labels[labels.length - 1].replace('Block ', '')}`;
}
