import { NONE, type OperatorId, type Step } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { wholeGene, type Gene } from '../../latency/gene';
import type { Dimension } from '../../partition/partition';
import type { GraphCuts } from './crossover';
import type { Explorer, Stop } from './explorer';
import { isBetter, type Individual } from './individual';
import { PricedWalk } from './pricedWalk';

/** Operators that follow each other in the order and are partitioned alike. */
interface Stage {
  /** The first step behind it. */
  readonly end: Step;
  readonly layout: Layout;
}

interface Layout {
  /** Absent: whole on the device with the largest share. Operators that have no such split are whole there as well. */
  readonly dimension: Dimension | undefined;
  /** Per device, in any unit. */
  readonly shares: readonly number[];
}

interface Staged extends Individual {
  readonly stages: readonly Stage[];
}

/** Share of the walk in which stages are drawn at random; from the best of them it goes on. */
const DRAWN = 0.1;
const DRAWN_STAGES = 4;
const MOST_STAGES = 12;
const TEMPERATURES = { first: 0.1, last: 0.003 };
/** Steps by which an end moves at most, where it does not go to another cut of the graph. */
const NEAR = 4;

/**
 * Plans of a few stages, annealed, from no known plan on: good ones can keep a search in the layout that they have.
 * Where weights and activations leave little room, which device stores which part of the model decides, and no change
 * of a few operators leads from one such layout to another, since each moves bytes to where there is no room for them yet.
 */
export class StageSearch {
  private readonly priced: PricedWalk;
  private readonly dimensions: readonly (Dimension | undefined)[];
  private current: Staged | undefined;
  private best: Staged | undefined;

  constructor(
    private readonly explorer: Explorer,
    private readonly cuts: GraphCuts,
  ) {
    const { splits, steps } = explorer.space;
    this.priced = new PricedWalk(explorer, TEMPERATURES);
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

  /** Tries plans until `end` were evaluated, which is from `from` to `to` of the whole walk; the best so far. */
  walk(end: number, from: number, to: number, stop: Stop): Individual {
    const { evaluator } = this.explorer;
    const { priced } = this;
    const begin = evaluator.evaluations;
    let current = this.current ?? this.tried(this.drawn(), undefined, Infinity)!;
    let best = this.best ?? current;
    while (evaluator.evaluations < end && !stop()) {
      const passed = from + ((to - from) * (evaluator.evaluations - begin)) / (end - begin);
      const limit = priced.limit(current, passed);
      const next =
        passed < DRAWN
          ? this.tried(this.drawn(), current, priced.ofPlan(current))
          : this.tried(this.changed(current.stages), current, limit);
      if (next !== undefined) {
        current = next;
        if (isBetter(next, best)) best = next;
      }
      priced.follow(current);
    }
    [this.current, this.best] = [current, best];
    return best;
  }

  /** `undefined` where the stages count more than `limit`. @param known whose genes are taken over where the layout is the same */
  private tried(stages: readonly Stage[], known: Staged | undefined, limit: number): Staged | undefined {
    const { evaluator } = this.explorer;
    const genome = this.genome(stages, known);
    evaluator.evaluate(genome, limit);
    const { latencyNs, violation } = evaluator;
    if (latencyNs === Infinity || this.priced.ofPlan({ latencyNs, violation }) > limit) return undefined;
    evaluator.keep();
    return { stages, genome, latencyNs, violation };
  }

  private drawn(): Stage[] {
    const { random, space } = this.explorer;
    const ends = new Set([space.steps.length]);
    for (let i = random.below(DRAWN_STAGES); i > 0; i--) ends.add(this.drawnEnd());
    return [...ends].sort((a, b) => a - b).map((end) => ({ end, layout: this.drawnLayout() }));
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
    const { layout } = stages[at];
    switch (random.below(7)) {
      case 0:
        return this.withEnd(stages, at);
      case 1:
        return this.divided(stages, at);
      case 2:
        return this.joined(stages, at);
      case 3:
        return withLayout(stages, at, this.drawnLayout());
      case 4:
        return withLayout(stages, at, { ...layout, shares: this.exchanged(layout.shares) });
      default:
        return withLayout(stages, at, { ...layout, shares: this.weighed(layout.shares) });
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
    const parts = withLayout([stage, stage], random.below(2), this.drawnLayout());
    const end = first + 1 + random.below(length - 1);
    return stages.toSpliced(at, 1, { ...parts[0], end }, parts[1]);
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

  private genome(stages: readonly Stage[], known: Staged | undefined): (CompiledGene | undefined)[] {
    const { space } = this.explorer;
    const operators = space.workload.graph.operators.length;
    const genome = known?.genome.slice() ?? new Array<CompiledGene | undefined>(operators).fill(undefined);
    let step = 0;
    let before = 0;
    for (const { end, layout } of stages) {
      for (; step < end; step++) {
        while (known !== undefined && known.stages[before].end <= step) before++;
        if (known?.stages[before].layout === layout) continue;
        const operator = space.steps[step];
        genome[operator] = space.compile(operator, this.gene(operator, layout));
      }
    }
    return genome;
  }

  private gene(operator: OperatorId, { dimension, shares }: Layout): Gene {
    const { space } = this.explorer;
    const split = space.splits[operator].findIndex((own) => own.dimension === dimension);
    return split === NONE
      ? wholeGene(shares.indexOf(Math.max(...shares)), space.devices)
      : space.shared(operator, split, shares);
  }
}

function withLayout(stages: readonly Stage[], at: number, layout: Layout): Stage[] {
  return stages.with(at, { ...stages[at], layout });
}
