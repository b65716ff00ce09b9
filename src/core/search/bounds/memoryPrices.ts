/**
 * Lagrange multipliers of the devices' memories: a price per byte of weights on each device such that the fastest
 * priced plan, less the price of the rooms, is as slow as possible. Found by subgradient steps on boxes that are
 * refined in turns at the prices so far; the bound holds for any prices, these make it high.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Bytes, Nanoseconds } from '../../graph/units';
import { minimize } from './elimination';
import { weightShare } from './lengthBox';
import { refine, type RefineLimits } from './refine';
import type { BoundScene } from './scene';
import { SynchronousProblem } from './synchronousProblem';

/** Turns of refining the boxes and adjusting the prices, and adjustments in each. */
const TURNS = 4;
const STEPS = 20;
/** Of the distance to the incumbent that a step aims at, halved where steps stop helping. */
const FIRST_STRIDE = 0.5;
const PATIENCE = 3;

/**
 * @param limits for the refinements
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
  if (roomsOf(cluster).every((room) => room >= all)) return undefined;
  let prices = cluster.devices.map(() => 0);
  const problem = new SynchronousProblem(scene, Float64Array.from(prices), isStopped);
  for (let turn = 0; turn < TURNS && !isStopped(); turn++) {
    const incumbent = (incumbentNs ?? Infinity) + priceOfRooms(problem, prices);
    refine(problem, incumbent, { ...limits, work: limits.work / TURNS }, isStopped);
    prices = adjusted(problem, prices, incumbentNs, limits.tableLimit, isStopped);
    problem.reprice(Float64Array.from(prices));
  }
  return prices.some((price) => price > 0) ? prices : undefined;
}

/**
 * What the weights of a valid plan cost at most: the price of all rooms, less that of the activations that lie in
 * some of them, at the lowest price.
 */
export function priceOfRooms(problem: SynchronousProblem, prices: readonly number[]): Nanoseconds {
  const rooms = roomsOf(problem.scene.cluster);
  const all = prices.reduce((sum, price, device) => sum + price * rooms[device], 0);
  return all - Math.min(...prices) * problem.leastActivationBytes;
}

function roomsOf({ devices }: Cluster): Bytes[] {
  return devices.map(({ memory, baseMemory }) => Math.max(0, memory - baseMemory));
}

/** The best prices of some subgradient steps from the given ones. */
function adjusted(
  problem: SynchronousProblem,
  start: readonly number[],
  incumbentNs: Nanoseconds | undefined,
  tableLimit: number,
  isStopped: () => boolean,
): number[] {
  const rooms = roomsOf(problem.scene.cluster);
  let prices = [...start];
  let best = { value: -Infinity, prices };
  let stride = FIRST_STRIDE;
  for (let step = 0, idle = 0; step < STEPS && !isStopped(); step++) {
    const { cost, used } = pricedMinimum(problem, prices, tableLimit, isStopped);
    const value = cost - priceOfRooms(problem, prices);
    idle = value > best.value ? 0 : idle + 1;
    if (value > best.value) best = { value, prices };
    if (idle > PATIENCE) {
      stride /= 2;
      idle = 0;
      prices = best.prices;
    }
    const lowest = Math.min(...prices);
    const cheapest = prices.filter((price) => price === lowest).length;
    const slope = used.map((bytes, d) => {
      const lacking = bytes - rooms[d] + (prices[d] === lowest ? problem.leastActivationBytes / cheapest : 0);
      return lacking < 0 && prices[d] === 0 ? 0 : lacking;
    });
    const square = slope.reduce((sum, bytes) => sum + bytes * bytes, 0);
    if (square === 0) break;
    const aim = (incumbentNs ?? 1.1 * Math.max(value, best.value)) - value;
    const length = (stride * Math.max(aim, 0.001 * Math.abs(value))) / square;
    prices = prices.map((price, d) => Math.max(0, price + length * slope[d]));
  }
  return best.prices;
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
  const priced = unary.map((costs, v) =>
    costs.map((cost, i) => cost - problem.boxes[v][i].price + shares[v][i].price),
  );
  const { value, choice } = minimize({ unary: priced, edges }, tableLimit, problem.order, isStopped);
  const used = prices.map(() => 0);
  choice.forEach((i, v) => shares[v][i].bytes.forEach((bytes, d) => (used[d] += bytes)));
  return { cost: value, used };
}
