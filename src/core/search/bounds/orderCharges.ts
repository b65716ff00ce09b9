/**
 * Charges for another order of the devices at the reader than at the maker. Where a halo is cheaper so, the phase bound
 * counts on that at every halo; but on a way round that joins both ends otherwise (a residual connection, the branches of
 * a concatenation) an order that changes must change back. So for every cycle of links, whatever the plan is,
 *
 *     [the order changes on one link]  <=  sum over the others [it changes there]
 *
 * and charging the one so much as the others are paid raises no plan's cost.
 */
import type { Nanoseconds } from '../../graph/units';
import type { LinkByOrder } from './synchronousProblem';

/** Less is not worth a charge. */
const LEAST: Nanoseconds = 1000;

/**
 * Per link, from what the phases are in the choice at hand: a way is paid no more than what makes another order dearer
 * there. @param variables that the links join
 */
export function orderCharges(links: readonly LinkByOrder[], variables: number): Float64Array {
  const charges = new Float64Array(links.length);
  const room = links.map(({ kept, reordered }) => (reordered > kept ? reordered - kept : 0));
  const touching: number[][] = Array.from({ length: variables }, () => []);
  links.forEach(({ from, to }, i) => {
    touching[from].push(i);
    touching[to].push(i);
  });
  // Where the order cannot be the same there is nothing to save.
  const gains = links.map(({ kept, reordered }) => (kept === Infinity ? 0 : kept - reordered));
  const gaining = [...links.keys()]
    .filter((i) => gains[i] > LEAST)
    .sort((i, j) => gains[j] - gains[i] || i - j);
  for (const link of gaining) {
    for (let left = gains[link]; left > LEAST;) {
      const way = widestWay(links, touching, room, links[link]);
      if (way === undefined) break;
      const amount = Math.min(left, ...way.map((i) => room[i]));
      charges[link] += amount;
      for (const i of way) {
        charges[i] -= amount;
        room[i] -= amount;
      }
      left -= amount;
    }
  }
  return charges;
}

/** The links of a way from one end to the other with the most room on all of it, and of these with the fewest links. */
function widestWay(
  links: readonly LinkByOrder[],
  touching: readonly (readonly number[])[],
  room: readonly Nanoseconds[],
  { from, to }: LinkByOrder,
): number[] | undefined {
  const widths = new Float64Array(touching.length);
  const lengths = new Float64Array(touching.length).fill(Infinity);
  const via = new Int32Array(touching.length).fill(-1);
  const done = new Uint8Array(touching.length);
  widths[from] = Infinity;
  lengths[from] = 0;
  for (;;) {
    let at = -1;
    for (let v = 0; v < widths.length; v++) {
      if (done[v] === 1 || widths[v] <= LEAST) continue;
      if (at < 0 || widths[v] > widths[at] || (widths[v] === widths[at] && lengths[v] < lengths[at])) at = v;
    }
    if (at < 0) return undefined;
    if (at === to) break;
    done[at] = 1;
    for (const i of touching[at]) {
      const next = links[i].from === at ? links[i].to : links[i].from;
      const width = Math.min(widths[at], room[i]);
      const isBetter = width > widths[next] || (width === widths[next] && lengths[at] + 1 < lengths[next]);
      if (done[next] === 1 || width <= LEAST || !isBetter) continue;
      widths[next] = width;
      lengths[next] = lengths[at] + 1;
      via[next] = i;
    }
  }
  const way: number[] = [];
  for (let v = to; v !== from;) {
    const i = via[v];
    way.push(i);
    v = links[i].from === v ? links[i].to : links[i].from;
  }
  return way;
}
