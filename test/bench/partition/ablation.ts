/** What is lost without parts of the search: several seeds, equal evaluations. */
import { createWorkload } from '../../../src/core/latency/workload';
import { ALL_PARTS, type SearchParts } from '../../../src/core/search/geneflow/problem';
import { searchPartition, type MakePool } from '../../../src/core/search/geneflow/searchPartition';
import { randomSearch } from '../../../src/core/search/opponents/randomSearch';
import { freeControl } from '../../support/control';
import { ablationFile, type AblationRow, keep, readKept } from './rows';
import { clusterFor, type Model } from './scene';

const PARTS: readonly (readonly [string, SearchParts])[] = [
  ['all', ALL_PARTS],
  ['no seeds', { ...ALL_PARTS, seeds: false }],
  ['no cut crossover', { ...ALL_PARTS, cutCrossover: false }],
  ['no local search', { ...ALL_PARTS, localSearch: false }],
  ['no annealing', { ...ALL_PARTS, annealing: false }],
];
const RANDOM = 'random search';
const SEEDS = [1, 2, 3];

export async function ablate(model: Model, evaluations: number, makePool: MakePool): Promise<void> {
  const { graph, rules, order } = model;
  const cluster = clusterFor(model, '1g', 'unlimited');
  for (const seed of SEEDS) {
    for (const [part, parts] of PARTS) {
      await once(model.name, part, seed, evaluations, async () => {
        const options = { seed, latency: 'overlapped', strategy: 'hybrid', freeOrder: false } as const;
        const problem = { graph, rules, cluster, order, options: { ...options, evaluations, parts } };
        const { timeline } = await searchPartition(problem, freeControl(), makePool);
        return timeline.latencyNs;
      });
    }
    const workload = createWorkload(graph, rules, cluster, order, 'overlapped');
    await once(model.name, RANDOM, seed, evaluations, () =>
      Promise.resolve(randomSearch(workload, evaluations, seed).latencyNs),
    );
  }
}

async function once(
  model: string,
  part: string,
  seed: number,
  evaluations: number,
  measure: () => Promise<number>,
): Promise<void> {
  const file = ablationFile({ model, part, seed });
  if (readKept<AblationRow>(file)?.evaluations === evaluations) return;
  const ns = await measure();
  keep(file, { model, part, seed, evaluations, ns });
  process.stdout.write(`${model}, ${part}, seed ${seed}: ${(ns / 1e6).toFixed(2)} ms\n`);
}
