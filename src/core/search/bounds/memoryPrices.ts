/**
 * Lagrange multipliers of the devices' memories, such that the fastest priced plan, less the price of the rooms, is
 * as slow as possible. Found by subgradient steps on boxes that are refined in turns at the prices so far; the bound
 * holds for any prices, these make it high.
 */
import type { Cluster } from '../../cluster/cluster';
import type { Graph } from '../../graph/graph';
import type { Bytes, Nanoseconds, OperatorId } from '../../graph/units';
import { minimize } from './elimination';
import { weightPrices, type MemoryPrices } from './pricedStep';
import { refine, type RefineLimits } from './refine';
import type { BoundScene } from './scene';
import { SynchronousProblem } from './synchronousProblem';

/** Turns of refining the boxes at the prices so far and adjusting the prices. */
const TURNS = 20;
/** A step aims above the value at hand by this share of it at most, and less from turn to turn. */
const AIM = 0.05;
/** And at least by this share. */
const LEAST_AIM = 0.001;
/** Prices whose value lies below the best by more than this share were a step too far: back, and half the stride. */
const FALL = 0.03;
/** Steps whose activations may have a price. */
export const MOST_PRICED_STEPS = 4;
/** What is tried in the end: the mean prices of the turns from here on (shares of all), and shares of these. */
const MEANS_FROM = [0.5, 0.75];
const MEANS_SCALED = [1, 0.5, 0.25];

/** Prices that gain a smaller share are not worth their work. */
const LEAST_GAIN = 0.003;

export interface FoundPrices {
  readonly prices: MemoryPrices;
  /** By what share they raise the bound on the boxes that they were found on. */
  readonly gain: number;
}

/**
 * @param limits for the refinements
 * @returns `undefined` where every device has room for all weights and activations at once, or prices hardly help
 */
export function memoryPrices(
  scene: BoundScene,
  areJoinsRelays: boolean,
  incumbentNs: Nanoseconds | undefined,
  limits: RefineLimits,
  isStopped: () => boolean,
): FoundPrices | undefined {
  const { cluster, graph } = scene;
  if (!isMemoryShort(graph, cluster)) return undefined;
  const nothing = cluster.devices.map(() => 0);
  const steps = largestSteps(scene).map((operator) => ({ operator, prices: nothing }));
  const problem = new SynchronousProblem(scene, { weights: nothing, steps }, isStopped, areJoinsRelays);
  // In wide graphs one elimination can take longer than all of the work.
  const { cells } = minimize(problem.pairwise(), limits.tableLimit, problem.order, isStopped);
  if (TURNS * cells > limits.work) return undefined;
  const tried = turns(problem, { weights: nothing, steps }, incumbentNs, limits, isStopped);
  const { prices, value } = bestOf(problem, tried, limits.tableLimit, isStopped);
  const { weights } = prices;
  const used = prices.steps.filter((step) => step.prices.some((price) => price > 0));
  if (used.length === 0 && weights.every((price) => price === 0)) return undefined;
  const free = { weights: nothing, steps };
  problem.reprice(free);
  const without = pricedMinimum(problem, free, limits.tableLimit, isStopped).value;
  const gain = value / without - 1;
  return gain < LEAST_GAIN ? undefined : { prices: { weights, steps: used }, gain };
}

/** Some device has no room for all weights and activations at once. */
export function isMemoryShort(graph: Graph, cluster: Cluster): boolean {
  const all = graph.storages.reduce((sum, { bytes }) => sum + (bytes ?? 0), graph.weightBytes.bytes);
  return roomsOf(cluster).some((room) => room < all);
}

/** The prices of all turns, the best first. */
function turns(
  problem: SynchronousProblem,
  start: MemoryPrices,
  incumbentNs: Nanoseconds = Infinity,
  limits: RefineLimits,
  isStopped: () => boolean,
): MemoryPrices[] {
  const { cluster } = problem.scene;
  let prices = start;
  let best = { value: -Infinity, prices };
  let stride = 1;
  const tried: MemoryPrices[] = [];
  for (let turn = 0; turn < TURNS && !isStopped(); turn++) {
    const incumbent = incumbentNs + priceOfRooms(cluster, prices);
    refine(problem, incumbent, { ...limits, work: limits.work / TURNS, isPatient: true }, isStopped);
    const { value, used } = pricedMinimum(problem, prices, limits.tableLimit, isStopped);
    if (value < best.value * (1 - FALL)) {
      stride /= 2;
      ({ prices } = best);
    } else {
      if (value > best.value) best = { value, prices };
      const aim = Math.max(LEAST_AIM * value, Math.min(AIM * value, incumbentNs - value));
      prices = moved(prices, slopesOf(prices, used, roomsOf(cluster)), stride * (1 - turn / TURNS) * aim);
    }
    problem.reprice(prices);
    tried.push(prices);
  }
  return [best.prices, ...tried];
}

/** Of some of the tried ones and of means of them the one with the highest value on the boxes at hand. */
function bestOf(
  problem: SynchronousProblem,
  [best, ...tried]: readonly MemoryPrices[],
  tableLimit: number,
  isStopped: () => boolean,
): { value: number; prices: MemoryPrices } {
  const means =
    tried.length === 0
      ? []
      : MEANS_FROM.map((share) => averaged(tried.slice(Math.floor(share * tried.length))));
  const candidates = [best, ...means.flatMap((mean) => MEANS_SCALED.map((share) => scaled(mean, share)))];
  let chosen = { value: -Infinity, prices: best };
  for (const prices of candidates) {
    problem.reprice(prices);
    const { value } = pricedMinimum(problem, prices, tableLimit, isStopped);
    if (value > chosen.value) chosen = { value, prices };
  }
  return chosen;
}

/** The value is concave in the prices: that of their mean is no less than the mean of theirs. */
function averaged(tried: readonly MemoryPrices[]): MemoryPrices {
  const mean = (rowOf: (prices: MemoryPrices) => readonly number[]): number[] =>
    rowOf(tried[0]).map((_, d) => tried.reduce((sum, prices) => sum + rowOf(prices)[d], 0) / tried.length);
  return {
    weights: mean(({ weights }) => weights),
    steps: tried[0].steps.map(({ operator }, i) => ({
      operator,
      prices: mean(({ steps }) => steps[i].prices),
    })),
  };
}

function scaled({ weights, steps }: MemoryPrices, by: number): MemoryPrices {
  return {
    weights: weights.map((price) => by * price),
    steps: steps.map(({ operator, prices }) => ({ operator, prices: prices.map((price) => by * price) })),
  };
}

/** What the memory of a valid plan costs at most. */
export function priceOfRooms(cluster: Cluster, prices: MemoryPrices): Nanoseconds {
  const rooms = roomsOf(cluster);
  return weightPrices(prices).reduce((sum, price, device) => sum + price * rooms[device], 0);
}

export function roomsOf({ devices }: Cluster): Bytes[] {
  return devices.map(({ memory, baseMemory }) => Math.max(0, memory - baseMemory));
}

/** Operators that read and make most. */
function largestSteps(scene: BoundScene): OperatorId[] {
  const { steps } = scene.flow;
  const bytes = new Map(
    steps.map((operator) => [
      operator,
      Math.min(...scene.optionsOf(operator).map(({ togetherBytes }) => togetherBytes)),
    ]),
  );
  return [...steps].sort((a, b) => bytes.get(b)! - bytes.get(a)! || a - b).slice(0, MOST_PRICED_STEPS);
}

/** One subgradient step. @param gain by how much it would raise the value if the slopes stayed as they are */
function moved(prices: MemoryPrices, slopes: readonly (readonly number[])[], gain: number): MemoryPrices {
  const square = slopes.flat().reduce((sum, bytes) => sum + bytes * bytes, 0);
  if (square === 0) return prices;
  const row = (own: readonly number[], slope: readonly number[]): number[] =>
    own.map((price, d) => Math.max(0, price + (gain / square) * slope[d]));
  return {
    weights: row(prices.weights, slopes[0]),
    steps: prices.steps.map((own, i) => ({ ...own, prices: row(own.prices, slopes[i + 1]) })),
  };
}

interface Used {
  readonly weights: Bytes[];
  /** Per priced step. */
  readonly steps: readonly Bytes[][];
}

/** Per device what is used beyond the room: at the step where that is most, and wherever there is a price. */
function slopesOf(prices: MemoryPrices, used: Used, rooms: readonly Bytes[]): number[][] {
  const rows = [prices.weights, ...prices.steps.map((step) => step.prices)];
  const beyond = rows.map((_, row) =>
    rooms.map((room, d) => used.weights[d] + (row === 0 ? 0 : used.steps[row - 1][d]) - room),
  );
  return rows.map((row, i) =>
    row.map((price, d) => {
      const most = Math.max(...beyond.map((own) => own[d]));
      return price > 0 || (beyond[i][d] === most && most > 0) ? beyond[i][d] : 0;
    }),
  );
}

/** The cheapest boxes with prices, less the price of the rooms, and the bytes that they imply. */
function pricedMinimum(
  problem: SynchronousProblem,
  prices: MemoryPrices,
  tableLimit: number,
  isStopped: () => boolean,
): { value: number; used: Used } {
  const { value, choice } = minimize(problem.pairwise(), tableLimit, problem.order, isStopped);
  return {
    value: value - priceOfRooms(problem.scene.cluster, prices),
    used: usedBy(problem, prices, choice),
  };
}

/** What the cheapest lengths of the chosen boxes hold. @param prices of the steps that count */
export function usedBy(problem: SynchronousProblem, prices: MemoryPrices, choice: ArrayLike<number>): Used {
  const weights = prices.weights.map(() => 0);
  const bytesOf = new Map<OperatorId, readonly Bytes[]>();
  problem.operators.forEach((operator, v) => {
    const { weightBytes, activationBytes } = problem.bytesOf(v, problem.boxes[v][choice[v]].box);
    weightBytes.forEach((bytes, d) => (weights[d] += bytes));
    bytesOf.set(operator, activationBytes);
  });
  return { weights, steps: prices.steps.map(({ operator }) => [...bytesOf.get(operator)!]) };
}
