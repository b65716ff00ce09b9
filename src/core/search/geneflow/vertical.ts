import { seededRandom, type Random } from '../../graph/random';
import { NONE, type DeviceId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import { geneDevices, wholeGene } from '../../latency/gene';
import { isBetter, type Individual } from './individual';
import type { Stop } from './explorer';
import type { Seed } from './problem';
import type { SearchSpace } from './space';

/** Whole operators, contiguous runs of the order on one device after another, each device once. */
interface Runs {
  readonly devices: readonly DeviceId[];
  /** Run `i` is steps `[bounds[i], bounds[i + 1])`; from 0 to the number of steps. */
  readonly bounds: readonly number[];
}

/** Tries without improvement after which a fresh start is made. */
const PATIENCE = 400;
/** A share of the budget is plenty: there are far fewer such plans than partitions. */
const MOST_EVALUATIONS = 60_000;

export interface VerticalResult {
  readonly best: Individual;
  readonly evaluations: number;
}

/**
 * Searches the vertical plans by moving, adding, dropping and exchanging runs, from the seeds that are vertical
 * themselves (each device alone at least) and then from random ones.
 */
export function searchVertical(
  space: SearchSpace,
  seeds: readonly Seed[],
  budget: number,
  stop: Stop,
): VerticalResult {
  const random = seededRandom(space.options.seed);
  const evaluator = new Evaluator(space.workload);
  const worth = (runs: Runs): Individual => {
    const genome = genomeOf(space, runs);
    evaluator.evaluate(genome);
    return { genome, latencyNs: evaluator.latencyNs, violation: evaluator.violation };
  };
  const starts = seeds.map((seed) => runsOf(space, seed)).filter((runs) => runs !== undefined);
  const end = Math.min(budget, MOST_EVALUATIONS);
  let best: Individual | undefined;
  for (let round = 0; round < starts.length || (evaluator.evaluations < end && !stop()); round++) {
    let current = round < starts.length ? starts[round] : randomRuns(space, random);
    let found = worth(current);
    for (let idle = 0; idle < PATIENCE && evaluator.evaluations < end && !stop(); idle++) {
      const changed = changedRuns(space, random, current);
      const other = worth(changed);
      if (isBetter(found, other)) continue;
      if (isBetter(other, found)) idle = 0;
      current = changed;
      found = other;
    }
    if (best === undefined || isBetter(found, best)) best = found;
  }
  return { best: best!, evaluations: evaluator.evaluations };
}

function genomeOf(space: SearchSpace, { devices, bounds }: Runs): (CompiledGene | undefined)[] {
  const genome = new Array<CompiledGene | undefined>(space.workload.graph.operators.length).fill(undefined);
  devices.forEach((device, run) => {
    for (let step = bounds[run]; step < bounds[run + 1]; step++) {
      genome[space.steps[step]] = space.compile(space.steps[step], wholeGene(device, space.devices));
    }
  });
  return genome;
}

/** `undefined` where the plan splits an operator or comes back to a device. */
function runsOf(space: SearchSpace, { genes }: Seed): Runs | undefined {
  const devices: DeviceId[] = [];
  const bounds: number[] = [];
  for (let step = 0; step < space.steps.length; step++) {
    const gene = genes[space.steps[step]];
    if (gene === undefined || gene.split !== NONE) return undefined;
    const [device] = geneDevices(gene);
    if (devices[devices.length - 1] === device) continue;
    if (devices.includes(device)) return undefined;
    devices.push(device);
    bounds.push(step);
  }
  return { devices, bounds: [...bounds, space.steps.length] };
}

function randomRuns(space: SearchSpace, random: Random): Runs {
  const devices = Array.from({ length: space.devices }, (_, device) => device);
  for (let i = devices.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [devices[i], devices[j]] = [devices[j], devices[i]];
  }
  devices.length = 1 + random.below(devices.length);
  const inner = devices.slice(1).map(() => random.below(space.steps.length + 1));
  return { devices, bounds: [0, ...inner.sort((a, b) => a - b), space.steps.length] };
}

function changedRuns(space: SearchSpace, random: Random, { devices, bounds }: Runs): Runs {
  const kind = random.below(6);
  const run = random.below(devices.length);
  if (kind <= 2 && devices.length > 1) return { devices, bounds: movedBound(space, random, bounds) };
  if (kind === 3 && devices.length > 1) {
    const left = bounds.filter((_, position) => position !== (run === 0 ? 1 : run));
    return { devices: devices.filter((_, position) => position !== run), bounds: left };
  }
  const unused = Array.from({ length: space.devices }, (_, device) => device).filter(
    (device) => !devices.includes(device),
  );
  if (kind === 4 && unused.length > 0) {
    const device = unused[random.below(unused.length)];
    const middle = bounds[run] + random.below(bounds[run + 1] - bounds[run] + 1);
    return {
      devices: [...devices.slice(0, run + 1), device, ...devices.slice(run + 1)],
      bounds: [...bounds.slice(0, run + 1), middle, ...bounds.slice(run + 1)],
    };
  }
  const other = random.below(space.devices);
  const exchanged = devices.map((device) => (device === other ? devices[run] : device));
  exchanged[run] = other;
  return { devices: exchanged, bounds };
}

function movedBound(space: SearchSpace, random: Random, bounds: readonly number[]): number[] {
  const position = 1 + random.below(bounds.length - 2);
  const reach = Math.max(1, Math.floor(space.steps.length * 0.3 * random.next() ** 3));
  const shift = (1 + random.below(reach)) * (random.below(2) === 0 ? 1 : -1);
  const moved = [...bounds];
  moved[position] = Math.min(bounds[position + 1], Math.max(bounds[position - 1], bounds[position] + shift));
  return moved;
}
