/**
 * The synchronous model as a pairwise problem over boxes of lengths: a variable per operator, a choice per box,
 * a cost per box (its step at least) and per pair of boxes of a producer and a reader (their phase at least).
 * Its minimum is at most the latency of every plan; splitting boxes raises it.
 */
import { NONE, type Bytes, type Nanoseconds, type OperatorId } from '../../graph/units';
import type { PairwiseProblem } from './elimination';
import { findWidthOrder } from './eliminationOrder';
import {
  boxFacts,
  makeFacts,
  rootBox,
  tighten,
  type BoxFacts,
  type LengthBox,
  type MakeFacts,
  type ReadFacts,
} from './lengthBox';
import { leastSlowest } from './leastSlowest';
import { WHOLE_AXIS, type NeedTable } from './lengthTables';
import { columnsAsRows, type Option } from './options';
import { findPassages, type EndPassage, type PassageNeed, type Passage } from './passages';
import { PhaseBound } from './phase';
import { PhaseLinks } from './phaseLinks';
import type { ByOrder } from './placedPhase';
import { heldBy, priceTables } from './priceTables';
import { entryAt, pricedStep, type MemoryPrices, type PriceTables, type PricedStep } from './pricedStep';
import { BoxSlots, PairTable, type Left } from './pairTable';
import { PricedPhase } from './pricedPhase';
import { findRelays, leastStep, needAtOrigin } from './relays';
import type { BoundScene } from './scene';

/** All storages that pass between two operators, with their phases by pair of boxes. */
interface Link {
  readonly from: number;
  readonly to: number;
  /** The same two, the one that is eliminated first last. */
  readonly a: number;
  readonly b: number;
  readonly passages: readonly Passage[];
  /** Where the devices' order is not the same at both ends (`orderCharges.ts`). */
  charge: Nanoseconds;
}

export interface LinkByOrder extends ByOrder {
  readonly from: number;
  readonly to: number;
}

export interface CompiledBox extends BoxFacts {
  /** Least step time, with the phases of what comes in and goes out, and with the prices. */
  readonly cost: Nanoseconds;
  /** By how much the prices change it, at least. */
  readonly price: Nanoseconds;
  /** Of the prices that are part of its cost. */
  readonly epoch: number;
}

function needsOf(option: Option, needs: readonly PassageNeed[]): NeedTable[] {
  return needs.map(({ read, lineages }) => needAtOrigin(option.needs[read], lineages)!);
}

export class SynchronousProblem {
  readonly options: readonly (readonly Option[])[];
  /** Per variable its boxes, in a fixed order. */
  readonly boxes: CompiledBox[][];
  readonly operators: readonly OperatorId[];
  readonly order: readonly number[];
  /** Pairs of boxes valued so far: the measure of work. */
  pairs = 0;
  private readonly links: readonly Link[];
  /** Per link. */
  private readonly pairTables: readonly PairTable[];
  /** Per variable, which is a row or a column of its links' tables. */
  private readonly slots: readonly BoxSlots[];
  private readonly linksOf: readonly (readonly Link[])[];
  private readonly phase: PhaseBound;
  private readonly pricedPhase: PricedPhase;
  private readonly inputs: readonly EndPassage[];
  private readonly outputs: readonly EndPassage[];
  private readonly onSink: readonly ReadFacts[];
  /** Least time of all relays' steps. */
  private readonly relayNs: number;
  readonly passages: readonly Passage[];
  /** Per variable the passages to it, and from it. */
  private readonly into: readonly (readonly Passage[])[];
  private readonly outOf: readonly (readonly Passage[])[];
  private epoch = 0;
  /** Per variable: some of its boxes were compiled at other prices. */
  private isStale: boolean[] = [];
  /** What devices lack has prices. */
  private isPricing = false;
  /** Per variable and option; absent without prices. */
  private tables: readonly (readonly PriceTables[])[] | undefined;

  /** @param areJoinsRelays sums and concatenations are left out (`relays.ts`) */
  constructor(
    readonly scene: BoundScene,
    private memory: MemoryPrices | undefined,
    isStopped: () => boolean,
    areJoinsRelays = false,
  ) {
    const { flow } = scene;
    const phaseLinks = new PhaseLinks(scene.cluster);
    this.pricedPhase = new PricedPhase(phaseLinks);
    const options = scene.allOptions(isStopped);
    const { columns, either, uneven } = columnsAsRows(scene, options);
    this.phase = new PhaseBound(phaseLinks, columns.size > 0);
    const isPriced = new Set(memory?.steps.map(({ operator }) => operator));
    const relays = findRelays(
      scene,
      options,
      // What lies behind an uneven one is known along rows and along columns, but not of both together.
      (operator) => isPriced.has(operator) || uneven.has(flow.stepOf[operator]),
      areJoinsRelays,
      phaseLinks,
    );
    const kept = [...flow.steps.keys()].filter((step) => !relays.isRelay[step]);
    this.operators = kept.map((step) => flow.steps[step]);
    const variables = flow.steps.map(() => NONE);
    kept.forEach((step, variable) => (variables[step] = variable));
    const { all, pairs, inputs, outputs, onSink, needs } = findPassages(scene, relays, variables);
    this.options = kept.map((step, variable) =>
      options[step]
        .filter((option) => !columns.has(option))
        .map((option) => either.get(option) ?? option)
        .map((option) => ({ ...option, needs: needsOf(option, needs[variable]) })),
    );
    this.relayNs = options
      .filter((_, step) => relays.isRelay[step])
      .reduce((sum, own) => sum + leastStep(scene, own), 0);
    this.passages = all;
    this.inputs = inputs;
    this.outputs = outputs;
    this.onSink = onSink;
    this.order = findWidthOrder(
      this.operators.length,
      pairs.map(({ from, to }) => [from, to]),
    );
    const turn = new Map(this.order.map((variable, i) => [variable, i]));
    this.links = pairs.map((pair): Link => {
      const [b, a] = [pair.from, pair.to].sort((x, y) => turn.get(x)! - turn.get(y)!);
      return { ...pair, a, b, charge: 0 };
    });
    this.linksOf = this.operators.map((_, v) => this.links.filter(({ from, to }) => from === v || to === v));
    this.into = this.operators.map((_, v) => [
      ...this.linksOf[v].flatMap(({ to, passages }) => (to === v ? passages : [])),
      ...inputs.flatMap(({ variable, passage }) => (variable === v ? [passage] : [])),
    ]);
    this.outOf = this.operators.map((_, v) => [
      ...this.linksOf[v].flatMap(({ from, passages }) => (from === v ? passages : [])),
      ...outputs.flatMap(({ variable, passage }) => (variable === v ? [passage] : [])),
    ]);
    this.setPrices();
    const rooms = scene.cluster.devices.map(({ memory, baseMemory }) => Math.max(0, memory - baseMemory));
    this.boxes = this.options.map((options, variable) => {
      const fitting = this.roots(options, variable, rooms);
      // Where nothing fits no plan is valid, and any bound holds.
      return fitting.length > 0
        ? fitting
        : this.roots(
            options,
            variable,
            rooms.map(() => Infinity),
          );
    });
    this.slots = this.boxes.map(({ length }) => new BoxSlots(length));
    this.pairTables = this.links.map((link) => {
      const { a, b } = link;
      return new PairTable(this.slots[a], this.slots[b], (i, j) =>
        a === link.from
          ? this.between(link, this.boxes[a][i], this.boxes[b][j])
          : this.between(link, this.boxes[b][j], this.boxes[a][i]),
      );
    });
  }

  private roots(options: readonly Option[], variable: number, rooms: readonly number[]): CompiledBox[] {
    return options.flatMap((option, index) => this.compiled(variable, rootBox(option, index, rooms)) ?? []);
  }

  /**
   * @param active per variable the positions of the boxes to choose from, all where it is left out
   * @param left pairs that may count what those of the boxes that theirs are parts of do: that is no more
   */
  pairwise(
    active: readonly (readonly number[])[] = this.boxes.map((boxes) => [...boxes.keys()]),
    left: Left = 'none',
  ): PairwiseProblem {
    active.forEach((positions, v) => this.refresh(v, positions));
    return {
      unary: active.map((positions, v) => {
        const costs = new Float64Array(positions.length);
        for (let i = 0; i < positions.length; i++) costs[i] = this.boxes[v][positions[i]].cost;
        return costs;
      }),
      edges: this.links.map(({ a, b }, link) => ({
        a,
        b,
        table: this.pairTables[link].among(active[a], active[b], left),
      })),
    };
  }

  /** Pairs of active boxes that were not worked out. */
  leftPairs(active: readonly (readonly number[])[]): number {
    return this.links.reduce(
      (sum, { a, b }, link) => sum + this.pairTables[link].leftAmong(active[a], active[b]),
      0,
    );
  }

  /**
   * Works out the pairs of active boxes that are within reach; those that are not may be left from now on.
   * @param least per link and entry of its table in the pairwise problem of the active boxes: no assignment with it costs less
   * @param choice positions among these
   * @returns whether the choice costs more with that
   */
  workOutReached(
    active: readonly (readonly number[])[],
    least: readonly Float64Array[],
    level: Nanoseconds,
    choice: ArrayLike<number>,
  ): boolean {
    const raised = this.links.filter(({ a, b }, link) => {
      const chosen = choice[a] * active[b].length + choice[b];
      return this.pairTables[link].workOutReached(active[a], active[b], least[link], level, chosen);
    });
    return raised.length > 0;
  }

  /** Of all boxes, whether valued or not. */
  get allPairs(): number {
    return this.links.reduce((sum, { from, to }) => sum + this.boxes[from].length * this.boxes[to].length, 0);
  }

  /** Boxes that were compiled at other prices. */
  private refresh(variable: number, positions: readonly number[]): void {
    if (!this.isStale[variable]) return;
    const boxes = this.boxes[variable];
    for (const i of positions) {
      if (boxes[i].epoch !== this.epoch) boxes[i] = this.costed(variable, boxes[i]);
    }
    this.isStale[variable] = positions.length < boxes.length;
  }

  /** The same boxes at other prices of memory. @param prices of steps that had some from the start */
  reprice(prices: MemoryPrices): void {
    this.memory = prices;
    this.setPrices();
  }

  /**
   * The same boxes at other prices. @param prices per passage and device, of an element that the device lacks
   * @param memory as in `reprice`
   */
  priceMessages(prices: readonly ArrayLike<Nanoseconds>[], memory = this.memory): void {
    // Only the source holds what comes in, and only the sink needs what goes out.
    const { source, sink } = this.scene.cluster;
    this.passages.forEach((passage, index) => passage.prices.set(prices[index]));
    for (const { passage } of this.inputs) passage.prices[source] = 0;
    for (const { passage } of this.outputs)
      passage.prices.set(passage.prices.map((price, d) => (d === sink ? price : 0)));
    this.isPricing = true;
    this.memory = memory;
    for (const pairs of this.pairTables) pairs.forget();
    this.setPrices();
  }

  /** Per link of a choice its ends, and its phases by the devices' order. */
  phasesByOrder(choice: ArrayLike<number>): LinkByOrder[] {
    return this.links.map((link) => {
      const { from, to } = link;
      return { from, to, ...this.byOrder(link, this.boxes[from][choice[from]], this.boxes[to][choice[to]]) };
    });
  }

  /** Per link. */
  get charges(): Float64Array {
    return Float64Array.from(this.links, ({ charge }) => charge);
  }

  /** @param charges per link @returns whether any of them is another than before */
  chargeOrders(charges: ArrayLike<Nanoseconds>): boolean {
    const changed = this.links.filter(({ charge }, i) => charge !== charges[i]);
    this.links.forEach((link, i) => {
      const less = Math.max(0, link.charge - charges[i]);
      if (link.charge !== charges[i]) this.pairTables[i].discount(less);
      link.charge = charges[i];
    });
    return changed.length > 0;
  }

  private setPrices(): void {
    this.epoch++;
    this.isStale = this.options.map(() => true);
    this.tables =
      this.memory === undefined && !this.isPricing
        ? undefined
        : this.options.map((options, v) =>
            options.map((option) =>
              priceTables(this.operators[v], option, this.memory, this.into[v], this.outOf[v]),
            ),
          );
  }

  /** Tightened, with its input and output phases; `undefined` where the box is empty. */
  compiled(variable: number, box: LengthBox): CompiledBox | undefined {
    const option = this.options[variable][box.option];
    const tight = tighten(box, option);
    if (tight === undefined) return undefined;
    return this.costed(variable, boxFacts(this.scene, this.operators[variable], option, tight));
  }

  /** At the prices of now. */
  private costed(variable: number, facts: BoxFacts): CompiledBox {
    const { box, slowest, step } = facts;
    const price = this.tables === undefined ? 0 : this.priced(variable, box).ns - slowest;
    // What is left out counts with the first that is not.
    let cost = step + price + (variable === 0 ? this.relayNs : 0);
    for (const { variable: reader, passage } of this.inputs) {
      if (reader !== variable) continue;
      cost += this.phaseOf(this.wholeOnSource(passage.size), facts.reads[passage.read], passage);
    }
    for (const { variable: maker, passage } of this.outputs) {
      if (maker !== variable) continue;
      cost += this.phaseOf(facts.makes[passage.make], this.onSink[passage.read], passage);
      cost += passage.prices[this.scene.cluster.sink] * passage.size;
    }
    return { ...facts, cost, price, epoch: this.epoch };
  }

  /** Time of the slowest shard where the step costs least. */
  slowest(variable: number, box: LengthBox): number {
    const option = this.options[variable][box.option];
    return this.tables === undefined
      ? Math.max(box.timeLo, leastSlowest(option, box))
      : this.priced(variable, box).slowest;
  }

  /** With prices. */
  priced(variable: number, box: LengthBox): PricedStep {
    return pricedStep(this.options[variable][box.option], box, this.tables![variable][box.option]);
  }

  /** What the cheapest lengths of a box hold on each device. */
  bytesOf(variable: number, box: LengthBox): { weightBytes: Bytes[]; activationBytes: Bytes[] } {
    const option = this.options[variable][box.option];
    const { lengths } = this.priced(variable, box);
    return {
      weightBytes: lengths.map((n) => entryAt(option.weightBytes, n)),
      activationBytes: lengths.map(
        (n, d) => entryAt(option.activationBytes, n) + (d === option.device ? option.reducedBytes : 0),
      ),
    };
  }

  /** Per passage and device how much more the lengths of a choice lack than its phases account for. */
  lackBeyond(choice: ArrayLike<number>): Float64Array[] {
    const { devices, source, sink } = this.scene.cluster;
    const facts = this.boxes.map((boxes, v) => boxes[choice[v]]);
    const found = this.passages.map(({ prices }) => new Float64Array(prices.length));
    facts.forEach(({ box }, v) => {
      const option = this.options[v][box.option];
      const { lengths } = this.priced(v, box);
      devices.forEach((_, d) => {
        const n = lengths[d];
        this.into[v].forEach(({ index, read }) => (found[index][d] += entryAt(option.needs[read].atEnd, n)));
        this.outOf[v].forEach(({ index, make }) => (found[index][d] -= heldBy(option, make, d, n)));
      });
    });
    const lack = new Float64Array(devices.length);
    const add = (passage: Passage, from: number, to: number): void => {
      const own = found[passage.index];
      const make = from === NONE ? this.wholeOnSource(passage.size) : facts[from].makes[passage.make];
      const read = to === NONE ? this.onSink[passage.read] : facts[to].reads[passage.read];
      this.pricedPhase.least(make, read, passage, this.phase.least(make, read, passage), lack);
      for (let d = 0; d < own.length; d++) {
        if ((from === NONE && d === source) || (to === NONE && d !== sink)) own[d] = 0;
        else own[d] += (to === NONE ? passage.size : 0) - lack[d];
      }
    };
    for (const { from, to, passages } of this.links) for (const passage of passages) add(passage, from, to);
    for (const { variable, passage } of this.inputs) add(passage, NONE, variable);
    for (const { variable, passage } of this.outputs) add(passage, variable, NONE);
    return found;
  }

  /** What a box costs together with given boxes of its neighbours. */
  localCost(variable: number, facts: CompiledBox, choice: ArrayLike<number>): number {
    let cost = facts.cost;
    for (const link of this.linksOf[variable]) {
      cost +=
        link.from === variable
          ? this.between(link, facts, this.boxes[link.to][choice[link.to]])
          : this.between(link, this.boxes[link.from][choice[link.from]], facts);
    }
    return cost;
  }

  /**
   * Replaces boxes. @param kept per variable the positions that stay, ascending, or `undefined` for all
   * @param added per variable boxes that follow them
   * @param parents positions of those that these are parts of, whose pairs cost no more; `NONE` for others
   */
  update(
    kept: readonly (readonly number[] | undefined)[],
    added: readonly (readonly CompiledBox[])[],
    parents: readonly (readonly number[])[],
  ): void {
    const before = parents.map((own, v) =>
      own.map((parent) => (parent === NONE ? NONE : this.slots[v].taken[parent])),
    );
    const renewed = this.boxes.map((boxes, v): readonly number[] => {
      if (kept[v] === undefined && added[v].length === 0) return [];
      const staying = kept[v] ?? [...boxes.keys()];
      this.boxes[v] = [...staying.map((i) => boxes[i]), ...added[v]];
      return this.slots[v].replace(staying, added[v].length);
    });
    const parts = renewed.map((slots, v) => ({ slots, parents: before[v] }));
    this.links.forEach(({ a, b }, link) => this.pairTables[link].inherit(parts[a], parts[b]));
  }

  private between(link: Link, from: BoxFacts, to: BoxFacts): number {
    const { passages, charge } = link;
    this.pairs++;
    if (charge !== 0) {
      const { kept, reordered } = this.byOrder(link, from, to);
      return Math.min(kept, reordered + charge);
    }
    let ns = 0;
    for (const passage of passages)
      ns += this.phaseOf(from.makes[passage.make], to.reads[passage.read], passage);
    return ns;
  }

  private byOrder({ passages }: Link, from: BoxFacts, to: BoxFacts): ByOrder {
    let [kept, reordered] = [0, 0];
    for (const passage of passages) {
      const make = from.makes[passage.make];
      const read = to.reads[passage.read];
      const least = this.phase.leastByOrder(make, read, passage);
      kept += this.valued(make, read, passage, least.kept);
      reordered += this.valued(make, read, passage, least.reordered);
    }
    return { kept, reordered };
  }

  private phaseOf(make: MakeFacts, read: ReadFacts, passage: Passage): number {
    return this.valued(make, read, passage, this.phase.least(make, read, passage));
  }

  /** Of a phase's least time the passage's share, with the prices. */
  private valued(make: MakeFacts, read: ReadFacts, passage: Passage, least: Nanoseconds): Nanoseconds {
    if (!this.isPricing || least === Infinity) return passage.share * least;
    return this.pricedPhase.least(make, read, passage, least);
  }

  private wholeOnSource(size: number): MakeFacts {
    const { cluster } = this.scene;
    return makeFacts(
      Float64Array.from(cluster.devices, (_, d) => (d === cluster.source ? size : 0)),
      undefined,
      { axis: WHOLE_AXIS, isRun: true },
    );
  }
}
