import {
  NONE,
  type Bytes,
  type DeviceId,
  type Nanoseconds,
  type OperatorId,
  type StorageId,
} from '../graph/units';
import { EMPTY_REGION, type Region, type RegionSpace } from '../partition/regions';
import type { CompiledGene, GeneTable } from './compiledGene';
import { GATHER, type Flow } from './flow';

/** One message of a storage's elements; `reader` counts along `StorageFlow.readers`. */
interface Message {
  readonly reader: number;
  readonly from: DeviceId;
  readonly to: DeviceId;
  readonly bytes: Bytes;
  readonly ns: Nanoseconds;
  /** The last reader on the receiver that uses any of it. */
  readonly lastReader: number;
}

/**
 * All messages of one storage under given genes of its producer and readers, as flat arrays, and who is the
 * last to read what. In the order of the readers, then receivers, then senders.
 */
export interface Traffic {
  /** Messages of reader `r` are `[first[r], first[r + 1])`. */
  readonly first: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly bytes: Float64Array;
  readonly ns: Float64Array;
  readonly lastReader: Int32Array;
  /** Per device: the last reader there that uses what the device itself made; `NONE` where nobody does. */
  readonly lastLocalReader: Int32Array;
  /** Per device: the last reader for which it sends something; `NONE` where it sends nothing. */
  readonly lastSentReader: Int32Array;
  /** Per device: bytes of what it made itself. */
  readonly madeBytes: Float64Array;
  /** Per reader: length of its message phase; empty in the overlapped model. */
  readonly phaseNs: Float64Array;
}

/** What is known after some of the readers: a node of a tree whose edges are genes. */
interface Prefix {
  /** What follows it, by the key of the next reader's gene; the traffic itself where that is the last one. */
  readonly next: Map<number, Prefix>;
  readonly complete: Map<number, Traffic>;
  readonly made: readonly Region[];
  readonly owned: readonly Region[];
  /** Per device: made and received so far. */
  readonly held: readonly Region[];
  readonly messages: readonly Message[];
  /** Per message, what it carries. */
  readonly carried: readonly Region[];
  readonly lastLocalReader: readonly number[];
}

/** Combinations kept at most before the table starts afresh. */
const MOST_KEPT = 200_000;

type Genes = readonly (CompiledGene | undefined)[];

/**
 * Finds the messages of storages, each combination of genes once. `keepsReceived` (overlapped): what a device
 * has received stays there for later readers; otherwise (synchronous) each reader gets all that its device did
 * not make itself.
 */
export class TrafficTable {
  /** Per storage: the roots of its trees by the producer's gene, under 0 for a model input. */
  private roots: Map<number, Prefix>[];
  private kept = 0;
  private readonly spaces: readonly RegionSpace[];
  private readonly wholeOnSource: readonly (readonly Region[])[];
  private readonly wholeOnSink: readonly (readonly Region[])[];
  private readonly isShared: boolean;
  /** Per storage: its position among its producer's `makes`, and among each reader's `reads`. */
  private readonly madeAs: Int32Array;
  private readonly readAs: readonly Int32Array[];

  constructor(
    private readonly genes: GeneTable,
    private readonly flow: Flow,
    private readonly keepsReceived: boolean,
  ) {
    const { graph, regions, cluster } = genes;
    this.spaces = graph.storages.map(({ tensors }) => regions.space(tensors[0]));
    const wholeOn = (wanted: DeviceId): Region[][] =>
      this.spaces.map(({ whole }) =>
        cluster.devices.map((_, device) => (device === wanted ? whole : EMPTY_REGION)),
      );
    this.roots = graph.storages.map(() => new Map());
    this.wholeOnSource = wholeOn(cluster.source);
    this.wholeOnSink = wholeOn(cluster.sink);
    this.isShared = cluster.network.kind === 'shared';
    this.madeAs = Int32Array.from(flow.storages, ({ producer }, storage) =>
      producer === NONE ? NONE : flow.operators[producer].makes.indexOf(storage),
    );
    this.readAs = flow.storages.map(({ readers }, storage) =>
      Int32Array.from(readers, (reader) =>
        reader === GATHER ? NONE : flow.operators[reader].reads.findIndex((read) => read.storage === storage),
      ),
    );
  }

  /** @param genes per operator; those of the storage's producer and readers must be there */
  traffic(storage: StorageId, genes: Genes): Traffic {
    const { readers } = this.flow.storages[storage];
    let prefix = this.root(storage, genes);
    const last = readers.length - 1;
    for (let reader = 0; reader < last; reader++) {
      const key = this.readerKey(readers[reader], genes);
      let next = prefix.next.get(key);
      if (next === undefined) {
        next = this.extend(storage, prefix, reader, this.needs(storage, reader, genes), false);
        prefix.next.set(key, next);
        this.kept++;
      }
      prefix = next;
    }
    const key = last < 0 ? 0 : this.readerKey(readers[last], genes);
    let traffic = prefix.complete.get(key);
    if (traffic === undefined) {
      traffic = this.completed(storage, prefix, last, genes);
      prefix.complete.set(key, traffic);
      this.kept++;
    }
    return traffic;
  }

  private completed(storage: StorageId, prefix: Prefix, last: number, genes: Genes): Traffic {
    if (last < 0) return this.flatten(storage, prefix);
    const needs = this.needs(storage, last, genes);
    if (last === 0) return this.onlyReader(storage, prefix, needs);
    return this.flatten(storage, this.extend(storage, prefix, last, needs, true));
  }

  private root(storage: StorageId, genes: Genes): Prefix {
    if (this.kept > MOST_KEPT) this.forget();
    const { producer } = this.flow.storages[storage];
    const gene = producer === NONE ? undefined : genes[producer]!;
    const key = gene === undefined ? 0 : gene.serial;
    let root = this.roots[storage].get(key);
    if (root === undefined) {
      const made = gene === undefined ? this.wholeOnSource[storage] : gene.makes[this.madeAs[storage]];
      const owned = gene === undefined ? made : gene.owns[this.madeAs[storage]];
      const lastLocalReader = made.map(() => NONE);
      root = { ...emptyBranches(), made, owned, held: made, messages: [], carried: [], lastLocalReader };
      this.roots[storage].set(key, root);
    }
    return root;
  }

  private forget(): void {
    this.kept = 0;
    this.roots = this.roots.map(() => new Map());
  }

  private readerKey(reader: OperatorId, genes: Genes): number {
    return reader === GATHER ? 0 : genes[reader]!.serial + 1;
  }

  private needs(storage: StorageId, reader: number, genes: Genes): readonly Region[] {
    const id = this.flow.storages[storage].readers[reader];
    if (id === GATHER) return this.wholeOnSink[storage];
    const read = this.readAs[storage][reader];
    return read === NONE ? this.wholeOnSink[storage].map(() => EMPTY_REGION) : genes[id]!.needs[read];
  }

  /** One more reader. @param isLast nobody comes after it: what is held then need not be known */
  private extend(
    storage: StorageId,
    before: Prefix,
    reader: number,
    needs: readonly Region[],
    isLast: boolean,
  ): Prefix {
    const space = this.spaces[storage];
    const held = [...before.held];
    const lastLocalReader = [...before.lastLocalReader];
    const messages = before.messages.map((message, index) =>
      space.commonElements(before.carried[index], needs[message.to]) > 0
        ? { ...message, lastReader: this.keepsReceived ? reader : message.lastReader }
        : message,
    );
    const carried = [...before.carried];
    for (let to = 0; to < needs.length; to++) {
      const need = needs[to];
      if (need.elements === 0) continue;
      if (space.commonElements(need, before.made[to]) > 0) lastLocalReader[to] = reader;
      const missing = space.difference(need, this.keepsReceived ? held[to] : before.made[to]);
      if (missing.elements === 0) continue;
      for (let from = 0; from < needs.length; from++) {
        if (from === to) continue;
        const elements = space.commonElements(missing, before.owned[from]);
        if (elements === 0) continue;
        messages.push(this.message(storage, reader, from, to, elements));
        carried.push(isLast ? EMPTY_REGION : space.intersection(missing, before.owned[from]));
      }
      if (!isLast && this.keepsReceived) held[to] = space.union(held[to], missing);
    }
    const { made, owned } = before;
    return { ...emptyBranches(), made, owned, held, messages, carried, lastLocalReader };
  }

  private message(
    storage: StorageId,
    reader: number,
    from: DeviceId,
    to: DeviceId,
    elements: number,
  ): Message {
    const bytes = this.genes.storageBytes(storage, elements);
    return { reader, from, to, bytes, ns: this.genes.costs.messageNs(from, to, bytes), lastReader: reader };
  }

  /** The usual case, without the bookkeeping for further readers. */
  private onlyReader(storage: StorageId, { made, owned }: Prefix, needs: readonly Region[]): Traffic {
    const space = this.spaces[storage];
    const devices = needs.length;
    const lastLocalReader = new Int32Array(devices).fill(NONE);
    const madeBytes = new Float64Array(devices);
    const messages: Message[] = [];
    for (let to = 0; to < devices; to++) {
      madeBytes[to] = this.genes.storageBytes(storage, made[to].elements);
      let lacking = needs[to].elements;
      if (lacking === 0) continue;
      const own = space.commonElements(needs[to], made[to]);
      if (own > 0) lastLocalReader[to] = 0;
      lacking -= own;
      // Where parts were made twice, what the receiver itself made must not be sent to it.
      const missing = made === owned || lacking === 0 ? needs[to] : space.difference(needs[to], made[to]);
      for (let from = 0; from < devices && lacking > 0; from++) {
        const elements = from === to ? 0 : space.commonElements(missing, owned[from]);
        if (elements === 0) continue;
        lacking -= elements;
        messages.push(this.message(storage, 0, from, to, elements));
      }
    }
    return this.arrays(messages, 1, lastLocalReader, madeBytes);
  }

  private flatten(storage: StorageId, { messages, made, lastLocalReader }: Prefix): Traffic {
    const madeBytes = Float64Array.from(made, ({ elements }) => this.genes.storageBytes(storage, elements));
    const { readers } = this.flow.storages[storage];
    return this.arrays(messages, readers.length, Int32Array.from(lastLocalReader), madeBytes);
  }

  private arrays(
    messages: readonly Message[],
    readers: number,
    lastLocalReader: Int32Array,
    madeBytes: Float64Array,
  ): Traffic {
    const count = messages.length;
    const traffic: Traffic = {
      first: new Int32Array(readers + 1),
      from: new Int32Array(count),
      to: new Int32Array(count),
      bytes: new Float64Array(count),
      ns: new Float64Array(count),
      lastReader: new Int32Array(count),
      lastLocalReader,
      lastSentReader: new Int32Array(lastLocalReader.length).fill(NONE),
      madeBytes,
      phaseNs: new Float64Array(this.keepsReceived ? 0 : readers),
    };
    for (let m = 0; m < count; m++) {
      const { reader, from, to, bytes, ns, lastReader } = messages[m];
      traffic.first[reader + 1]++;
      traffic.from[m] = from;
      traffic.to[m] = to;
      traffic.bytes[m] = bytes;
      traffic.ns[m] = ns;
      traffic.lastReader[m] = lastReader;
      traffic.lastSentReader[from] = reader;
    }
    for (let reader = 0; reader < readers; reader++) traffic.first[reader + 1] += traffic.first[reader];
    for (let reader = 0; reader < traffic.phaseNs.length; reader++) {
      traffic.phaseNs[reader] = this.phaseNs(
        messages.slice(traffic.first[reader], traffic.first[reader + 1]),
      );
    }
    return traffic;
  }

  /** The largest sum of message times on one uplink or downlink; on a shared medium the sum of all. */
  private phaseNs(messages: readonly Message[]): Nanoseconds {
    if (this.isShared) return messages.reduce((sum, { ns }) => sum + ns, 0);
    const up = new Float64Array(this.genes.devices);
    const down = new Float64Array(this.genes.devices);
    for (const { from, to, ns } of messages) {
      up[from] += ns;
      down[to] += ns;
    }
    return Math.max(...up, ...down);
  }
}

/** Whether a reader gets the same messages in two plans, to the same last readers. */
export function isSameMessages(a: Traffic, b: Traffic, reader: number): boolean {
  const shift = b.first[reader] - a.first[reader];
  const end = a.first[reader + 1];
  if (b.first[reader + 1] - end !== shift) return false;
  for (let m = a.first[reader]; m < end; m++) {
    if (
      a.bytes[m] !== b.bytes[m + shift] ||
      a.from[m] !== b.from[m + shift] ||
      a.to[m] !== b.to[m + shift] ||
      a.lastReader[m] !== b.lastReader[m + shift]
    )
      return false;
  }
  return true;
}

function emptyBranches(): Pick<Prefix, 'next' | 'complete'> {
  return { next: new Map(), complete: new Map() };
}
