/** What passes between operators, from the source and to the sink, in the pairwise problem of the synchronous model. */
import { NONE } from '../../graph/units';
import { GATHER } from '../../latency/flow';
import { product } from '../../partition/regions';
import type { ReadFacts } from './lengthBox';
import { WHOLE_AXIS } from './lengthTables';
import { MOST_DEVICES_BY_SET } from './phaseLinks';
import type { Relays } from './relays';
import type { BoundScene } from './scene';

/** One storage on its way from the operator that makes it to one that reads it. */
export interface Passage {
  readonly make: number;
  readonly read: number;
  readonly size: number;
  readonly elementBytes: number;
  readonly cycles: readonly number[];
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
}

/** @param variables per step of the flow, `NONE` for relays */
export function findPassages(scene: BoundScene, relays: Relays, variables: readonly number[]): Passages {
  const { flow, graph, cluster } = scene;
  const { origins } = relays;
  const all: Passage[] = [];
  const inputs: EndPassage[] = [];
  const outputs: EndPassage[] = [];
  const onSink: ReadFacts[] = [];
  const byPair = new Map<string, { from: number; to: number; passages: Passage[] }>();
  flow.storages.forEach(({ producer, readers }, storage) => {
    // What a view makes beside its first output (a mask, say) costs nothing.
    if (producer !== NONE && flow.stepOf[producer] === NONE) return;
    const { size, factors } = scene.space(storage);
    const cycles = factors.map((_, axis) => product(factors.slice(axis)));
    const tensor = graph.storages[storage].tensors[0];
    const elementBytes = size === 0 ? 0 : scene.bytes(tensor, size) / size;
    const step = producer === NONE ? NONE : flow.stepOf[producer];
    const isRelayed = step !== NONE && origins[step] !== NONE;
    const from = step === NONE ? NONE : variables[isRelayed ? origins[step] : step];
    const make = producer === NONE || isRelayed ? 0 : flow.operators[producer].makes.indexOf(storage);
    const shares = relays.shares.get(storage);
    readers.forEach((reader, position) => {
      const share = shares === undefined ? 1 : shares[position];
      if (share === 0) return;
      const passageTo = (read: number): Passage => {
        const prices = new Float64Array(cluster.devices.length);
        const index = all.length;
        const passage = { make, read, size, elementBytes, cycles, isRelayed, share, index, prices };
        all.push(passage);
        return passage;
      };
      if (reader === GATHER) {
        const passage = passageTo(onSink.push(allOnSink(scene, size)) - 1);
        if (from !== NONE) outputs.push({ variable: from, passage });
        return;
      }
      const to = variables[flow.stepOf[reader]];
      // To a relay: it goes on to the relay's readers.
      if (to === NONE) return;
      const read = flow.operators[reader].reads.findIndex((candidate) => candidate.storage === storage);
      const passage = passageTo(read);
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
  return { all, pairs: [...byPair.values()], inputs, outputs, onSink };
}

function allOnSink({ cluster }: BoundScene, size: number): ReadFacts {
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
    lo: one,
    hi: one,
    axis: WHOLE_AXIS,
  };
}
