/**
 * Lagrange multipliers of the devices' memories: a price per byte of weights on each device such that the fastest
 * priced plan, less the price of the rooms, is as slow as possible. Found by subgradient steps on boxes that were
 * refined a little without prices; the bound holds for any prices, these make it high.
 */
import type { Bytes, Nanoseconds } from '../../graph/units';
import { eliminate } from './elimination';
import { weightShare } from './lengthBox';
import { refine, type RefineLimits } from './refine';
import type { BoundScene } from './scene';
import { SynchronousProblem } from './synchronousProblem';

const STEPS = 40;
/** Of the distance to the incumbent that a step aims at, halved where steps stop helping. */
const FIRST_STRIDE = 0.5;
const PATIENCE = 3;

/**
 * @param limits for the refinement without prices
 * @returns nanoseconds per byte; `undefined` where every device has room for all weights and activations at once
 */
export function memoryPrices(
  scene: BoundScene,
  incumbentNs: Nanoseconds | undefined,
  limits: RefineLimits,
  isStopped: () => boolean,
): number[] | undefined {
  const { cluster, graph } = scene;
  const all = graph.storages.reduce((sum, { bytes }) => sum + (bytes ?? 0), graph.weightBytes.bytes);
  const rooms = cluster.devices.map(({ memory, baseMemory }) => Math.max(0, memory - baseMemory));
  if (rooms.every((room) => room >= all)) return undefined;
  const problem = new SynchronousProblem(scene, undefined, isStopped);
  refine(problem, incumbentNs ?? Infinity, limits, isStopped);
  let prices = rooms.map(() => 0);
  let best = { value: -Infinity, prices };
  let stride = FIRST_STRIDE;
  for (let step = 0, idle = 0; step < STEPS && !isStopped(); step++) {
    const { cost, used } = pricedMinimum(problem, prices, limits.tableLimit, isStopped);
    const value = cost - prices.reduce((sum, price, device) => sum + price * rooms[device], 0);
    idle = value > best.value ? 0 : idle + 1;
    if (value > best.value) best = { value, prices };
    if (idle > PATIENCE) {
      stride /= 2;
      idle = 0;
      prices = best.prices;
    }
    const slope = used.map((bytes, d) => (bytes < rooms[d] && prices[d] === 0 ? 0 : bytes - rooms[d]));
    const square = slope.reduce((sum, bytes) => sum + bytes * bytes, 0);
    if (square === 0) break;
    const aim = (incumbentNs ?? 1.1 * Math.max(value, best.value)) - value;
    const length = (stride * Math.max(aim, 0.001 * Math.abs(value))) / square;
    prices = prices.map((price, d) => Math.max(0, price + length * slope[d]));
  }
  return best.prices.some((price) => price > 0) ? best.prices : undefined;
}

/** The cheapest boxes with prices, and the bytes of weights per device that they imply at these prices. */
function pricedMinimum(
  problem: SynchronousProblem,
  prices: readonly number[],
  tableLimit: number,
  isStopped: () => boolean,
): { cost: number; used: Bytes[] } {
  const { unary, edges } = problem.pairwise();
  const shares = problem.boxes.map((boxes, v) =>
    boxes.map(({ box }) => weightShare(problem.options[v][box.option], box, prices)),
  );
  const priced = unary.map((costs, v) => costs.map((cost, i) => cost + shares[v][i].price));
  const { value, choice } = eliminate(
    { unary: priced, edges },
    tableLimit,
    problem.order,
    { level: Infinity },
    isStopped,
  );
  const used = prices.map(() => 0);
  choice.forEach((i, v) => shares[v][i].bytes.forEach((bytes, d) => (used[d] += bytes)));
  return { cost: value, used };
}
