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
  /** Row-major over the slots of `a` and `b`. */
  table: Float64Array;
  /** Of the entries of the table. */
  states: Uint8Array;
  /** Of the table. */
  width: number;
  /** Where the devices' order is not the same at both ends (`orderCharges.ts`). */
  charge: Nanoseconds;
}

/** Pairs of boxes that were worked out, those whose boxes are parts of such, or of such as were out of reach, and others. */
const WORKED_OUT = 0;
const NEW = 1;
const OUT_OF_REACH = 2;
const UNKNOWN = 3;

/** Those that need not be worked out. */
export type Left = 'none' | 'out of reach' | 'all';

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

/** Where the boxes of a variable stand in tables, so that others can come and go without moving them. */
class BoxSlots {
  /** Per box. */
  taken: number[];
  capacity: number;
  private readonly free: number[] = [];

  constructor(boxes: number) {
    this.taken = Array.from({ length: boxes }, (_, i) => i);
    this.capacity = boxes;
  }

  /** @param staying positions, ascending @returns the slots of boxes that follow them */
  replace(staying: readonly number[], added: number): number[] {
    const { taken, free } = this;
    const stays = new Set(staying);
    taken.forEach((slot, i) => {
      if (!stays.has(i)) free.push(slot);
    });
    while (free.length < added) {
      const next = Math.ceil(GROWTH * this.capacity) + 1;
      for (let slot = next - 1; slot >= this.capacity; slot--) free.push(slot);
      this.capacity = next;
    }
    const renewed = Array.from({ length: added }, () => free.pop()!);
    this.taken = [...staying.map((i) => taken[i]), ...renewed];
    return renewed;
  }
}

const GROWTH = 1.5;

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
      return { ...pair, a, b, table: new Float64Array(0), states: new Uint8Array(0), width: 0, charge: 0 };
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
    for (const link of this.links) {
      this.enlarge(link);
      forget(link);
    }
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
      edges: this.links.map((link) => {
        const { a, b, table, states } = link;
        const { rows, columns } = this.placesOf(link, active);
        const part = new Float64Array(rows.length * columns.length);
        let at = 0;
        for (let i = 0; i < rows.length; i++) {
          for (let j = 0; j < columns.length; j++) {
            const pair = rows[i] + columns[j];
            if (isWanted(states[pair], left)) this.workOut(link, pair, active[a][i], active[b][j]);
            part[at++] = table[pair];
          }
        }
        return { a, b, table: part };
      }),
    };
  }

  /** Pairs of active boxes that were not worked out. */
  leftPairs(active: readonly (readonly number[])[]): number {
    let left = 0;
    for (const link of this.links) {
      const { rows, columns } = this.placesOf(link, active);
      for (const row of rows)
        for (const column of columns) if (link.states[row + column] !== WORKED_OUT) left++;
    }
    return left;
  }

  /**
   * Works out the pairs of active boxes that are within reach; those that are not and were not worked out may be left.
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
    let isChosenRaised = false;
    this.links.forEach((link, index) => {
      const { a, b, table, states } = link;
      const { rows, columns } = this.placesOf(link, active);
      let at = 0;
      for (let i = 0; i < rows.length; i++) {
        for (let j = 0; j < columns.length; j++, at++) {
          const pair = rows[i] + columns[j];
          if (states[pair] === WORKED_OUT) continue;
          if (least[index][at] >= level) {
            states[pair] = OUT_OF_REACH;
            continue;
          }
          const before = table[pair];
          this.workOut(link, pair, active[a][i], active[b][j]);
          isChosenRaised ||= table[pair] > before && choice[a] === i && choice[b] === j;
        }
      }
    });
    return isChosenRaised;
  }

  /** Where rows and columns of active boxes stand in a link's own table, to be added. */
  private placesOf(
    { a, b, width }: Link,
    active: readonly (readonly number[])[],
  ): { rows: Int32Array; columns: Int32Array } {
    const slotsOf = (variable: number, stride: number): Int32Array =>
      Int32Array.from(active[variable], (i) => stride * this.slots[variable].taken[i]);
    return { rows: slotsOf(a, width), columns: slotsOf(b, 1) };
  }

  /** @param i position among the boxes of the link's `a`, @param j of its `b` */
  private workOut(link: Link, pair: number, i: number, j: number): void {
    const [boxA, boxB] = [this.boxes[link.a][i], this.boxes[link.b][j]];
    const ns = link.a === link.from ? this.between(link, boxA, boxB) : this.between(link, boxB, boxA);
    // What holds for boxes holds for their parts.
    link.table[pair] = link.states[pair] === UNKNOWN ? ns : Math.max(ns, link.table[pair]);
    link.states[pair] = WORKED_OUT;
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
    for (const link of this.links) forget(link);
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
      if (link.charge !== charges[i]) discount(link, less);
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
    for (const link of this.links) {
      this.enlarge(link);
      inheritRows(link, before[link.a], renewed[link.a]);
      inheritColumns(link, before[link.b], renewed[link.b]);
    }
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

  /** To the capacity of the slots. */
  private enlarge(link: Link): void {
    const width = this.slots[link.b].capacity;
    const size = this.slots[link.a].capacity * width;
    if (link.table.length === size) return;
    const { table, states, width: before } = link;
    link.table = new Float64Array(size);
    link.states = new Uint8Array(size).fill(UNKNOWN);
    link.width = width;
    for (let row = 0; row * before < table.length; row++) {
      link.table.set(table.subarray(row * before, (row + 1) * before), row * width);
      link.states.set(states.subarray(row * before, (row + 1) * before), row * width);
    }
  }
}

function forget({ states }: Link): void {
  states.fill(UNKNOWN);
}

/** From here on pairs may cost less than they did, by that much at most. */
function discount({ table, states }: Link, by: Nanoseconds): void {
  for (let pair = 0; pair < table.length; pair++) {
    table[pair] -= by;
    if (states[pair] === WORKED_OUT) states[pair] = NEW;
  }
}

/** @param from slots, @param to others or some of the same */
function inheritRows({ table, states, width }: Link, from: readonly number[], to: readonly number[]): void {
  const rows = from.map((slot) =>
    slot === NONE
      ? { ns: new Float64Array(width), own: new Uint8Array(width).fill(UNKNOWN) }
      : {
          ns: table.slice(slot * width, (slot + 1) * width),
          own: states.slice(slot * width, (slot + 1) * width).map(inherited),
        },
  );
  to.forEach((slot, i) => {
    table.set(rows[i].ns, slot * width);
    states.set(rows[i].own, slot * width);
  });
}

/** The same for the columns of every row. */
function inheritColumns(
  { table, states, width }: Link,
  from: readonly number[],
  to: readonly number[],
): void {
  if (to.length === 0) return;
  const ns = new Float64Array(to.length);
  const own = new Uint8Array(to.length);
  for (let start = 0; start < table.length; start += width) {
    for (let i = 0; i < to.length; i++) {
      ns[i] = from[i] === NONE ? 0 : table[start + from[i]];
      own[i] = from[i] === NONE ? UNKNOWN : inherited(states[start + from[i]]);
    }
    for (let i = 0; i < to.length; i++) {
      table[start + to[i]] = ns[i];
      states[start + to[i]] = own[i];
    }
  }
}

/** Of a pair of parts: what that of the boxes costs, they cost at least. */
function inherited(state: number): number {
  return state === WORKED_OUT ? NEW : state;
}

function isWanted(state: number, left: Left): boolean {
  switch (state) {
    case UNKNOWN:
      return true;
    case NEW:
      return left !== 'all';
    case OUT_OF_REACH:
      return left === 'none';
    default:
      return false;
  }
}
