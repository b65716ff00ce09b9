/** What passes between operators, from the source and to the sink, in the pairwise problem of the synchronous model. */
import { NONE, type StorageId } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import { product } from '../../partition/regions';
import type { ReadFacts } from './lengthBox';
import { WHOLE_AXIS } from './lengthTables';
import { MOST_DEVICES_BY_SET } from './phaseLinks';
import type { RelayPath, Relays } from './relays';
import type { BoundScene } from './scene';

/** One storage on its way from the operator that makes it to one that reads it. */
export interface Passage {
  readonly make: number;
  /** Position in the reader's `needs`. */
  readonly read: number;
  readonly size: number;
  readonly cycles: readonly number[];
  readonly readCycles: readonly number[];
  /** Handed on by others on its way: in several phases that follow each other. */
  readonly isRelayed: boolean;
  /** Of the time that these take. */
  readonly share: number;
  /** Where it stands among all passages. */
  readonly index: number;
  /** Per device, of an element that it lacks. */
  readonly prices: Float64Array;
}

/** A passage from the source, or to the sink. */
export interface EndPassage {
  readonly variable: number;
  readonly passage: Passage;
}

export interface Passages {
  readonly all: readonly Passage[];
  /** Between two variables, all storages of a pair together. */
  readonly pairs: readonly {
    readonly from: number;
    readonly to: number;
    readonly passages: readonly Passage[];
  }[];
  readonly inputs: readonly EndPassage[];
  readonly outputs: readonly EndPassage[];
  /** What the sink needs: `read` of the outputs' passages. */
  readonly onSink: readonly ReadFacts[];
  /** Per variable what it needs of all that comes to it. */
  readonly needs: readonly (readonly PassageNeed[])[];
}

/** What follows from what an operator reads for the maker before it, or before the relays on the way. */
export interface PassageNeed {
  /** Position in `OperatorFlow.reads`. */
  readonly read: number;
  readonly lineages: RelayPath['lineages'];
}

/** @param variables per step of the flow, `NONE` for relays */
export function findPassages(scene: BoundScene, relays: Relays, variables: readonly number[]): Passages {
  const { flow, cluster } = scene;
  const all: Passage[] = [];
  const inputs: EndPassage[] = [];
  const outputs: EndPassage[] = [];
  const onSink: ReadFacts[] = [];
  const needs = variables.filter((variable) => variable !== NONE).map((): PassageNeed[] => []);
  const byPair = new Map<string, { from: number; to: number; passages: Passage[] }>();
  const add = (storage: StorageId, read: number, path?: RelayPath): Passage => {
    const origin = path === undefined ? storage : path.origin;
    const { producer } = flow.storages[origin];
    const { size, factors } = scene.space(origin);
    const passage = {
      make: producer === NONE ? 0 : flow.operators[producer].makes.indexOf(origin),
      read,
      size,
      cycles: cyclesOf(factors),
      readCycles: cyclesBehind(scene, storage, path?.lineages ?? []),
      isRelayed: path !== undefined,
      share: path?.share ?? 1,
      index: all.length,
      prices: new Float64Array(cluster.devices.length),
    };
    all.push(passage);
    return passage;
  };
  const connect = (from: number, to: number, passage: Passage): void => {
    const key = `${from} ${to}`;
    const pair = byPair.get(key) ?? { from, to, passages: [] };
    pair.passages.push(passage);
    byPair.set(key, pair);
  };
  flow.storages.forEach(({ producer, readers }, storage) => {
    // What a view makes beside its first output (a mask, say) costs nothing.
    if (producer !== NONE && flow.stepOf[producer] === NONE) return;
    const from = producer === NONE ? NONE : variables[flow.stepOf[producer]];
    readers.forEach((reader, position) => {
      if (reader === GATHER) {
        const passage = add(storage, onSink.push(allOnSink(scene, storage)) - 1);
        if (from !== NONE) outputs.push({ variable: from, passage });
        return;
      }
      const to = variables[flow.stepOf[reader]];
      // To a relay: it goes on to the relay's readers.
      if (to === NONE) return;
      const { reads } = flow.operators[reader];
      const read = reads.findIndex((candidate) => candidate.storage === storage);
      const paths = relays.paths.get(storage);
      if (paths === undefined) {
        const passage = add(storage, needs[to].push({ read, lineages: [] }) - 1);
        if (from === NONE) inputs.push({ variable: to, passage });
        else connect(from, to, passage);
        return;
      }
      for (const path of paths[position]) {
        const { origin, lineages } = path;
        const passage = add(storage, needs[to].push({ read, lineages }) - 1, path);
        connect(variables[flow.stepOf[flow.storages[origin].producer]], to, passage);
      }
    });
  });
  return { all, pairs: [...byPair.values()], inputs, outputs, onSink, needs };
}

function cyclesOf(factors: readonly number[]): number[] {
  return factors.map((_, axis) => product(factors.slice(axis)));
}

/** Per axis of the maker's the elements of a cycle in the order of what the reader reads, where that is another. */
function cyclesBehind(
  scene: BoundScene,
  storage: StorageId,
  lineages: RelayPath['lineages'],
): readonly number[] {
  const { factors } = scene.space(storage);
  const cycles = cyclesOf(factors);
  let axes = factors.map((_, axis) => axis);
  for (const { order } of lineages) {
    // Only where every element has its own are runs followed.
    if (order === undefined) return [];
    axes = axes.map((axis) => order[axis]);
  }
  const found = new Array<number>(factors.length);
  axes.forEach((origin, axis) => (found[origin] = cycles[axis]));
  return found;
}

function allOnSink(scene: BoundScene, storage: StorageId): ReadFacts {
  const { cluster } = scene;
  const { size } = scene.space(storage);
  const needs = Float64Array.from(cluster.devices, (_, d) => (d === cluster.sink ? size : 0));
  const one = Int32Array.from(cluster.devices, (_, d) => (d === cluster.sink ? 1 : 0));
  return {
    atEnd: needs,
    atEndMost: needs,
    inside: needs,
    most: needs,
    total: size,
    together: size,
    active: cluster.sink < MOST_DEVICES_BY_SET ? 1 << cluster.sink : 0,
    receivers: 1,
    ends: 1,
    shared: Infinity,
    isOrdered: true,
    overlap: 0,
    isRun: true,
    perUnit: size,
    beside: 0,
    units: 1,
    place: { needed: Float64Array.of(0, size), longest: 1, perUnit: size, least: 0, leastWhole: 0, saved: 0 },
    spread: size,
    gathered: Infinity,
    lo: one,
    hi: one,
    axis: WHOLE_AXIS,
    elementBytes: scene.elementBytes(storage),
  };
}
