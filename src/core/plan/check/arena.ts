import type { Graph, Operator, Storage } from '../../graph/graph';
import { NONE } from '../../graph/units';
import type { Plan } from '../plan';
import { describeOperator, storageName } from './replay';
import type { Violations } from './violations';

/** First and last step at which a storage is live. */
export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/** Bytes `[start, end)` of the arena from the first step through the last. */
interface Block extends Lifetime {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** `NONE`: the body of an operator. */
  readonly storage: number;
}

const ARENA_ALIGNMENT = 64;

/**
 * Every tensor and every operator's body has a place of its own while it lives, and the arena ends with the last.
 * @param handovers per storage those that may be written over by it, in their last step
 */
export function checkArena(
  graph: Graph,
  plan: Plan,
  steps: readonly Operator[],
  lifetimes: readonly Lifetime[],
  handovers: ReadonlyMap<number, readonly Storage[]>,
  violations: Violations,
): void {
  const tensors = tensorBlocks(graph, plan, lifetimes);
  const blocks = [...tensors, ...bodyBlocks(plan, steps, tensors, violations)];
  for (const { name, start } of blocks) {
    if (start % ARENA_ALIGNMENT !== 0)
      violations.add('arena', `${name} lies at ${start}, which is not a multiple of ${ARENA_ALIGNMENT}.`);
  }
  const placed = blocks.filter(({ start, end }) => end > start);
  const end = placed.reduce((highest, block) => Math.max(highest, block.end), 0);
  if (aligned(end) !== plan.order.arenaBytes)
    violations.add(
      'arena',
      `order.arenaBytes says ${plan.order.arenaBytes}, the last tensor or body ends at ${end}.`,
    );
  checkDisjoint(placed, handovers, violations);
}

function tensorBlocks(graph: Graph, plan: Plan, lifetimes: readonly Lifetime[]): Block[] {
  const byName = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]));
  return graph.storages.flatMap(({ id, bytes = 0 }): Block[] => {
    const name = storageName(graph, id);
    const start = byName.get(name)?.offset;
    if (start === undefined) return [];
    return [{ ...lifetimes[id], name: `"${name}"`, start, end: start + bytes, storage: id }];
  });
}

function bodyBlocks(
  plan: Plan,
  steps: readonly Operator[],
  tensors: readonly Block[],
  violations: Violations,
): Block[] {
  const said = new Map(plan.operators.map(({ index, body }) => [index, body]));
  return steps.flatMap((operator, step): Block[] => {
    const { bytes } = operator.bodyPeak;
    const body = said.get(operator.index);
    const name = `the body of ${describeOperator(operator)}`;
    if (body !== undefined && body.bytes !== bytes)
      violations.add('arena', `${name}: body says ${body.bytes} bytes, it needs ${bytes}.`);
    if (bytes === 0) return [];
    const start = body?.offset ?? lowestFree(tensors, step, bytes);
    return [{ first: step, last: step, name, start, end: start + bytes, storage: NONE }];
  });
}

/** For plans from before bodies had addresses: the arena has room for one where its lowest free place ends within. */
function lowestFree(tensors: readonly Block[], step: number, bytes: number): number {
  const live = tensors.filter(({ first, last }) => first <= step && step <= last);
  let start = 0;
  for (const tensor of live.sort((a, b) => a.start - b.start)) {
    if (start + bytes <= tensor.start) break;
    start = Math.max(start, aligned(tensor.end));
  }
  return start;
}

function checkDisjoint(
  blocks: readonly Block[],
  handovers: ReadonlyMap<number, readonly Storage[]>,
  violations: Violations,
): void {
  const writesOver = (block: Block, other: Block): boolean =>
    block.start === other.start &&
    (handovers.get(block.storage)?.some(({ id }) => id === other.storage) ?? false);
  let live: Block[] = [];
  for (const block of [...blocks].sort((a, b) => a.first - b.first)) {
    live = live.filter((other) => other.last >= block.first);
    for (const other of live) {
      if (block.start >= other.end || other.start >= block.end) continue;
      if (!writesOver(block, other) && !writesOver(other, block))
        violations.add('arena', `${block.name} and ${other.name} are live together and overlap.`);
    }
    live.push(block);
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ARENA_ALIGNMENT) * ARENA_ALIGNMENT;
}
