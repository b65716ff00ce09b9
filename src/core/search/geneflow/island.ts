import type { CompiledGene } from '../../latency/compiledGene';
import type { Gene } from '../../latency/gene';
import { isMemoryShort } from '../bounds/memoryPrices';
import { Annealing } from './annealing';
import { crossAnywhere, crossAtCuts, GraphCuts } from './crossover';
import { Explorer, TRIES_PER_LOOK, type Stop } from './explorer';
import { isBetter, isSamePlan, type Individual } from './individual';
import { freshGene } from './mutations';
import { EPOCHS, type SearchParts, type Seed, type SeedResult } from './problem';
import type { SearchSpace } from './space';
import { StageSearch } from './stages';

const POPULATION = 6;
const TOURNAMENT = 3;
/** Tries to improve a child before it takes its place. */
const CHILD_TRIES = 150;
/** Share of an epoch's evaluations for the local search on the best. */
const LOCAL_SHARE = 0.1;
/** Of the first epochs, for plans of stages; with the rest of each the best of them is improved. */
const STAGES_SHARE = 0.5;
/** Epochs after which a population's best is annealed as well in large models: walks get further there than children do. */
const BRED_IN_LARGE = 2;
/** Seeds up to so many times as slow as the fastest, valid or not, lend their genes. */
const DONORS_WITHIN = 1.5;

/**
 * One population of GenEFlow, or a single plan that is annealed, of large models one after the other: a pure state machine. The same seeds, the same
 * calls in the same order and the same seed of randomness give the same plans, wherever it lives.
 */
export class Island {
  private population: Individual[] = [];
  private readonly explorer: Explorer;
  private readonly cuts: GraphCuts;
  private epoch = 0;
  private annealing: Annealing | undefined;
  private readonly stages: StageSearch;
  /** Epochs at first in which plans of stages are searched. */
  private readonly stagesEpochs: number;

  constructor(
    private readonly space: SearchSpace,
    private readonly parts: SearchParts,
    seed: number,
    private readonly isAnnealed: boolean,
  ) {
    this.cuts = new GraphCuts(space);
    this.explorer = new Explorer(space, seed);
    this.stages = new StageSearch(this.explorer, this.cuts);
    this.stagesEpochs = isAnnealed ? 0 : stagesEpochs(space);
  }

  get evaluations(): number {
    return this.explorer.evaluator.evaluations;
  }

  /** By the feasibility rules, of all that were taken. */
  get best(): Individual {
    return this.explorer.best;
  }

  /** Takes the seeds in, the better ones into the population. Returns what each is worth. */
  start(seeds: readonly Seed[]): SeedResult[] {
    const { explorer } = this;
    const individuals = seeds.map(({ genes }) => explorer.individualOf(genes));
    const wanted = this.parts.seeds ? [...individuals] : [];
    wanted.sort((a, b) => (isBetter(a, b) ? -1 : isBetter(b, a) ? 1 : 0));
    for (const individual of wanted) if (this.population.length < POPULATION) this.add(individual);
    while (this.population.length < POPULATION)
      this.population.push(explorer.individual(this.randomGenome()));
    const fastest = Math.min(...individuals.map(({ latencyNs }) => latencyNs));
    const donors = wanted.filter(({ latencyNs }) => latencyNs <= DONORS_WITHIN * fastest);
    explorer.mutator.donors = donors.map(({ genome }) => genome);
    if (this.isAnnealed) this.annealing = new Annealing(explorer, this.population[this.first()]);
    return seeds.map(({ name }, index) => ({
      name,
      latencyNs: individuals[index].latencyNs,
      valid: individuals[index].violation === 0,
    }));
  }

  /** Takes in another island's best plan, for the worst of its own. */
  receive(genes: readonly (Gene | undefined)[]): void {
    const immigrant = this.explorer.individualOf(genes);
    this.annealing?.offer(immigrant, this.epoch / EPOCHS);
    if (this.population.some((own) => isSamePlan(own, immigrant))) return;
    this.population[this.worst()] = immigrant;
  }

  /** Breeds (or anneals) until `evaluations` plans have been tried, then improves the best. */
  run(evaluations: number, stop: Stop): void {
    // A model of views alone leaves nothing to decide.
    if (this.space.steps.length === 0) return;
    const end = this.evaluations + evaluations;
    const endOfBreeding = this.parts.localSearch ? end - Math.floor(evaluations * LOCAL_SHARE) : end;
    if (this.epoch < this.stagesEpochs) this.addStaged(endOfBreeding, stop);
    const isBred = this.space.excess === 1 || this.epoch < BRED_IN_LARGE || !this.parts.annealing;
    if (!isBred) this.annealing ??= new Annealing(this.explorer, this.population[this.first()]);
    if (this.annealing === undefined) {
      while (this.evaluations < endOfBreeding && !stop()) this.breed(endOfBreeding, stop);
    } else {
      this.annealing.walk(endOfBreeding, this.epoch / EPOCHS, (this.epoch + 1) / EPOCHS, stop);
      this.population[this.first()] = this.best;
    }
    this.epoch++;
    if (!this.parts.localSearch) return;
    const first = this.first();
    this.population[first] = this.explorer.improved(this.population[first], end, stop);
  }

  private breed(end: number, stop: Stop): void {
    const a = this.parent();
    const b = this.parent();
    const { space, explorer } = this;
    const { random } = explorer;
    const genome = this.parts.cutCrossover
      ? crossAtCuts(space, this.cuts, random, a.genome, b.genome)
      : crossAnywhere(space, random, a.genome, b.genome);
    const child = explorer.individual(genome);
    this.settle(this.mutated(child, Math.min(CHILD_TRIES, end - this.evaluations), stop));
  }

  /** Mutation by mutation, without what makes it worse. The plan was evaluated last. */
  private mutated(plan: Individual, tries: number, stop: Stop): Individual {
    const { explorer } = this;
    const { evaluator } = explorer;
    let child = plan;
    let critical = evaluator.criticalSteps();
    for (let i = 0; i < tries && !(i % TRIES_PER_LOOK === 0 && stop()); i++) {
      const found = explorer.tried(explorer.mutation(child, critical), child);
      if (found === undefined) continue;
      if (isBetter(found, child)) explorer.mutator.reward(gain(child, found));
      child = found;
      critical = evaluator.criticalSteps();
    }
    return child;
  }

  /** The best plan of stages that is found before `end`, improved. */
  private addStaged(end: number, stop: Stop): void {
    const { explorer, evaluations, epoch, stagesEpochs: epochs } = this;
    const endOfStages = evaluations + Math.floor((end - evaluations) * STAGES_SHARE);
    const { genome } = this.stages.walk(endOfStages, epoch / epochs, (epoch + 1) / epochs, stop);
    const staged = explorer.individual(genome);
    const plan = this.mutated(staged, end - this.evaluations, stop);
    this.settle(plan);
  }

  private parent(): Individual {
    const { random } = this.explorer;
    let best = this.population[random.below(this.population.length)];
    for (let i = 1; i < TOURNAMENT; i++) {
      const other = this.population[random.below(this.population.length)];
      if (isBetter(other, best)) best = other;
    }
    return best;
  }

  /** Takes the place of the worst, unless it is worse still or there already. */
  private settle(child: Individual): void {
    if (this.population.some((own) => own.latencyNs === child.latencyNs && own.violation === child.violation))
      return;
    const worst = this.worst();
    if (isBetter(child, this.population[worst])) this.population[worst] = child;
  }

  private first(): number {
    let first = 0;
    for (let i = 1; i < this.population.length; i++) {
      if (isBetter(this.population[i], this.population[first])) first = i;
    }
    return first;
  }

  private worst(): number {
    let worst = 0;
    for (let i = 1; i < this.population.length; i++) {
      if (isBetter(this.population[worst], this.population[i])) worst = i;
    }
    return worst;
  }

  private add(individual: Individual): void {
    if (!this.population.some((own) => isSamePlan(own, individual))) this.population.push(individual);
  }

  private randomGenome(): (CompiledGene | undefined)[] {
    const genome = new Array<CompiledGene | undefined>(this.space.workload.graph.operators.length).fill(
      undefined,
    );
    for (const operator of this.space.steps) {
      genome[operator] = this.space.compile(operator, freshGene(this.space, this.explorer.random, operator));
    }
    return genome;
  }
}

/**
 * Where memory is short the layout decides. In the overlapped model plans of another layout than the seeds' can be far
 * better; in the synchronous one the exact elimination has seen them.
 */
function stagesEpochs({ workload }: SearchSpace): number {
  if (isMemoryShort(workload.graph, workload.cluster)) return 2;
  return workload.latencyModel === 'overlapped' ? 1 : 0;
}

/** By how much of itself a plan got better: of what it lacks in memory while that alone counts, else of its time. */
function gain(from: Individual, to: Individual): number {
  return from.violation > to.violation
    ? 1 - to.violation / from.violation
    : 1 - to.latencyNs / from.latencyNs;
}
