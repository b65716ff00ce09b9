/**
 * The linear-program relaxation: along one axis per operator the cuts are continuous, the time of a shard is
 * linear in its length, and so is what has to move. Its optimum is rounded to whole units and replayed. Halos,
 * overheads and message latencies of a shard that is there at all are not linear: the relaxation takes them in
 * proportion, which is what it loses.
 *
 * Cuts `0 = c0 <= c1 <= ... <= cD = 1` of each operator `o`; device `d` has the share `x_d = c_(d+1) - c_d`.
 * Over an edge from `p` to `o` device `d` receives, as a share of the tensor,
 *
 *     along the same axis    max(0, c_d(p) - c_d(o)) + max(0, c_(d+1)(o) - c_(d+1)(p))
 *     else                   max(0, x_d(o) - x_d(p))
 *
 * and sends what the same says with `p` and `o` exchanged. Memory: weights in proportion to the shares, plus what
 * the last rounded plan needed beside them.
 */
import {
  NONE,
  type Bytes,
  type DeviceId,
  type Nanoseconds,
  type StorageId,
  type TensorId,
} from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import { GATHER } from '../../latency/flow';
import { wholeGene, type Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import { byOperator, GeneProblem } from './geneProblem';
import {
  constant,
  type Linear,
  LinearBuilder,
  type LinearProgram,
  plus,
  type SolveLinear,
  sum,
  times,
  valueOf,
} from './linearModel';
import { cutsByShares } from './shares';

/** Programs solved at most, for one choice of axes, until the rounded plan keeps within the memories. */
const MEMORY_ROUNDS = 3;
/** Of all programs together, unless it is the first. */
const MOST_VARIABLES = 30_000;
/** Where memory is short: shares of the smallest device's room that weights on every device may take. */
const REPLICATED_SHARES = [0.5, 0.2, 0];
/** Shares below it fall to the other devices when a solution is rounded; the best result counts. */
const LEAST_SHARES = [0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1];
/** A producer's and a reader's parts match where less than this of what is read has to move. */
const MATCHING = 0.5;
const MILLISECONDS = 1e-6;

/** Genes in step order: the best rounding, a plan within the memories before any that is not. */
export function linearProgramPlan(workload: Workload, solve: SolveLinear): Gene[] {
  const free = bestAxes(workload, Infinity);
  let variables = 0;
  const limited: SolveLinear = (program) => {
    variables += program.cost.length;
    if (variables > Math.max(MOST_VARIABLES, program.cost.length)) return undefined;
    return solve(program);
  };
  let best = solvedWithin(workload, free, limited);
  if (best === undefined || best.violation > 0) {
    const rooms = workload.cluster.devices.map(({ memory, baseMemory }) => memory - baseMemory);
    for (const share of REPLICATED_SHARES) {
      const found = solvedWithin(workload, bestAxes(workload, share * Math.min(...rooms)), limited);
      if (found !== undefined && (best === undefined || isBetter(found, best))) best = found;
    }
  }
  return [...(best ?? bestRounding(workload, free, proportional(workload))).genes];
}

/** What a plan needs beside its weights shows only once it is rounded: the next program leaves room for it. */
function solvedWithin(
  workload: Workload,
  axes: readonly CompiledGene[],
  solve: SolveLinear,
): Rounded | undefined {
  const reserved = workload.cluster.devices.map(() => 0);
  let best: Rounded | undefined;
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    const model = new Relaxation(workload, axes, reserved);
    const solution = solve(model.program());
    if (solution === undefined) break;
    const rounded = bestRounding(workload, axes, model.shares(solution));
    if (best === undefined || isBetter(rounded, best)) best = rounded;
    if (rounded.violation === 0) break;
    rounded.excess.forEach((bytes, device) => (reserved[device] += Math.max(0, bytes)));
  }
  return best;
}

/**
 * Per step the split that ends it first with shares by speed, one operator after another. The heaviest operators
 * are split where their weights are, so that no more than `replicated` bytes of weights are on every device.
 */
function bestAxes(workload: Workload, replicated: Bytes): CompiledGene[] {
  const { cluster, flow, genes: table } = workload;
  const problem = new GeneProblem(workload);
  const speeds = cluster.devices.map(({ compute }) => compute);
  const fastest = speeds.indexOf(Math.max(...speeds));
  const weights = stepWeights(workload);
  let left = replicated;
  const mayReplicate = new Uint8Array(weights.length);
  for (const step of weights.map((_, at) => at).sort((a, b) => weights[a] - weights[b] || a - b)) {
    left -= weights[step];
    mayReplicate[step] = weights[step] === 0 || left >= 0 ? 1 : 0;
  }
  const chosen: CompiledGene[] = [];
  flow.steps.forEach((operator, step) => {
    let best = table.compile(operator, wholeGene(fastest, speeds.length));
    let bestNs = Infinity;
    table.splits(operator).forEach((split, position) => {
      if (split.dimension === 'K' || (split.dimension !== 'C' && mayReplicate[step] === 0)) return;
      const cuts = cutsByShares(split, speeds);
      const gene = table.compile(operator, { split: position, cuts, reduceOn: NONE });
      const ns = problem.stepAfter(gene, step, chosen);
      if (ns < bestNs) [best, bestNs] = [gene, ns];
    });
    chosen.push(best);
  });
  return chosen;
}

/** Bytes of weights per step; what several use counts at the first. */
function stepWeights({ flow, graph }: Workload): Bytes[] {
  const seen = new Set<TensorId>();
  return flow.steps.map((operator) => {
    const own = flow.operators[operator].weights.filter((weight) => !seen.has(weight));
    for (const weight of own) seen.add(weight);
    return own.reduce((bytes, weight) => bytes + (graph.tensors[weight].bytes ?? 0), 0);
  });
}

class Relaxation {
  private readonly builder = new LinearBuilder();
  /** `cuts[step][boundary]`, shares of the axis. */
  private readonly cuts: readonly (readonly Linear[])[];
  private readonly devices: readonly DeviceId[];

  /** @param reserved bytes per device that are not for weights */
  constructor(
    private readonly workload: Workload,
    private readonly axes: readonly CompiledGene[],
    reserved: readonly Bytes[],
  ) {
    this.devices = workload.cluster.devices.map((_, device) => device);
    this.cuts = workload.flow.steps.map(() => this.newCuts());
    if (workload.latencyModel === 'synchronous') this.barriers();
    else this.pathsAndLoads();
    this.memory(reserved);
  }

  program(): LinearProgram {
    return this.builder.build();
  }

  /** `shares[step][device]` */
  shares(solution: ArrayLike<number>): number[][] {
    return this.cuts.map((_, step) =>
      this.devices.map((device) => Math.max(0, valueOf(this.share(this.cuts[step], device), solution))),
    );
  }

  private newCuts(): Linear[] {
    const inner = this.devices.slice(1).map(() => this.builder.variable(0, 1));
    const cuts = [constant(0), ...inner, constant(1)];
    for (let d = 1; d + 2 < cuts.length; d++) this.builder.notNegative(plus(cuts[d + 1], cuts[d], -1));
    return cuts;
  }

  private share(cuts: readonly Linear[], device: DeviceId): Linear {
    return plus(cuts[device + 1], cuts[device], -1);
  }

  private wholeOn(wanted: DeviceId): Linear[] {
    return [...this.devices.map((device) => constant(device > wanted ? 1 : 0)), constant(1)];
  }

  /** Synchronous: the sum of the slowest shards and of the phases. */
  private barriers(): void {
    this.cuts.forEach((_, step) =>
      this.builder.most(
        this.devices.map((device) => this.shardMs(step, device)),
        1,
      ),
    );
    for (const edge of this.edges()) this.builder.most(this.phaseBounds(edge), 1);
  }

  /** Overlapped: no shorter than any path of shards and messages, nor than any device or link is busy. */
  private pathsAndLoads(): void {
    const { builder, devices } = this;
    const latency = builder.variable(0, Infinity, 1);
    const busy = devices.map((device) => sum(this.cuts.map((_, step) => this.shardMs(step, device))));
    const ends = this.cuts.map(() => builder.variable(0, Infinity));
    const up = devices.map((): Linear[] => []);
    const down = devices.map((): Linear[] => []);
    const arrivals = this.cuts.map((): Linear[] => []);
    for (const edge of this.edges()) {
      const moved = this.movedMs(edge);
      const phase = builder.most([...moved.up, ...moved.down]);
      for (const device of devices) {
        up[device].push(moved.up[device]);
        down[device].push(moved.down[device]);
      }
      const start = edge.from === NONE ? constant(0) : ends[edge.from];
      if (edge.to === NONE) builder.notNegative(plus(latency, plus(start, phase), -1));
      else arrivals[edge.to].push(plus(start, phase));
    }
    ends.forEach((end, step) => {
      for (const device of devices) {
        for (const arrival of arrivals[step])
          builder.notNegative(plus(end, plus(arrival, this.shardMs(step, device)), -1));
      }
    });
    const links = this.isShared ? [down.flat()] : [...up, ...down];
    for (const load of [...busy, ...links.map(sum)]) builder.notNegative(plus(latency, load, -1));
  }

  private shardMs(step: number, device: DeviceId): Linear {
    const whole = this.workload.genes.compile(
      this.workload.flow.steps[step],
      wholeGene(device, this.devices.length),
    );
    return times(this.share(this.cuts[step], device), whole.computeNs[device] * MILLISECONDS);
  }

  private get isShared(): boolean {
    return this.workload.cluster.network.kind === 'shared';
  }

  private phaseBounds(edge: Edge): Linear[] {
    const { up, down } = this.movedMs(edge);
    return this.isShared ? [sum(down)] : [...up, ...down];
  }

  /** Time of what each device receives and sends over an edge, at the speed of its best link. */
  private movedMs({ from, to, storage, matches }: Edge): { up: Linear[]; down: Linear[] } {
    const { cluster, graph } = this.workload;
    const made = from === NONE ? this.wholeOn(cluster.source) : this.cuts[from];
    const read = to === NONE ? this.wholeOn(cluster.sink) : this.cuts[to];
    const bytes = graph.storages[storage].bytes ?? 0;
    const lacking = (of: readonly Linear[], beside: readonly Linear[], device: DeviceId): Linear => {
      const parts = matches
        ? [plus(beside[device], of[device], -1), plus(of[device + 1], beside[device + 1], -1)]
        : [plus(this.share(of, device), this.share(beside, device), -1)];
      return sum(parts.map((part) => this.builder.most([part])));
    };
    return {
      down: this.devices.map((device) =>
        times(lacking(read, made, device), this.bestNs(device, bytes, true) * MILLISECONDS),
      ),
      up: this.devices.map((device) =>
        times(lacking(made, read, device), this.bestNs(device, bytes, false) * MILLISECONDS),
      ),
    };
  }

  private bestNs(device: DeviceId, bytes: Bytes, receives: boolean): Nanoseconds {
    const { costs } = this.workload.genes;
    const others = this.devices.filter((other) => other !== device);
    if (others.length === 0) return 0;
    return Math.min(
      ...others.map((other) =>
        receives ? costs.messageNs(other, device, bytes) : costs.messageNs(device, other, bytes),
      ),
    );
  }

  private memory(reserved: readonly Bytes[]): void {
    const { cluster } = this.workload;
    const weights = stepWeights(this.workload);
    const all = weights.reduce((total, bytes) => total + bytes, 0);
    cluster.devices.forEach(({ memory, baseMemory }, device) => {
      const room = memory - baseMemory - reserved[device];
      if (room >= all) return;
      const held = sum(weights.map((bytes, step) => times(this.share(this.cuts[step], device), bytes / all)));
      this.builder.notNegative(plus(constant(Math.max(0, room) / all), held, -1));
    });
  }

  private edges(): Edge[] {
    const { flow } = this.workload;
    const edges: Edge[] = [];
    flow.storages.forEach(({ producer, readers }, storage) => {
      if (producer !== NONE && flow.stepOf[producer] === NONE) return;
      const from = producer === NONE ? NONE : flow.stepOf[producer];
      const make = producer === NONE ? NONE : flow.operators[producer].makes.indexOf(storage);
      for (const reader of readers) {
        const to = reader === GATHER ? NONE : flow.stepOf[reader];
        if (from === NONE && to === NONE) continue;
        const read =
          to === NONE ? NONE : flow.operators[reader].reads.findIndex((one) => one.storage === storage);
        edges.push({
          from,
          to,
          storage,
          matches: from !== NONE && to !== NONE && this.isMatch(storage, from, make, to, read),
        });
      }
    });
    return edges;
  }

  /** Do parts by speed of producer and reader mostly hold the same elements? */
  private isMatch(storage: StorageId, from: number, make: number, to: number, read: number): boolean {
    const { genes, graph } = this.workload;
    const space = genes.regions.space(graph.storages[storage].tensors[0]);
    let needed = 0;
    let missing = 0;
    for (const device of this.devices) {
      const need = this.axes[to].needs[read][device];
      needed += need.elements;
      missing += need.elements - space.commonElements(need, this.axes[from].makes[make][device]);
    }
    return missing < MATCHING * needed;
  }
}

/** A tensor on its way; `NONE` for the source or the sink. */
interface Edge {
  readonly from: number;
  readonly to: number;
  readonly storage: StorageId;
  readonly matches: boolean;
}

interface Rounded {
  readonly genes: readonly Gene[];
  readonly latencyNs: Nanoseconds;
  readonly violation: Bytes;
  /** Per device: bytes above its memory (negative: below). */
  readonly excess: readonly Bytes[];
}

function bestRounding(
  workload: Workload,
  axes: readonly CompiledGene[],
  shares: readonly (readonly number[])[],
): Rounded {
  const evaluator = new Evaluator(workload);
  const found = LEAST_SHARES.map((least): Rounded => {
    const genes = shares.map((own, step) => roundedGene(workload, axes[step], own, least));
    evaluator.evaluate(byOperator(workload, genes), Infinity, true);
    const { latencyNs, violation, peakBytes } = evaluator;
    const excess = workload.cluster.devices.map(({ memory }, device) => peakBytes[device] - memory);
    return { genes, latencyNs, violation, excess };
  });
  return found.reduce((best, other) => (isBetter(other, best) ? other : best));
}

function roundedGene(
  { genes: table }: Workload,
  { operator, gene: { split } }: CompiledGene,
  shares: readonly number[],
  least: number,
): Gene {
  const most = Math.max(...shares);
  const kept = shares.map((share) => (share > 0 && (share >= least || share === most) ? share : 0));
  if (split === NONE) return wholeGene(shares.indexOf(most), shares.length);
  return { split, cuts: cutsByShares(table.splits(operator)[split], kept), reduceOn: NONE };
}

function proportional({ cluster, flow }: Workload): number[][] {
  const all = cluster.devices.reduce((total, { compute }) => total + compute, 0);
  return flow.steps.map(() => cluster.devices.map(({ compute }) => compute / all));
}

function isBetter(a: Rounded, b: Rounded): boolean {
  return a.violation !== b.violation ? a.violation < b.violation : a.latencyNs < b.latencyNs;
}
