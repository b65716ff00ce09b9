import type { Bytes, Nanoseconds } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import { isSameGene } from '../../latency/gene';

/** A plan in a population: its chromosome (views have no gene) and what it is worth. */
export interface Individual {
  readonly genome: (CompiledGene | undefined)[];
  readonly latencyNs: Nanoseconds;
  /** Bytes by which memories are exceeded; 0 for a valid plan. */
  readonly violation: Bytes;
}

export interface Fitness {
  readonly latencyNs: Nanoseconds;
  readonly violation: Bytes;
}

/** Feasibility rules: a valid plan beats any invalid one, a smaller violation a larger one, then latency decides. */
export function isBetter(a: Fitness, b: Fitness): boolean {
  return a.violation !== b.violation ? a.violation < b.violation : a.latencyNs < b.latencyNs;
}

export function isSamePlan(a: Individual, b: Individual): boolean {
  if (a.latencyNs !== b.latencyNs || a.violation !== b.violation) return false;
  return a.genome.every(
    (gene, operator) => gene === undefined || isSameGene(gene.gene, b.genome[operator]!.gene),
  );
}
