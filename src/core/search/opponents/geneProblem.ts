/**
 * The synchronous model as an exact pairwise problem over given genes: a variable per operator, a choice per
 * gene, its step's time and, per pair of a producer's and a reader's gene, their message phase. Eliminating its
 * variables gives the fastest plan among all combinations of the genes.
 */
import { NONE, type Nanoseconds, type OperatorId, type StorageId } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { GATHER } from '../../latency/flow';
import type { Gene } from '../../latency/gene';
import type { Workload } from '../../latency/workload';
import { EMPTY_REGION, type Region } from '../../partition/regions';
import {
  eliminate,
  eliminationOrder,
  minimize,
  type PairwiseEdge,
  type PairwiseProblem,
} from '../bounds/elimination';
import { GenePhase, type MadeParts, type Parts } from './genePhase';

/** Extra cost of a gene in nanoseconds: prices of memory, say. */
export type GeneCost = (gene: CompiledGene) => number;

interface Link {
  readonly from: number;
  readonly to: number;
  /** Positions in the producer's `makes` and the reader's `reads`. */
  readonly passages: { readonly storage: StorageId; readonly make: number; readonly read: number }[];
}

/** The phases of one link between the genes of the last problem. */
interface KnownPhases {
  readonly rows: ReadonlyMap<CompiledGene, number>;
  readonly columns: ReadonlyMap<CompiledGene, number>;
  readonly table: Float64Array;
}

/** Fastest plan over given genes. */
export interface FastestPlan {
  /** In step order. */
  readonly genes: readonly Gene[];
  /** Synchronous latency with the extra costs. */
  readonly cost: number;
  readonly isExact: boolean;
}

export interface RankedPlan extends FastestPlan {
  /** Per step the genes that a plan of a cost up to the given one may contain, those of the best plans first. */
  readonly ranked: readonly (readonly Gene[])[];
}

export class GeneProblem {
  private readonly links: readonly Link[];
  private readonly order: readonly number[];
  /** Per link. */
  private readonly known: (KnownPhases | undefined)[];
  private readonly knownSteps = new Map<CompiledGene, Nanoseconds>();
  private readonly phase: GenePhase;

  constructor(readonly workload: Workload) {
    this.links = findLinks(workload);
    this.phase = new GenePhase(workload);
    this.known = this.links.map(() => undefined);
    const { steps } = workload.flow;
    this.order = eliminationOrder({
      unary: steps.map(() => new Float64Array(1)),
      edges: this.links.map(({ from, to }) => ({ a: from, b: to, table: new Float64Array(1) })),
    });
  }

  /** The fastest combination of one gene per step of `workload.flow.steps` (not exact beyond `tableLimit`). */
  fastest(candidates: readonly (readonly Gene[])[], tableLimit: number, extra?: GeneCost): FastestPlan {
    const compiled = this.compiled(candidates);
    const problem = this.pairwise(compiled, extra);
    const { choice, isExact } = minimize(problem, tableLimit, this.order);
    return { ...planOf(compiled, problem, choice), isExact };
  }

  /**
   * The same, with the genes of nearly as fast plans.
   * @param level cost up to which plans are of interest, not below that of the fastest
   */
  ranked(
    candidates: readonly (readonly Gene[])[],
    tableLimit: number,
    level: number,
    extra?: GeneCost,
  ): RankedPlan {
    const compiled = this.compiled(candidates);
    const problem = this.pairwise(compiled, extra);
    const { choice, isExact, marginals } = eliminate(problem, tableLimit, this.order, { level });
    const ranked = compiled.map((genes, v) =>
      [...genes.keys()]
        .filter((i) => marginals[v][i] <= level)
        .sort((i, j) => marginals[v][i] - marginals[v][j] || i - j)
        .map((i) => genes[i].gene),
    );
    return { ...planOf(compiled, problem, choice), isExact, ranked };
  }

  private compiled(candidates: readonly (readonly Gene[])[]): CompiledGene[][] {
    const { genes: table, flow } = this.workload;
    return candidates.map((genes, step) =>
      unique(genes.map((gene) => table.compile(flow.steps[step], gene))),
    );
  }

  /** The step's time of a gene with its message phases, given the genes of the steps before it. */
  stepAfter(gene: CompiledGene, step: number, before: readonly CompiledGene[]): Nanoseconds {
    let ns = this.stepNs(gene);
    this.links.forEach((link) => {
      if (link.to !== step) return;
      ns += this.phases(link, this.madeBy(link, before[link.from]), this.needsOf(link, gene));
    });
    return ns;
  }

  private pairwise(compiled: readonly (readonly CompiledGene[])[], extra?: GeneCost): PairwiseProblem {
    const unary = compiled.map((genes) =>
      Float64Array.from(genes, (gene) => this.stepNs(gene) + (extra?.(gene) ?? 0)),
    );
    const edges = this.links.map((link, index): PairwiseEdge => {
      const rows = compiled[link.from];
      const columns = compiled[link.to];
      const table = this.phaseTable(link, this.known[index], rows, columns);
      this.known[index] = { rows: positions(rows), columns: positions(columns), table };
      return { a: link.from, b: link.to, table };
    });
    return { unary, edges };
  }

  private phaseTable(
    link: Link,
    known: KnownPhases | undefined,
    rows: readonly CompiledGene[],
    columns: readonly CompiledGene[],
  ): Float64Array {
    const table = new Float64Array(rows.length * columns.length);
    const width = known?.columns.size ?? 0;
    const oldColumns = columns.map((gene) => known?.columns.get(gene) ?? NONE);
    const needs = columns.map((gene) => this.needsOf(link, gene));
    rows.forEach((from, x) => {
      const oldRow = known?.rows.get(from) ?? NONE;
      const made = this.madeBy(link, from);
      for (let y = 0; y < columns.length; y++) {
        table[x * columns.length + y] =
          oldRow !== NONE && oldColumns[y] !== NONE
            ? known!.table[oldRow * width + oldColumns[y]]
            : this.phases(link, made, needs[y]);
      }
    });
    return table;
  }

  /** Its slowest shard, its reduction, and its phases from the source and to the sink. */
  private stepNs(gene: CompiledGene): Nanoseconds {
    let ns = this.knownSteps.get(gene);
    if (ns === undefined) this.knownSteps.set(gene, (ns = this.derivedStepNs(gene)));
    return ns;
  }

  private derivedStepNs(gene: CompiledGene): Nanoseconds {
    const { flow, cluster } = this.workload;
    const { reads, makes } = flow.operators[gene.operator];
    let ns = Math.max(...gene.computeNs);
    if (gene.reduction !== undefined) ns += gene.reduction.phaseNs + gene.reduction.ns;
    reads.forEach(({ storage }, read) => {
      if (flow.storages[storage].producer !== NONE) return;
      const whole = this.wholeOn(storage, cluster.source);
      ns += this.phase.ns(
        storage,
        this.phase.made(storage, whole, whole),
        this.phase.parts(storage, gene.needs[read]),
      );
    });
    makes.forEach((storage, make) => {
      if (!flow.storages[storage].readers.includes(GATHER)) return;
      ns += this.phase.ns(
        storage,
        this.phase.made(storage, gene.owns[make], gene.makes[make]),
        this.phase.parts(storage, this.wholeOn(storage, cluster.sink)),
      );
    });
    return ns;
  }

  private wholeOn(storage: StorageId, wanted: number): Region[] {
    const { whole } = this.phase.space(storage);
    return this.workload.cluster.devices.map((_, device) => (device === wanted ? whole : EMPTY_REGION));
  }

  /** Per passage. */
  private madeBy({ passages }: Link, { owns, makes }: CompiledGene): MadeParts[] {
    return passages.map(({ storage, make }) => this.phase.made(storage, owns[make], makes[make]));
  }

  private needsOf({ passages }: Link, { needs }: CompiledGene): Parts[] {
    return passages.map(({ storage, read }) => this.phase.parts(storage, needs[read]));
  }

  private phases({ passages }: Link, made: readonly MadeParts[], needs: readonly Parts[]): Nanoseconds {
    let ns = 0;
    for (let i = 0; i < passages.length; i++) ns += this.phase.ns(passages[i].storage, made[i], needs[i]);
    return ns;
  }
}

function findLinks({ flow }: Workload): Link[] {
  const links = new Map<string, Link>();
  flow.storages.forEach(({ producer, readers }, storage) => {
    if (producer === NONE || flow.stepOf[producer] === NONE) return;
    const from = flow.stepOf[producer];
    const make = flow.operators[producer].makes.indexOf(storage);
    for (const reader of readers) {
      if (reader === GATHER) continue;
      const to = flow.stepOf[reader];
      const link = links.get(`${from} ${to}`) ?? { from, to, passages: [] };
      const read = flow.operators[reader].reads.findIndex((candidate) => candidate.storage === storage);
      link.passages.push({ storage, make, read });
      links.set(`${from} ${to}`, link);
    }
  });
  return [...links.values()];
}

function positions(genes: readonly CompiledGene[]): Map<CompiledGene, number> {
  return new Map(genes.map((gene, position) => [gene, position]));
}

function planOf(
  compiled: readonly (readonly CompiledGene[])[],
  { unary, edges }: PairwiseProblem,
  choice: Int32Array,
): Omit<FastestPlan, 'isExact'> {
  let cost = 0;
  unary.forEach((costs, v) => (cost += costs[choice[v]]));
  for (const { a, b, table } of edges) cost += table[choice[a] * compiled[b].length + choice[b]];
  return { genes: compiled.map((genes, v) => genes[choice[v]].gene), cost };
}

function unique(genes: readonly CompiledGene[]): CompiledGene[] {
  return [...new Set(genes)];
}

/** Genes in step order as a genome by operator. */
export function byOperator(workload: Workload, genes: readonly Gene[]): (CompiledGene | undefined)[] {
  const genome = new Array<CompiledGene | undefined>(workload.graph.operators.length);
  genes.forEach((gene, step) => {
    const operator: OperatorId = workload.flow.steps[step];
    genome[operator] = workload.genes.compile(operator, gene);
  });
  return genome;
}
