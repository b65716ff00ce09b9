import { NONE, type OperatorId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { ownRange, type Gene } from '../../latency/gene';
import type { Split } from '../../partition/partition';
import type { SearchSpace } from './space';

type Genes = readonly (CompiledGene | undefined)[];

/**
 * The genes of steps `[from, to)` with halos so wide that no reader that is split alike has to wait for a message
 * from them: computed again instead, from the last step backwards, as fused tiles are. Only those that change.
 */
export function recomputedRun(space: SearchSpace, genome: Genes, from: number, to: number): CompiledGene[] {
  const changed: CompiledGene[] = [];
  const view = [...genome];
  for (let step = to - 1; step >= from; step--) {
    const operator = space.steps[step];
    const { gene } = genome[operator]!;
    const split = gene.split === NONE ? undefined : space.splits[operator][gene.split];
    if (split === undefined || split.dimension === 'K') continue;
    const halos = halosForReaders(space, view, operator, gene, split);
    if (halos === undefined) continue;
    const wider = space.compile(operator, { ...gene, halos });
    view[operator] = wider;
    changed.push(wider);
  }
  return changed;
}

/** The genes of steps `[from, to)` without halos, where they have any. */
export function exchangedRun(space: SearchSpace, genome: Genes, from: number, to: number): CompiledGene[] {
  const changed: CompiledGene[] = [];
  for (let step = from; step < to; step++) {
    const { gene, operator } = genome[space.steps[step]]!;
    if (gene.halos !== undefined) changed.push(space.compile(operator, { ...gene, halos: undefined }));
  }
  return changed;
}

/** `undefined` where no reader needs more than the operator's own parts. */
function halosForReaders(
  space: SearchSpace,
  genome: Genes,
  operator: OperatorId,
  gene: Gene,
  { axis, dimension, unit }: Split,
): number[] | undefined {
  const { graph } = space.workload;
  const [output] = graph.operators[operator].outputs;
  const halos = new Array<number>(2 * space.devices).fill(0);
  for (const reader of graph.tensors[output].consumers) {
    const other = genome[reader];
    if (other === undefined || other.gene.split === NONE) continue;
    const split = space.splits[reader][other.gene.split];
    if (split.axis !== axis || split.dimension !== dimension) continue;
    const reach = space.reach(other, graph.operators[reader].inputs.indexOf(output), axis);
    for (const device of other.devices) {
      const [start, end] = ownRange(gene, device);
      if (start === end || reach[2 * device + 1] === NONE) continue;
      const before = Math.ceil((start - reach[2 * device]) / unit) * unit;
      const after = Math.ceil((reach[2 * device + 1] - end) / unit) * unit;
      halos[2 * device] = Math.max(halos[2 * device], before);
      halos[2 * device + 1] = Math.max(halos[2 * device + 1], after);
    }
  }
  return halos.some((halo) => halo > 0) ? halos : undefined;
}
