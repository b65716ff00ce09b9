/**
 * Prices of what devices lack: for every passage of a storage from its maker to a reader and every device a price
 * `p` per element that it needs and does not hold. Whatever they are, a plan costs
 *
 *     sum of steps and phases  =  sum (step + sum p * need - sum p * held)  +  sum (phase - sum p * (need - held))
 *
 * so the least of each bracket by itself is a bound (Lagrangian decomposition, Guignard and Kim 1987). In a wide box a
 * phase can be nothing, but its lengths then pay for what they need. Found by subgradient steps along a mean of the last
 * slopes (Camerini, Fratta and Maffioli 1975), in which each price moves by as much as its slopes were small so far
 * (Duchi, Hazan and Singer 2011): storages differ in size by orders of magnitude.
 */
import type { Nanoseconds } from '../../graph/units';
import { minimize } from './elimination';
import { priceOfRooms, roomsOf, usedBy } from './memoryPrices';
import type { MemoryPrices } from './pricedStep';
import type { SynchronousProblem } from './synchronousProblem';

/** A step aims above the value at hand by this share of it at most, and at least by the other. */
const AIM = 0.02;
const LEAST_AIM = 0.001;
/** What a direction keeps of the slopes before. */
const KEPT = 0.9;
/** A value below the best by more than this share was a step too far: back, and half the stride. */
const FALL = 0.03;
/** Turns without a value that is better by this share after which steps get shorter, and before it ends. */
const IDLE = 15;
const PATIENCE = 40;
const BETTER = 5e-4;
/** From here on the rest brings at most twice as much as the second half of the turns so far. */
const OUTLOOK = 60;
/** Slopes that have been this small a share of the largest count as no smaller. */
const LEAST_SLOPE = 1e-3;

export interface PriceLimits {
  /** At most. */
  readonly turns: number;
  /** Prices that raise the minimum by a smaller share are of no use, nor those that raise it beyond `enough`. */
  readonly leastGain: number;
  readonly enough: Nanoseconds;
  /** As of `RefineLimits`. */
  readonly tableLimit: number;
}

/**
 * Per passage and device, and per step and device where memory has prices: the price times the root of what is priced
 * (the elements of a storage, the bytes of a room).
 */
type Rows = readonly Float64Array[];

/**
 * Gives the problem prices that raise the minimum over its boxes, less the price of the rooms.
 * @param memory prices of memory to begin with: they change together with the others
 * @param incumbent latency of a known plan
 * @returns whether the prices are of use, and those of memory among them
 */
export function priceMessages(
  problem: SynchronousProblem,
  memory: MemoryPrices | undefined,
  incumbent: Nanoseconds,
  { turns, leastGain, enough, tableLimit }: PriceLimits,
  isStopped: () => boolean,
): { isUseful: boolean; memory: MemoryPrices | undefined } {
  const scale = scaleOf(problem, memory);
  const apply = (rows: Rows): MemoryPrices | undefined => {
    const prices = scale.memory(rows);
    problem.priceMessages(scale.messages(rows), prices);
    return prices;
  };
  const minimum = (rows: Rows): { value: number; choice: Int32Array } => {
    const prices = apply(rows);
    const { value, choice } = minimize(problem.pairwise(), tableLimit, problem.order, isStopped);
    return {
      value: value - (prices === undefined ? 0 : priceOfRooms(problem.scene.cluster, prices)),
      choice,
    };
  };
  let rows = scale.start;
  let at = minimum(rows);
  const first = at.value;
  let best = { value: first, rows };
  let stride = 1;
  let direction: Rows | undefined;
  /** Of the squares of all slopes. */
  const sums = rows.map((row) => new Float64Array(row.length));
  let lastBetter = 0;
  let halfway = first;
  for (let turn = 1; turn <= turns && turn - lastBetter <= PATIENCE; turn++) {
    if (turn === OUTLOOK / 2) halfway = best.value;
    if (turn === OUTLOOK && best.value + 2 * (best.value - halfway) < first + leastGain * Math.abs(first))
      break;
    if (best.value > enough) break;
    const isIdle = turn > lastBetter + 1 && (turn - lastBetter - 1) % IDLE === 0;
    if (isIdle || at.value < best.value - FALL * Math.abs(best.value)) {
      stride /= 2;
      direction = undefined;
      ({ rows } = best);
    } else {
      const slopes = scale.slopes(at.choice);
      slopes.forEach((row, i) => row.forEach((slope, d) => (sums[i][d] += slope * slope)));
      direction = rising(rows, direction === undefined ? slopes : mean(direction, slopes));
      const way = evened(direction, sums);
      const gain = direction.reduce((sum, row, i) => row.reduce((own, x, d) => own + x * way[i][d], sum), 0);
      if (gain === 0) break;
      const aim = Math.max(LEAST_AIM * at.value, Math.min(AIM * at.value, incumbent - at.value));
      rows = moved(rows, way, (stride * aim) / gain);
    }
    at = minimum(rows);
    if (at.value > best.value) {
      if (at.value > best.value + BETTER * Math.abs(best.value)) lastBetter = turn;
      best = { value: at.value, rows };
    }
  }
  const isUseful = best.value / first - 1 >= leastGain && best.value <= enough;
  return { isUseful, memory: apply(best.rows) };
}

/** What the rows stand for. */
interface Scale {
  readonly start: Rows;
  readonly memory: (rows: Rows) => MemoryPrices | undefined;
  /** Per passage and device, of an element. */
  readonly messages: (rows: Rows) => Rows;
  /** By what a choice lacks or holds more than there is, over the root of what is priced. */
  readonly slopes: (choice: Int32Array) => Rows;
}

function scaleOf(problem: SynchronousProblem, memory: MemoryPrices | undefined): Scale {
  const sizes = problem.passages.map(({ size }) => Math.sqrt(Math.max(1, size)));
  const rooms = roomsOf(problem.scene.cluster);
  const units = rooms.map((room) => Math.sqrt(Math.max(1, room)));
  const lack = (choice: Int32Array): Rows =>
    problem.lackBeyond(choice).map((row, i) => row.map((elements) => elements / sizes[i]));
  const nothing = problem.passages.map(({ prices }) => new Float64Array(prices.length));
  const messages = (rows: Rows): Rows => sizes.map((size, i) => rows[i].map((price) => price / size));
  if (memory === undefined) return { start: nothing, memory: () => undefined, messages, slopes: lack };
  const kinds = [memory.weights, ...memory.steps.map(({ prices }) => prices)];
  return {
    start: [...nothing, ...kinds.map((row) => Float64Array.from(row, (price, d) => price * units[d]))],
    memory: (rows) => {
      const [weights, ...steps] = rows
        .slice(sizes.length)
        .map((row) => Array.from(row, (price, d) => price / units[d]));
      return { weights, steps: memory.steps.map(({ operator }, i) => ({ operator, prices: steps[i] })) };
    },
    messages,
    slopes: (choice) => {
      const { weights, steps } = usedBy(problem, memory, choice);
      const beyond = [weights.map(() => 0), ...steps].map((own) =>
        Float64Array.from(rooms, (room, d) => (weights[d] + own[d] - room) / units[d]),
      );
      return [...lack(choice), ...beyond];
    },
  };
}

function mean(before: Rows, slopes: Rows): Rows {
  return before.map((row, i) => row.map((slope, d) => KEPT * slope + (1 - KEPT) * slopes[i][d]));
}

/** Where slopes have been small it goes as far as where they have been large. */
function evened(direction: Rows, sums: Rows): Rows {
  const largest = sums.reduce((most, row) => row.reduce((own, sum) => Math.max(own, sum), most), 0);
  const least = LEAST_SLOPE * Math.sqrt(largest);
  return direction.map((row, i) =>
    row.map((slope, d) => (slope === 0 ? 0 : slope / (Math.sqrt(sums[i][d]) + least))),
  );
}

/** Prices that are nothing do not fall. */
function rising(prices: Rows, direction: Rows): Rows {
  return direction.map((row, i) => row.map((slope, d) => (prices[i][d] > 0 || slope > 0 ? slope : 0)));
}

function moved(prices: Rows, direction: Rows, by: number): Rows {
  return prices.map((row, i) => row.map((price, d) => Math.max(0, price + by * direction[i][d])));
}
