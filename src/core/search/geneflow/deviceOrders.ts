import type { Random } from '../../graph/random';
import { NONE, type DeviceId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { devicesAlong, rotated, swapped, withDevicesAlong, type Gene } from '../../latency/gene';
import type { SearchSpace } from './space';

type Genes = readonly (CompiledGene | undefined)[];

/** Another order of the devices that have a part. */
export type Reorder = (along: readonly DeviceId[]) => readonly DeviceId[];

/**
 * The genes of steps `[from, to)` with their devices in another order, each with the length that it had. `alternating`: not all,
 * but one convolution (or whatever reads beyond its own part) and what follows it yes, the next no, and so on: where
 * the devices lie as before a halo comes from either side, where they are all moved on it comes from one.
 */
export function reorderedRun(
  space: SearchSpace,
  genome: Genes,
  from: number,
  to: number,
  reorder: Reorder,
  alternating: boolean,
): CompiledGene[] {
  const changed: CompiledGene[] = [];
  let isReordered = true;
  for (let step = from; step < to; step++) {
    const compiled = genome[space.steps[step]]!;
    const { operator, gene, devices } = compiled;
    if (gene.split === NONE || devices.length < 2) continue;
    if (alternating && step > from && readsBeyond(space, compiled)) isReordered = !isReordered;
    if (isReordered)
      changed.push(space.compile(operator, withDevicesAlong(gene, reorder(devicesAlong(gene)))));
  }
  return changed;
}

/** Do two devices that follow each other read the same elements? */
function readsBeyond(space: SearchSpace, compiled: CompiledGene): boolean {
  const { dimension, axis } = space.splits[compiled.operator][compiled.gene.split];
  if (dimension === 'K') return false;
  const reach = space.reach(compiled, 0, axis);
  const [first, second] = devicesAlong(compiled.gene);
  return reach[2 * second] !== NONE && reach[2 * second] < reach[2 * first + 1];
}

/** The operator's gene with its devices in the order of a neighbour's; those that have no part there come last. */
export function inOrderOf(neighbour: CompiledGene, gene: Gene): Gene | undefined {
  if (gene.split === NONE || neighbour.gene.split === NONE) return undefined;
  const own = devicesAlong(gene);
  const theirs = devicesAlong(neighbour.gene).filter((device) => own.includes(device));
  return withDevicesAlong(gene, [...theirs, ...own.filter((device) => !theirs.includes(device))]);
}

/** All one place on, one place back, or two neighbours exchanged. */
export function pickReorder(random: Random): Reorder {
  const kind = random.below(3);
  if (kind === 0) return (along) => rotated(along, 1);
  if (kind === 1) return (along) => rotated(along, along.length - 1);
  const draw = random.next();
  return (along) => swapped(along, Math.floor(draw * (along.length - 1)));
}
