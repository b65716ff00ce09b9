/**
 * The synchronous model as a pairwise problem over boxes of lengths: a variable per operator, a choice per box,
 * a cost per box (its step at least) and per pair of boxes of a producer and a reader (their phase at least).
 * Its minimum is at most the latency of every plan; splitting boxes raises it.
 */
import { NONE, type OperatorId } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import { product } from '../../partition/regions';
import type { PairwiseProblem } from './elimination';
import { eliminationOrder, Interrupted } from './elimination';
import {
  boxFacts,
  makeFacts,
  priceOf,
  rootBox,
  tighten,
  type BoxFacts,
  type LengthBox,
  type ReadFacts,
} from './lengthBox';
import { leastSlowest } from './leastSlowest';
import { WHOLE_AXIS } from './lengthTables';
import { areColumnsAsRows, type Option } from './options';
import { MOST_DEVICES_BY_SET, PhaseBound } from './phase';
import {
  pricedStep,
  weightPrices,
  type MemoryPrices,
  type OperatorPrices,
  type PricedStep,
} from './pricedStep';
import { findRelays, type Relays } from './relays';
import type { BoundScene } from './scene';

/** One storage on its way from the operator that makes it to one that reads it. */
interface Passage {
  readonly make: number;
  readonly read: number;
  readonly size: number;
  readonly elementBytes: number;
  readonly cycles: readonly number[];
  /** Handed on by others on its way: in several phases that follow each other. */
  readonly isRelayed: boolean;
  /** Of the time that these take. */
  readonly share: number;
}

/** All storages that pass between two operators, with their phases by pair of boxes. */
interface Link {
  readonly from: number;
  readonly to: number;
  readonly passages: readonly Passage[];
  /** Row-major over the boxes of `from` and `to`. */
  table: Float64Array;
}

export class SynchronousProblem {
  readonly options: readonly (readonly Option[])[];
  /** Per variable its boxes, in a fixed order. */
  readonly boxes: BoxFacts[][];
  readonly operators: readonly OperatorId[];
  readonly order: readonly number[];
  /** Pairs of boxes valued so far: the measure of work. */
  pairs = 0;
  private readonly links: Link[] = [];
  private readonly linksOf: Link[][];
  private readonly phase: PhaseBound;
  private readonly inputs: readonly { readonly variable: number; readonly passage: Passage }[];
  private readonly outputs: readonly { readonly variable: number; readonly passage: Passage }[];
  private readonly onSink: ReadFacts[] = [];
  private readonly relays: Relays;
  /** Step of the flow -> variable, `NONE` for relays. */
  private readonly variables: number[];
  /** Per variable the least time of the relays behind it. */
  private readonly relayNs: number[];
  /** Per variable. */
  private prices: readonly OperatorPrices[] | undefined;

  constructor(
    readonly scene: BoundScene,
    prices: MemoryPrices | undefined,
    isStopped: () => boolean,
  ) {
    const { flow } = scene;
    this.phase = new PhaseBound(scene.cluster);
    const options = flow.steps.map((operator) => {
      if (isStopped()) throw new Interrupted();
      return scene.optionsOf(operator);
    });
    const isSquare = areColumnsAsRows(scene, options);
    const isPriced = new Set(prices?.steps.map(({ operator }) => operator));
    this.relays = findRelays(scene, options, (operator) => isPriced.has(operator));
    const { origins } = this.relays;
    const kept = [...flow.steps.keys()].filter((step) => origins[step] === NONE);
    this.operators = kept.map((step) => flow.steps[step]);
    this.prices = prices && this.byVariable(prices);
    this.options = kept.map((step) => {
      const splits = scene.rules.splits(flow.steps[step]);
      return options[step].filter(
        ({ split }) => !isSquare || split === NONE || splits[split].dimension !== 'W',
      );
    });
    this.variables = flow.steps.map(() => NONE);
    kept.forEach((step, variable) => (this.variables[step] = variable));
    this.relayNs = this.operators.map(() => 0);
    origins.forEach((origin, step) => {
      if (origin !== NONE) this.relayNs[this.variables[origin]] += this.leastStep(options[step]);
    });
    this.linksOf = this.operators.map(() => []);
    const { inputs, outputs } = this.connect();
    this.inputs = inputs;
    this.outputs = outputs;
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
    for (const link of this.links) link.table = this.freshTable(link);
    const { unary, edges } = this.pairwise();
    this.order = eliminationOrder({ unary, edges });
  }

  private leastStep(options: readonly Option[]): number {
    const anywhere = this.scene.cluster.devices.map(() => Infinity);
    return Math.min(...options.map((option, i) => leastSlowest(option, rootBox(option, i, anywhere))));
  }

  private roots(options: readonly Option[], variable: number, rooms: readonly number[]): BoxFacts[] {
    return options.flatMap((option, index) => this.compiled(variable, rootBox(option, index, rooms)) ?? []);
  }

  /** @param active per variable the positions of the boxes to choose from, all where it is left out */
  pairwise(active?: readonly (readonly number[])[]): PairwiseProblem {
    if (active === undefined) {
      return {
        unary: this.boxes.map((boxes) => Float64Array.from(boxes, ({ cost }) => cost)),
        edges: this.links.map(({ from, to, table }) => ({ a: from, b: to, table })),
      };
    }
    return {
      unary: active.map((positions, v) => Float64Array.from(positions, (i) => this.boxes[v][i].cost)),
      edges: this.links.map(({ from, to, table }) => {
        const [rows, columns, width] = [active[from], active[to], this.boxes[to].length];
        const part = new Float64Array(rows.length * columns.length);
        let at = 0;
        for (const row of rows) for (const column of columns) part[at++] = table[row * width + column];
        return { a: from, b: to, table: part };
      }),
    };
  }

  /** The same boxes at other prices. @param prices of steps that had some from the start */
  reprice(prices: MemoryPrices): void {
    const own = (this.prices = this.byVariable(prices));
    this.boxes.forEach((boxes, variable) => {
      this.boxes[variable] = boxes.map((facts) => {
        const price = priceOf(this.options[variable][facts.box.option], facts.box, own[variable]);
        return { ...facts, cost: facts.cost - facts.price + price, price };
      });
    });
  }

  private byVariable(prices: MemoryPrices): OperatorPrices[] {
    const weights = weightPrices(prices);
    const ofStep = new Map(prices.steps.map((step) => [step.operator, step.prices]));
    return this.operators.map((operator) => ({ weights, activations: ofStep.get(operator) }));
  }

  /** Tightened, with its input and output phases; `undefined` where the box is empty. */
  compiled(variable: number, box: LengthBox): BoxFacts | undefined {
    const option = this.options[variable][box.option];
    const tight = tighten(box, option);
    if (tight === undefined) return undefined;
    const facts = boxFacts(this.scene, this.operators[variable], option, tight, this.prices?.[variable]);
    let cost = facts.cost + this.relayNs[variable];
    for (const input of this.inputs) {
      if (input.variable !== variable) continue;
      const { passage } = input;
      cost += this.phaseOf(this.wholeOnSource(passage.size), facts.reads[passage.read], passage);
    }
    for (const output of this.outputs) {
      if (output.variable !== variable) continue;
      const { passage } = output;
      cost += this.phaseOf(facts.makes[passage.make], this.onSink[passage.read], passage);
    }
    return { ...facts, cost };
  }

  /** Time of the slowest shard where the step costs least. */
  slowest(variable: number, box: LengthBox): number {
    const option = this.options[variable][box.option];
    return this.prices === undefined
      ? Math.max(box.timeLo, leastSlowest(option, box))
      : this.priced(variable, box).slowest;
  }

  /** With prices of memory. */
  priced(variable: number, box: LengthBox): PricedStep {
    return pricedStep(this.options[variable][box.option], box, this.prices![variable]);
  }

  /** What a box costs together with given boxes of its neighbours. */
  localCost(variable: number, facts: BoxFacts, choice: ArrayLike<number>): number {
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
   */
  update(kept: readonly (readonly number[] | undefined)[], added: readonly (readonly BoxFacts[])[]): void {
    const before = this.boxes.map((boxes) => boxes.length);
    const staying = kept.map((positions, v) => positions ?? Array.from({ length: before[v] }, (_, i) => i));
    staying.forEach((positions, v) => {
      if (kept[v] === undefined && added[v].length === 0) return;
      this.boxes[v] = [...positions.map((i) => this.boxes[v][i]), ...added[v]];
    });
    for (const link of this.links) {
      const { from, to } = link;
      const isSame = [from, to].every((v) => kept[v] === undefined && added[v].length === 0);
      if (isSame) continue;
      const columns = this.boxes[to].length;
      const table = new Float64Array(this.boxes[from].length * columns);
      for (let x = 0; x < this.boxes[from].length; x++) {
        const oldRow = x < staying[from].length ? staying[from][x] * before[to] : NONE;
        for (let y = 0; y < columns; y++) {
          table[x * columns + y] =
            oldRow !== NONE && y < staying[to].length
              ? link.table[oldRow + staying[to][y]]
              : this.between(link, this.boxes[from][x], this.boxes[to][y]);
        }
      }
      link.table = table;
    }
  }

  private between({ passages }: Link, from: BoxFacts, to: BoxFacts): number {
    this.pairs++;
    let ns = 0;
    for (const passage of passages)
      ns += this.phaseOf(from.makes[passage.make], to.reads[passage.read], passage);
    return ns;
  }

  private phaseOf(make: BoxFacts['makes'][number], read: ReadFacts, passage: Passage): number {
    return passage.share * this.phase.least(make, read, passage);
  }

  private wholeOnSource(size: number): BoxFacts['makes'][number] {
    const { cluster } = this.scene;
    return makeFacts(
      Float64Array.from(cluster.devices, (_, d) => (d === cluster.source ? size : 0)),
      { axis: WHOLE_AXIS, isRun: true },
    );
  }

  private freshTable(link: Link): Float64Array {
    const columns = this.boxes[link.to].length;
    const table = new Float64Array(this.boxes[link.from].length * columns);
    this.boxes[link.from].forEach((x, i) =>
      this.boxes[link.to].forEach((y, j) => (table[i * columns + j] = this.between(link, x, y))),
    );
    return table;
  }

  /** Finds every passage of a storage: between operators, from the source, to the sink. */
  private connect(): {
    inputs: { variable: number; passage: Passage }[];
    outputs: { variable: number; passage: Passage }[];
  } {
    const { flow, graph } = this.scene;
    const inputs: { variable: number; passage: Passage }[] = [];
    const outputs: { variable: number; passage: Passage }[] = [];
    const byPair = new Map<string, { from: number; to: number; passages: Passage[] }>();
    flow.storages.forEach(({ producer, readers }, storage) => {
      // What a view makes beside its first output (a mask, say) costs nothing.
      if (producer !== NONE && flow.stepOf[producer] === NONE) return;
      const { size, factors } = this.scene.space(storage);
      const cycles = factors.map((_, axis) => product(factors.slice(axis)));
      const tensor = graph.storages[storage].tensors[0];
      const elementBytes = size === 0 ? 0 : this.scene.bytes(tensor, size) / size;
      const step = producer === NONE ? NONE : flow.stepOf[producer];
      const { origins } = this.relays;
      const isRelayed = step !== NONE && origins[step] !== NONE;
      const from = step === NONE ? NONE : this.variables[isRelayed ? origins[step] : step];
      const make = producer === NONE || isRelayed ? 0 : flow.operators[producer].makes.indexOf(storage);
      const shares = this.relays.shares.get(storage);
      readers.forEach((reader, position) => {
        const share = shares === undefined ? 1 : shares[position];
        if (share === 0) return;
        if (reader === GATHER) {
          const passage = { make, read: this.addSink(size), size, elementBytes, cycles, isRelayed, share };
          if (from !== NONE) outputs.push({ variable: from, passage });
          return;
        }
        const to = this.variables[flow.stepOf[reader]];
        // To a relay: it goes on to the relay's readers.
        if (to === NONE) return;
        const read = flow.operators[reader].reads.findIndex((candidate) => candidate.storage === storage);
        const passage = { make, read, size, elementBytes, cycles, isRelayed, share };
        if (from === NONE) {
          inputs.push({ variable: to, passage });
          return;
        }
        const key = `${from} ${to}`;
        const pair = byPair.get(key) ?? { from, to, passages: [] };
        pair.passages.push(passage);
        byPair.set(key, pair);
      });
    });
    for (const pair of byPair.values()) {
      const link: Link = { ...pair, table: new Float64Array(0) };
      this.links.push(link);
      this.linksOf[pair.from].push(link);
      this.linksOf[pair.to].push(link);
    }
    return { inputs, outputs };
  }

  private addSink(size: number): number {
    const { cluster } = this.scene;
    const needs = Float64Array.from(cluster.devices, (_, d) => (d === cluster.sink ? size : 0));
    const one = Int32Array.from(cluster.devices, (_, d) => (d === cluster.sink ? 1 : 0));
    return (
      this.onSink.push({
        atEnd: needs,
        inside: needs,
        most: needs,
        total: size,
        active: cluster.sink < MOST_DEVICES_BY_SET ? 1 << cluster.sink : 0,
        receivers: 1,
        ends: 1,
        shared: Infinity,
        overlap: 0,
        isRun: true,
        perUnit: size,
        beside: 0,
        units: 1,
        lo: one,
        hi: one,
        axis: WHOLE_AXIS,
      }) - 1
    );
  }
}
