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
  /** Per device: bytes of what it made itself. */
  readonly madeBytes: Float64Array;
  /** Per reader: length of its message phase; empty in the overlapped model. */
  readonly phaseNs: Float64Array;
}

/** What is known after some of the readers: a node of a tree whose edges are genes. */
interface Prefix {
  /** Unique in its `TrafficTable`. */
  readonly serial: number;
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
const MOST_KEPT = 100_000;
/** Serials of prefixes and genes are below it, so that a pair of them is one exact number. */
const SERIAL_RANGE = 2 ** 26;

type Genes = readonly (CompiledGene | undefined)[];

/**
 * Finds the messages of storages, each combination of genes once. `keepsReceived` (overlapped): what a device
 * has received stays there for later readers; otherwise (synchronous) each reader gets all that its device did
 * not make itself.
 */
export class TrafficTable {
  private prefixes = new Map<number, Prefix>();
  private found = new Map<number, Traffic>();
  private nextSerial = 0;
  private readonly spaces: readonly RegionSpace[];
  /** Per storage: the tree's root for a model input, else a serial that stands for the storage itself. */
  private readonly roots: readonly Prefix[];
  private readonly wholeOnSink: readonly (readonly Region[])[];
  private readonly isShared: boolean;

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
    this.roots = wholeOn(cluster.source).map((made) => this.rootOf(made, made));
    this.wholeOnSink = wholeOn(cluster.sink);
    this.isShared = cluster.network.kind === 'shared';
  }

  /** @param genes per operator; those of the storage's producer and readers must be there */
  traffic(storage: StorageId, genes: Genes): Traffic {
    const { readers } = this.flow.storages[storage];
    let prefix = this.root(storage, genes);
    for (let reader = 0; reader + 1 < readers.length; reader++) {
      prefix = this.extended(storage, prefix, reader, genes);
    }
    const last = readers.length - 1;
    const key = prefix.serial * SERIAL_RANGE + (last < 0 ? 0 : this.needSerial(readers[last], genes));
    let traffic = this.found.get(key);
    if (traffic === undefined) {
      if (this.found.size > MOST_KEPT) this.found = new Map();
      traffic =
        last === 0
          ? this.onlyReader(storage, prefix, this.needs(storage, 0, genes))
          : this.flatten(
              storage,
              last < 0 ? prefix : this.extend(storage, prefix, last, this.needs(storage, last, genes), true),
            );
      this.found.set(key, traffic);
    }
    return traffic;
  }

  private root(storage: StorageId, genes: Genes): Prefix {
    const { producer } = this.flow.storages[storage];
    if (producer === NONE) return this.roots[storage];
    const gene = genes[producer]!;
    return this.remembered(this.roots[storage].serial * SERIAL_RANGE + gene.serial, () => {
      const made = this.flow.operators[producer].makes.indexOf(storage);
      return this.rootOf(gene.makes[made], gene.owns[made]);
    });
  }

  private extended(storage: StorageId, prefix: Prefix, reader: number, genes: Genes): Prefix {
    const id = this.flow.storages[storage].readers[reader];
    return this.remembered(prefix.serial * SERIAL_RANGE + this.needSerial(id, genes), () =>
      this.extend(storage, prefix, reader, this.needs(storage, reader, genes), false),
    );
  }

  private remembered(key: number, make: () => Prefix): Prefix {
    let prefix = this.prefixes.get(key);
    if (prefix === undefined) {
      if (this.prefixes.size > MOST_KEPT) this.prefixes = new Map();
      this.prefixes.set(key, (prefix = make()));
    }
    return prefix;
  }

  private rootOf(made: readonly Region[], owned: readonly Region[]): Prefix {
    const lastLocalReader = made.map(() => NONE);
    return { serial: this.nextSerial++, made, owned, held: made, messages: [], carried: [], lastLocalReader };
  }

  private needSerial(reader: OperatorId, genes: Genes): number {
    return reader === GATHER ? 0 : genes[reader]!.serial + 1;
  }

  private needs(storage: StorageId, reader: number, genes: Genes): readonly Region[] {
    const id = this.flow.storages[storage].readers[reader];
    if (id === GATHER) return this.wholeOnSink[storage];
    const read = this.flow.operators[id].reads.findIndex((candidate) => candidate.storage === storage);
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
    return { ...before, serial: this.nextSerial++, held, messages, carried, lastLocalReader };
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
