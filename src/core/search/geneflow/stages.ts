import { NONE, type Step } from '../../graph/units';
import { wholeGene, type Gene } from '../../latency/gene';
import type { Dimension } from '../../partition/partition';
import type { GraphCuts } from './crossover';
import { TRIES_PER_LOOK, type Explorer, type Stop } from './explorer';
import { isBetter, type Fitness } from './individual';
import { cooled, ViolationPrice } from './violationPrice';

/** Operators that follow each other in the order and are partitioned alike. */
interface Stage extends Layout {
  /** The first step behind it. */
  readonly end: Step;
}

interface Layout {
  /** Absent: whole on the device with the largest share. Operators that have no such split are whole there as well. */
  readonly dimension: Dimension | undefined;
  /** Per device, in any unit. */
  readonly shares: readonly number[];
}

interface Staged extends Fitness {
  readonly stages: readonly Stage[];
}

/** Share of the walk in which stages are drawn at random; from the best of them it goes on. */
const DRAWN = 0.1;
const DRAWN_STAGES = 4;
const MOST_STAGES = 12;
const FIRST_TEMPERATURE = 0.1;
const LAST_TEMPERATURE = 0.003;
/** Steps by which an end moves at most, where it does not go to another cut of the graph. */
const NEAR = 4;

/**
 * Plans of a few stages, annealed: where weights and activations leave little room, which device stores which part of
 * the model decides, and no change of a few operators leads from one such layout to another, since each moves bytes
 * to where there is no room for them yet.
 */
export class StageSearch {
  private readonly price: ViolationPrice;
  private readonly dimensions: readonly (Dimension | undefined)[];
  private current: Staged | undefined;
  private best: Staged | undefined;

  constructor(
    private readonly explorer: Explorer,
    private readonly cuts: GraphCuts,
  ) {
    const { splits, steps } = explorer.space;
    this.price = new ViolationPrice(explorer.space);
    const found = new Set<Dimension>();
    for (const operator of steps) {
      const own = splits[operator].map(({ dimension }) => dimension);
      if (own.includes('C')) found.add('C');
      // Columns are as good as rows where there are both.
      const rows = own.find((dimension) => dimension !== 'C' && dimension !== 'K');
      if (rows !== undefined) found.add(rows);
    }
    this.dimensions = [undefined, ...found];
  }

  /** Tries plans until `end` were evaluated, which is from `from` to `to` of the whole walk; the best so far, by operator. */
  walk(end: number, from: number, to: number, stop: Stop): readonly (Gene | undefined)[] {
    const { explorer, price } = this;
    const { evaluator, random } = explorer;
    const begin = evaluator.evaluations;
    let current = this.current ?? this.tried(this.drawn(), Infinity)!;
    let best = this.best ?? current;
    for (let i = 1; evaluator.evaluations < end && !(i % TRIES_PER_LOOK === 0 && stop()); i++) {
      const passed = from + ((to - from) * (evaluator.evaluations - begin)) / (end - begin);
      const isDrawn = passed < DRAWN;
      const worse = isDrawn ? 0 : cooled(FIRST_TEMPERATURE, LAST_TEMPERATURE, passed);
      const limit = price.ofPlan(current) * (1 - worse * Math.log(1 - random.next()));
      const next = this.tried(isDrawn ? this.drawn() : this.changed(current.stages), limit);
      if (next !== undefined) {
        current = next;
        if (isBetter(next, best)) best = next;
      }
      price.follow(current);
    }
    [this.current, this.best] = [current, best];
    return this.genes(best.stages);
  }

  /** `undefined` where the stages count more than `limit`. */
  private tried(stages: readonly Stage[], limit: number): Staged | undefined {
    const { evaluator, space } = this.explorer;
    const genes = this.genes(stages);
    evaluator.evaluate(
      genes.map((gene, operator) => (gene === undefined ? undefined : space.compile(operator, gene))),
      limit,
    );
    const { latencyNs, violation } = evaluator;
    if (latencyNs === Infinity || this.price.ofPlan({ latencyNs, violation }) > limit) return undefined;
    evaluator.keep();
    return { stages, latencyNs, violation };
  }

  private drawn(): Stage[] {
    const { random, space } = this.explorer;
    const ends = new Set([space.steps.length]);
    for (let i = random.below(DRAWN_STAGES); i > 0; i--) ends.add(this.drawnEnd());
    return [...ends].sort((a, b) => a - b).map((end) => ({ end, ...this.drawnLayout() }));
  }

  private drawnEnd(): Step {
    const { random, space } = this.explorer;
    return Math.min(space.steps.length, Math.max(1, this.cuts.pick(random)));
  }

  /** Some of the devices, with equal shares or by speed. */
  private drawnLayout(): Layout {
    const { random, space } = this.explorer;
    const { devices } = space.workload.cluster;
    const dimension = this.dimensions[random.below(this.dimensions.length)];
    const isBySpeed = random.below(2) === 0;
    const shares = devices.map(({ compute }) => (random.below(3) === 0 ? 0 : isBySpeed ? compute : 1));
    const most = 1 + Math.max(...shares);
    if (dimension === undefined || most === 1) shares[random.below(devices.length)] = most;
    return { dimension, shares };
  }

  private changed(stages: readonly Stage[]): readonly Stage[] {
    const { random } = this.explorer;
    const at = random.below(stages.length);
    switch (random.below(7)) {
      case 0:
        return this.withEnd(stages, at);
      case 1:
        return this.divided(stages, at);
      case 2:
        return this.joined(stages, at);
      case 3:
        return stages.with(at, { ...stages[at], ...this.drawnLayout() });
      case 4:
        return stages.with(at, { ...stages[at], shares: this.exchanged(stages[at].shares) });
      default:
        return stages.with(at, { ...stages[at], shares: this.weighed(stages[at].shares) });
    }
  }

  /** The end of a stage moves, a little or to another cut of the graph. */
  private withEnd(stages: readonly Stage[], at: number): readonly Stage[] {
    const { random } = this.explorer;
    if (at + 1 === stages.length) return stages;
    const least = at === 0 ? 1 : stages[at - 1].end + 1;
    const most = stages[at + 1].end - 1;
    const by = (1 + random.below(NEAR)) * (random.below(2) === 0 ? 1 : -1);
    const end = random.below(2) === 0 ? this.drawnEnd() : stages[at].end + by;
    return stages.with(at, { ...stages[at], end: Math.min(most, Math.max(least, end)) });
  }

  /** One of two stages for one gets a layout of its own. */
  private divided(stages: readonly Stage[], at: number): readonly Stage[] {
    const { random } = this.explorer;
    const first = at === 0 ? 0 : stages[at - 1].end;
    const stage = stages[at];
    const length = stage.end - first;
    if (stages.length === MOST_STAGES || length < 2) return stages;
    const own = this.drawnLayout();
    const parts = [stage, stage].with(random.below(2), { ...stage, ...own });
    parts[0] = { ...parts[0], end: first + 1 + random.below(length - 1) };
    return stages.toSpliced(at, 1, ...parts);
  }

  private joined(stages: readonly Stage[], at: number): readonly Stage[] {
    if (at + 1 === stages.length) return stages;
    const kept = stages[at + this.explorer.random.below(2)];
    return stages.toSpliced(at, 2, { ...kept, end: stages[at + 1].end });
  }

  /** Two devices exchange their shares. */
  private exchanged(shares: readonly number[]): number[] {
    const { random } = this.explorer;
    const [a, b] = [random.below(shares.length), random.below(shares.length)];
    return shares.with(a, shares[b]).with(b, shares[a]);
  }

  /** A device gets more or less, or nothing. */
  private weighed(shares: readonly number[]): readonly number[] {
    const { random } = this.explorer;
    const device = random.below(shares.length);
    const own = shares[device];
    const total = shares.reduce((sum, share) => sum + share, 0);
    if (own === 0) return shares.with(device, (total * random.next()) / 3);
    if (random.below(5) === 0) return own === total ? shares : shares.with(device, 0);
    return shares.with(device, own * (0.6 + 0.9 * random.next()));
  }

  private genes(stages: readonly Stage[]): readonly (Gene | undefined)[] {
    const { space } = this.explorer;
    const genes = new Array<Gene | undefined>(space.workload.graph.operators.length).fill(undefined);
    let step = 0;
    for (const { end, dimension, shares } of stages) {
      const largest = shares.indexOf(Math.max(...shares));
      for (; step < end; step++) {
        const operator = space.steps[step];
        const split = space.splits[operator].findIndex((own) => own.dimension === dimension);
        genes[operator] =
          split === NONE ? wholeGene(largest, space.devices) : space.shared(operator, split, shares);
      }
    }
    return genes;
  }
}
