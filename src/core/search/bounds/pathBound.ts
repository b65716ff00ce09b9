/**
 * A bound on the overlapped latency from what depends on what. Draw an element of a tensor uniformly at random. Before it
 * is there, the shard that makes it has run, and before that an element that this shard needs was there, drawn so that it
 * is uniform in its own tensor; and so on. A device of which a share `c` of an operator is asked makes the element with a
 * probability `p <= c` and takes `overhead + c * work` at least, so an operator on the way takes in the mean
 *
 *     sum_d p_d (overhead_d + p_d * work_d),  at the least over all p that sum to one
 *
 * whatever the partition is, and no mean of times exceeds the latency. What an element's shard needs depends on the axis
 * that is cut, so the least over all splits counts; of what it needs the latest counts.
 */
import { NONE, type Nanoseconds, type OperatorId, type TensorId } from '../../graph/units';
import type { Box, Split } from '../../partition/partition';
import { Interrupted } from './elimination';
import { PhaseLinks } from './phaseLinks';
import type { BoundScene } from './scene';
import { floorNs } from './workBound';

/** Part of a tensor along one of its axes: the mean time at which an element of it is there is no less than `ns`. */
interface TimedPart {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly ns: Nanoseconds;
}

/** Mean time at which an element is there, of all and of parts; parts of concatenated tensors differ most. */
interface Arrival {
  readonly ns: Nanoseconds;
  readonly parts: readonly TimedPart[];
}

const AT_ONCE: Arrival = { ns: 0, parts: [] };
/** Parts that are kept of a tensor. */
const MOST_PARTS = 64;

export function pathBound(scene: BoundScene, isStopped: () => boolean): Nanoseconds {
  const { graph } = scene;
  const links = new PhaseLinks(scene.cluster);
  const arrivals = new Map<TensorId, Arrival>();
  let latest = 0;
  for (const { id, isView, inputs, outputs } of graph.operators) {
    if (isStopped()) throw new Interrupted();
    if (isView) {
      const [input] = inputs;
      const isSameShape = graph.tensors[input].shape?.join() === graph.tensors[outputs[0]].shape?.join();
      const { ns, parts } = arrivals.get(input) ?? AT_ONCE;
      arrivals.set(outputs[0], { ns, parts: isSameShape ? parts : [] });
      continue;
    }
    const passing = new Passing(scene, links, id, (tensor) => arrivals.get(tensor) ?? AT_ONCE);
    const found = passing.arrivals();
    outputs.forEach((tensor, i) => {
      if (tensor !== NONE) arrivals.set(tensor, found[i]);
      latest = Math.max(latest, found[i].ns);
    });
    latest = Math.max(latest, passing.delivered());
  }
  return floorNs(latest);
}

/** What the units of a split need of an input: units `[first, last)` some of it. */
interface Need {
  /** The axis along which they need different places; `NONE` where all need the same. */
  readonly axis: number;
  readonly first: number;
  readonly last: number;
  /** Drawn from what the units need, no element's probability exceeds that of a uniform draw by more than one over this. */
  readonly evenness: number;
  /** Unit `first + i` needs place `i` and no other. */
  readonly isIdentity: boolean;
}

/** What the units of a split need of each input; `undefined` where no way leads there. */
interface SplitNeeds {
  readonly split: Split;
  readonly units: number;
  readonly needs: readonly (Need | undefined)[];
  /** Per output: every unit makes as much of it, so that what uniformly drawn units make is uniform. */
  readonly isEven: readonly boolean[];
}

/** One operator on the way. */
class Passing {
  private readonly overheads: Float64Array;
  private readonly inputs: readonly TensorId[];
  private readonly splits: readonly SplitNeeds[];
  /** Per device no more than what its part of the operator takes, beside the overhead, over that part. */
  private readonly work: Float64Array;

  constructor(
    private readonly scene: BoundScene,
    private readonly links: PhaseLinks,
    private readonly operator: OperatorId,
    private readonly arrivalOf: (tensor: TensorId) => Arrival,
  ) {
    const { graph, rules, cluster } = scene;
    this.overheads = Float64Array.from(cluster.devices, ({ operatorOverhead }) => operatorOverhead * 1e9);
    this.inputs = graph.operators[operator].inputs;
    this.splits = rules.splits(operator).map((split) => this.needsOf(split));
    this.work = new Float64Array(this.overheads.length).fill(Infinity);
    for (const { computeNs, length, split, device } of scene.optionsOf(operator)) {
      computeNs.forEach((table, d) => {
        if (split === NONE && d !== device) return;
        for (let n = 1; n <= length; n++) {
          const beside = Math.max(0, table[n] - this.overheads[d]);
          this.work[d] = Math.min(this.work[d], (beside * length) / n);
        }
      });
    }
  }

  /** Per output. */
  arrivals(): Arrival[] {
    const { outputs } = this.scene.graph.operators[this.operator];
    const ns = this.made(this.step(1));
    const parts = outputs.length === 1 ? this.parts() : [];
    // Shards are parts of the first output.
    return outputs.map((_, i) => ({
      ns: i === 0 || this.splits.every(({ isEven }) => isEven[i]) ? ns : 0,
      parts,
    }));
  }

  /** When its only output is on the sink, where that is the model's: in one message from each other device. */
  delivered(): Nanoseconds {
    const { graph, cluster } = this.scene;
    const { outputs } = graph.operators[this.operator];
    const { storage, bytes = 0 } = graph.tensors[outputs[0]];
    if (outputs.length !== 1 || storage === NONE || !graph.storages[storage].isOutput) return 0;
    return this.made(
      this.sent(bytes, (d) => (d === cluster.sink ? NONE : d * this.links.devices + cluster.sink)),
    );
  }

  /** @param step of the operator, and what follows it */
  private made(step: Nanoseconds): Nanoseconds {
    const ways = [
      step + this.latestInput(),
      ...this.splits.map((own) =>
        own.split.dimension === 'K' ? this.reduced(own) : step + this.before(own),
      ),
    ];
    return Math.max(this.fromSource(), Math.min(...ways));
  }

  /** Where it reads what the source has: in a message to each other device. */
  private fromSource(): Nanoseconds {
    const { graph, cluster } = this.scene;
    let latest = 0;
    this.inputs.forEach((tensor, i) => {
      if (tensor === NONE || graph.tensors[tensor].isWeight) return;
      const { storage, bytes = 0 } = graph.tensors[tensor];
      if (storage === NONE || !graph.storages[storage].isInput) return;
      let needed = 1;
      for (const { needs, units } of this.splits) {
        const need = needs[i];
        const isAll = need !== undefined && need.last - need.first === units;
        needed = Math.min(needed, isAll ? need.evenness : 0);
      }
      if (needed === 0) return;
      const from = cluster.source * this.links.devices;
      latest = Math.max(
        latest,
        this.sent(needed * bytes, (d) => (d === cluster.source ? NONE : from + d)),
      );
    });
    return latest;
  }

  /** With its share of so many bytes in a message over the device's link, `NONE` for none. */
  private sent(bytes: number, linkOf: (device: number) => number): Nanoseconds {
    const { pairLatency, pairNsPerByte } = this.links;
    const fixed = this.overheads.map((ns, d) => ns + (linkOf(d) === NONE ? 0 : pairLatency[linkOf(d)]));
    const work = this.work.map((ns, d) => ns + (linkOf(d) === NONE ? 0 : bytes * pairNsPerByte[linkOf(d)]));
    return leastMean(fixed, work, 1);
  }

  /** The latest of the inputs and of all their parts. */
  private latestInput(): Nanoseconds {
    let latest = 0;
    this.inputs.forEach((_, i) => {
      const { ns, parts } = this.arrival(i);
      latest = Math.max(latest, ns, ...parts.map((part) => part.ns));
    });
    return latest;
  }

  private arrival(input: number): Arrival {
    const tensor = this.inputs[input];
    return tensor === NONE || this.scene.graph.tensors[tensor].isWeight ? AT_ONCE : this.arrivalOf(tensor);
  }

  /** When what a unit needs is there, in the mean. */
  private before({ units, needs }: SplitNeeds): Nanoseconds {
    const latest = new Float64Array(units);
    let ofPart = 0;
    needs.forEach((need, i) => {
      if (need === undefined) return;
      const { ns, parts } = this.arrival(i);
      const mean = need.evenness * ns;
      for (let u = need.first; u < need.last; u++) latest[u] = Math.max(latest[u], mean);
      if (need.last - need.first < units || need.evenness < 1) return;
      // Any element of what all units need may be the one that is waited for.
      for (const part of parts) if (part.axis !== need.axis) ofPart = Math.max(ofPart, part.ns);
    });
    const mean = latest.reduce((sum, ns) => sum + ns, 0) / units;
    return Math.max(mean, ofPart);
  }

  /** Partial sums, each of which goes to one device in a message. */
  private reduced({ units, needs }: SplitNeeds): Nanoseconds {
    const whole = this.step(1, true);
    let best = whole;
    needs.forEach((need, i) => {
      if (need === undefined || need.last - need.first < units) return;
      const { ns, parts } = this.arrival(i);
      best = Math.max(best, whole + need.evenness * ns);
      if (need.evenness < 1) return;
      for (const { axis, from, to, ns: partNs } of parts) {
        if (axis !== need.axis) best = Math.max(best, whole + partNs);
        else if (need.isIdentity) best = Math.max(best, this.step((to - from) / units, true) + partNs);
      }
    });
    return best;
  }

  /** Parts of the first output that come from one input, or from a part of it, however the operator is cut. */
  private parts(): TimedPart[] {
    const found: TimedPart[] = [];
    for (const own of this.splits) {
      const { split, units, needs } = own;
      if (split.dimension === 'K') return [];
      const { unit, axis } = split;
      needs.forEach((need, i) => {
        if (need === undefined || need.axis === NONE || need.evenness < 1) return;
        const others = this.splits.filter((other) => other !== own);
        const leadsThere = (avoided?: number): boolean =>
          others.every(({ units: all, needs: theirs }) => {
            const its = theirs[i];
            return (
              its !== undefined &&
              its.evenness === 1 &&
              its.first === 0 &&
              its.last === all &&
              its.axis !== avoided
            );
          });
        const add = (from: number, to: number, ns: Nanoseconds): void => {
          found.push({ axis, from: from * unit, to: to * unit, ns: this.step((to - from) / units) + ns });
        };
        const { ns, parts } = this.arrival(i);
        if (need.last - need.first < units && leadsThere()) add(need.first, need.last, ns);
        if (!need.isIdentity || unit !== 1) return;
        for (const part of parts) {
          if (part.axis === need.axis && leadsThere(part.axis))
            add(need.first + part.from, need.first + part.to, part.ns);
        }
      });
    }
    return found.sort((a, b) => b.ns - a.ns).slice(0, MOST_PARTS);
  }

  private needsOf(split: Split): SplitNeeds {
    const { rules, graph } = this.scene;
    const units = split.length / split.unit;
    const probes = Array.from({ length: units }, (_, u) =>
      rules.work(this.operator, split, u * split.unit, (u + 1) * split.unit),
    );
    const needs = this.inputs.map((tensor, i) => {
      if (tensor === NONE || graph.tensors[tensor].isWeight) return undefined;
      return needOf(
        probes.map(({ inputs }) => inputs[i]),
        graph.tensors[tensor].shape as readonly number[],
      );
    });
    const isEven = graph.operators[this.operator].outputs.map((_, i) =>
      areOneSize(probes.map(({ outputs }) => outputs[i])),
    );
    return { split, units, needs, isEven };
  }

  /**
   * @param share of the operator that the elements are drawn from
   * @param isSent what is made must go on to one device, all as large as the output
   */
  private step(share: number, isSent = false): Nanoseconds {
    if (!isSent) return leastMean(this.overheads, this.work, share);
    const { cluster, costs, graph } = this.scene;
    const bytes = graph.tensors[graph.operators[this.operator].outputs[0]].bytes ?? 0;
    const ways = cluster.devices.map((_, reduceOn) => {
      const waits = this.overheads.map((ns, d) =>
        d === reduceOn ? ns : ns + costs.messageNs(d, reduceOn, bytes),
      );
      return leastMean(waits, this.work, share);
    });
    return Math.min(...ways);
  }
}

/** `sum_d p_d (fixed_d + share * p_d * work_d)` at the least over all `p` that sum to one. */
export function leastMean(fixed: Float64Array, work: Float64Array, share: number): number {
  const wanted = (level: number): number =>
    fixed.reduce((sum, ns, d) => sum + Math.max(0, level - ns) / (2 * Math.max(TINY, share * work[d])), 0);
  // The derivative is the same wherever something is made: between the least fixed time and that with all of its work.
  let low = Math.min(...fixed);
  let high = Math.min(...fixed.map((ns, d) => ns + 2 * Math.max(TINY, share * work[d])));
  for (let step = 0; step < BISECTIONS && high - low > 1e-9 * high; step++) {
    const middle = (low + high) / 2;
    if (wanted(middle) < 1) low = middle;
    else high = middle;
  }
  // Dual value: at most the minimum at any level.
  return fixed.reduce((sum, ns, d) => {
    const slack = Math.max(0, low - ns);
    return sum - slack ** 2 / (4 * Math.max(TINY, share * work[d]));
  }, low);
}

const TINY = 1e-6;
const BISECTIONS = 100;

/** What units need of an input; `boxes` are absent where nothing is needed. */
function needOf(boxes: readonly (Box | undefined)[], shape: readonly number[]): Need | undefined {
  const first = boxes.findIndex((box) => box !== undefined);
  if (first < 0) return undefined;
  let last = first;
  while (last < boxes.length && boxes[last] !== undefined) last++;
  if (boxes.slice(last).some((box) => box !== undefined)) return undefined;
  const present = boxes.slice(first, last) as Box[];
  let axis: number = NONE;
  let evenness = 1;
  for (let other = 0; other < shape.length; other++) {
    const [from, to] = [present[0][2 * other], present[0][2 * other + 1]];
    const isSame = present.every((box) => box[2 * other] === from && box[2 * other + 1] === to);
    if (isSame && from === to) return undefined;
    if (isSame) evenness *= (to - from) / shape[other];
    else if (axis === NONE) axis = other;
    else return undefined;
  }
  if (axis === NONE) return { axis, first, last, evenness, isIdentity: false };
  const spans = present.map((box): Span => [box[2 * axis], box[2 * axis + 1]]);
  if (spans.some(([from, to]) => from >= to)) return undefined;
  const isIdentity = spans.every(([from, to], i) => from === i && to === i + 1);
  return { axis, first, last, evenness: evenness * evennessAlong(spans, shape[axis]), isIdentity };
}

type Span = readonly [from: number, to: number];

/** Of places that are drawn unit by unit: in turn over all that are needed, or each from its own. */
function evennessAlong(spans: readonly Span[], places: number): number {
  const start = spans.reduce((least, [from]) => Math.min(least, from), Infinity);
  const end = spans.reduce((most, [, to]) => Math.max(most, to), 0);
  const perUnit = (end - start) / spans.length;
  const isInTurn = spans.every(
    ([from, to], i) =>
      from <= Math.floor(start + i * perUnit + 1e-9) && to >= Math.ceil(start + (i + 1) * perUnit - 1e-9),
  );
  if (isInTurn) return (end - start) / places;
  const drawn = new Float64Array(places);
  for (const [from, to] of spans) {
    for (let place = from; place < to; place++) drawn[place] += 1 / (spans.length * (to - from));
  }
  return 1 / (places * drawn.reduce((most, share) => Math.max(most, share), 0));
}

function areOneSize(boxes: readonly (Box | undefined)[]): boolean {
  return boxes.every((box) => box !== undefined && sizeOf(box) === sizeOf(boxes[0]!));
}

function sizeOf(box: Box): number {
  let size = 1;
  for (let c = 0; c < box.length; c += 2) size *= box[c + 1] - box[c];
  return size;
}
