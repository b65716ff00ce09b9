/**
 * Lagrange multipliers of the devices' memories: a price per byte of weights on each device such that the fastest
 * priced plan, less the price of the rooms, is as slow as possible. Found by subgradient steps over a few genes
 * per operator; the bound holds for any prices, these make it high.
 */
import type { Nanoseconds } from '../../graph/units';
import type { CompiledGene } from '../../latency/compiledGene';
import type { Workload } from '../../latency/workload';
import { GeneProblem } from '../opponents/geneProblem';
import { commonGenes } from '../opponents/neighbourhood';

const STEPS = 60;
const TABLE_LIMIT = 400_000;
/** Share of the distance to the incumbent that a step aims at, halved where steps stop helping. */
const FIRST_STRIDE = 1;
const PATIENCE = 5;

/** `undefined` where every device has room for all weights and activations at once. */
export function memoryPrices(
  workload: Workload,
  incumbentNs: Nanoseconds | undefined,
  isStopped: () => boolean,
): number[] | undefined {
  const { cluster, graph, flow } = workload;
  const all = graph.storages.reduce((sum, { bytes }) => sum + (bytes ?? 0), graph.weightBytes.bytes);
  const rooms = cluster.devices.map(({ memory, baseMemory }) => Math.max(0, memory - baseMemory));
  if (rooms.every((room) => room >= all)) return undefined;
  const problem = new GeneProblem(workload);
  const candidates = flow.steps.map((operator) => commonGenes(workload, operator));
  let prices = rooms.map(() => 0);
  let best = { value: -Infinity, prices };
  let stride = FIRST_STRIDE;
  for (let step = 0, idle = 0; step < STEPS && !isStopped(); step++) {
    const cost = (gene: CompiledGene): number =>
      gene.ownWeightBytes.reduce((sum, bytes, device) => sum + bytes * prices[device], 0);
    const { genes, cost: priced } = problem.fastest(candidates, TABLE_LIMIT, cost);
    const value = priced - prices.reduce((sum, price, device) => sum + price * rooms[device], 0);
    idle = value > best.value ? 0 : idle + 1;
    if (value > best.value) best = { value, prices };
    if (idle > PATIENCE) {
      stride /= 2;
      idle = 0;
      prices = best.prices;
    }
    const used = rooms.map(() => 0);
    genes.forEach((gene, index) => {
      workload.genes
        .compile(flow.steps[index], gene)
        .ownWeightBytes.forEach((bytes, d) => (used[d] += bytes));
    });
    const slope = used.map((bytes, d) => (bytes < rooms[d] && prices[d] === 0 ? 0 : bytes - rooms[d]));
    const square = slope.reduce((sum, bytes) => sum + bytes * bytes, 0);
    if (square === 0) break;
    const aim = (incumbentNs ?? 1.1 * Math.max(value, best.value)) - value;
    const length = (stride * Math.max(aim, 0.001 * Math.abs(value))) / square;
    prices = prices.map((price, d) => Math.max(0, price + length * slope[d]));
  }
  return best.prices.some((price) => price > 0) ? best.prices : undefined;
}
