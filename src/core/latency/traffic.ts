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
import { TripleMap } from './tripleMap';

/** One message of a storage's elements; readers are positions in `StorageFlow.readers`. */
export interface Message {
  readonly reader: number;
  readonly from: DeviceId;
  readonly to: DeviceId;
  readonly bytes: Bytes;
  readonly ns: Nanoseconds;
  /** The last reader on the receiver that uses any of it. */
  readonly lastReader: number;
}

/**
 * All messages of one storage under given genes of its producer and readers, and who is the last to read what.
 * Many are kept, so they are made of few objects.
 */
export interface Traffic {
  /** In the order of the readers, then receivers, then senders. */
  readonly messages: readonly Message[];
  /** Messages of reader `r` are `[first[r], first[r + 1])`. */
  readonly first: readonly number[];
  /** Per device: the last reader there that uses what the device itself made; `NONE` where nobody does. */
  readonly lastLocalReader: readonly number[];
  /** Per device: the last reader for which it sends something; `NONE` where it sends nothing. */
  readonly lastSentReader: readonly number[];
  /** Per device: bytes of what it made itself. */
  readonly madeBytes: readonly Bytes[];
  /** Per reader: length of its message phase; empty in the overlapped model. */
  readonly phaseNs: readonly Nanoseconds[];
}

/** What is known after some of the readers: a node of a tree whose edges are genes. */
interface Prefix {
  readonly id: number;
  readonly made: readonly Region[];
  readonly owned: readonly Region[];
  readonly madeBytes: readonly Bytes[];
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
  /** The roots of each storage's trees, by the producer's gene. */
  private readonly roots = new TripleMap<Prefix>();
  /** By storage, what is known before, and the next reader's gene. */
  private readonly next = new TripleMap<Prefix>();
  /** The same for the last reader; of a storage with one reader at most by the producer's gene and the reader's. */
  private readonly complete = new TripleMap<Traffic>();
  private prefixes = 0;
  private readonly spaces: readonly RegionSpace[];
  private readonly wholeOnSource: readonly (readonly Region[])[];
  private readonly wholeOnSink: readonly (readonly Region[])[];
  private readonly isShared: boolean;
  /** `NONE` for every device. */
  private readonly nobody: readonly number[];
  /** Scratch: per uplink and downlink. */
  private readonly portNs: Float64Array;
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
    this.wholeOnSource = wholeOn(cluster.source);
    this.wholeOnSink = wholeOn(cluster.sink);
    this.isShared = cluster.network.kind === 'shared';
    this.nobody = cluster.devices.map(() => NONE);
    this.portNs = new Float64Array(2 * cluster.devices.length);
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
    const { readers, producer } = this.flow.storages[storage];
    const last = readers.length - 1;
    const made = producer === NONE ? 0 : genes[producer]!.serial + 1;
    const read = last < 0 ? 0 : this.readerKey(readers[last], genes);
    if (last > 0) return this.ofMany(storage, made, read, genes);
    const known = this.complete.get(storage, made, read);
    if (known !== undefined) return known;
    this.forgetMany();
    const traffic = this.completed(storage, this.root(storage, made, genes), last, genes);
    this.complete.add(storage, made, read, traffic);
    return traffic;
  }

  /** Of a storage with several readers. */
  private ofMany(storage: StorageId, made: number, read: number, genes: Genes): Traffic {
    this.forgetMany();
    const { readers } = this.flow.storages[storage];
    const last = readers.length - 1;
    let prefix = this.root(storage, made, genes);
    for (let reader = 0; reader < last; reader++) {
      const key = this.readerKey(readers[reader], genes);
      let next = this.next.get(storage, prefix.id, key);
      if (next === undefined) {
        next = this.extend(storage, prefix, reader, this.needs(storage, reader, genes), false);
        this.next.add(storage, prefix.id, key, next);
      }
      prefix = next;
    }
    let traffic = this.complete.get(storage, prefix.id, read);
    if (traffic === undefined) {
      traffic = this.completed(storage, prefix, last, genes);
      this.complete.add(storage, prefix.id, read, traffic);
    }
    return traffic;
  }

  private completed(storage: StorageId, prefix: Prefix, last: number, genes: Genes): Traffic {
    if (last < 0) return this.summary(prefix.messages, 0, prefix.lastLocalReader, prefix.madeBytes);
    const needs = this.needs(storage, last, genes);
    if (last === 0) return this.onlyReader(storage, prefix, needs);
    const { messages, lastLocalReader, madeBytes } = this.extend(storage, prefix, last, needs, true);
    return this.summary(messages, last + 1, lastLocalReader, madeBytes);
  }

  private root(storage: StorageId, key: number, genes: Genes): Prefix {
    let root = this.roots.get(storage, key, 0);
    if (root === undefined) {
      const { producer } = this.flow.storages[storage];
      const gene = producer === NONE ? undefined : genes[producer]!;
      const made = gene === undefined ? this.wholeOnSource[storage] : gene.makes[this.madeAs[storage]];
      const owned = gene === undefined ? made : gene.owns[this.madeAs[storage]];
      const madeBytes = made.map(({ elements }) => this.genes.storageBytes(storage, elements));
      const id = this.prefixes++;
      root = {
        id,
        made,
        owned,
        madeBytes,
        held: made,
        messages: [],
        carried: [],
        lastLocalReader: this.nobody,
      };
      this.roots.add(storage, key, 0, root);
    }
    return root;
  }

  private forgetMany(): void {
    if (this.roots.size + this.next.size + this.complete.size <= MOST_KEPT) return;
    this.roots.clear();
    this.next.clear();
    this.complete.clear();
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
      this.keepsReceived && space.commonElements(before.carried[index], needs[message.to]) > 0
        ? { ...message, lastReader: reader }
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
    const { made, owned, madeBytes } = before;
    const id = this.prefixes++;
    return { id, made, owned, madeBytes, held, messages, carried, lastLocalReader };
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
  private onlyReader(
    storage: StorageId,
    { made, owned, madeBytes }: Prefix,
    needs: readonly Region[],
  ): Traffic {
    const space = this.spaces[storage];
    const devices = needs.length;
    const lastLocalReader = [...this.nobody];
    const messages: Message[] = [];
    for (let to = 0; to < devices; to++) {
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
    return this.summary(messages, 1, lastLocalReader, madeBytes);
  }

  private summary(
    messages: readonly Message[],
    readers: number,
    lastLocalReader: readonly number[],
    madeBytes: readonly Bytes[],
  ): Traffic {
    const first: number[] = [];
    const lastSentReader = [...this.nobody];
    const phaseNs: number[] = [];
    let next = 0;
    for (let reader = 0; reader < readers; reader++) {
      first.push(next);
      for (; next < messages.length && messages[next].reader === reader; next++)
        lastSentReader[messages[next].from] = reader;
      if (!this.keepsReceived) phaseNs.push(this.phaseNs(messages, first[reader], next));
    }
    first.push(next);
    return { messages, first, lastLocalReader, lastSentReader, madeBytes, phaseNs };
  }

  /** The largest sum of message times on one uplink or downlink; on a shared medium the sum of all. */
  private phaseNs(messages: readonly Message[], begin: number, end: number): Nanoseconds {
    const { portNs } = this;
    const devices = this.genes.devices;
    portNs.fill(0);
    let busiest = 0;
    for (let m = begin; m < end; m++) {
      const { from, to, ns } = messages[m];
      const up = this.isShared ? 0 : from;
      const down = devices + (this.isShared ? 0 : to);
      portNs[up] += ns;
      portNs[down] += ns;
      busiest = Math.max(busiest, portNs[up], portNs[down]);
    }
    return busiest;
  }
}

/** Whether a reader gets the same messages in two plans, to the same last readers. */
export function isSameMessages(a: Traffic, b: Traffic, reader: number): boolean {
  const shift = b.first[reader] - a.first[reader];
  const end = a.first[reader + 1];
  if (b.first[reader + 1] - end !== shift) return false;
  for (let m = a.first[reader]; m < end; m++) {
    const one = a.messages[m];
    const other = b.messages[m + shift];
    if (one === other) continue;
    if (
      one.bytes !== other.bytes ||
      one.from !== other.from ||
      one.to !== other.to ||
      one.lastReader !== other.lastReader
    )
      return false;
  }
  return true;
}
