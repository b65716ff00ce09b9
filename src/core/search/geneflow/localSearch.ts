import { NONE, type OperatorId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { deviceAt, reorderedGenes, rotated, wholeGene, type Gene } from '../../latency/gene';
import { inOrderOf, reorderedRun } from './deviceOrders';
import { exchangedRun, recomputedRun } from './halos';
import { extended, withoutDevice } from './mutations';
import type { SearchSpace } from './space';

type Genes = readonly (CompiledGene | undefined)[];

/** Boundary steps that are tried, in units of the axis. */
const SHIFTS = [1, -1, 2, -2, 4, -4, 8, -8];
/** Lengths of the runs along which a boundary moves together. */
const RUNS = [1, 3, 8, 24];

/** A change of some genes: operators and what they become. */
export type Move = readonly CompiledGene[];

/**
 * Every small change of a plan around `operator`: a boundary moved, alone or along the run that begins there; a
 * device dropped; a neighbour's partition; whole on any device; split by speed.
 */
export function* movesAround(space: SearchSpace, genome: Genes, operator: OperatorId): Generator<Move> {
  const { gene } = genome[operator]!;
  yield* boundaryMoves(space, genome, operator);
  for (const neighbour of space.neighbours[operator]) {
    const adopted = space.adopt(operator, space.profile(genome[neighbour]!));
    if (adopted !== undefined) yield [space.compile(operator, adopted)];
  }
  if (gene.split !== NONE) {
    for (let device = 0; device < space.devices; device++) {
      const dropped = withoutDevice(gene, device);
      if (dropped !== undefined) yield [space.compile(operator, dropped)];
    }
  }
  yield* orderMoves(space, genome, operator);
  yield* haloMoves(space, genome, operator);
  for (const fresh of freshGenes(space, operator)) yield [space.compile(operator, fresh)];
  yield* runMoves(space, genome, operator);
}

function* boundaryMoves(space: SearchSpace, genome: Genes, operator: OperatorId): Generator<Move> {
  const { gene } = genome[operator]!;
  if (gene.split === NONE) return;
  const { dimension, length, unit } = space.splits[operator][gene.split];
  const first = space.workload.flow.stepOf[operator];
  for (let boundary = 1; boundary < gene.cuts.length - 1; boundary++) {
    const device = deviceAt(gene, boundary - 1);
    for (const shift of SHIFTS) {
      if (Math.abs(shift) * unit >= length) continue;
      for (const run of RUNS) {
        const move: CompiledGene[] = [];
        for (let step = first; step < Math.min(space.steps.length, first + run); step++) {
          const other = genome[space.steps[step]]!;
          if (other.gene.split === NONE) continue;
          const own = space.splits[other.operator][other.gene.split];
          if (own.dimension !== dimension) continue;
          const scaled = Math.round((shift * unit * own.length) / length / own.unit) * own.unit;
          if (scaled === 0) continue;
          move.push(space.compile(other.operator, extended(other.gene, device, scaled, own.length)));
        }
        if (move.length > 0) yield move;
      }
    }
  }
}

/** The devices in another order along the axis: any near one, a neighbour's, all moved on, alternately along a run. */
function* orderMoves(space: SearchSpace, genome: Genes, operator: OperatorId): Generator<Move> {
  const { gene, devices } = genome[operator]!;
  if (gene.split === NONE || devices.length < 2) return;
  for (const other of reorderedGenes(gene)) yield [space.compile(operator, other)];
  for (const neighbour of space.neighbours[operator]) {
    const followed = inOrderOf(genome[neighbour]!, gene);
    if (followed !== undefined) yield [space.compile(operator, followed)];
  }
  const first = space.workload.flow.stepOf[operator];
  for (const run of RUNS.slice(1)) {
    const end = Math.min(space.steps.length, first + run);
    for (const by of [1, devices.length - 1])
      yield reorderedRun(space, genome, first, end, (along) => rotated(along, by % along.length), true);
  }
}

/** Halos computed again, or sent again, for the operator and the runs that begin with it. */
function* haloMoves(space: SearchSpace, genome: Genes, operator: OperatorId): Generator<Move> {
  const first = space.workload.flow.stepOf[operator];
  for (const run of RUNS) {
    const end = Math.min(space.steps.length, first + run);
    yield recomputedRun(space, genome, first, end);
    yield exchangedRun(space, genome, first, end);
  }
}

/** The operator's partition spread over the run that begins with it. */
function* runMoves(space: SearchSpace, genome: Genes, operator: OperatorId): Generator<Move> {
  const first = space.workload.flow.stepOf[operator];
  const sources = [space.profile(genome[operator]!), ...previousProfiles(space, genome, first)];
  for (const profile of sources) {
    for (const run of RUNS) {
      const move: CompiledGene[] = [];
      for (let step = first; step < Math.min(space.steps.length, first + run); step++) {
        const adopted = space.adopt(space.steps[step], profile);
        if (adopted !== undefined) move.push(space.compile(space.steps[step], adopted));
      }
      yield move;
    }
  }
}

function previousProfiles(
  space: SearchSpace,
  genome: Genes,
  step: number,
): ReturnType<SearchSpace['profile']>[] {
  return step === 0 ? [] : [space.profile(genome[space.steps[step - 1]]!)];
}

function* freshGenes(space: SearchSpace, operator: OperatorId): Generator<Gene> {
  for (let device = 0; device < space.devices; device++) yield wholeGene(device, space.devices);
  for (let split = 0; split < space.splits[operator].length; split++)
    yield space.proportional(operator, split);
}
