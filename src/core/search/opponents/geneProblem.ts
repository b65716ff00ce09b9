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
import { EMPTY_REGION, type Region, type RegionSpace } from '../../partition/regions';
import { eliminationOrder, minimize, type PairwiseEdge, type PairwiseProblem } from '../bounds/elimination';

/** Extra cost of a gene in nanoseconds: prices of memory, say. */
export type GeneCost = (gene: CompiledGene) => number;

interface Link {
  readonly from: number;
  readonly to: number;
  /** Positions in the producer's `makes` and the reader's `reads`. */
  readonly passages: { readonly storage: StorageId; readonly make: number; readonly read: number }[];
}

export class GeneProblem {
  private readonly links: readonly Link[];
  private readonly order: readonly number[];
  /** Phases of pairs met before, by the genes' serials, per link. */
  private readonly known: Map<number, number>[];

  constructor(readonly workload: Workload) {
    this.links = findLinks(workload);
    this.known = this.links.map(() => new Map());
    const { steps } = workload.flow;
    this.order = eliminationOrder({
      unary: steps.map(() => new Float64Array(1)),
      edges: this.links.map(({ from, to }) => ({ a: from, b: to, table: new Float64Array(1) })),
    });
  }

  /**
   * The fastest combination of one gene per step of `workload.flow.steps` (not exact beyond `tableLimit`).
   * @returns genes in step order and their synchronous latency with the extra costs
   */
  fastest(
    candidates: readonly (readonly Gene[])[],
    tableLimit: number,
    extra?: GeneCost,
  ): { genes: Gene[]; cost: number; isExact: boolean } {
    const { genes: table, flow } = this.workload;
    const compiled = candidates.map((genes, step) =>
      unique(genes.map((gene) => table.compile(flow.steps[step], gene))),
    );
    const problem = this.pairwise(compiled, extra);
    const { choice, isExact } = minimize(problem, tableLimit, this.order);
    let cost = 0;
    problem.unary.forEach((costs, v) => (cost += costs[choice[v]]));
    for (const { a, b, table: phases } of problem.edges)
      cost += phases[choice[a] * compiled[b].length + choice[b]];
    return { genes: compiled.map((genes, v) => genes[choice[v]].gene), cost, isExact };
  }

  /** The step's time of a gene with its message phases, given the genes of the steps before it. */
  stepAfter(gene: CompiledGene, step: number, before: readonly CompiledGene[]): Nanoseconds {
    let ns = this.stepNs(gene);
    this.links.forEach((link, index) => {
      if (link.to === step) ns += this.phases(link, this.known[index], before[link.from], gene);
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
      const table = new Float64Array(rows.length * columns.length);
      rows.forEach((from, x) =>
        columns.forEach(
          (to, y) => (table[x * columns.length + y] = this.phases(link, this.known[index], from, to)),
        ),
      );
      return { a: link.from, b: link.to, table };
    });
    return { unary, edges };
  }

  /** Its slowest shard, its reduction, and its phases from the source and to the sink. */
  private stepNs(gene: CompiledGene): Nanoseconds {
    const { flow, cluster } = this.workload;
    const { reads, makes } = flow.operators[gene.operator];
    let ns = Math.max(...gene.computeNs);
    if (gene.reduction !== undefined) ns += gene.reduction.phaseNs + gene.reduction.ns;
    reads.forEach(({ storage }, read) => {
      if (flow.storages[storage].producer !== NONE) return;
      ns += this.phase(storage, this.wholeOn(storage, cluster.source), undefined, gene.needs[read]);
    });
    makes.forEach((storage, make) => {
      if (!flow.storages[storage].readers.includes(GATHER)) return;
      ns += this.phase(storage, gene.owns[make], gene.makes[make], this.wholeOn(storage, cluster.sink));
    });
    return ns;
  }

  private wholeOn(storage: StorageId, wanted: number): Region[] {
    const { whole } = this.space(storage);
    return this.workload.cluster.devices.map((_, device) => (device === wanted ? whole : EMPTY_REGION));
  }

  private space(storage: StorageId): RegionSpace {
    const { genes, graph } = this.workload;
    return genes.regions.space(graph.storages[storage].tensors[0]);
  }

  private phases(link: Link, known: Map<number, number>, from: CompiledGene, to: CompiledGene): Nanoseconds {
    const key = from.serial * 2 ** 26 + to.serial;
    let ns = known.get(key);
    if (ns === undefined) {
      ns = 0;
      for (const { storage, make, read } of link.passages) {
        ns += this.phase(storage, from.owns[make], from.makes[make], to.needs[read]);
      }
      known.set(key, ns);
    }
    return ns;
  }

  /** @param made what each device holds, where that is more than it owns */
  private phase(
    storage: StorageId,
    owned: readonly Region[],
    made: readonly Region[] | undefined,
    needs: readonly Region[],
  ): Nanoseconds {
    const { genes, cluster } = this.workload;
    const space = this.space(storage);
    const devices = cluster.devices.length;
    const down = new Float64Array(devices);
    const up = new Float64Array(devices);
    let sum = 0;
    for (let to = 0; to < devices; to++) {
      if (needs[to].elements === 0) continue;
      const missing =
        made === undefined || made === owned ? needs[to] : space.difference(needs[to], made[to]);
      for (let from = 0; from < devices; from++) {
        if (from === to || owned[from].elements === 0) continue;
        const elements = space.commonElements(missing, owned[from]);
        if (elements === 0) continue;
        const ns = genes.costs.messageNs(from, to, genes.storageBytes(storage, elements));
        up[from] += ns;
        down[to] += ns;
        sum += ns;
      }
    }
    return cluster.network.kind === 'shared' ? sum : Math.max(...up, ...down);
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
