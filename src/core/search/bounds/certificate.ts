/**
 * What a plan carries to let its bound be derived again. The refinement is deterministic, so the certificate
 * holds what it started from (incumbent, prices, number of rounds, table limit): the boxes follow, and the bound
 * from them. Of the work bound it holds the shares, from which the bound follows directly; the path bound follows from
 * the model and the cluster alone.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import type { Nanoseconds } from '../../graph/units';
import type { PartitionRules } from '../../partition/partition';
import { BoxBound, MOST_TURNS } from './boxBound';
import { MOST_ROUNDS, MOST_TABLE } from './lowerBound';
import { MOST_PRICED_STEPS } from './memoryPrices';
import { pathBound } from './pathBound';
import type { MemoryPrices } from './pricedStep';
import { BoundScene } from './scene';
import { workBoundOf } from './workBound';

export type BoundCertificate =
  | {
      readonly model: 'synchronous';
      readonly method: string;
      /** Latency of the plan that boxes were compared with. */
      readonly incumbentNs?: Nanoseconds;
      /** From which round on they were compared with a faster one. */
      readonly later?: { readonly rounds: number; readonly incumbentNs: Nanoseconds };
      readonly rounds: number;
      readonly tableLimit: number;
      readonly gap: number;
      /** Without mini-buckets. */
      readonly isExact: boolean;
      /** That looked for prices of what devices lack, before the rounds; none in plans of earlier versions. */
      readonly messageTurns?: number;
      /** Sums and concatenations are left out as well; not so where it is absent. */
      readonly areJoinsRelays?: boolean;
      /** Times that other orders of the devices were charged; none in plans of earlier versions. */
      readonly charges?: number;
      /** Nanoseconds per byte on each device, to begin with. */
      readonly prices?: MemoryPrices;
    }
  | {
      readonly model: 'overlapped';
      readonly method: string;
      /** Of the work bound; the path bound needs none. */
      readonly shares?: readonly number[];
      /** Nanoseconds per byte of weights on each device; none where memory is not short. */
      readonly weightPrices?: readonly number[];
    };

/** The bound that the certificate stands for on this model and cluster; `undefined` where it proves nothing here. */
export function verifyBound(
  graph: Graph,
  rules: PartitionRules,
  cluster: Cluster,
  certificate: BoundCertificate,
): Nanoseconds | undefined {
  const scene = new BoundScene(graph, rules, cluster);
  if (certificate.model === 'overlapped') {
    const { shares, weightPrices } = certificate;
    if (shares === undefined) return pathBound(scene, () => false);
    const areShares =
      shares.length === cluster.devices.length &&
      shares.every((share) => share >= 0 && share <= 1) &&
      shares.some((share) => share > 0);
    const arePrices = weightPrices === undefined || isPriceRow(weightPrices, scene);
    return areShares && arePrices ? workBoundOf(scene, shares, weightPrices) : undefined;
  }
  const { prices, incumbentNs, rounds, tableLimit, gap, messageTurns = 0, charges = 0 } = certificate;
  const { areJoinsRelays, later } = certificate;
  if (prices !== undefined && !isUsable(prices, scene)) return undefined;
  // A certificate from elsewhere may not ask for more work than our own.
  if (!(rounds <= MOST_ROUNDS) || !(tableLimit <= MOST_TABLE) || !(messageTurns <= MOST_TURNS))
    return undefined;
  const limits = { rounds, work: Infinity, tableLimit, gap, charges };
  const start = { areJoinsRelays, prices, messageTurns };
  const run = new BoxBound(scene, start, incumbentNs, limits, () => false);
  if (later !== undefined) {
    run.upTo(Infinity, later.rounds);
    run.lower(later.incumbentNs);
  }
  return run.upTo(Infinity).ns;
}

/** One price per device, not below zero. */
function isPriceRow(row: readonly number[], { cluster }: BoundScene): boolean {
  return (
    row.length === cluster.devices.length &&
    row.every((price) => price >= 0 && price <= Number.MAX_SAFE_INTEGER)
  );
}

/** For each of a few operators once. */
function isUsable({ weights, steps }: MemoryPrices, scene: BoundScene): boolean {
  const { flow } = scene;
  const rows = [weights, ...steps.map(({ prices }) => prices)];
  const operators = new Set(steps.map(({ operator }) => operator));
  return (
    steps.length <= MOST_PRICED_STEPS &&
    operators.size === steps.length &&
    [...operators].every((operator) => flow.steps.includes(operator)) &&
    rows.every((row) => isPriceRow(row, scene))
  );
}
