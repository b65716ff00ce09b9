import { seededRandom, type Random } from '../../graph/random';
import type { Bytes, Nanoseconds } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { Evaluator } from '../../latency/evaluator';
import { isSameGene, type Gene } from '../../latency/gene';
import { crossAnywhere, crossAtCuts, GraphCuts } from './crossover';
import { isBetter, isSamePlan, type Fitness, type Individual } from './individual';
import { movesAround } from './localSearch';
import { freshGene, Mutator } from './mutations';
import { EPOCHS, type SearchParts, type Seed, type SeedResult } from './problem';
import type { SearchSpace } from './space';

const POPULATION = 6;
const TOURNAMENT = 3;
/** Tries to improve a child before it takes its place. */
const CHILD_TRIES = 150;
/** Share of an epoch's evaluations for the local search on the best. */
const LOCAL_SHARE = 0.1;
/** One child in so many is mutated once more before it is tried. */
const ONE_MORE = 6;
/** Mutations drawn until one changes something. */
const MOST_DRAWS = 8;

/**
 * On a relaxed island: what exceeding the memories by as much as there is costs at first, in latencies, by how much
 * that grows, and the share of the epochs after which no violation is accepted.
 */
const FIRST_PRICE = 1;
const PRICE_GROWTH = 300;
const RELAXED_SHARE = 0.7;

/** Tries after which an island looks whether it should stop: some milliseconds. */
const TRIES_PER_LOOK = 16;

/** Anything that ends an epoch early. Asked often. */
export type Stop = () => boolean;

/**
 * One population of GenEFlow: a pure state machine. The same seeds, the same calls in the same order and the
 * same seed of randomness give the same population, wherever it lives.
 */
export class Island {
  private population: Individual[] = [];
  private readonly random: Random;
  private readonly cuts: GraphCuts;
  private readonly evaluator: Evaluator;
  private readonly mutator: Mutator;
  /** The genome of the plan being tried. */
  private readonly scratch: (CompiledGene | undefined)[];
  /** Where the local search goes on: position in the steps. */
  private localStep = 0;
  private elite: Individual | undefined;
  private epoch = 0;
  /** What a byte of violation costs, as a part of the latency; `undefined` where no violation is worth any latency. */
  private price: number | undefined;
  private readonly allMemory: Bytes;

  constructor(
    private readonly space: SearchSpace,
    private readonly parts: SearchParts,
    seed: number,
    /** May its plans exceed the memories meanwhile? */
    private readonly isRelaxed: boolean,
  ) {
    this.random = seededRandom(seed);
    this.allMemory = space.workload.cluster.devices.reduce((sum, { memory }) => sum + memory, 1);
    this.setPrice(0);
    this.cuts = new GraphCuts(space.workload);
    this.evaluator = new Evaluator(space.workload);
    this.mutator = new Mutator(space, this.random);
    this.scratch = new Array<CompiledGene | undefined>(space.workload.graph.operators.length).fill(undefined);
  }

  get evaluations(): number {
    return this.evaluator.evaluations;
  }

  /** By the exact rules, of all that were taken. */
  get best(): Individual {
    return this.elite!;
  }

  private isBetter(a: Fitness, b: Fitness): boolean {
    return this.price === undefined ? isBetter(a, b) : this.pricedNs(a) < this.pricedNs(b);
  }

  private pricedNs({ latencyNs, violation }: Fitness): Nanoseconds {
    return latencyNs * (1 + this.price! * violation);
  }

  /** Takes the seeds in, the better ones into the population. Returns what each is worth. */
  start(seeds: readonly Seed[]): SeedResult[] {
    const individuals = seeds.map(({ genes }) => this.individual(this.compiled(genes)));
    const wanted = this.parts.seeds ? [...individuals] : [];
    wanted.sort((a, b) => (this.isBetter(a, b) ? -1 : this.isBetter(b, a) ? 1 : 0));
    for (const individual of wanted) if (this.population.length < POPULATION) this.add(individual);
    while (this.population.length < POPULATION) this.population.push(this.individual(this.randomGenome()));
    return seeds.map(({ name }, index) => ({
      name,
      latencyNs: individuals[index].latencyNs,
      valid: individuals[index].violation === 0,
    }));
  }

  /** Takes in another island's best plan, for the worst of its own. */
  receive(genes: readonly (Gene | undefined)[]): void {
    const immigrant = this.individual(this.compiled(genes));
    if (this.population.some((own) => isSamePlan(own, immigrant))) return;
    this.population[this.worst()] = immigrant;
  }

  /** Breeds until `evaluations` plans have been tried, then improves the best. */
  run(evaluations: number, stop: Stop): void {
    // A model of views alone leaves nothing to decide.
    if (this.space.steps.length === 0) return;
    const begin = this.evaluations;
    const end = begin + evaluations;
    const endOfBreeding = this.parts.localSearch ? end - Math.floor(evaluations * LOCAL_SHARE) : end;
    while (this.evaluations < endOfBreeding && !stop()) {
      this.setPrice(this.epoch + (this.evaluations - begin) / evaluations);
      this.breed(endOfBreeding, stop);
    }
    if (this.parts.localSearch) this.improveBest(end, stop);
    this.epoch++;
  }

  /**
   * A relaxed island may exceed the memories at a price that rises, and not at all in the end: valid plans can lie
   * far apart, with faster ones between them that lack a little.
   */
  private setPrice(epoch: number): void {
    if (!this.isRelaxed) return;
    const passed = epoch / (EPOCHS * RELAXED_SHARE);
    if (passed < 1) {
      this.price = (FIRST_PRICE * PRICE_GROWTH ** passed) / this.allMemory;
    } else if (this.price !== undefined) {
      this.price = undefined;
      if (!this.population.includes(this.best)) this.population[this.worst()] = this.best;
    }
  }

  private breed(end: number, stop: Stop): void {
    const a = this.parent();
    const b = this.parent();
    const { random, space } = this;
    const genome = this.parts.cutCrossover
      ? crossAtCuts(space, this.cuts, random, a.genome, b.genome)
      : crossAnywhere(space, random, a.genome, b.genome);
    let child = this.individual(genome);
    let critical = this.evaluator.criticalSteps();
    const tries = Math.min(CHILD_TRIES, end - this.evaluations);
    for (let i = 0; i < tries && !(i % TRIES_PER_LOOK === 0 && stop()); i++) {
      const better = this.mutated(child, critical);
      if (better === undefined) continue;
      child = better;
      critical = this.evaluator.criticalSteps();
    }
    this.settle(child);
  }

  /** A mutation of the plan that is not worse, `undefined` where it is. */
  private mutated(plan: Individual, critical: readonly number[]): Individual | undefined {
    const { mutator, scratch: genome } = this;
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      for (let operator = 0; operator < genome.length; operator++) genome[operator] = plan.genome[operator];
      do mutator.mutate(genome, critical);
      while (this.random.below(ONE_MORE) === 0);
      if (!isSameGenome(genome, plan.genome)) break;
    }
    const found = this.tried(genome, plan);
    if (found !== undefined && this.isBetter(found, plan)) mutator.reward(this.gain(plan, found));
    return found;
  }

  /** By how much of itself a plan got better: of what it lacks in memory while that alone counts, else of its time. */
  private gain(from: Fitness, to: Fitness): number {
    if (this.price !== undefined) return 1 - this.pricedNs(to) / this.pricedNs(from);
    return from.violation > to.violation
      ? 1 - to.violation / from.violation
      : 1 - to.latencyNs / from.latencyNs;
  }

  /** A copy of the genome as a plan, `undefined` where it is worse than `than`; equally good ones are taken, to drift along plateaus. */
  private tried(genome: (CompiledGene | undefined)[], than: Individual): Individual | undefined {
    const { evaluator } = this;
    evaluator.evaluate(genome, this.limitFor(than));
    if (evaluator.latencyNs === Infinity || this.isBetter(than, evaluator)) return undefined;
    evaluator.keep();
    return this.taken([...genome]);
  }

  /** The plan that was evaluated last. */
  private taken(genome: (CompiledGene | undefined)[]): Individual {
    const { latencyNs, violation } = this.evaluator;
    const plan = { genome, latencyNs, violation };
    if (this.elite === undefined || isBetter(plan, this.elite)) this.elite = plan;
    return plan;
  }

  /** Above it a plan cannot beat `than`: only where that is valid does latency alone decide. */
  private limitFor(than: Fitness): Nanoseconds {
    if (this.price !== undefined) return this.pricedNs(than);
    return than.violation === 0 ? than.latencyNs : Infinity;
  }

  private parent(): Individual {
    let best = this.population[this.random.below(this.population.length)];
    for (let i = 1; i < TOURNAMENT; i++) {
      const other = this.population[this.random.below(this.population.length)];
      if (this.isBetter(other, best)) best = other;
    }
    return best;
  }

  /** Takes the place of the worst, unless it is worse still or there already. */
  private settle(child: Individual): void {
    if (this.population.some((own) => own.latencyNs === child.latencyNs && own.violation === child.violation))
      return;
    const worst = this.worst();
    if (this.isBetter(child, this.population[worst])) this.population[worst] = child;
  }

  private first(): number {
    let first = 0;
    for (let i = 1; i < this.population.length; i++) {
      if (this.isBetter(this.population[i], this.population[first])) first = i;
    }
    return first;
  }

  private worst(): number {
    let worst = 0;
    for (let i = 1; i < this.population.length; i++) {
      if (this.isBetter(this.population[worst], this.population[i])) worst = i;
    }
    return worst;
  }

  private add(individual: Individual): void {
    if (!this.population.some((own) => isSamePlan(own, individual))) this.population.push(individual);
  }

  /** Tries all small changes around one operator after another, and keeps those that help. */
  private improveBest(end: number, stop: Stop): void {
    const { steps } = this.space;
    const position = this.first();
    let best = this.population[position];
    let quiet = 0;
    while (this.evaluations < end && quiet < steps.length && !stop()) {
      const improved = this.improveAround(best, steps[this.localStep], end, stop);
      quiet = improved === best ? quiet + 1 : 0;
      best = improved;
      this.localStep = (this.localStep + 1) % steps.length;
    }
    this.population[position] = best;
  }

  private improveAround(plan: Individual, operator: number, end: number, stop: Stop): Individual {
    const { scratch: genome } = this;
    let best = plan;
    for (const move of movesAround(this.space, plan.genome, operator)) {
      if (this.evaluations >= end || (this.evaluations % TRIES_PER_LOOK === 0 && stop())) break;
      for (let id = 0; id < genome.length; id++) genome[id] = best.genome[id];
      let isChange = false;
      for (const gene of move) {
        if (!isSameGene(genome[gene.operator]!.gene, gene.gene)) isChange = true;
        genome[gene.operator] = gene;
      }
      if (!isChange) continue;
      const found = this.tried(genome, best);
      if (found !== undefined && this.isBetter(found, best)) best = found;
    }
    return best;
  }

  private individual(genome: (CompiledGene | undefined)[]): Individual {
    this.evaluator.evaluate(genome);
    this.evaluator.keep();
    return this.taken(genome);
  }

  private compiled(genes: readonly (Gene | undefined)[]): (CompiledGene | undefined)[] {
    return genes.map((gene, operator) =>
      this.space.workload.flow.stepOf[operator] < 0 || gene === undefined
        ? undefined
        : this.space.compile(operator, gene),
    );
  }

  private randomGenome(): (CompiledGene | undefined)[] {
    const genome = new Array<CompiledGene | undefined>(this.space.workload.graph.operators.length).fill(
      undefined,
    );
    for (const operator of this.space.steps) {
      genome[operator] = this.space.compile(operator, freshGene(this.space, this.random, operator));
    }
    return genome;
  }
}

function isSameGenome(
  a: readonly (CompiledGene | undefined)[],
  b: readonly (CompiledGene | undefined)[],
): boolean {
  for (let operator = 0; operator < a.length; operator++) if (a[operator] !== b[operator]) return false;
  return true;
}
