import type { Random } from '../../graph/random';
import { NONE, type DeviceId, type OperatorId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { deviceAt, geneDevices, ownRange, partOf, wholeGene, type Gene } from '../../latency/gene';
import { aligned, alike } from './alikeOperators';
import { inOrderOf, pickReorder, reorderedRun } from './deviceOrders';
import { exchangedRun, recomputedRun } from './halos';
import type { Split } from '../../partition/partition';
import { exchangeDevices, turnRun } from './runMutations';
import type { SearchSpace } from './space';

type Genes = (CompiledGene | undefined)[];

/** What a mutation draws from. */
interface Draw {
  readonly space: SearchSpace;
  readonly random: Random;
  /** Steps that the latency waits for (some twice). */
  readonly critical: readonly number[];
  readonly donors: readonly (readonly (CompiledGene | undefined)[])[];
}

type Mutation = (draw: Draw, genome: Genes) => void;

const LONGEST_RUN = 24;
/** Of a run, by which its ends move at most to where fewer bytes cross. */
const REACH = 0.25;

/** The mutations with their shares at first. Each changes `genome` in place; some draws change nothing. */
const MUTATIONS: readonly (readonly [number, Mutation])[] = [
  [28, moveBoundary],
  [20, moveBoundaryOfAligned],
  [18, moveBoundaryOfRun],
  [10, dropOrAddDevice],
  [14, copyNeighbour],
  [16, spreadOverRun],
  [6, startAfresh],
  [6, runOnOneDevice],
  [2, reduceElsewhere],
  [10, recomputeRun],
  [4, exchangeRun],
  [10, moveBranch],
  [6, turn],
  [6, exchange],
  [4, reorderDevices],
  [2, followOrder],
  [8, graft],
];
/** Tries after which the shares follow what the mutations have brought, and how much of the past counts then. */
const TRIES_PER_SHARE = 400;
const MEMORY = 0.7;
/** Part of the draws that goes by the first shares, whatever was brought. */
const STEADY = 0.35;

/**
 * Draws mutations, those more often that have made plans better by more lately. Half of the places where they
 * begin are on the chain that the latency waits for.
 */
export class Mutator {
  private readonly first = MUTATIONS.map(([share]) => share / MUTATIONS.reduce((sum, [one]) => sum + one, 0));
  private shares = this.first;
  private readonly tries = MUTATIONS.map(() => 0);
  private readonly gains = MUTATIONS.map(() => 0);
  private since = 0;
  private last = 0;
  /** Plans that runs of operators may be taken over from. */
  donors: readonly (readonly (CompiledGene | undefined)[])[] = [];

  constructor(
    private readonly space: SearchSpace,
    private readonly random: Random,
  ) {}

  mutate(genome: Genes, critical: readonly number[]): void {
    if (++this.since >= TRIES_PER_SHARE) this.adapt();
    let draw = this.random.next();
    this.last = 0;
    while (this.last + 1 < MUTATIONS.length && draw >= this.shares[this.last])
      draw -= this.shares[this.last++];
    this.tries[this.last]++;
    const { space, random, donors } = this;
    MUTATIONS[this.last][1]({ space, random, critical, donors }, genome);
  }

  /** The plan of the last mutation is better by this part of what it was. */
  reward(part: number): void {
    this.gains[this.last] += part;
  }

  private adapt(): void {
    this.since = 0;
    const worth = this.gains.map((gain, index) => gain / (1 + this.tries[index]));
    const total = worth.reduce((sum, one) => sum + one, 0);
    this.shares =
      total === 0
        ? this.first
        : worth.map((one, index) => STEADY * this.first[index] + ((1 - STEADY) * one) / total);
    for (let index = 0; index < MUTATIONS.length; index++) {
      this.tries[index] *= MEMORY;
      this.gains[index] *= MEMORY;
    }
  }
}

function pickStep({ space, random, critical }: Draw): number {
  return critical.length > 0 && random.below(2) === 0
    ? critical[random.below(critical.length)]
    : random.below(space.steps.length);
}

/** A run of the order: half of them short, half between places that few bytes cross. */
function pickRun(draw: Draw): { from: number; to: number } {
  const { space, random } = draw;
  const longest = random.below(4) === 0 ? space.steps.length : Math.min(LONGEST_RUN, space.steps.length);
  const length = 2 + Math.floor(longest * random.next() ** 2);
  const from = pickStep(draw);
  const to = Math.min(space.steps.length, from + length);
  if (random.below(2) === 0) return { from, to };
  const reach = 1 + Math.floor(length * REACH);
  const narrow = { from: space.narrowest(from, reach), to: space.narrowest(to, reach) };
  return narrow.from < narrow.to ? narrow : { from, to };
}

/** Some boundary between two devices moves. */
function moveBoundary(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const operator = space.steps[pickStep(draw)];
  const { gene } = genome[operator]!;
  if (gene.split === NONE) return;
  const split = space.splits[operator][gene.split];
  const shift = pickShift(random, split);
  genome[operator] = space.compile(operator, shifted(gene, pickBoundary(random, gene), shift, split.length));
}

/** Usually a little. */
function pickShift(random: Random, { length, unit }: Split): number {
  const reach = Math.max(1, Math.floor((length / unit) * 0.25 * random.next() ** 3));
  return (1 + random.below(reach)) * (random.below(2) === 0 ? unit : -unit);
}

/** The same for operators that hang together and are cut at the same places, so that they still are. */
function moveBoundaryOfAligned(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const start = space.steps[pickStep(draw)];
  const { gene } = genome[start]!;
  if (gene.split === NONE) return;
  const split = space.splits[start][gene.split];
  const shift = pickShift(random, split);
  const boundary = pickBoundary(random, gene);
  const most = random.below(2) === 0 ? LONGEST_RUN : 2 + random.below(4);
  for (const operator of aligned(space, genome, start, most)) {
    const other = genome[operator]!.gene;
    genome[operator] = space.compile(operator, shifted(other, boundary, shift, split.length));
  }
}

/** One of the inner cuts next to a device that has a part. */
function pickBoundary(random: Random, { cuts }: Gene): number {
  const inner = cuts.length - 2;
  return inner <= 0 ? 0 : 1 + random.below(inner);
}

/** All cuts at the place of `boundary` move together; cuts that would be passed are pushed along. */
export function shifted(gene: Gene, boundary: number, shift: number, length: number): Gene {
  const { cuts } = gene;
  const target = Math.min(length, Math.max(0, cuts[boundary] + shift));
  const last = cuts.length - 1;
  const moved = cuts.map((cut, position) => {
    if (position === 0 || position === last) return cut;
    if (position === boundary) return target;
    return position < boundary ? Math.min(cut, target) : Math.max(cut, target);
  });
  return { ...gene, cuts: moved };
}

/** The boundary behind the same device moves by the same fraction along a run. */
function moveBoundaryOfRun(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const { from, to } = pickRun(draw);
  const { gene, operator } = genome[space.steps[from]]!;
  if (gene.split === NONE) return;
  const { dimension } = space.splits[operator][gene.split];
  const boundary = pickBoundary(random, gene);
  const device = deviceAt(gene, boundary - 1);
  const fraction = (random.next() ** 2 * 0.2 + 0.01) * (random.below(2) === 0 ? 1 : -1);
  for (let step = from; step < to; step++) {
    const other = genome[space.steps[step]]!;
    if (other.gene.split === NONE) continue;
    const { length, unit, dimension: own } = space.splits[other.operator][other.gene.split];
    if (own !== dimension) continue;
    const shift = Math.round((fraction * length) / unit) * unit;
    if (shift !== 0)
      genome[other.operator] = space.compile(other.operator, extended(other.gene, device, shift, length));
  }
}

/** The boundary behind a device moves; for the last device along the axis, the one before it, the other way. */
export function extended(gene: Gene, device: DeviceId, by: number, length: number): Gene {
  const behind = partOf(gene, device) + 1;
  return behind < gene.cuts.length - 1
    ? shifted(gene, behind, by, length)
    : shifted(gene, behind - 1, -by, length);
}

/** A device gives its part to a neighbour, or gets one from it. */
function dropOrAddDevice(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const { from, to } = random.below(2) === 0 ? pickRun(draw) : single(pickStep(draw));
  const device = random.below(space.devices);
  const isDrop = random.below(2) === 0;
  for (let step = from; step < to; step++) {
    const { gene, operator } = genome[space.steps[step]]!;
    if (gene.split === NONE) {
      if (!isDrop && gene.cuts[device] === gene.cuts[device + 1])
        joinWhole(space, random, genome, operator, device);
      continue;
    }
    const { unit } = space.splits[operator][gene.split];
    const changed = isDrop ? withoutDevice(gene, device) : withDevice(gene, device, unit);
    if (changed !== undefined) genome[operator] = space.compile(operator, changed);
  }
}

function single(step: number): { from: number; to: number } {
  return { from: step, to: step + 1 };
}

/** A whole operator is shared with one more device, by speed. */
function joinWhole(
  space: SearchSpace,
  random: Random,
  genome: Genes,
  operator: OperatorId,
  device: DeviceId,
): void {
  const count = space.splits[operator].length;
  if (count === 0) return;
  const [owner] = geneDevices(genome[operator]!.gene);
  genome[operator] = space.compile(
    operator,
    space.proportional(operator, random.below(count), [owner, device]),
  );
}

/** `undefined` where nobody else has a part. */
export function withoutDevice(gene: Gene, device: DeviceId): Gene | undefined {
  const { cuts } = gene;
  const part = partOf(gene, device);
  const [start, end] = ownRange(gene, device);
  if (start === end || end - start === cuts[cuts.length - 1]) return undefined;
  const hasLeft = start > 0;
  const moved = cuts.map((cut, position) => {
    if (hasLeft) return position <= part && cut === start && position > 0 ? end : cut;
    return position > part && cut === end && position < cuts.length - 1 ? start : cut;
  });
  return { ...gene, cuts: moved };
}

/** Takes half of the larger neighbouring part; `undefined` where that is a single unit. */
function withDevice(gene: Gene, device: DeviceId, unit: number): Gene | undefined {
  const { cuts } = gene;
  const part = partOf(gene, device);
  const at = cuts[part];
  if (at < cuts[part + 1]) return undefined;
  let left = part - 1;
  while (left >= 0 && cuts[left] === cuts[left + 1]) left--;
  let right = part + 1;
  while (right + 1 < cuts.length && cuts[right] === cuts[right + 1]) right++;
  const leftSize = left >= 0 ? at - cuts[left] : 0;
  const rightSize = right + 1 < cuts.length ? cuts[right + 1] - at : 0;
  const size = Math.floor(Math.max(leftSize, rightSize) / unit / 2) * unit;
  if (size === 0) return undefined;
  const moved = cuts.map((cut, position) => {
    if (leftSize >= rightSize) return position > left && position <= part ? at - size : cut;
    return position > part && position <= right ? at + size : cut;
  });
  return { ...gene, cuts: moved };
}

function copyNeighbour(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const operator = space.steps[pickStep(draw)];
  const neighbours = space.neighbours[operator];
  if (neighbours.length === 0) return;
  const neighbour = neighbours[random.below(neighbours.length)];
  const gene = space.adopt(operator, space.profile(genome[neighbour]!));
  if (gene !== undefined) genome[operator] = space.compile(operator, gene);
}

/** The first operator's partition (or a fresh one) is followed by the whole run. */
function spreadOverRun(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const { from, to } = pickRun(draw);
  const first = space.steps[from];
  if (random.below(3) === 0) genome[first] = space.compile(first, freshGene(space, random, first));
  const profile = space.profile(genome[first]!);
  for (let step = from + 1; step < to; step++) {
    const operator = space.steps[step];
    const gene = space.adopt(operator, profile);
    if (gene !== undefined) genome[operator] = space.compile(operator, gene);
  }
}

function startAfresh(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const operator = space.steps[pickStep(draw)];
  genome[operator] = space.compile(operator, freshGene(space, random, operator));
}

/** Whole on some device, or split by speed among some devices. */
export function freshGene(space: SearchSpace, random: Random, operator: OperatorId): Gene {
  const count = space.splits[operator].length;
  const draw = random.below(count + 1);
  if (draw === count) return wholeGene(random.below(space.devices), space.devices);
  const among = Array.from({ length: space.devices }, (_, device) => device).filter(
    () => random.below(4) > 0,
  );
  return among.length === 0 ? space.proportional(operator, draw) : space.proportional(operator, draw, among);
}

function runOnOneDevice(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const { from, to } = pickRun(draw);
  const device = random.below(space.devices);
  for (let step = from; step < to; step++) {
    const operator = space.steps[step];
    genome[operator] = space.compile(operator, wholeGene(device, space.devices));
  }
}

function reduceElsewhere(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const operator = space.steps[pickStep(draw)];
  const { gene, reduction } = genome[operator]!;
  if (reduction === undefined) return;
  genome[operator] = space.compile(operator, { ...gene, reduceOn: random.below(space.devices) });
}

/** The halos of a run are computed again instead of being sent. */
function recomputeRun(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const { from, to } = random.below(2) === 0 ? pickRun(draw) : single(pickStep(draw));
  for (const gene of recomputedRun(space, genome, from, to)) genome[gene.operator] = gene;
}

/** The halos of a run are sent again. */
function exchangeRun(draw: Draw, genome: Genes): void {
  const { space } = draw;
  const { from, to } = pickRun(draw);
  for (const gene of exchangedRun(space, genome, from, to)) genome[gene.operator] = gene;
}

/** The devices change places along the axis, in one operator or a run, there everywhere or every second time. */
function reorderDevices(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const { from, to } = random.below(2) === 0 ? pickRun(draw) : single(pickStep(draw));
  const reorder = pickReorder(random);
  for (const gene of reorderedRun(space, genome, from, to, reorder, random.below(2) === 0))
    genome[gene.operator] = gene;
}

/** An operator's devices take the order of a neighbour's. */
function followOrder(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const operator = space.steps[pickStep(draw)];
  const neighbours = space.neighbours[operator];
  if (neighbours.length === 0) return;
  const followed = inOrderOf(genome[neighbours[random.below(neighbours.length)]]!, genome[operator]!.gene);
  if (followed !== undefined) genome[operator] = space.compile(operator, followed);
}

/**
 * The operators around one that are placed alike and hang together (a branch of a cell, a block between two cuts)
 * go elsewhere together: whole to a device, or along with a neighbour's partition.
 */
function moveBranch(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const start = space.steps[pickStep(draw)];
  const branch = alike(space, genome, start, 1 + Math.floor(LONGEST_RUN * random.next() ** 2));
  const neighbours = space.neighbours[branch[random.below(branch.length)]];
  const profile =
    random.below(2) === 0 && neighbours.length > 0
      ? space.profile(genome[neighbours[random.below(neighbours.length)]]!)
      : { gene: wholeGene(random.below(space.devices), space.devices), split: undefined };
  for (const operator of branch) {
    const gene = space.adopt(operator, profile);
    if (gene !== undefined) genome[operator] = space.compile(operator, gene);
  }
}

/** A run of operators, or one, as in another plan. */
function graft(draw: Draw, genome: Genes): void {
  const { space, random, donors } = draw;
  if (donors.length === 0) return;
  const donor = donors[random.below(donors.length)];
  const { from, to } = random.below(4) > 0 ? pickRun(draw) : single(pickStep(draw));
  for (let step = from; step < to; step++) genome[space.steps[step]] = donor[space.steps[step]];
}

function turn(draw: Draw, genome: Genes): void {
  const { from, to } = pickRun(draw);
  turnRun(draw.space, draw.random, genome, from, to);
}

function exchange(draw: Draw, genome: Genes): void {
  const { space, random } = draw;
  const { from, to } = pickRun(draw);
  exchangeDevices(space, genome, [random.below(space.devices), random.below(space.devices)], from, to);
}
